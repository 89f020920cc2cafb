#pragma once
/// Predictions of the planes of a family, one at a time, and what summing them costs.

#include <cathoscope/segmentation/fusion.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <functional>

namespace cathoscope {

/// Calls f for every plane of the family that is `least` pixels wide both ways and has a voxel in the field of view, from
/// several threads at once.
void for_each_prediction(const WorkingVolume& volume, const StarPredictor& predict, const PlaneFamily& family,
                         std::int64_t least, bool distances, const Context& context,
                         const std::function<void(const LatticePlane&, const StarFields&)>& f);

/// Throws Error{no_memory}, with the numbers, where fused_fields() would not fit a working volume of this shape.
void check_fusion_memory(const Index3& shape, const FusionSettings& settings, const Context& context);

}  // namespace cathoscope
