#pragma once
/// Bodies whose attributes are known from geometry, rendered as labels and cracks.

#include <cathoscope/attributes/attributes.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace cathoscope::attributes {

/// A point in um, x, y, z.
using Point = std::array<double, 3>;

/// Label and crack of a point.
struct Material {
  std::uint32_t label = 0;
  bool crack = false;
};

/// What is where.
using Body = std::function<Material(const Point&)>;

struct RenderedBody {
  Grid<std::uint32_t> labels;
  Grid<std::uint8_t> cracks;
  std::uint32_t particles = 0;

  /// Inputs of compute_attributes, all faces cut; in memory.
  [[nodiscard]] AttributeInputs inputs() const;
};

/// A voxel belongs to what its centre lies in. `shape` and `voxel_size_um` are z, y, x.
RenderedBody rendered(const Body& body, std::uint32_t particles, const Index3& shape, const Vec3& voxel_size_um);

Body ball(const Point& centre, double radius, std::uint32_t label = 1);
/// A ball with a concentric ball of crack.
Body hollow_ball(const Point& centre, double radius, double inner_radius);
/// A ball with a central slab of crack of width `width`, normal along `normal` (unit). half: only where y exceeds the
/// centre: an open radial crack.
Body cracked_ball(const Point& centre, double radius, double width, const Point& normal, bool half = false);
/// Semi-axes along the columns of `axes` (unit vectors).
Body ellipsoid(const Point& centre, const std::array<double, 3>& semi_axes, const std::array<Point, 3>& axes,
               std::uint32_t label = 1);
/// Largest value on [-1, 1] of the associated Legendre function, without the Condon-Shortley phase.
double largest_legendre(int degree, int order);

/// r(theta) = R (1 + e Y), with Y the real spherical harmonic of degree l and order m scaled to a largest value of 1.
struct RoughBall {
  Point centre{};
  double radius = 0;
  double amplitude = 0;
  int degree = 0;
  int order = 0;
  double peak = largest_legendre(degree, order);

  [[nodiscard]] double radius_at(double cos_theta, double phi) const;
  [[nodiscard]] Material operator()(const Point& p) const;
  /// By quadrature.
  [[nodiscard]] double surface() const;
  [[nodiscard]] double volume() const;
};
/// Two balls of radius R with centres 2 d apart along `axis`, cut where they meet: labels 1 and 2.
Body touching_balls(const Point& middle, double radius, double half_distance, const Point& axis);
/// The first of these that has a label at the point.
Body any_of(std::vector<Body> bodies);

/// Surface of an ellipsoid, by quadrature.
double ellipsoid_surface(const std::array<double, 3>& semi_axes);

/// A rotation from three angles, as columns.
std::array<Point, 3> rotation(double yaw, double pitch, double roll);

}  // namespace cathoscope::attributes
