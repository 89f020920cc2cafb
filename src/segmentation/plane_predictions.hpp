#pragma once
/// Predictions of the planes of a family, one at a time, and what summing them costs.

#include <cathoscope/segmentation/fusion.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <functional>

namespace cathoscope {

/// Gives the volume to all ranks, which for_each_prediction then asks for their share of its planes.
void share_volume(const WorkingVolume& volume, const Context& context);

/// Calls f for every plane of the family that is `least` pixels wide both ways and has a voxel in the field of view, from
/// several threads at once, on rank 0 wherever the plane was predicted.
void for_each_prediction(const WorkingVolume& volume, const StarPredictor& predict, const PlaneFamily& family,
                         std::int64_t least, bool distances, const Context& context,
                         const std::function<void(const LatticePlane&, const StarFields&)>& f);

/// Calls f(plane) for the planes of a family that are wide enough, from several threads at once.
void for_each_plane(const PlaneFamily& family, const Index3& shape, std::int64_t least, const Context& context,
                    const std::function<void(const LatticePlane&)>& f);

/// Throws Error{no_memory}, with the numbers, where fused_fields() would not fit a working volume of this shape.
void check_fusion_memory(const Index3& shape, const FusionSettings& settings, const Context& context);

}  // namespace cathoscope
