#include <cathoscope/segmentation/basins.hpp>

#include "segmentation_bodies.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

using namespace cathoscope;

namespace {

/// The definition of the header, on whole arrays, with nothing clever.
struct Reference {
  Index3 n;
  const Array3<std::uint16_t>& q;
  std::map<std::int64_t, std::int64_t> root;

  [[nodiscard]] std::uint16_t value(std::int64_t i) const { return q.data()[i]; }
  [[nodiscard]] std::vector<std::int64_t> neighbours(std::int64_t i) const {
    const std::int64_t z = i / (n[1] * n[2]), y = i / n[2] % n[1], x = i % n[2];
    std::vector<std::int64_t> list;
    for (std::int64_t a = std::max<std::int64_t>(0, z - 1); a <= std::min(n[0] - 1, z + 1); ++a)
      for (std::int64_t b = std::max<std::int64_t>(0, y - 1); b <= std::min(n[1] - 1, y + 1); ++b)
        for (std::int64_t c = std::max<std::int64_t>(0, x - 1); c <= std::min(n[2] - 1, x + 1); ++c)
          list.push_back((a * n[1] + b) * n[2] + c);
    return list;
  }
  [[nodiscard]] std::int64_t best(std::int64_t i) const {
    std::int64_t b = i;
    for (const auto j : neighbours(i))
      if (value(j) > value(b) || (value(j) == value(b) && j < b)) b = j;
    return b;
  }
  std::vector<std::uint32_t> labels(double least, double share, std::uint64_t smallest) {
    for (std::int64_t i = 0; i < volume_of(n); ++i) {
      if (value(i) == 0) continue;
      std::int64_t r = i;
      while (best(r) != r) r = best(r);
      root[i] = r;
    }
    std::map<std::pair<std::int64_t, std::int64_t>, int> saddle;
    for (const auto& [i, r] : root)
      for (const auto j : neighbours(i))
        if (value(j) > 0 && root[j] != r) {
          auto& s = saddle[{std::min(r, root[j]), std::max(r, root[j])}];
          s = std::max<int>(s, std::min(value(i), value(j)));
        }
    std::vector<std::tuple<int, std::int64_t, std::int64_t>> order;
    for (const auto& [pair, s] : saddle) order.emplace_back(-s, pair.first, pair.second);
    std::sort(order.begin(), order.end());
    std::map<std::int64_t, std::int64_t> group;
    std::map<std::int64_t, int> peak;
    for (const auto& [i, r] : root) {
      group[r] = r;
      peak[r] = value(r);
    }
    for (const auto& [minus, ra, rb] : order) {
      const std::int64_t a = group[ra], b = group[rb];
      if (a == b) continue;
      const double lower = std::min(peak[a], peak[b]);
      if (lower + minus >= std::max(least, share * lower)) continue;
      const int highest = std::max(peak[a], peak[b]);
      for (auto& [r, g] : group)
        if (g == b) g = a;
      peak[a] = highest;
    }
    std::map<std::int64_t, std::uint64_t> size;
    for (const auto& [i, r] : root) size[group[r]] += 1;
    std::map<std::int64_t, std::uint32_t> number;
    std::vector<std::uint32_t> result(static_cast<std::size_t>(volume_of(n)), 0);
    for (std::int64_t i = 0; i < volume_of(n); ++i) {
      if (value(i) == 0 || size[group[root[i]]] < smallest) continue;
      const auto g = group[root[i]];
      if (number.count(g) == 0) number[g] = static_cast<std::uint32_t>(number.size() + 1);
      result[static_cast<std::size_t>(i)] = number[g];
    }
    return result;
  }
};

std::vector<std::uint32_t> streamed(const Array3<std::uint16_t>& q, const Index3& block, int threads, double least,
                                    double share, std::uint64_t smallest) {
  const Index3 n = shape_of(q);
  const test::Bench bench(n, block, threads);
  const Basins basins = find_basins(bench.workspace, test::stored(bench.workspace, q));
  const auto instances = number_instances(basins.graph, merge_basins(basins.graph, {least, share}), smallest);
  const auto ids = basins.ids.padded(whole(n), 0);
  std::vector<std::uint32_t> labels;
  for (const auto id : ids) labels.push_back(id == 0 ? 0 : instances.label_of[basins.basin_of[id]]);
  return labels;
}

/// Random values in few levels: plateaus and ties everywhere.
Array3<std::uint16_t> random_field(const Index3& n, std::uint64_t levels, std::uint64_t seed) {
  Stream stream(seed, {"field"});
  Array3<std::uint16_t> q = array3<std::uint16_t>(n);
  for (auto& v : q) v = static_cast<std::uint16_t>(stream.below(levels));
  return q;
}

}  // namespace

TEST_CASE("labels equal the plain definition on random fields with ties, for any block and thread", "[slow]") {
  const auto n = GENERATE(Index3{9, 10, 11}, Index3{1, 23, 19}, Index3{5, 1, 40}, Index3{1, 1, 50}, Index3{17, 6, 7});
  const std::uint64_t levels = GENERATE(std::uint64_t{2}, std::uint64_t{4}, std::uint64_t{30}, std::uint64_t{60000});
  const auto q = random_field(n, levels, levels);
  for (const auto& [least, share, smallest] :
       {std::tuple(1.0, 0.0, 1), std::tuple(3.0, 0.2, 1), std::tuple(0.3 * static_cast<double>(levels), 0.0, 4)}) {
    const auto expected = Reference{n, q, {}}.labels(least, share, static_cast<std::uint64_t>(smallest));
    for (const std::int64_t edge : {1, 3, 4, 7, 64})
      for (const int threads : {1, 4})
        REQUIRE(streamed(q, {edge, edge, edge}, threads, least, share, static_cast<std::uint64_t>(smallest)) ==
                expected);
  }
}

TEST_CASE("a plateau is one basin and its root the smallest index") {
  Array3<std::uint16_t> q = array3<std::uint16_t>({6, 6, 6});
  q.fill(7);
  const test::Bench bench({6, 6, 6}, {2, 2, 2});
  const Basins basins = find_basins(bench.workspace, test::stored(bench.workspace, q));
  REQUIRE(basins.graph.basins.size() == 1);
  CHECK(basins.graph.basins[0].root == 0);
  CHECK(basins.graph.basins[0].voxels == 216);
  CHECK(basins.graph.saddles.empty());
}

TEST_CASE("two peaks merge exactly where the lower rises less than the threshold above the saddle") {
  Array3<std::uint16_t> q = array3<std::uint16_t>({1, 1, 5});
  const std::uint16_t line[] = {9, 5, 3, 6, 8};
  std::copy_n(line, 5, q.data());
  const auto count = [&](double least, double share) {
    const auto labels = streamed(q, {1, 1, 2}, 1, least, share, 1);
    return std::set<std::uint32_t>(labels.begin(), labels.end()).size();
  };
  CHECK(count(5, 0) == 2);  // 8 - 3 = 5: not less than 5
  CHECK(count(5.5, 0) == 1);
  CHECK(count(0, 0.62) == 2);  // 0.62 x 8 = 4.96
  CHECK(count(0, 0.63) == 1);
}
