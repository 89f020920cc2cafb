#pragma once
/// The network route's default instances: seeds of the fused probability inside the fused foreground, filled.

#include "fused_instances.hpp"

#include <cathoscope/segmentation/fusion.hpp>

namespace cathoscope {

inline constexpr double largest_of_one =
    1.5;  ///< median diameters: two pieces that are more together are two particles

/// 1 where the foreground is above the threshold, 0 where it is not, 2 outside the field of view.
ScratchGrid<std::uint8_t> foreground_mask(const Workspace& w, const FusedFields& fields, const FieldOfView& inside,
                                          double threshold);

struct SeededInstances {
  FilledLabels filled;
  FusedWatershed found;  ///< what was counted; its basins are given up
};

SeededInstances seeded_instances(const Workspace& w, const WatershedConfig& config, const FusedFields& fields,
                                 const FieldOfView& inside, double foreground_threshold, std::uint64_t least,
                                 double largest_diameter_voxels);

}  // namespace cathoscope
