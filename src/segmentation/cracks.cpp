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

/// What a voxel may be, before components are known: shallow or deep, in the outer layers or below them.
enum Candidate : std::uint8_t { none = 0, mouth = 1, deep_mouth = 2, weak = 3, strong = 4 };

bool is_outer(std::uint8_t kind) { return kind == mouth || kind == deep_mouth; }
bool is_deep(std::uint8_t kind) { return kind == deep_mouth || kind == strong; }

/// 1 for voxels of the two outermost layers of their particle.
Array3<std::uint8_t> outer_layers(const Box& block, const FieldOfView& inside,
                                  const ScratchGrid<std::uint32_t>& labels) {
  const Box wide = grown(block, {2, 2, 2}, labels.shape());
  const Array3<std::uint32_t> names = labels.padded(wide, 0);
  const NearestLabel to_boundary(names, boundary_of(names, inside(wide)), 1.01);
  Array3<std::uint8_t> layers = array3<std::uint8_t>(block.shape());
  const auto n = wide.shape();
  for (std::int64_t z = block.begin[0]; z < block.end[0]; ++z)
    for (std::int64_t y = block.begin[1]; y < block.end[1]; ++y)
      for (std::int64_t x = block.begin[2]; x < block.end[2]; ++x) {
        const auto i =
            static_cast<std::size_t>(((z - wide.begin[0]) * n[1] + y - wide.begin[1]) * n[2] + x - wide.begin[2]);
        layers(z - block.begin[0], y - block.begin[1], x - block.begin[2]) = to_boundary.squared(i) <= 1 ? 1 : 0;
      }
  return layers;
}

ScratchGrid<std::uint8_t> find_candidates(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                                          const ScratchGrid<std::uint32_t>& labels,
                                          const std::vector<ParticleLevels>& levels) {
  ScratchGrid<std::uint8_t> candidates(w);
  for_each_block(w, "crack voxels", [&](const Box& block) {
    const Array3<std::uint32_t> names = labels.padded(block, 0);
    const Array3<std::uint16_t> codes = grey.codes(block);
    const Array3<std::uint8_t> outer = outer_layers(block, inside, labels);
    std::vector<std::uint8_t> found(names.size(), none);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const ParticleLevels& l = levels[names.data()[i]];
      if (!l.usable) continue;
      const double depth = l.depth(grey.value(codes.data()[i]));
      if (depth <= l.weak()) continue;
      const bool deep = depth > l.strong();
      found[i] = outer.data()[i] != 0 ? (deep ? deep_mouth : mouth) : (deep ? strong : weak);
    }
    candidates.write(block, found.data());
  });
  return candidates;
}

/// Keys for connected cracks: the label of each inner candidate.
Array3<std::uint32_t> inner_candidates(const Box& box, const ScratchGrid<std::uint32_t>& labels,
                                       const ScratchGrid<std::uint8_t>& candidates) {
  Array3<std::uint32_t> keys = labels.padded(box, 0);
  const Array3<std::uint8_t> kind = candidates.padded(box, none);
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (kind.data()[i] < weak) keys.data()[i] = 0;
  return keys;
}

/// For each component of candidates: whether it is a crack.
std::vector<bool> accepted_components(const Workspace& w, const Components& components,
                                      const ScratchGrid<std::uint8_t>& candidates) {
  std::vector<std::uint64_t> voxels(components.component_of.size(), 0);
  std::vector<bool> has_strong(voxels.size(), false);
  std::mutex mutex;
  for_each_block(w, "cracks, size", [&](const Box& block) {
    const Array3<std::uint32_t> ids = components.ids.padded(block, 0);
    const Array3<std::uint8_t> kind = candidates.padded(block, none);
    const std::scoped_lock lock(mutex);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids.data()[i] == 0) continue;
      const std::uint32_t c = components.component_of[ids.data()[i]];
      voxels[c] += 1;
      if (kind.data()[i] == strong) has_strong[c] = true;
    }
  });
  std::vector<bool> accepted(voxels.size(), false);
  for (std::size_t c = 1; c < voxels.size(); ++c) {
    const std::uint32_t root = components.component_of[c];
    accepted[c] = has_strong[root] && voxels[root] >= least_crack;
  }
  return accepted;
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

