#include "fused_instances.hpp"

#include "convex_bound.hpp"

#include <cathoscope/segmentation/components.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double steps = 1000;  // of the probability

/// A view of an array that outlives it.
GridSource<float> view_of(const Array3<float>& values) {
  GridSource<float> source;
  source.shape = shape_of(values);
  source.read = [&values](const Box& box, float* out) { copy_box(values.data(), shape_of(values), box, out); };
  return source;
}

struct Pair {
  std::uint32_t a = 0, b = 0;
  std::uint16_t saddle = 0;
};

std::vector<std::uint16_t> peaks_of(const BasinGraph& graph, const std::vector<std::uint32_t>& group_of) {
  std::vector<std::uint16_t> peak(group_of.size(), 0);
  for (std::size_t i = 0; i < group_of.size(); ++i)
    peak[group_of[i]] = std::max(peak[group_of[i]], graph.basins[i].peak);
  return peak;
}

/// Pairs of groups whose saddle is high enough, in descending order of saddle.
std::vector<Pair> candidates(const BasinGraph& graph, const std::vector<std::uint32_t>& group_of,
                             const CrackedRule& rule) {
  const auto peak = peaks_of(graph, group_of);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint16_t> highest;
  for (const auto& s : graph.saddles) {
    const auto [a, b] = std::minmax(group_of[s.a], group_of[s.b]);
    if (a == b || s.value < rule.saddle_share * std::min(peak[a], peak[b])) continue;
    auto& value = highest[{a, b}];
    value = std::max(value, s.value);
  }
  std::vector<Pair> pairs;
  for (const auto& [groups, saddle] : highest) pairs.push_back({groups.first, groups.second, saddle});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& p, const Pair& q) { return p.saddle > q.saddle; });
  return pairs;
}

void widen(Box& box, const Box& other) {
  if (other.empty()) return;
  if (box.empty()) {
    box = other;
    return;
  }
  for (std::size_t a = 0; a < 3; ++a) {
    box.begin[a] = std::min(box.begin[a], other.begin[a]);
    box.end[a] = std::max(box.end[a], other.end[a]);
  }
}

/// The box of each basin.
std::vector<Box> basin_boxes(const Workspace& w, const Basins& basins) {
  std::vector<Box> boxes(basins.graph.basins.size());
  std::mutex mutex;
  for_each_block(w, "extents", [&](const Box& block) {
    const Array3<std::uint32_t> ids = basins.ids.padded(block, 0);
    std::unordered_map<std::uint32_t, Box> here;
    const auto n = block.shape();
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[2]; ++x) {
          const std::uint32_t id = ids(z, y, x);
          if (id == 0) continue;
          const Index3 v{block.begin[0] + z, block.begin[1] + y, block.begin[2] + x};
          widen(here[basins.basin_of[id]], {v, {v[0] + 1, v[1] + 1, v[2] + 1}});
        }
    const std::scoped_lock lock(mutex);
    for (const auto& [basin, box] : here) widen(boxes[basin], box);
  });
  return boxes;
}

/// What the rule looks at.
struct PairShape {
  std::uint64_t a = 0, b = 0;  ///< voxels
  std::uint64_t faces = 0;     ///< between them
  double solidity = 0;
};

/// 1 = first, 2 = second group, 0 = neither.
PairShape shape_of_pair(const Array3<std::uint8_t>& side) {
  const Index3 n = shape_of(side);
  const bool plane = n[0] == 1;
  PairShape s;
  ConvexBound bound(plane);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const std::uint8_t own = side(z, y, x);
        if (own == 0) continue;
        (own == 1 ? s.a : s.b) += 1;
        const auto meets = [&](bool there, std::int64_t dz, std::int64_t dy, std::int64_t dx) {
          if (there && side(z + dz, y + dy, x + dx) + own == 3) s.faces += 1;
        };
        meets(z + 1 < n[0], 1, 0, 0);
        meets(y + 1 < n[1], 0, 1, 0);
        meets(x + 1 < n[2], 0, 0, 1);
        const bool inner = x > 0 && x + 1 < n[2] && side(z, y, x - 1) != 0 && side(z, y, x + 1) != 0;
        if (!inner) bound.add(static_cast<double>(z), static_cast<double>(y), static_cast<double>(x));
      }
  s.solidity = static_cast<double>(s.a + s.b) / std::max(1.0, bound.points(whole(n)));
  return s;
}

