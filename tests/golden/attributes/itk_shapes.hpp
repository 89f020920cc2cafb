#pragma once
/// Shapes of labels as ITK measures them; ITK stays behind this header.

#include <array>
#include <cstdint>
#include <vector>

namespace test {

struct ItkShape {
  std::uint32_t label = 0;
  double volume = 0, perimeter = 0, elongation = 0;
  std::array<double, 3> centroid{};                   ///< x, y, z, physical, voxel 0 at 0
  std::array<std::array<double, 3>, 3> covariance{};  ///< x, y, z, of the voxel centres, from moments and axes
};

/// Labels in z, y, x order; shape and spacing z, y, x.
std::vector<ItkShape> itk_shapes(const std::vector<std::uint32_t>& labels, const std::array<std::int64_t, 3>& shape,
                                 const std::array<double, 3>& spacing);

}  // namespace test
