#include "bodies.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope::attributes {

namespace {

Point minus(const Point& a, const Point& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
double dot(const Point& a, const Point& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Associated Legendre function without the Condon-Shortley phase, by recurrence in l.
double legendre(int l, int m, double x) {
  double pmm = 1;
  const double s = std::sqrt(std::max(0.0, 1 - x * x));
  for (int i = 1; i <= m; ++i) pmm *= (2 * i - 1) * s;
  if (l == m) return pmm;
  double p = x * (2 * m + 1) * pmm;
  for (int k = m + 2; k <= l; ++k) {
    const double next = ((2 * k - 1) * x * p - (k + m - 1) * pmm) / (k - m);
    pmm = p;
    p = next;
  }
  return p;
}

/// Midpoint rule over the sphere: f(cos theta, phi), weight d(cos theta) d(phi).
template <class F>
double over_sphere(const F& f) {
  constexpr int n = 600;
  double sum = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < 2 * n; ++j) sum += f(-1 + (2 * i + 1.0) / n, (j + 0.5) * std::numbers::pi / n);
  return sum * (2.0 / n) * (std::numbers::pi / n);
}

}  // namespace

double largest_legendre(int degree, int order) {
  double best = 0;
  for (int i = 0; i <= 4000; ++i) best = std::max(best, std::abs(legendre(degree, order, -1 + i / 2000.0)));
  return best;
}

AttributeInputs RenderedBody::inputs() const {
  AttributeInputs in;
  in.labels = source_of(labels);
  in.cracks = source_of(cracks);
  for (std::uint64_t i = 1; i <= particles; ++i) in.label_ids.push_back(i);
  in.damage_source = "mask";
  return in;
}

RenderedBody rendered(const Body& body, std::uint32_t particles, const Index3& shape, const Vec3& h) {
  RenderedBody r{{array3<std::uint32_t>(shape), h, {0, 0, 0}}, {array3<std::uint8_t>(shape), h, {0, 0, 0}}, particles};
  std::size_t i = 0;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x, ++i) {
        const Material m = body({(static_cast<double>(x) + 0.5) * h[2], (static_cast<double>(y) + 0.5) * h[1],
                                 (static_cast<double>(z) + 0.5) * h[0]});
        r.labels.values.data()[i] = m.label;
        r.cracks.values.data()[i] = m.label != 0 && m.crack ? 1 : 0;
      }
  return r;
}

Body ball(const Point& centre, double radius, std::uint32_t label) {
  return [=](const Point& p) {
    const Point d = minus(p, centre);
    return Material{dot(d, d) < radius * radius ? label : 0, false};
  };
}

Body hollow_ball(const Point& centre, double radius, double inner_radius) {
  return [=](const Point& p) {
    const Point d = minus(p, centre);
    return Material{dot(d, d) < radius * radius ? 1U : 0U, dot(d, d) < inner_radius * inner_radius};
  };
}

Body cracked_ball(const Point& centre, double radius, double width, const Point& normal, bool half) {
  return [=](const Point& p) {
    const Point d = minus(p, centre);
    const bool slab = std::abs(dot(d, normal)) < width / 2 && (!half || d[1] > 0);
    return Material{dot(d, d) < radius * radius ? 1U : 0U, slab};
  };
}

Body ellipsoid(const Point& centre, const std::array<double, 3>& semi_axes, const std::array<Point, 3>& axes,
               std::uint32_t label) {
  return [=](const Point& p) {
    const Point d = minus(p, centre);
    double sum = 0;
    for (std::size_t k = 0; k < 3; ++k) sum += std::pow(dot(d, axes[k]) / semi_axes[k], 2);
    return Material{sum < 1 ? label : 0, false};
  };
}

double RoughBall::radius_at(double cos_theta, double phi) const {
  return radius * (1 + amplitude * legendre(degree, order, cos_theta) * std::cos(order * phi) / peak);
}

Material RoughBall::operator()(const Point& p) const {
  const Point d = minus(p, centre);
  const double r = std::sqrt(dot(d, d));
  if (r < radius * (1 - amplitude)) return {1, false};
  if (r > radius * (1 + amplitude)) return {0, false};
  return {r < radius_at(d[2] / r, std::atan2(d[1], d[0])) ? 1U : 0U, false};
}

double RoughBall::surface() const {
  const double scale = radius * amplitude / peak;
  return over_sphere([&](double c, double phi) {
    // dS = r sqrt(r^2 + r_theta^2 + (r_phi / sin)^2) dOmega
    const double s = std::sqrt(1 - c * c), step = 1e-5;
    const double p = legendre(degree, order, c),
                 dp = (legendre(degree, order, c + step) - legendre(degree, order, c - step)) / (2 * step);
    const double r = radius + scale * p * std::cos(order * phi);
    const double r_theta = -s * scale * dp * std::cos(order * phi);
    const double r_phi = -order * scale * p * std::sin(order * phi);
    return r * std::sqrt(r * r + r_theta * r_theta + r_phi * r_phi / (s * s));
  });
}

double RoughBall::volume() const {
  const double scale = radius * amplitude / peak;
  return over_sphere([&](double c, double phi) {
    return std::pow(radius + scale * legendre(degree, order, c) * std::cos(order * phi), 3) / 3;
  });
}

Body touching_balls(const Point& middle, double radius, double half_distance, const Point& axis) {
  return [=](const Point& p) {
    const Point d = minus(p, middle);
    const double along = dot(d, axis), across = dot(d, d) - along * along;
    const double off = std::abs(along) - half_distance;
    if (off * off + across >= radius * radius) return Material{};
    return Material{along < 0 ? 1U : 2U, false};
  };
}

Body any_of(std::vector<Body> bodies) {
  return [bodies = std::move(bodies)](const Point& p) {
    for (const Body& b : bodies)
      if (const Material m = b(p); m.label != 0) return m;
    return Material{};
  };
}

double ellipsoid_surface(const std::array<double, 3>& s) {
  return over_sphere([&](double c, double phi) {
    const double sine = std::sqrt(1 - c * c);
    const double x = sine * std::cos(phi), y = sine * std::sin(phi);
    return std::sqrt(std::pow(s[1] * s[2] * x, 2) + std::pow(s[0] * s[2] * y, 2) + std::pow(s[0] * s[1] * c, 2));
  });
}

std::array<Point, 3> rotation(double yaw, double pitch, double roll) {
  const double cy = std::cos(yaw), sy = std::sin(yaw), cp = std::cos(pitch), sp = std::sin(pitch);
  const double cr = std::cos(roll), sr = std::sin(roll);
  return {{{cy * cp, sy * cp, -sp},
           {cy * sp * sr - sy * cr, sy * sp * sr + cy * cr, cp * sr},
           {cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr}}};
}

}  // namespace cathoscope::attributes