bool is_one_particle(const PairShape& s, bool plane, const CrackedRule& rule) {
  const auto diameter = [&](std::uint64_t voxels) {
    const double v = static_cast<double>(voxels);
    return plane ? std::sqrt(4 * v / pi) : std::cbrt(6 * v / pi);
  };
  const double smaller = diameter(std::min(s.a, s.b));
  const double section = plane ? smaller : pi / 4 * smaller * smaller;
  const double interface = static_cast<double>(s.faces) * (plane ? pi / 4 : 2.0 / 3);  // faces over-count slopes
  return s.solidity >= rule.solidity && diameter(s.a + s.b) <= rule.largest_diameter &&
         interface >= rule.interface_share * section;
}

}  // namespace

ScratchGrid<std::uint16_t> seed_field(const Workspace& w, const Array3<float>& probability,
                                      const ScratchGrid<std::uint8_t>& mask) {
  ScratchGrid<std::uint16_t> field(w);
  const GridSource<float> source = view_of(probability);
  const FieldOfView everywhere{{}, w.shape};
  const Vec3 sigma{w.shape[0] > 1 ? 1.0 : 0.0, 1.0, 1.0};
  for_each_block(w, "seeds", [&](const Box& block) {
    const Array3<float> smooth = smoothed(source, everywhere, sigma, block);
    const Array3<std::uint8_t> kind = mask.padded(block, 0);
    std::vector<std::uint16_t> values(kind.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double p = std::clamp(double{smooth.data()[i]}, 0.0, 1.0);
      values[i] = kind.data()[i] == 1 ? static_cast<std::uint16_t>(std::max(1.0, std::floor(p * steps + 0.5))) : 0;
    }
    field.write(block, values.data());
  });
  return field;
}

std::uint64_t merge_cracked(const Workspace& w, const Basins& basins, const CrackedRule& rule,
                            std::vector<std::uint32_t>& group_of) {
  const auto pairs = candidates(basins.graph, group_of, rule);
  if (pairs.empty()) return 0;
  std::vector<Box> boxes(group_of.size());
  {
    const auto of_basin = basin_boxes(w, basins);
    for (std::size_t i = 0; i < of_basin.size(); ++i) widen(boxes[group_of[i]], of_basin[i]);
  }
  DisjointSets groups(group_of.size());
  std::uint64_t merged = 0;
  for (const Pair& pair : pairs) {
    const std::uint32_t a = groups.find(pair.a);
    const std::uint32_t b = groups.find(pair.b);
    if (a == b) continue;
    Box box = boxes[a];
    widen(box, boxes[b]);
    const Array3<std::uint32_t> ids = basins.ids.padded(box, 0);
    Array3<std::uint8_t> side = array3<std::uint8_t>(box.shape());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::uint32_t id = ids.data()[i];
      const std::uint32_t group = id == 0 ? a : groups.find(group_of[basins.basin_of[id]]);
      side.data()[i] = id == 0 ? 0 : group == a ? 1 : group == b ? 2 : 0;
    }
    w.context->progress.check_stop();
    if (!is_one_particle(shape_of_pair(side), w.shape[0] == 1, rule)) continue;
    groups.unite(a, b);
    boxes[std::min(a, b)] = box;
    ++merged;
  }
  for (std::uint32_t& group : group_of) group = groups.find(group);
  return merged;
}

FusedWatershed fused_watershed(const Workspace& w, const Array3<float>& probability,
                               const ScratchGrid<std::uint8_t>& mask, std::uint64_t least_voxels,
                               const CrackedRule& rule) {
  Basins basins = find_basins(w, seed_field(w, probability, mask));
  constexpr double least_peak = seed_probability * steps;
  auto groups = merge_basins(basins.graph, {seed_height * steps, 0, least_peak});
  FusedWatershed result;
  result.cracked_pairs = merge_cracked(w, basins, rule, groups);
  const Instances instances =
      number_instances(basins.graph, groups, least_voxels, static_cast<std::uint16_t>(least_peak));
  result.unresolved_voxels = instances.unresolved_voxels;
  result.dropped = instances.dropped;
  result.dropped_voxels = instances.dropped_voxels;
  std::vector<std::uint32_t> label_of = std::move(basins.basin_of);
  for (std::size_t id = 1; id < label_of.size(); ++id) label_of[id] = instances.label_of[label_of[id]];
  result.basins = {basins.ids, std::move(label_of), instances.count};
  return result;
}

}  // namespace cathoscope
