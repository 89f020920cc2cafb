#include "cracks.hpp"

#include "neighbourhood.hpp"

#include <cathoscope/segmentation/components.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr std::uint64_t least_crack = 12;
constexpr std::uint32_t mouth_squared = 9;  // a mouth is at most three voxels from its crack

/// What a voxel may be, before components are known: shallow or deep, in the outer layers or below them, or only in
/// the outer layers.
enum Candidate : std::uint8_t { none = 0, mouth = 1, deep_mouth = 2, weak = 3, strong = 4, outer_solid = 5 };

bool is_mouth_kind(std::uint8_t kind) { return kind == mouth || kind == deep_mouth; }
bool is_inner_kind(std::uint8_t kind) { return kind == weak || kind == strong; }
bool is_outer(std::uint8_t kind) { return is_mouth_kind(kind) || kind == outer_solid; }
bool is_deep(std::uint8_t kind) { return kind == deep_mouth || kind == strong; }

/// out |= row where the row is within the array.
void add_layer(std::uint8_t* out, const std::uint8_t* row, std::int64_t n) {
  for (std::int64_t x = 0; x < n; ++x) out[x] |= row[x];
}

/// 1 for voxels of the block within one step of a boundary voxel; `boundary` covers the block and more, or all there
/// is.
Array3<std::uint8_t> near_boundary(const Box& block, const Box& wide, const Array3<std::uint8_t>& boundary) {
  const auto n = block.shape();
  const auto m = wide.shape();
  const std::array<std::int64_t, 3> stride{m[1] * m[2], m[2], 1};
  Array3<std::uint8_t> layers = array3<std::uint8_t>(n);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const Index3 at{z + block.begin[0] - wide.begin[0], y + block.begin[1] - wide.begin[1],
                      block.begin[2] - wide.begin[2]};
      const std::uint8_t* in = boundary.data() + (at[0] * m[1] + at[1]) * m[2] + at[2];
      std::uint8_t* out = &layers(z, y, 0);
      std::copy_n(in, n[2], out);
      for (std::size_t axis = 0; axis < 2; ++axis) {
        if (at[axis] > 0) add_layer(out, in - stride[axis], n[2]);
        if (at[axis] + 1 < m[axis]) add_layer(out, in + stride[axis], n[2]);
      }
      const std::int64_t first = at[2] > 0 ? 0 : 1;
      const std::int64_t end = at[2] + n[2] < m[2] ? n[2] : n[2] - 1;
      add_layer(out + first, in + first - 1, n[2] - first);
      add_layer(out, in + 1, end);
    }
  return layers;
}

/// The part of a wide array that is the block.
Array3<std::uint32_t> inner_part(const Array3<std::uint32_t>& values, const Box& block, const Box& wide) {
  Box part = block;
  for (std::size_t i = 0; i < 3; ++i) {
    part.begin[i] -= wide.begin[i];
    part.end[i] -= wide.begin[i];
  }
  Array3<std::uint32_t> inner = array3<std::uint32_t>(block.shape());
  copy_box(values.data(), wide.shape(), part, inner.data());
  return inner;
}

/// A component's size, and whether it is deep somewhere.
struct Extent {
  std::uint64_t voxels = 0;
  bool has_strong = false;
};

/// Crack voxels before their size is known, and their connected sets.
struct Candidates {
  ScratchGrid<std::uint8_t> kind;
  Components components;
  std::vector<bool> accepted;  ///< of each provisional id: whether its component is a crack
};

Array3<std::uint8_t> kinds_of(const Array3<std::uint32_t>& names, const Array3<std::uint16_t>& codes,
                              const Array3<std::uint8_t>& outer, const SmoothGrey& grey,
                              const std::vector<ParticleLevels>& levels) {
  Array3<std::uint8_t> found = array3<std::uint8_t>(shape_of(names));
  std::uint32_t last = 0;
  ParticleLevels l;
  double weak_depth = 0;
  double strong_depth = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::uint32_t label = names.data()[i];
    const bool is_outer_layer = label != 0 && outer.data()[i] != 0;
    found.data()[i] = is_outer_layer ? outer_solid : none;
    if (label != last) {
      last = label;
      l = levels[label];
      weak_depth = l.weak();
      strong_depth = l.strong();
    }
    if (!l.usable) continue;
    const double depth = l.depth(grey.value(codes.data()[i]));
    if (depth <= weak_depth) continue;
    const bool deep = depth > strong_depth;
    found.data()[i] = is_outer_layer ? (deep ? deep_mouth : mouth) : (deep ? strong : weak);
  }
  return found;
}

/// Keys for connected cracks: the label of each inner candidate.
Array3<std::uint32_t> inner_candidates(Array3<std::uint32_t> names, const Array3<std::uint8_t>& kind) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!is_inner_kind(kind.data()[i])) names.data()[i] = 0;
  return names;
}

