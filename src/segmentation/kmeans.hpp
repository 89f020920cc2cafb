#pragma once
/// Instances as the authors' public scripts make them: clusters of the summed mean radial distance, connected sets.

#include "filled.hpp"

#include <cathoscope/core/grid.hpp>

namespace cathoscope {

/// Centres of `k` clusters of values >= 0, ascending: Lloyd's iteration on 4096 bins from evenly spread centres.
std::vector<double> cluster_centres(const Array3<float>& values, int k);

/// 1 where a value belongs to another than the lowest of five clusters (2 outside the field of view).
ScratchGrid<std::uint8_t> clustered_mask(const Workspace& w, const Array3<float>& mean_distance,
                                         const FieldOfView& inside);

/// Connected sets of the mask (26 neighbours) of at least `least_voxels`, numbered by first voxel.
Watershed connected_instances(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, std::uint64_t least_voxels);

}  // namespace cathoscope
