#include "shape.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope::attributes {

namespace {

__extension__ using Wide = __int128;

/// n sum(ab) - sum(a) sum(b), exact, over n^2.
double covariance(std::int64_t n, std::int64_t ab, std::int64_t a, std::int64_t b) {
  const Wide exact = static_cast<Wide>(n) * ab - static_cast<Wide>(a) * b;
  return static_cast<double>(exact) / static_cast<double>(n) / static_cast<double>(n);
}

bool differ(double larger, double smaller) {
  return larger > 0 && (std::sqrt(larger) - std::sqrt(smaller)) / std::sqrt(larger) >= 0.02;
}

Vector scaled(const Vector& v, double s) { return {v[0] * s, v[1] * s, v[2] * s}; }

/// Of the four proper frames of the same axes the one with u1x >= 0 and u3z >= 0.
void fix_signs(std::array<Vector, 3>& u) {
  if (u[0][0] < 0) u[0] = scaled(u[0], -1);
  if (u[2][2] < 0) u[2] = scaled(u[2], -1);
  const Vector &a = u[2], &b = u[0];
  u[1] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Eigen::Matrix3d covariance_matrix(const ParticleSums& s, const Vec3& h) {
  const double cxx = covariance(s.voxels, s.xx, s.x, s.x) + 1.0 / 12,
               cyy = covariance(s.voxels, s.yy, s.y, s.y) + 1.0 / 12;
  const double czz = covariance(s.voxels, s.zz, s.z, s.z) + 1.0 / 12;
  const double cxy = covariance(s.voxels, s.xy, s.x, s.y), cxz = covariance(s.voxels, s.xz, s.x, s.z);
  const double cyz = covariance(s.voxels, s.yz, s.y, s.z);
  const double hx = h[2], hy = h[1], hz = h[0];
  Eigen::Matrix3d m;
  m << cxx * hx * hx, cxy * hx * hy, cxz * hx * hz,  //
      cxy * hx * hy, cyy * hy * hy, cyz * hy * hz,   //
      cxz * hx * hz, cyz * hy * hz, czz * hz * hz;
  return m;
}

template <class Solver>
void take_axes(const Solver& solver, int n, Shape& shape) {
  for (int k = 0; k < n; ++k) {
    shape.variance[static_cast<std::size_t>(k)] = std::max(0.0, solver.eigenvalues()(n - 1 - k));
    for (int i = 0; i < n; ++i)
      shape.axes[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = solver.eigenvectors()(i, n - 1 - k);
  }
}

}  // namespace

double Shape::elongation() const {
  const double shortest = variance[2] > 0 ? variance[2] : variance[1];
  return std::sqrt(variance[0] / shortest);
}

Shape shape_of(const ParticleSums& sums, const Vec3& voxel_size_um, bool two_dimensional) {
  Shape shape;
  const auto n = static_cast<double>(sums.voxels);
  shape.centroid_voxels = {static_cast<double>(sums.z) / n + 0.5, static_cast<double>(sums.y) / n + 0.5,
                           static_cast<double>(sums.x) / n + 0.5};
  shape.volume_um3 = n * voxel_size_um[0] * voxel_size_um[1] * voxel_size_um[2];
  const Eigen::Matrix3d m = covariance_matrix(sums, voxel_size_um);
  if (two_dimensional) {
    const Eigen::Matrix2d plane = m.topLeftCorner<2, 2>();
    take_axes(Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d>(plane), 2, shape);
    shape.axes[2] = {0, 0, 1};
  } else {
    take_axes(Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(m), 3, shape);
  }
  shape.long_axis_defined = differ(shape.variance[0], shape.variance[1]);
  shape.short_axis_defined = !two_dimensional && differ(shape.variance[1], shape.variance[2]);
  fix_signs(shape.axes);
  return shape;
}

Angles angles_of(const Shape& shape) {
  const auto& [u1, u2, u3] = shape.axes;
  constexpr double degrees = 180 / std::numbers::pi;
  const double pitch = std::asin(std::clamp(-u1[2], -1.0, 1.0)) * degrees;
  if (std::abs(pitch) > 89.9) {  // yaw and roll turn about the same axis: all of it is yaw
    const double sign = u2[1] < 0 ? -1 : 1;
    return {std::atan2(-sign * u2[0], sign * u2[1]) * degrees, pitch, 0};
  }
  return {std::atan2(u1[1], u1[0]) * degrees, pitch, std::atan2(u2[2], u3[2]) * degrees};
}

}  // namespace cathoscope::attributes
