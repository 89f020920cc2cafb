#pragma once
/// Instances from fused fields: seeds of the probability, a watershed inside the foreground, and the test that keeps a
/// crack from splitting a particle.

#include "filled.hpp"

#include <cathoscope/segmentation/basins.hpp>

namespace cathoscope {

inline constexpr double seed_height = 0.08;       ///< of a probability peak above the saddle to its neighbour
inline constexpr double seed_probability = 0.25;  ///< of a peak that is a particle

/// When two neighbours are one cracked particle. Lengths in voxels.
struct CrackedRule {
  double saddle_share = 0.75;     ///< saddle over the lower peak, at least
  double solidity = 0.92;         ///< volume of both over that of their convex hull, at least
  double largest_diameter = 72;   ///< of both together, at most
  double interface_share = 0.35;  ///< interface over the middle section of the smaller, at least
};

struct FusedWatershed {
  Watershed basins;
  std::uint64_t unresolved_voxels = 0;  ///< foreground without an accepted seed
  std::uint64_t dropped = 0;            ///< instances below the minimum
  std::uint64_t dropped_voxels = 0;
  std::uint64_t cracked_pairs = 0;  ///< pairs that the test made one
};

/// Probabilities, smoothed by one voxel, in steps of 1/1000 and at least one where the mask is 1; 0 elsewhere.
ScratchGrid<std::uint16_t> seed_field(const Workspace& w, const Array3<float>& probability,
                                      const ScratchGrid<std::uint8_t>& mask);

FusedWatershed fused_watershed(const Workspace& w, const Array3<float>& probability,
                               const ScratchGrid<std::uint8_t>& mask, std::uint64_t least_voxels,
                               const CrackedRule& rule);

/// Joins groups of basins that pass the rule, pairs in descending order of saddle. Returns how many.
std::uint64_t merge_cracked(const Workspace& w, const Basins& basins, const CrackedRule& rule,
                            std::vector<std::uint32_t>& group_of);

}  // namespace cathoscope
