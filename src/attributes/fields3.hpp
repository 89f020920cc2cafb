#pragma once
/// Floating-point fields on one particle's box: capped distances and Gaussian smoothing.

#include "bit_mask.hpp"

#include <vector>

namespace cathoscope::attributes {

/// Values in z, y, x order.
struct Field {
  Index3 shape{0, 0, 0};
  std::vector<float> values;

  explicit Field(const Index3& s) : shape(s), values(static_cast<std::size_t>(volume_of(s))) {}
  [[nodiscard]] const float* row(std::int64_t z, std::int64_t y) const {
    return values.data() + (z * shape[1] + y) * shape[2];
  }
  [[nodiscard]] float* row(std::int64_t z, std::int64_t y) { return values.data() + (z * shape[1] + y) * shape[2]; }
};

/// Squared distance in um^2 from each voxel centre to the nearest one of the mask, exact where it is at most
/// cap_um^2, larger than that elsewhere.
Field squared_distance(const BitMask& mask, const Vec3& voxel_size_um, double cap_um);

/// The voxels within `distance_um` of the mask.
BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um);

/// Convolution with a Gaussian cut at 3.5 sigma; the rim of the box is repeated outwards.
Field smoothed(Field field, const Vec3& voxel_size_um, double sigma_um);
/// The same with a sigma an axis (z, y, x); 0 leaves an axis as it is.
Field smoothed(Field field, const Vec3& voxel_size_um, const Vec3& sigma_um);

/// Voxels by which smoothing looks around itself.
Index3 smoothing_reach(const Vec3& voxel_size_um, double sigma_um);

/// 1 in the mask, 0 elsewhere.
Field field_of(const BitMask& mask);

/// The `count` voxels of `among` with the largest values (more where values tie).
BitMask largest(const Field& field, const BitMask& among, std::int64_t count);

}  // namespace cathoscope::attributes