/// Crack mask of a block: accepted inner candidates and the mouths near them.
Array3<std::uint8_t> crack_block(const Box& block, const ScratchGrid<std::uint32_t>& labels,
                                 const ScratchGrid<std::uint8_t>& candidates, const Components& components,
                                 const std::vector<bool>& accepted) {
  const Box wide = grown(block, {4, 4, 4}, labels.shape());
  const Array3<std::uint32_t> names = labels.padded(wide, 0);
  const Array3<std::uint8_t> kind = candidates.padded(wide, none);
  const Array3<std::uint32_t> ids = components.ids.padded(wide, 0);
  Array3<std::uint8_t> inner = array3<std::uint8_t>(wide.shape());
  for (std::size_t i = 0; i < inner.size(); ++i)
    inner.data()[i] = ids.data()[i] != 0 && accepted[ids.data()[i]] ? 1 : 0;
  const NearestLabel to_crack(names, inner, 3.01);
  Array3<std::uint8_t> result = array3<std::uint8_t>(block.shape());
  const auto n = wide.shape();
  for (std::int64_t z = block.begin[0]; z < block.end[0]; ++z)
    for (std::int64_t y = block.begin[1]; y < block.end[1]; ++y)
      for (std::int64_t x = block.begin[2]; x < block.end[2]; ++x) {
        const auto i =
            static_cast<std::size_t>(((z - wide.begin[0]) * n[1] + y - wide.begin[1]) * n[2] + x - wide.begin[2]);
        const bool is_mouth =
            is_outer(kind.data()[i]) && to_crack.squared(i) <= mouth_squared && to_crack.label(i) == names.data()[i];
        const Index3 at{z - wide.begin[0], y - wide.begin[1], x - wide.begin[2]};
        result(z - block.begin[0], y - block.begin[1], x - block.begin[2]) =
            (inner.data()[i] != 0 || is_mouth) && !is_flank(i, at, kind, names) ? 1 : 0;
      }
  return result;
}

struct VoidSum {
  std::uint64_t voxels = 0;
  std::uint64_t depth = 0;  ///< in units of 2^-16, whole so that the order of the sum does not matter
};

/// Adds what a block's voxels hold of void. The outer layers count only where they are a crack's mouth.
void add_voids(std::unordered_map<std::uint32_t, VoidSum>& sums, const Array3<std::uint32_t>& names,
               const SmoothGrey& grey, const Array3<std::uint16_t>& codes, const Array3<std::uint8_t>& outer,
               const Array3<std::uint8_t>& crack, const std::vector<ParticleLevels>& levels) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::uint32_t label = names.data()[i];
    if (label == 0) continue;
    VoidSum& sum = sums[label];
    sum.voxels += 1;
    if (!levels[label].usable || (outer.data()[i] != 0 && crack.data()[i] == 0)) continue;
    const double depth = std::clamp(levels[label].depth(grey.value(codes.data()[i])), 0.0, 1.0);
    if (depth > levels[label].partial_volume()) sum.depth += static_cast<std::uint64_t>(depth * 65536 + 0.5);
  }
}

}  // namespace

Cracks find_cracks(const Workspace& w, const GridSource<float>& grey, const GreyRange& range, const FieldOfView& inside,
                   const ScratchGrid<std::uint32_t>& labels, std::uint32_t count) {
  Cracks result{ScratchGrid<std::uint8_t>(w), std::vector<double>(count, std::numeric_limits<double>::quiet_NaN()),
                count};
  const SmoothGrey smooth(w, grey, range, inside);
  if (smooth.empty() || count == 0) return result;
  const std::vector<ParticleLevels> levels = particle_levels(w, smooth, inside, labels, count);
  result.without_levels = 0;
  const ScratchGrid<std::uint8_t> candidates = find_candidates(w, smooth, inside, labels, levels);
  const Components components = find_components(
      w, "cracks", Neighbours::all, [&](const Box& box) { return inner_candidates(box, labels, candidates); });
  const std::vector<bool> accepted = accepted_components(w, components, candidates);
  std::vector<VoidSum> sums(count + 1);
  std::mutex mutex;
  for_each_block(w, "cracks, mouths", [&](const Box& block) {
    const Array3<std::uint8_t> crack = crack_block(block, labels, candidates, components, accepted);
    result.mask.write(block, crack.data());
    std::unordered_map<std::uint32_t, VoidSum> here;
    add_voids(here, labels.padded(block, 0), smooth, smooth.codes(block), outer_layers(block, inside, labels), crack,
              levels);
    const std::scoped_lock lock(mutex);
    for (const auto& [label, sum] : here) {
      sums[label].voxels += sum.voxels;
      sums[label].depth += sum.depth;
    }
  });
  for (std::uint32_t label = 1; label <= count; ++label) {
    const VoidSum& s = sums[label];
    result.damage_partial_volume[label - 1] =
        levels[label].usable
            ? static_cast<double>(s.depth) / 65536 / static_cast<double>(std::max<std::uint64_t>(1, s.voxels))
            : std::numeric_limits<double>::quiet_NaN();
    result.without_levels += levels[label].usable ? 0 : 1;
  }
  return result;
}

}  // namespace cathoscope
