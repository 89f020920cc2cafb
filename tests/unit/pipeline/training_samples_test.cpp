#include "../../../src/pipeline/labelled_volume.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/pipeline/training_samples.hpp>

#include "test_data.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

using namespace cathoscope;
using namespace cathoscope::training_detail;

namespace {

/// Grey is linear in position, labels are the linear index.
LabelledVolume ramp(const Index3& shape) {
  LabelledVolume v{shape, {}, {}, {}};
  std::uint32_t index = 0;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x) {
        v.grey.push_back(static_cast<float>(100 * z + 10 * y + x));
        v.labels.push_back(index++);
      }
  return v;
}

TrainingSample plane(const LabelledVolume& v, const PlaneFamily& f, std::int64_t k) {
  const auto size = plane_size(v.shape, f, k);
  return cut(v, f, k, {0, 0, size[0], size[1]});
}

TrainingSamplesConfig tiny_phantoms() {
  TrainingSamplesConfig c;
  c.phantoms->preset = "tiny";
  c.phantoms->vary = false;
  c.phantoms->count = 4;
  c.phantoms->samples_per_volume = 3;
  c.validation_fraction = 0.25;
  c.validation_samples = 4;
  return c;
}

bool equal(const TrainingSample& a, const TrainingSample& b) {
  return a.image.rows == b.image.rows && a.image.columns == b.image.columns && a.image.values == b.image.values &&
         a.labels == b.labels && a.ignore == b.ignore;
}

std::vector<TrainingSample> samples_of(const SampleSource& source, std::int64_t count, int threads) {
  std::vector<TrainingSample> samples(static_cast<std::size_t>(count));
  parallel_for(count, threads,
               [&](std::int64_t i) { samples[static_cast<std::size_t>(i)] = source(static_cast<std::uint64_t>(i)); });
  return samples;
}

}  // namespace

TEST_CASE("the planes of a family hold every voxel once, but for the last point of some diagonals") {
  const LabelledVolume v = ramp({5, 7, 9});
  for (const PlaneFamily& f : plane_families()) {
    std::set<std::uint32_t> seen;
    std::size_t sum = 0, points = 0;
    for (std::int64_t k = 0; k < plane_count(v.shape, f); ++k) {
      const auto s = plane(v, f, k);
      const std::set<std::uint32_t> here(s.labels.begin(), s.labels.end());
      seen.insert(here.begin(), here.end());
      sum += here.size();
      points += static_cast<std::size_t>(s.image.rows);
    }
    CHECK(seen.size() == sum);
    CHECK(seen.size() <= v.labels.size());
    // Pixels end before the end of a diagonal where its length is no whole number of them.
    CHECK(seen.size() >= v.labels.size() - (f.slope == 0 ? 0 : points));
  }
}

TEST_CASE("a ramp stays a ramp in every plane, lattice points sqrt(2) apart along diagonals") {
  const LabelledVolume v = ramp({6, 7, 8});
  const std::array<double, 3> slope{100, 10, 1};
  for (const PlaneFamily& f : plane_families())
    for (std::int64_t k = 0; k < plane_count(v.shape, f); ++k) {
      const auto s = plane(v, f, k);
      const double along =
          f.slope == 0 ? slope[f.across] : (slope[f.across] - f.slope * slope[f.fixed]) / std::numbers::sqrt2;
      const double origin = s.image.values[0];
      for (std::int64_t r = 0; r < s.image.rows; ++r)
        for (std::int64_t c = 0; c < s.image.columns; ++c)
          // float32 holds three digits and a half of fraction beside values of some hundred
          CHECK(s.image.values[static_cast<std::size_t>(r * s.image.columns + c)] ==
                Approx(origin + static_cast<double>(r) * slope[f.row] + static_cast<double>(c) * along).margin(2e-3));
    }
}

TEST_CASE("labels of a diagonal plane are those of the nearest lattice point") {
  const LabelledVolume v = ramp({4, 12, 12});
  const PlaneFamily f = plane_families()[7];  // rows z, columns between x and y
  const std::int64_t k = 11;                  // x + y = 11: twelve points
  const auto s = plane(v, f, k);
  REQUIRE(s.image.columns == 16);  // 11 sqrt(2) = 15.6
  for (std::int64_t c = 0; c < s.image.columns; ++c) {
    const auto x = static_cast<std::int64_t>(std::lround(static_cast<double>(c) / std::numbers::sqrt2));
    CHECK(s.labels[static_cast<std::size_t>(c)] == static_cast<std::uint32_t>((11 - x) * 12 + x));
  }
}