std::vector<Extent> extents_of(const ComponentFinder::Part& part, const Array3<std::uint8_t>& kind) {
  std::vector<Extent> extents(part.count + 1);
  for (std::size_t i = 0; i < part.ids.size(); ++i) {
    if (part.ids.data()[i] == 0) continue;
    Extent& e = extents[part.ids.data()[i] - part.before];
    e.voxels += 1;
    e.has_strong |= kind.data()[i] == strong;
  }
  return extents;
}

/// For each id: whether its component is a crack.
std::vector<bool> accepted_ids(const std::vector<std::uint32_t>& component_of, std::vector<Extent> extents) {
  for (std::size_t id = 1; id < component_of.size(); ++id) {
    if (component_of[id] == id) continue;
    extents[component_of[id]].voxels += extents[id].voxels;
    extents[component_of[id]].has_strong |= extents[id].has_strong;
  }
  std::vector<bool> accepted(component_of.size(), false);
  for (std::size_t id = 1; id < accepted.size(); ++id) {
    const Extent& e = extents[component_of[id]];
    accepted[id] = e.has_strong && e.voxels >= least_crack;
  }
  return accepted;
}

Candidates find_candidates(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                           const ScratchGrid<std::uint32_t>& labels, const std::vector<ParticleLevels>& levels) {
  Candidates result{ScratchGrid<std::uint8_t>(w), {}, {}};
  ComponentFinder finder(w, Neighbours::all);
  Tally<Extent> tally;
  for_each_block(w, "crack voxels", [&](const Box& block) {
    const Box wide = grown(block, {2, 2, 2}, labels.shape());
    const Array3<std::uint32_t> around = labels.padded(wide, 0);
    const auto outer = near_boundary(block, wide, boundary_of(around, inside(wide)));
    const Array3<std::uint32_t> names = inner_part(around, block, wide);
    const Array3<std::uint8_t> kind = kinds_of(names, grey.codes(block), outer, grey, levels);
    result.kind.write(block, kind.data());
    const auto part = finder.add(block, inner_candidates(names, kind));
    tally.add(part, extents_of(part, kind));
  });
  result.components = finder.finish("crack voxels", [&](const Box& box) {
    return inner_candidates(labels.padded(box, 0), result.kind.padded(box, none));
  });
  result.accepted = accepted_ids(result.components.component_of, tally.take(result.components.component_of.size()));
  return result;
}

/// Whether a shallow voxel is only the blurred flank of a deep one beside it. A crack that is too thin to get deep
/// anywhere near has no such neighbour and stays.
bool is_flank(std::size_t i, const Index3& at, const Array3<std::uint8_t>& kind, const Array3<std::uint32_t>& names) {
  if (is_deep(kind.data()[i])) return false;
  const Index3 n = shape_of(kind);
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const std::int64_t d : {-1, 1}) {
      if (at[axis] + d < 0 || at[axis] + d >= n[axis]) continue;
      const auto j = static_cast<std::size_t>(static_cast<std::int64_t>(i) + d * stride[axis]);
      if (is_deep(kind.data()[j]) && names.data()[j] == names.data()[i]) return true;
    }
  return false;
}

/// A block with its surroundings, as the last pass sees it.
struct CrackBlock {
  Box wide;
  Array3<std::uint32_t> names;
  Array3<std::uint8_t> kind;
  Array3<std::uint8_t> inner;  ///< 1 = accepted inner candidate
};

CrackBlock crack_block(const Box& block, const ScratchGrid<std::uint32_t>& labels, const Candidates& candidates) {
  CrackBlock b;
  b.wide = grown(block, {4, 4, 4}, labels.shape());
  b.names = labels.padded(b.wide, 0);
  b.kind = candidates.kind.padded(b.wide, none);
  const Array3<std::uint32_t> ids = candidates.components.ids.padded(b.wide, 0);
  b.inner = array3<std::uint8_t>(b.wide.shape());
  for (std::size_t i = 0; i < b.inner.size(); ++i)
    b.inner.data()[i] = ids.data()[i] != 0 && candidates.accepted[ids.data()[i]] ? 1 : 0;
  return b;
}

