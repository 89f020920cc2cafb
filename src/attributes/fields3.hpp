#pragma once
/// Floating-point fields on one particle's box: Gaussian smoothing and thresholds that keep a volume.

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

/// Convolution with a Gaussian cut at 3.5 sigma; the rim of the box is repeated outwards.
Field smoothed(Field field, const Vec3& voxel_size_um, double sigma_um);
/// The same with a sigma an axis (z, y, x); 0 leaves an axis as it is.
Field smoothed(Field field, const Vec3& voxel_size_um, const Vec3& sigma_um);

/// The same where only the values in the box `wanted` matter; the others are unspecified.
Field smoothed(Field field, const Vec3& voxel_size_um, const Vec3& sigma_um, const Box& wanted);

/// Voxels by which smoothing looks around itself.
Index3 smoothing_reach(const Vec3& voxel_size_um, double sigma_um);

/// 1 in the mask, 0 elsewhere.
Field field_of(const BitMask& mask);

/// The value that n others precede in ascending order; n < values.size().
float nth_smallest(const std::vector<float>& values, std::size_t n);

/// The `count` voxels of `among` with the largest values (more where values tie).
BitMask largest(const Field& field, const BitMask& among, std::int64_t count);

}  // namespace cathoscope::attributes
