#include "../../../src/pipeline/training_images.hpp"

#include <cathoscope/core/error.hpp>

#include "test_data.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <numbers>
#include <set>

using namespace cathoscope;
using namespace cathoscope::training_detail;

namespace {

/// A NumPy file of bytes.
std::string write_npy(const std::filesystem::path& path, const Index3& shape, const std::vector<std::uint8_t>& values) {
  std::string header =
      shape[0] == 1 ? fmt::format("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, {}), }}", shape[1], shape[2])
                    : fmt::format("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, {}, {}), }}", shape[0],
                                  shape[1], shape[2]);
  header.resize(117, ' ');
  header += '\n';
  std::ofstream out(path, std::ios::binary);
  out << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(header.size()) << '\0' << header;
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size()));
  return path.string();
}

/// Discs (balls) on a lattice: grey 200 on 60 plus a slope, labels 1, 2, ...
struct Drawn {
  std::vector<std::uint8_t> grey, labels;
};

Drawn bodies(const Index3& shape, double diameter, std::int64_t pitch) {
  Drawn d;
  const std::int64_t across = (shape[2] + pitch - 1) / pitch, down = (shape[1] + pitch - 1) / pitch;
  const auto from_centre = [pitch](std::int64_t i) {
    return static_cast<double>(i % pitch) - static_cast<double>(pitch - 1) / 2;
  };
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x) {
        const double r = std::hypot(shape[0] == 1 ? 0 : from_centre(z), from_centre(y), from_centre(x));
        const bool in = r <= diameter / 2;
        const std::int64_t id = 1 + ((z / pitch) * down + y / pitch) * across + x / pitch;
        d.labels.push_back(in ? static_cast<std::uint8_t>(id) : 0);
        d.grey.push_back(static_cast<std::uint8_t>((in ? 200 : 60) + (x + 2 * y + 3 * z) % 5));
      }
  return d;
}

InputPath input(const std::string& path) { return {path, path}; }

TrainingImageConfig pair_in(const test::ScratchDir& folder, const Index3& shape, const Drawn& d,
                            const std::string& name = "a") {
  TrainingImageConfig c;
  c.image = input(write_npy(folder.path() / fmt::format("{}.npy", name), shape, d.grey));
  c.labels = input(write_npy(folder.path() / fmt::format("{}-labels.npy", name), shape, d.labels));
  return c;
}

}  // namespace

TEST_CASE("labelled images are scaled so that the median particle has the canonical size") {
  const test::ScratchDir folder;
  Progress progress;
  const Index3 shape{1, 480, 480};
  const auto c = pair_in(folder, shape, bodies(shape, 96, 120));
  const auto v = labelled_image(c, {progress, 1});
  CHECK(v.shape[0] == 1);
  CHECK(std::abs(v.shape[1] - 240) <= 2);  // 96 voxels become 48
  std::int64_t labelled = 0;
  for (std::size_t i = 0; i < v.labels.size(); ++i) {
    if (v.labels[i] == 0) continue;
    ++labelled;
    CHECK(v.grey[i] > 0.2);  // its nearest of four native pixels is inside: a quarter of the contrast at least
  }
  const double area = 16 * std::numbers::pi * 24 * 24;
  CHECK(static_cast<double>(labelled) == Approx(area).epsilon(0.02));  // a pixel of outline is 4 % of the area
}

TEST_CASE("small particles are not enlarged, and a stated diameter wins") {
  const test::ScratchDir folder;
  Progress progress;
  const Index3 shape{1, 120, 120};
  auto c = pair_in(folder, shape, bodies(shape, 24, 30));
  CHECK(labelled_image(c, {progress, 1}).shape == Index3{1, 120, 120});
  c.voxel_size_um = VoxelSize{{0.1, 0.1, 0.1}};
  c.particle_diameter_um = 9.6;  // 96 voxels
  CHECK(labelled_image(c, {progress, 1}).shape == Index3{1, 60, 60});
  c.voxel_size_um = std::nullopt;
  CHECK_THROWS_AS(labelled_image(c, {progress, 1}), Error);
}