/// Crack mask of the block: accepted inner candidates and the mouths near them.
Array3<std::uint8_t> cracks_in(const Box& block, const CrackBlock& b) {
  Array3<std::uint8_t> result = array3<std::uint8_t>(block.shape());
  if (std::find(b.inner.begin(), b.inner.end(), 1) == b.inner.end()) {
    result.fill(0);
    return result;
  }
  const NearestLabel to_crack(b.names, b.inner, 3.01);
  const auto n = b.wide.shape();
  std::size_t k = 0;
  for (std::int64_t z = block.begin[0]; z < block.end[0]; ++z)
    for (std::int64_t y = block.begin[1]; y < block.end[1]; ++y)
      for (std::int64_t x = block.begin[2]; x < block.end[2]; ++x, ++k) {
        const Index3 at{z - b.wide.begin[0], y - b.wide.begin[1], x - b.wide.begin[2]};
        const auto i = static_cast<std::size_t>((at[0] * n[1] + at[1]) * n[2] + at[2]);
        const bool is_crack =
            b.inner.data()[i] != 0 || (is_mouth_kind(b.kind.data()[i]) && to_crack.squared(i) <= mouth_squared &&
                                       to_crack.label(i) == b.names.data()[i]);
        result.data()[k] = is_crack && !is_flank(i, at, b.kind, b.names) ? 1 : 0;
      }
  return result;
}

struct VoidSum {
  std::uint64_t voxels = 0;
  std::uint64_t depth = 0;  ///< in units of 2^-16, whole so that the order of the sum does not matter
};

using VoidSums = std::unordered_map<std::uint32_t, VoidSum>;

/// What the voxels of a block hold of void. The outer layers count only where they are a crack's mouth.
VoidSums voids_in(const Box& block, const CrackBlock& b, const SmoothGrey& grey, const Array3<std::uint16_t>& codes,
                  const Array3<std::uint8_t>& crack, const std::vector<ParticleLevels>& levels) {
  VoidSums sums;
  const auto n = b.wide.shape();
  const auto m = block.shape();
  std::uint32_t last = 0;
  VoidSum* sum = nullptr;
  ParticleLevels l;
  double least = 0;
  for (std::int64_t row = 0; row < m[0] * m[1]; ++row) {
    const std::int64_t wide_row =
        ((row / m[1] + block.begin[0] - b.wide.begin[0]) * n[1] + row % m[1] + block.begin[1] - b.wide.begin[1]) *
            n[2] +
        block.begin[2] - b.wide.begin[2];
    for (std::int64_t x = 0; x < m[2]; ++x) {
      const std::uint32_t label = b.names.data()[wide_row + x];
      if (label == 0) continue;
      if (label != last) {
        last = label;
        sum = &sums[label];
        l = levels[label];
        least = l.partial_volume();
      }
      sum->voxels += 1;
      if (!l.usable || (is_outer(b.kind.data()[wide_row + x]) && crack.data()[row * m[2] + x] == 0)) continue;
      const double depth = std::clamp(l.depth(grey.value(codes.data()[row * m[2] + x])), 0.0, 1.0);
      if (depth > least) sum->depth += static_cast<std::uint64_t>(depth * 65536 + 0.5);
    }
  }
  return sums;
}

/// Void in each of n particles over its volume; NaN where it cannot be told.
std::vector<double> damages(const std::vector<VoidSum>& sums, const std::vector<ParticleLevels>& levels) {
  std::vector<double> damage;
  for (std::size_t label = 1; label < sums.size(); ++label) {
    const VoidSum& s = sums[label];
    damage.push_back(levels[label].usable ? static_cast<double>(s.depth) / 65536 /
                                                static_cast<double>(std::max<std::uint64_t>(1, s.voxels))
                                          : std::numeric_limits<double>::quiet_NaN());
  }
  return damage;
}

}  // namespace

Cracks find_cracks(const Workspace& w, const GridSource<float>& grey, const GreyRange& range, const FieldOfView& inside,
                   const ScratchGrid<std::uint32_t>& labels, std::uint32_t count) {
  Cracks result{ScratchGrid<std::uint8_t>(w), std::vector<double>(count, std::numeric_limits<double>::quiet_NaN()),
                count, 0};
  const SmoothGrey smooth(w, grey, range, inside);
  if (smooth.empty() || count == 0) return result;
  const std::vector<ParticleLevels> levels = particle_levels(w, smooth, inside, labels, count);
  result.edge_blur = edge_blur(w, smooth, inside, labels, levels);
  const Candidates candidates = find_candidates(w, smooth, inside, labels, levels);
  std::vector<VoidSum> sums(std::size_t{count} + 1);
  std::mutex mutex;
  for_each_block(w, "cracks, mouths", [&](const Box& block) {
    const CrackBlock wide = crack_block(block, labels, candidates);
    const Array3<std::uint8_t> crack = cracks_in(block, wide);
    result.mask.write(block, crack.data());
    const VoidSums here = voids_in(block, wide, smooth, smooth.codes(block), crack, levels);
    const std::scoped_lock lock(mutex);
    for (const auto& [label, sum] : here) {
      sums[label].voxels += sum.voxels;
      sums[label].depth += sum.depth;
    }
  });
  result.damage_partial_volume = damages(sums, levels);
  result.without_levels = static_cast<std::uint64_t>(
      std::count_if(levels.begin() + 1, levels.end(), [](const ParticleLevels& l) { return !l.usable; }));
  return result;
}

}  // namespace cathoscope
