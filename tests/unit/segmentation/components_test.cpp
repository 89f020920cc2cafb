#include <cathoscope/segmentation/components.hpp>

#include "segmentation_bodies.hpp"

#include <map>

using namespace cathoscope;

namespace {

Array3<std::uint32_t> random_keys(const Index3& n, std::uint64_t seed) {
  Stream stream(seed, {"keys"});
  Array3<std::uint32_t> keys = array3<std::uint32_t>(n);
  for (auto& k : keys) k = stream.uniform() < 0.6 ? 0 : 1 + static_cast<std::uint32_t>(stream.below(2));
  return keys;
}

/// Smallest linear index of each voxel's component, by flooding.
std::vector<std::int64_t> flooded(const Array3<std::uint32_t>& keys, Neighbours neighbours) {
  const Index3 n = shape_of(keys);
  std::vector<std::int64_t> first(keys.size(), -1);
  for (std::int64_t start = 0; start < volume_of(n); ++start) {
    if (keys.data()[start] == 0 || first[static_cast<std::size_t>(start)] >= 0) continue;
    std::vector<std::int64_t> stack{start};
    first[static_cast<std::size_t>(start)] = start;
    while (!stack.empty()) {
      const std::int64_t i = stack.back();
      stack.pop_back();
      for (std::int64_t d = 0; d < 27; ++d) {
        const Index3 step{d / 9 - 1, d / 3 % 3 - 1, d % 3 - 1};
        if (neighbours == Neighbours::faces && std::abs(step[0]) + std::abs(step[1]) + std::abs(step[2]) != 1) continue;
        const Index3 p{i / (n[1] * n[2]) + step[0], i / n[2] % n[1] + step[1], i % n[2] + step[2]};
        if (intersect({p, {p[0] + 1, p[1] + 1, p[2] + 1}}, whole(n)).empty()) continue;
        const std::int64_t j = (p[0] * n[1] + p[1]) * n[2] + p[2];
        if (keys.data()[j] != keys.data()[i] || first[static_cast<std::size_t>(j)] >= 0) continue;
        first[static_cast<std::size_t>(j)] = start;
        stack.push_back(j);
      }
    }
  }
  return first;
}

}  // namespace

TEST_CASE("components equal those of a flood fill, for any block") {
  const Neighbours neighbours = GENERATE(Neighbours::faces, Neighbours::all);
  const Index3 n = GENERATE(Index3{9, 12, 14}, Index3{1, 20, 31}, Index3{30, 2, 3});
  const auto keys = random_keys(n, 5);
  const auto expected = flooded(keys, neighbours);
  for (const std::int64_t edge : {1, 3, 5, 64}) {
    const test::Bench bench(n, {edge, edge, edge}, 2);
    const auto found = find_components(bench.workspace, "test", neighbours, [&](const Box& box) {
      Array3<std::uint32_t> part = array3<std::uint32_t>(box.shape());
      copy_box(keys.data(), n, box, part.data());
      return part;
    });
    const auto ids = found.ids.padded(whole(n), 0);
    std::map<std::uint32_t, std::int64_t> first;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::uint32_t c = ids.data()[i] == 0 ? 0 : found.component_of[ids.data()[i]];
      REQUIRE((c == 0) == (expected[i] < 0));
      if (c != 0) REQUIRE(first.try_emplace(c, static_cast<std::int64_t>(i)).first->second == expected[i]);
    }
  }
}

TEST_CASE("a hole fills unless it reaches the border, the field of view's edge, or is too large") {
  const Index3 n{9, 9, 20};
  Array3<std::uint8_t> mask = array3<std::uint8_t>(n);
  mask.fill(1);
  mask(4, 4, 3) = 0;  // sealed
  mask(3, 3, 4) = 0;  // touches it by a corner only: sealed as well
  mask(4, 4, 8) = 0;  // beside a voxel that was not measured
  mask(4, 4, 9) = 2;
  for (std::int64_t x = 15; x < 20; ++x) mask(4, 4, x) = 0;  // open to the border
  mask(2, 2, 12) = mask(2, 2, 13) = 0;                       // two voxels
  const test::Bench bench(n, {4, 4, 4});
  const auto filled = [&](std::uint64_t largest) {
    const auto grid = test::stored(bench.workspace, mask);
    fill_holes(bench.workspace, grid, largest);
    return grid.padded(whole(n), 0);
  };
  const auto all = filled(100);
  CHECK(all(4, 4, 3) == 1);
  CHECK(all(3, 3, 4) == 1);
  CHECK(all(4, 4, 8) == 0);
  CHECK(all(4, 4, 9) == 2);
  CHECK(all(4, 4, 16) == 0);
  CHECK(all(2, 2, 12) == 1);
  CHECK(filled(1)(2, 2, 12) == 0);
  CHECK(filled(1)(4, 4, 3) == 1);
}

TEST_CASE("background fills with the one label around it; other labels are not overwritten") {
  const Index3 n{7, 7, 16};
  Array3<std::uint32_t> labels = array3<std::uint32_t>(n);
  labels.fill(0);
  for (std::int64_t z = 1; z < 6; ++z)
    for (std::int64_t y = 1; y < 6; ++y)
      for (std::int64_t x = 1; x < 15; ++x) labels(z, y, x) = x < 8 ? 1 : 2;
  labels(3, 3, 3) = 0;                    // in 1
  labels(3, 3, 7) = labels(3, 3, 8) = 0;  // between 1 and 2
  labels(3, 3, 11) = 3;                   // an island
  const test::Bench bench(n, {4, 4, 4}, 2);
  const auto grid = test::stored(bench.workspace, labels);
  const ScratchGrid<std::uint8_t> filled(bench.workspace);
  const auto seen = [](const Box& box) {
    Array3<std::uint8_t> a = array3<std::uint8_t>(box.shape());
    a.fill(1);
    return a;
  };
  CHECK(fill_labels(bench.workspace, grid, seen, filled) == 1);
  const auto result = grid.padded(whole(n), 0);
  CHECK(result(3, 3, 3) == 1);
  CHECK(result(3, 3, 7) == 0);
  CHECK(result(3, 3, 11) == 3);
  CHECK(filled.padded(whole(n), 0)(3, 3, 3) == 1);
  CHECK(result(0, 0, 0) == 0);
}