TEST_CASE("the diameter of balls and discs is measured on their labels") {
  for (const Index3& shape : {Index3{1, 90, 90}, Index3{60, 60, 60}}) {
    const auto d = bodies(shape, 24, 30);
    Grid<std::uint64_t> grid{array3<std::uint64_t>(shape), {1, 1, 1}, {}};
    std::copy(d.labels.begin(), d.labels.end(), grid.values.begin());
    CHECK(labelled_diameter(source_of(std::move(grid))) == Approx(24).epsilon(0.02));  // of a digital ball
  }
}

TEST_CASE("ignored pixels stay ignored; volumes are cut in nine directions") {
  const test::ScratchDir folder;
  Progress progress;
  const Index3 shape{60, 60, 60};
  auto c = pair_in(folder, shape, bodies(shape, 24, 30));
  std::vector<std::uint8_t> ignore(216000, 0);
  for (std::size_t i = 0; i < 3600; ++i) ignore[i] = 200;
  c.ignore = input(write_npy(folder.path() / "ignore.npy", shape, ignore));
  const auto v = labelled_image(c, {progress, 1});
  REQUIRE(v.shape == shape);
  for (std::size_t i = 0; i < v.ignore.size(); ++i) CHECK(v.ignore[i] == (i < 3600 ? 1 : 0));
}

TEST_CASE("files that do not fit are refused") {
  const test::ScratchDir folder;
  Progress progress;
  const Index3 shape{1, 60, 60};
  auto c = pair_in(folder, shape, bodies(shape, 24, 30));
  auto other = c;
  other.labels = input(write_npy(folder.path() / "b.npy", {1, 60, 59}, std::vector<std::uint8_t>(3540, 1)));
  CHECK_THROWS_WITH(labelled_image(other, {progress, 1}), Catch::Contains("must agree"));
  other.labels = input(write_npy(folder.path() / "c.npy", shape, std::vector<std::uint8_t>(3600, 0)));
  CHECK_THROWS_WITH(labelled_image(other, {progress, 1}), Catch::Contains("all zero"));
}

TEST_CASE("images are split as a whole") {
  const test::ScratchDir folder;
  Progress progress;
  const Index3 shape{1, 96, 96};
  TrainingSamplesConfig config;
  config.phantoms = std::nullopt;
  config.validation_samples = 6;
  CHECK_THROWS_AS(training_sources(config, 1, 32, {progress, 1}), Error);
  // Labels tell which image a sample is of: ids of image k begin at 20 k + 1.
  for (std::uint8_t k = 0; k < 4; ++k) {
    auto d = bodies(shape, 24, 32);
    for (auto& label : d.labels)
      if (label != 0) label = static_cast<std::uint8_t>(label + 20 * k);
    config.images.push_back(pair_in(folder, shape, d, fmt::format("image{}", k)));
  }
  const auto sources = training_sources(config, 1, 32, {progress, 1});
  const auto images_in = [](const SampleSource& source, std::uint64_t count) {
    std::set<std::uint32_t> images;
    for (std::uint64_t i = 0; i < count; ++i)
      for (const std::uint32_t label : source(i).labels)
        if (label != 0) images.insert((label - 1) / 20);
    return images;
  };
  const auto training = images_in(sources.training, 40), validation = images_in(sources.validation, 6);
  CHECK(training.size() == 3);
  CHECK(validation.size() == 1);
  for (const auto image : validation) CHECK(training.count(image) == 0);
  config.images.resize(1);
  CHECK_THROWS_AS(training_sources(config, 1, 32, {progress, 1}), Error);
  config.images.push_back(config.images[0]);
  CHECK_THROWS_WITH(training_sources(config, 1, 32, {progress, 1}), Catch::Contains("already"));
}
