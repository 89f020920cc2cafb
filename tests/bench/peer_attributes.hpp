#pragma once
/// The peer of bench_attributes: ITK's label shape filter. Plain types only.

#include <cstdint>
#include <vector>

struct PeerResult {
  double seconds;
  std::vector<double> perimeters;  ///< surface areas by label - 1; empty where not asked for
};

/// itk::LabelImageToShapeLabelMapFilter on a cube of n voxels an axis, voxel 1, one thread.
PeerResult measure_with_itk(const std::uint32_t* labels, std::int64_t n, std::size_t particles, bool perimeter);
