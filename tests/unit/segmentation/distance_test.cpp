#include <cathoscope/segmentation/distance.hpp>

#include "segmentation_bodies.hpp"

#include <limits>

using namespace cathoscope;

namespace {

Array3<std::uint8_t> random_mask(const Index3& shape, std::uint64_t seed) {
  Stream stream(seed, {"mask"});
  Array3<std::uint8_t> mask = array3<std::uint8_t>(shape);
  for (auto& v : mask) v = stream.uniform() < 0.05 ? (stream.uniform() < 0.3 ? 2 : 0) : 1;
  return mask;
}

/// Distance to the nearest voxel of value 0 by trying all, in depth_field's units.
double brute_depth(const Array3<std::uint8_t>& mask, const Index3& v, const Vec3& h) {
  const Index3 n = shape_of(mask);
  double best = std::numeric_limits<double>::infinity();
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x)
        if (mask(z, y, x) == 0)
          best = std::min(best, test::distance(test::centre_of(z, y, x, h), test::centre_of(v[0], v[1], v[2], h)));
  return std::min(65535.0, best / *std::min_element(h.begin(), h.end()) * depth_steps);
}

}  // namespace

TEST_CASE("depth is the distance to the nearest background voxel, for any spacing") {
  const Vec3 h = GENERATE(Vec3{1, 1, 1}, Vec3{0.1, 0.03, 0.03}, Vec3{0.5, 0.37, 0.4123});
  const Index3 shape{13, 17, 21};
  const test::Bench bench(shape, {8, 8, 8}, 2, h);
  const auto mask = random_mask(shape, 3);
  const auto depth = depth_field(bench.workspace, test::stored(bench.workspace, mask)).padded(whole(shape), 0);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x) {
        const double expected = mask(z, y, x) == 1 ? brute_depth(mask, {z, y, x}, h) : 0;
        // Half a step of rounding, and 6e-5 where the ratio of spacings had to be rounded.
        REQUIRE(std::abs(depth(z, y, x) - expected) <= 0.5 + 1e-4 * expected);
      }
}

TEST_CASE("a volume without background has one depth everywhere") {
  const Index3 shape{3, 4, 5};
  const test::Bench bench(shape, {2, 2, 2});
  Array3<std::uint8_t> mask = array3<std::uint8_t>(shape);
  mask.fill(1);
  const auto depth = depth_field(bench.workspace, test::stored(bench.workspace, mask)).padded(whole(shape), 0);
  for (const auto d : depth) CHECK(d == 65535);
}

TEST_CASE("near distances equal brute force up to the limit and are far beyond it") {
  const Index3 n{9, 11, 12};
  const Vec3 h{0.2, 0.1, 0.1};
  const SquaredMetric metric = metric_of(h);
  CHECK(metric.weight == std::array<std::uint32_t, 3>{4, 1, 1});
  Array3<std::uint32_t> values = array3<std::uint32_t>(n);
  values.fill(far);
  values(2, 3, 4) = values(8, 10, 11) = 0;
  near_distances(values, metric, 0.5);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const auto squared = [&](std::int64_t a, std::int64_t b, std::int64_t c) {
          return 4 * (z - a) * (z - a) + (y - b) * (y - b) + (x - c) * (x - c);
        };
        const auto nearest = std::min(squared(2, 3, 4), squared(8, 10, 11));
        CHECK(values(z, y, x) == (nearest <= 25 ? static_cast<std::uint32_t>(nearest) : far));
      }
}

TEST_CASE("steps include those that end exactly at the distance") {
  CHECK(metric_of({0.1, 0.1, 0.1}).steps(0.3) == Index3{3, 3, 3});
  CHECK(metric_of({0.2, 0.1, 0.1}).steps(0.35) == Index3{1, 3, 3});
  CHECK(metric_of({0.398, 0.398, 0.398}).steps(0.35) == Index3{0, 0, 0});
}
