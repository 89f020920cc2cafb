#include "segmentation_bodies.hpp"

#include <algorithm>

using namespace cathoscope;
using test::segmented;

namespace {

/// Balls at random places, many of them touching; some with a void.
Grid<float> packed(const Index3& shape, const Vec3& h, std::uint64_t seed) {
  Stream stream(seed, {"packed"});
  std::vector<test::Ball> list;
  for (int i = 0; i < 14; ++i) {
    Vec3 c{};
    for (std::size_t a = 0; a < 3; ++a) c[a] = stream.uniform(0, static_cast<double>(shape[a]) * h[a]);
    list.push_back({c, stream.uniform(1.2, 2.6)});
  }
  auto grid = test::painted(shape, h, [&](const Vec3& p) {
    for (const auto& b : list)
      if (test::distance(p, b.centre_um) < 0.3 * b.radius_um) return 62.0;
    return test::in_any(list, p) ? 180.0 : 87.0;
  });
  return test::with_noise(test::blurred(grid, 0.7), 8);
}

}  // namespace

TEST_CASE("the file is the same byte for byte for any block, memory and number of threads", "[slow]") {
  const auto shape = GENERATE(Index3{67, 70, 81}, Index3{1, 150, 171}, Index3{65, 2, 90});
  SegmentationConfig c;
  c.method = "watershed";
  c.watershed.h_relative = 0.1;
  const auto inputs = test::grey_inputs(packed(shape, {0.2, 0.15, 0.15}, 3));
  const auto expected = segmented(c, inputs, {1, shape});
  CHECK(expected.count() > 1);
  for (const Index3& block : {Index3{64, 64, 64}, Index3{48, 48, 48}, Index3{31, 29, 17}})
    for (const int threads : {1, 2, 4}) CHECK(segmented(c, inputs, {threads, block}).bytes == expected.bytes);
  CHECK(segmented(c, inputs, {2, std::nullopt, 1}).bytes == expected.bytes);
  CHECK(segmented(c, inputs, {1, std::nullopt}).bytes == expected.bytes);
}

TEST_CASE("phases and given labels do not depend on blocks either") {
  auto grid = packed({50, 40, 45}, {0.2, 0.2, 0.2}, 5);
  for (float& v : grid.values) v = v > 130 ? 1 : 0;
  SegmentationConfig c;
  c.method = "watershed";
  c.method = "phases";
  const auto inputs = test::grey_inputs(grid);
  const auto expected = segmented(c, inputs, {1, Index3{50, 40, 45}});
  CHECK(expected.count() > 1);
  CHECK(segmented(c, inputs, {3, Index3{16, 7, 64}}).bytes == expected.bytes);

  SegmentationInputs given;
  Grid<std::uint64_t> labels{array3<std::uint64_t>({50, 40, 45}), {0.2, 0.2, 0.2}, {0, 0, 0}};
  std::transform(expected.labels.begin(), expected.labels.end(), labels.values.begin(),
                 [](std::uint32_t l) { return l == 0 ? 0 : 1000 - std::uint64_t{l}; });
  given.labels = source_of(labels);
  const auto again = segmented({}, given, {1, Index3{50, 40, 45}});
  CHECK(again.labels == expected.labels);
  CHECK(again.ids.at(0) == 999);
  CHECK(segmented({}, given, {3, Index3{16, 7, 64}}).bytes == again.bytes);
}

TEST_CASE("a shifted volume has the shifted labels") {
  const Index3 shape{40, 44, 48};
  const auto whole_grid = packed({50, 54, 58}, {0.2, 0.2, 0.2}, 9);
  const auto cut = [&](const Index3& from) {
    Grid<float> g{array3<float>({60, 64, 68}), {0.2, 0.2, 0.2}, {0, 0, 0}};
    g.values.fill(87);
    for (std::int64_t z = 0; z < shape[0]; ++z)
      for (std::int64_t y = 0; y < shape[1]; ++y)
        for (std::int64_t x = 0; x < shape[2]; ++x)
          g.values(from[0] + z, from[1] + y, from[2] + x) = whole_grid.values(z, y, x);
    return g;
  };
  SegmentationConfig c;
  c.method = "watershed";
  c.watershed.threshold.value = 130;
  const auto a = segmented(c, test::grey_inputs(cut({9, 9, 9})));
  const auto b = segmented(c, test::grey_inputs(cut({12, 10, 14})));
  REQUIRE(a.count() > 1);
  REQUIRE(a.count() == b.count());
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x)
        REQUIRE(a.at({9 + z, 9 + y, 9 + x}) == b.at({12 + z, 10 + y, 14 + x}));
}

TEST_CASE("permuted axes give the same particles with the same sizes") {
  // Ties on plateaus are broken by index, which a permutation changes: sizes may differ by the few voxels of a cut.
  const auto grid = test::balls({50, 60, 70}, {0.2, 0.2, 0.2}, {{{5, 6, 4.5}, 3.5}, {{5, 6, 10}, 3}, {{4, 2, 7}, 1.5}});
  Grid<float> turned{array3<float>({70, 50, 60}), {0.2, 0.2, 0.2}, {0, 0, 0}};
  for (std::int64_t z = 0; z < 50; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 70; ++x) turned.values(x, z, y) = grid.values(z, y, x);
  SegmentationConfig c;
  c.method = "watershed";
  c.cracks = "none";
  const auto a = segmented(c, test::grey_inputs(grid));
  const auto b = segmented(c, test::grey_inputs(turned));
  REQUIRE(a.count() == b.count());
  std::size_t same = 0;
  std::size_t all = 0;
  std::vector<std::vector<std::size_t>> overlap(a.count() + 1, std::vector<std::size_t>(b.count() + 1, 0));
  for (std::int64_t z = 0; z < 50; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 70; ++x) overlap[a.at({z, y, x})][b.at({x, z, y})] += 1;
  for (std::size_t l = 1; l <= a.count(); ++l) {
    same += *std::max_element(overlap[l].begin(), overlap[l].end());
    for (const auto n : overlap[l]) all += n;
  }
  CHECK(static_cast<double>(same) > 0.995 * static_cast<double>(all));
}
