#include "../../../src/report/reduced.hpp"
#include "../../../src/report/picture.hpp"
#include "../../../src/report/view_data.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <set>

using namespace cathoscope;
using namespace cathoscope::report;

namespace {

/// A source over a function of the voxel that counts how much is asked for at once.
template <class T, class F>
GridSource<T> computed(const Index3& shape, const F& value, std::int64_t& largest) {
  GridSource<T> s{shape, {0.5, 0.25, 0.25}, {1, 2, 3}, {}};
  s.read = [value, &largest](const Box& box, T* out) {
    largest = std::max(largest, box.size());
    for (auto z = box.begin[0]; z < box.end[0]; ++z)
      for (auto y = box.begin[1]; y < box.end[1]; ++y)
        for (auto x = box.begin[2]; x < box.end[2]; ++x) *out++ = static_cast<T>(value(z, y, x));
  };
  return s;
}

Context context() {
  static Progress progress;
  return {progress};
}

std::uint32_t noise(std::int64_t z, std::int64_t y, std::int64_t x) {
  auto h = static_cast<std::uint32_t>(z * 73856093 ^ y * 19349663 ^ x * 83492791);
  h = (h ^ h >> 13) * 1274126177u;
  return h ^ h >> 16;
}

}  // namespace

TEST_CASE("a reduced grid keeps its proportions, its planes and the limit") {
  CHECK(reduced_shape({100, 100, 100}, {1, 1, 1}, 1000) == Index3{10, 10, 10});
  CHECK(reduced_shape({100, 100, 100}, {1, 1, 1}, 1e9) == Index3{100, 100, 100});
  CHECK(reduced_shape({1, 400, 400}, {1, 1, 1}, 10000) == Index3{1, 100, 100});
  const Index3 anisotropic = reduced_shape({50, 100, 100}, {2, 1, 1}, 1000);
  CHECK(anisotropic == Index3{10, 10, 10});
  for (const double voxels : {1.0, 7.0, 1e3, 1e5, 3e6})
    CHECK(volume_of(reduced_shape({655, 2048, 2048}, {1, 1, 1}, voxels)) <= voxels);
}

TEST_CASE("labels are taken at the centres of the coarse voxels, whatever the blocks") {
  // 150 x 1100 x 600 voxels are read in 3 x 3 x 2 blocks; every coarse voxel is looked up directly as well.
  const Index3 fine{150, 1100, 600}, coarse{7, 50, 31};
  std::int64_t largest = 0;
  const auto value = [](std::int64_t z, std::int64_t y, std::int64_t x) { return noise(z, y, x); };
  const auto got = sampled(computed<std::uint32_t>(fine, value, largest), coarse, context());
  CHECK(largest <= 64 * 512 * 512);
  CHECK(got.voxel_size_um[0] == Approx(0.5 * 150 / 7));
  CHECK(got.origin_um == Vec3{1, 2, 3});
  int wrong = 0;
  for (std::int64_t z = 0; z < coarse[0]; ++z)
    for (std::int64_t y = 0; y < coarse[1]; ++y)
      for (std::int64_t x = 0; x < coarse[2]; ++x) {
        const auto at = [](std::int64_t i, std::int64_t n, std::int64_t f) {
          return static_cast<std::int64_t>(
              std::floor((static_cast<double>(i) + 0.5) * static_cast<double>(f) / static_cast<double>(n)));
        };
        if (got.values(z, y, x) != noise(at(z, 7, 150), at(y, 50, 1100), at(x, 31, 600))) ++wrong;
      }
  CHECK(wrong == 0);
}

TEST_CASE("averages of grey values keep the mean and follow a ramp") {
  const Index3 fine{70, 520, 30}, coarse{7, 13, 5};
  std::int64_t largest = 0;
  const auto ramp = [](std::int64_t z, std::int64_t y, std::int64_t) { return static_cast<float>(z + 2 * y); };
  const auto got = averaged(computed<float>(fine, ramp, largest), coarse, context());
  CHECK(largest <= 64 * 512 * 512);
  // Coarse voxel (1, 2, .) holds planes 10..19 and rows 80..119: means 14.5 and 99.5. float32 of a mean, hence 1e-6.
  CHECK(static_cast<double>(got.values(1, 2, 3)) == Approx(14.5 + 2 * 99.5).epsilon(1e-6));
}

