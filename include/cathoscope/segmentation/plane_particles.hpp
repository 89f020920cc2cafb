#pragma once
/// Particles of a single plane from what a network says of it, in memory: the planar path of method network without
/// files, for choosing cut-offs.

#include <cathoscope/segmentation/fusion.hpp>

#include <cstdint>
#include <vector>

namespace cathoscope {

/// Sections of fewer pixels at working resolution are no particles: the disc across a ball of 300 voxels.
inline constexpr std::int64_t least_section_px = 54;

/// The fields of an image at its pixels. voxel_um: edge of a pixel; the closing of cracks is in micrometres.
FusedFields plane_fields(const StarImage& image, const StarFields& fields, double voxel_um);

/// Labels 1..n, row-major, as instances `watershed` find them where the foreground is above the threshold.
std::vector<std::uint32_t> watershed_labels(const FusedFields& plane, double foreground_threshold);

/// Labels as instances `polyhedra` find them in a plane: star polygons and non-maximum suppression, one image for each of
/// the probabilities. Whoever is more probable suppresses, so one pass serves them all.
std::vector<std::vector<std::uint32_t>> polygon_labels(const StarFields& fields, std::int64_t rows,
                                                       std::int64_t columns, const std::vector<double>& probabilities,
                                                       double suppression);

}  // namespace cathoscope
