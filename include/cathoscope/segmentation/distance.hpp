#pragma once
/// Exact Euclidean distances on anisotropic voxels, in integers: the same bits wherever a block begins.

#include <cathoscope/segmentation/workspace.hpp>

#include <array>
#include <cstdint>

namespace cathoscope {

/// Squared distances are sums of weight * (steps along the axis)^2; one unit of their root is `unit_um`.
/// Cubic voxels have weights 1. Other ratios of squared voxel sizes are exact where a denominator up to 4096 makes them
/// whole, else rounded to 1/4096 (an error below 6e-5 of the distance). Exact to 1023 of the smallest voxel size.
struct SquaredMetric {
  std::array<std::uint32_t, 3> weight{1, 1, 1};
  double unit_um = 1;

  /// The largest squared distance that is not farther than `distance_um`.
  [[nodiscard]] std::uint32_t squared(double distance_um) const;
  /// Steps along each axis that stay within `distance_um`.
  [[nodiscard]] Index3 steps(double distance_um) const;
};

SquaredMetric metric_of(const Vec3& voxel_um);

inline constexpr std::uint32_t no_site = 0xFFFFFFFFu;

/// Squared distance along a line of n values to the lower envelope of the parabolas value + weight (i - j)^2.
/// (Meijster, Roerdink, Hesselink 2000, DOI 10.1007/0-306-47025-X_36.) `no_site` = no parabola here. In place.
class LineDistance {
 public:
  explicit LineDistance(std::int64_t longest);
  void operator()(std::uint32_t* values, std::int64_t n, std::int64_t stride, std::uint32_t weight);

 private:
  std::vector<std::int64_t> site_, start_;
  std::vector<std::int64_t> value_;
};

/// In an array that is 0 at sites and `far` elsewhere: squared distances up to `limit`, more is `far`. In place.
/// Sites farther than that do not matter, so a block needs a margin of metric.steps(limit) only.
inline constexpr std::uint32_t far = 0x40000000u;
void near_distances(Array3<std::uint32_t>& values, const SquaredMetric& metric, double limit_um);

/// Distance of every voxel of value 1 to the centre of the nearest voxel of value 0 or above 2, as 32 per smallest
/// voxel size, at most 65535 (2047 voxels); 0 elsewhere. Voxels of value 2 and the grid's border are no sites. The
/// metric's cap and this one are far beyond particles: their watershed does not change for radii up to 1023 voxels.
ScratchGrid<std::uint16_t> depth_field(const Workspace& w, const ScratchGrid<std::uint8_t>& mask);

inline constexpr double depth_steps = 32;  ///< of depth_field, per smallest voxel size

}  // namespace cathoscope