TEST_CASE("a window is that part of its plane") {
  const LabelledVolume v = ramp({9, 10, 11});
  for (const PlaneFamily& f : plane_families()) {
    const std::int64_t k = plane_count(v.shape, f) / 2;
    const auto all = plane(v, f, k);
    const auto part = cut(v, f, k, {2, 3, 4, 5});
    for (std::int64_t r = 0; r < 4; ++r)
      for (std::int64_t c = 0; c < 5; ++c)
        CHECK(part.image.values[static_cast<std::size_t>(r * 5 + c)] ==
              all.image.values[static_cast<std::size_t>((r + 2) * all.image.columns + c + 3)]);
  }
}

TEST_CASE("resizing keeps means when it shrinks, ramps when it enlarges, and whole labels") {
  const LabelledVolume v = ramp({1, 12, 12});
  const auto s = plane(v, plane_families()[0], 0);
  const auto half = resized(s, 6, 6);
  CHECK(half.image.values[0] == Approx((0 + 1 + 10 + 11) / 4.0));
  CHECK(half.labels[0] == 13);  // the centre of four pixels belongs to the last
  const auto odd = resized(s, 5, 7);
  double before = 0, after = 0;
  for (const float g : s.image.values) before += g / 144;
  for (const float g : odd.image.values) after += g / 35;
  CHECK(after == Approx(before).epsilon(1e-5));  // areas add up; float32 sums
  const auto large = resized(s, 18, 18);
  // Pixel 8.5 of 18 lies at 5.67 of 12: (8 + 0.5) / 1.5 - 0.5 = 5.1667
  CHECK(large.image.values[8 * 18 + 8] == Approx(5.166667 * 11).epsilon(1e-5));
  const std::set<std::uint32_t> known(s.labels.begin(), s.labels.end());
  CHECK(std::all_of(large.labels.begin(), large.labels.end(), [&](auto l) { return known.count(l) == 1; }));
}

TEST_CASE("slivers of particles are ignored, whole sections are not") {
  LabelledVolume v{{1, 40, 40}, std::vector<float>(1600, 0.5F), std::vector<std::uint32_t>(1600, 0), {}};
  for (std::size_t r = 4; r < 30; ++r)
    for (std::size_t c = 4; c < 30; ++c) v.labels[r * 40 + c] = 7;
  v.labels[35 * 40 + 35] = 9;
  Stream draw(1, {"test"});
  const auto s = random_sample(v, 40, draw);
  REQUIRE(s.ignore.size() == s.labels.size());
  for (std::size_t i = 0; i < s.labels.size(); ++i) CHECK(s.ignore[i] == (s.labels[i] == 9 ? 1 : 0));
}

TEST_CASE("a sample depends on its index and the seed only") {
  const auto c = tiny_phantoms();
  Progress progress;
  const Context context{progress, 1};
  const auto one = samples_of(training_sources(c, 5, 32, context).training, 12, 1);
  const auto many = samples_of(training_sources(c, 5, 32, context).training, 12, 4);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(equal(one[i], many[i]));
  const auto fresh = training_sources(c, 5, 32, context);
  CHECK(equal(fresh.training(11), one[11]));  // late first, as after a resumed training
  CHECK(equal(fresh.training(0), one[0]));
  CHECK_FALSE(equal(training_sources(c, 6, 32, context).training(11), one[11]));
}

TEST_CASE("samples are normalised, of the promised size and labelled") {
  const auto c = tiny_phantoms();
  Progress progress;
  const auto sources = training_sources(c, 5, 32, {progress, 1});
  std::size_t labelled = 0;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const auto s = sources.training(i);
    const auto n = static_cast<std::size_t>(s.image.rows * s.image.columns);
    REQUIRE(s.image.values.size() == n);
    REQUIRE(s.labels.size() == n);
    CHECK(s.image.rows <= 49);
    CHECK(s.image.columns <= 49);
    CHECK(s.image.rows >= 20);
    CHECK(std::all_of(s.image.values.begin(), s.image.values.end(),
                      [](float g) { return std::isfinite(g) && g > -1 && g < 2; }));
    labelled += std::any_of(s.labels.begin(), s.labels.end(), [](auto l) { return l != 0; }) ? 1 : 0;
  }
  CHECK(labelled >= 10);
}

TEST_CASE("volumes of a training differ, and follow from the seed") {
  TrainingPhantomConfig c;
  const auto a = training_phantom(c, 0), b = training_phantom(c, 1);
  CHECK(a.voxel_size_um != b.voxel_size_um);
  CHECK(a.grey.matrix != b.grey.matrix);
  CHECK(training_phantom(c, 1).voxel_size_um == b.voxel_size_um);
  for (std::uint64_t v = 0; v < 50; ++v) {
    const auto p = training_phantom(c, v);
    const double px = p.sizes.median_um[0] / p.voxel_size_um;
    CHECK(px >= 0.7 * sample_diameter_px - 1e-9);
    CHECK(px <= 1.35 * sample_diameter_px + 1e-9);
    CHECK(p.grey.particle[0] > p.grey.matrix[0]);
  }
  c.preset = "nonsense";
  CHECK_THROWS_AS(training_phantom(c, 0), Error);
}
