#pragma once
/// Size, axes and angles of a particle from its moments.

#include "streaming.hpp"

#include <array>

namespace cathoscope::attributes {

/// Vectors here are x, y, z.
using Vector = std::array<double, 3>;

struct Shape {
  Vec3 centroid_voxels{};  ///< z, y, x; voxel (i, j, k) has its centre at + 0.5
  double volume_um3 = 0;
  std::array<double, 3> variance{};  ///< l1 >= l2 >= l3 of the solid body, um^2 (in a plane: two, and 0)
  std::array<Vector, 3> axes{};      ///< unit eigenvectors, det +1, u1x >= 0, u3z >= 0
  bool long_axis_defined = false;    ///< (sqrt l1 - sqrt l2) / sqrt l1 >= 0.02
  bool short_axis_defined = false;   ///< the same of l2 and l3

  [[nodiscard]] double elongation() const;
};

/// Covariance of voxel centres plus h^2 / 12 an axis: the body is solid between the centres.
Shape shape_of(const ParticleSums& sums, const Vec3& voxel_size_um, bool two_dimensional);

struct Angles {
  double yaw, pitch, roll;  ///< degrees
};

/// Z-Y'-X'' angles of the frame, R = Rz(yaw) Ry(pitch) Rx(roll), each in [-90, 90]. Roll is 0 where |pitch| > 89.9.
Angles angles_of(const Shape& shape);

}  // namespace cathoscope::attributes