TEST_CASE("packed grids fit their budget and lose nothing else") {
  Grid<std::uint32_t> labels{array3<std::uint32_t>({40, 40, 40}), {1, 1, 1}, {0, 0, 0}};
  for (std::int64_t i = 0; i < 64000; ++i) labels.values.data()[i] = noise(i, 0, 0) & 65535;  // does not compress
  const auto roomy = packed_labels(labels, 1'000'000);
  CHECK(roomy.shape == Index3{40, 40, 40});
  const auto tight = packed_labels(labels, 20'000);
  CHECK(tight.base64.size() <= 20'000);
  CHECK(tight.base64.size() > 5'000);  // not thrown away either
  CHECK(tight.voxel_size_um[0] * static_cast<double>(tight.shape[0]) == Approx(40));
  CHECK(packed_labels(labels, 20'000).base64 == tight.base64);
  Grid<float> grey{array3<float>({40, 40, 40}), {1, 1, 1}, {0, 0, 0}};
  for (std::int64_t i = 0; i < 64000; ++i) grey.values.data()[i] = static_cast<float>(noise(i, 1, 0) & 255);
  CHECK(packed_grey(grey, 0, 255, 15'000).base64.size() <= 15'000);
}

TEST_CASE("labels of very many particles are made coarser for the browser's sake") {
  // Every voxel a particle of its own: 3 (n^3 - n^2) pairs of neighbours with two faces each, 600,000 at n = 46.8.
  Grid<std::uint32_t> labels{array3<std::uint32_t>({80, 80, 80}), {1, 1, 1}, {0, 0, 0}};
  for (std::int64_t i = 0; i < 512'000; ++i) labels.values.data()[i] = 1 + noise(i, 3, 0) % 60'000;
  const auto packed = packed_labels(labels, 100'000'000);
  CHECK(volume_of(packed.shape) <= 46 * 46 * 46);
  CHECK(volume_of(packed.shape) > 75'000);
}

TEST_CASE("the still picture shows the particle in front, in its colour") {
  Grid<std::uint32_t> labels{array3<std::uint32_t>({24, 24, 24}), {1, 1, 1}, {0, 0, 0}};
  labels.values.fill(0);
  for (std::int64_t z = 0; z < 24; ++z)
    for (std::int64_t y = 0; y < 24; ++y)
      for (std::int64_t x = 0; x < 24; ++x) labels.values(z, y, x) = x + y < 24 ? 1 : 2;  // 1 is nearer to the viewer
  const auto tints = [&](const std::vector<double>& value) {
    std::set<int> seen;
    for (const auto p : still_picture(labels, value, 60).pixels)
      if (p > 0) seen.insert((p - 1) / 15);
    return seen;
  };
  const auto both = tints({0, 0.0, 1.0});
  CHECK(both == std::set<int>{0, 14});
  const double unknown = std::nan("");
  CHECK(tints({0, unknown, unknown}) == std::set<int>{15});
  const Picture picture = still_picture(labels, {0, 0.0, 1.0}, 60);
  const auto low_middle = picture.pixels[static_cast<std::size_t>(picture.height * 3 / 4) * 60 + 30];
  CHECK((low_middle - 1) / 15 == 0);  // the front edge belongs to particle 1
}

TEST_CASE("a list of particles keeps the largest where there is no room for all") {
  Table table;
  Column label{"label", "", "", {}, {}, {}}, volume{"Volume", "", "", {}, {}, {}}, damage{"Damage", "", "", {}, {}, {}},
      border{"touches_border", "", "", {}, {}, {}};
  for (std::uint64_t i = 0; i < 2000; ++i) {
    label.ids.push_back(i + 5);
    volume.numbers.push_back(static_cast<double>(noise(static_cast<std::int64_t>(i), 2, 0) % 100'000));
    damage.numbers.push_back(i == 7 ? std::nan("") : 0.001 * static_cast<double>(i % 97));
    border.numbers.push_back(i % 2 ? 1 : 0);
  }
  table.columns = {label, volume, damage, border};
  const auto all = particle_list(table, nullptr, "Damage", {"touches_border"}, 10'000'000);
  CHECK(all.kept == 2000);
  CHECK(all.index.at(5) == 1);
  CHECK(all.target[2] == Approx(0.001));
  const auto some = particle_list(table, nullptr, "Damage", {"touches_border"}, 6000);
  CHECK(some.base64.size() <= 6000);
  CHECK(some.total == 2000);
  REQUIRE(some.kept > 100);
  double least_kept = 1e9, most_left = 0;
  for (std::size_t row = 0; row < 2000; ++row)
    if (some.index.count(label.ids[row]))
      least_kept = std::min(least_kept, volume.numbers[row]);
    else
      most_left = std::max(most_left, volume.numbers[row]);
  CHECK(least_kept >= most_left);
}
