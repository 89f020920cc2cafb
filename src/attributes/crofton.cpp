#include "crofton.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace cathoscope::attributes {

namespace {

using Point2 = std::array<double, 2>;

double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Vec3 unit(const Vec3& a) {
  const double n = std::sqrt(dot(a, a));
  return {a[0] / n, a[1] / n, a[2] / n};
}

Vec3 step_of(const Direction& d, const Vec3& h) { return {d.dz * h[0], d.dy * h[1], d.dx * h[2]}; }

/// The part of a convex polygon where c + g . p >= 0 (Sutherland and Hodgman).
std::vector<Point2> clipped(const std::vector<Point2>& polygon, const Point2& g, double c) {
  const auto value = [&](const Point2& p) { return c + g[0] * p[0] + g[1] * p[1]; };
  std::vector<Point2> kept;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point2& p = polygon[i];
    const Point2& q = polygon[(i + 1) % polygon.size()];
    const double vp = value(p), vq = value(q);
    if (vp >= 0) kept.push_back(p);
    if ((vp >= 0) != (vq >= 0)) {
      const double t = vp / (vp - vq);
      kept.push_back({p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])});
    }
  }
  return kept;
}

/// Solid angle of the triangle of directions a, b, c (Van Oosterom and Strackee 1983).
double solid_angle(const Vec3& a, const Vec3& b, const Vec3& c) {
  return 2 * std::atan2(std::abs(dot(a, cross(b, c))), 1 + dot(a, b) + dot(b, c) + dot(c, a));
}

/// Solid angle of the directions nearer to u than to any other of `all`: a polygon in the plane that touches the
/// sphere at u, because half spaces through the centre are half planes there.
double cell_solid_angle(const Vec3& u, const std::vector<Vec3>& all) {
  const Vec3 e1 = unit(cross(u, std::abs(u[0]) < 0.9 ? Vec3{1, 0, 0} : Vec3{0, 1, 0}));
  const Vec3 e2 = cross(u, e1);
  constexpr double far = 50;  // cells are narrower than 88 degrees to each side
  std::vector<Point2> polygon{{-far, -far}, {far, -far}, {far, far}, {-far, far}};
  for (const Vec3& v : all) {
    const Vec3 n{u[0] - v[0], u[1] - v[1], u[2] - v[2]};
    if (dot(n, n) > 1e-18) polygon = clipped(polygon, {dot(n, e1), dot(n, e2)}, dot(n, u));
  }
  const auto lifted = [&](const Point2& p) {
    return unit(
        {u[0] + p[0] * e1[0] + p[1] * e2[0], u[1] + p[0] * e1[1] + p[1] * e2[1], u[2] + p[0] * e1[2] + p[1] * e2[2]});
  };
  double sum = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i)
    sum += solid_angle(u, lifted(polygon[i]), lifted(polygon[(i + 1) % polygon.size()]));
  return sum;
}

void add_fixed(CroftonWeights& w) {
  w.unit = *std::max_element(w.per_pair.begin(), w.per_pair.end()) / static_cast<double>(1 << 28);
  for (std::size_t k = 0; k < 13; ++k) w.fixed[k] = std::llround(w.per_pair[k] / w.unit);
}

}  // namespace

CroftonWeights crofton_weights(const Vec3& voxel_size_um) {
  std::vector<Vec3> all;
  for (const Direction& d : directions) {
    const Vec3 u = unit(step_of(d, voxel_size_um));
    all.push_back(u);
    all.push_back({-u[0], -u[1], -u[2]});
  }
  const double voxel = voxel_size_um[0] * voxel_size_um[1] * voxel_size_um[2];
  CroftonWeights w;
  for (std::size_t k = 0; k < 13; ++k) {
    const Vec3 step = step_of(directions[k], voxel_size_um);
    w.share[k] = cell_solid_angle(all[2 * k], all) / (2 * std::numbers::pi);
    w.per_pair[k] = 2 * voxel * w.share[k] / std::sqrt(dot(step, step));
  }
  add_fixed(w);
  return w;
}

CroftonWeights crofton_weights_in_plane(const Vec3& voxel_size_um) {
  const double hy = voxel_size_um[1], hx = voxel_size_um[2];
  const double diagonal = std::atan2(hy, hx);  // angle of direction (1, 1) from x
  CroftonWeights w;
  const double right = std::numbers::pi / 2;
  w.share[0] = diagonal / std::numbers::pi;
  w.share[2] = (right - diagonal) / std::numbers::pi;
  w.share[1] = w.share[3] = right / 2 / std::numbers::pi;
  for (std::size_t k = 0; k < 4; ++k) {
    const double length = std::hypot(directions[k].dy * hy, directions[k].dx * hx);
    w.per_pair[k] = right * hx * hy * w.share[k] / length;
  }
  add_fixed(w);
  return w;
}

double area_of(const PairCounts& counts, const CroftonWeights& weights) {
  double area = 0;
  for (std::size_t k = 0; k < 13; ++k) area += weights.per_pair[k] * static_cast<double>(counts[k]);
  return area;
}

}  // namespace cathoscope::attributes
