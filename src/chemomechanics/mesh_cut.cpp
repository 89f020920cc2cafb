/// Snap and cut: a lattice of tetrahedra, whose nodes near a sphere move onto it and whose elements across it are cut.
/// What is cut falls into tetrahedra by pulling from the node of smallest number, which neighbours do alike.
#include "tetra.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>

namespace cathoscope::fem {

namespace {

constexpr double snap_share = 0.3;  // of h: nodes nearer than this to a sphere move onto it

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

struct Lattice {
  std::array<std::int64_t, 3> cells{};
  Point low, step;
};

Lattice lattice_of(const SphereMeshSpec& spec) {
  const Point size = spec.high - spec.low;
  if (!(spec.h > 0) || !(size.x > 0) || !(size.y > 0) || !(size.z > 0))
    fail(Exit::config, "mesh: h and the box must have positive size");
  Lattice l;
  const auto cells = [&](double s) { return std::max<std::int64_t>(1, std::llround(s / spec.h)); };
  l.cells = {cells(size.x), cells(size.y), cells(size.z)};
  const double count =
      static_cast<double>(l.cells[0]) * static_cast<double>(l.cells[1]) * static_cast<double>(l.cells[2]);
  if (count > 3e7)
    fail(Exit::config, "mesh: h = {:.3g} m gives {:.3g} cubes; the largest mesh has 3e7: choose a larger h", spec.h,
         count);
  l.low = spec.low;
  l.step = {size.x / static_cast<double>(l.cells[0]), size.y / static_cast<double>(l.cells[1]),
            size.z / static_cast<double>(l.cells[2])};
  return l;
}

/// Where a node lies: on a sphere, inside one, or in the binder. Shell end: `beyond` it or on it.
struct Place {
  std::int32_t sphere = -1;  // that it is in or on; the shell end has the number after the last sphere
  std::int8_t sign = 1;      // -1 inside, 0 on, 1 outside
};

/// Particles, then the shell end.
std::vector<Sphere> surfaces_of(const SphereMeshSpec& spec) {
  std::vector<Sphere> all = spec.spheres;
  all.insert(all.end(), spec.shell_end.begin(), spec.shell_end.end());
  return all;
}

void check_sphere(const SphereMeshSpec& spec, std::size_t i, double h) {
  const Sphere& s = spec.spheres[i];
  const auto check = [&](double centre, double face, const char* name) {
    const double distance = std::abs(centre - face);
    if (distance > 1e-9 * s.radius && distance < s.radius + (snap_share + 0.05) * h)
      fail(Exit::config,
           "mesh: sphere {} ends {:.3g} m from the face {}; leave at least {:.3g} m, or put its centre on the face",
           i + 1, distance - s.radius, name, (snap_share + 0.05) * h);
  };
  check(s.centre.x, spec.low.x, "x low");
  check(s.centre.x, spec.high.x, "x high");
  check(s.centre.y, spec.low.y, "y low");
  check(s.centre.y, spec.high.y, "y high");
  check(s.centre.z, spec.low.z, "z low");
  check(s.centre.z, spec.high.z, "z high");
  for (std::size_t j = 0; j < i; ++j) {
    const double gap = length(s.centre - spec.spheres[j].centre) - s.radius - spec.spheres[j].radius;
    if (gap < 2 * (snap_share + 0.05) * h)
      fail(Exit::config, "mesh: spheres {} and {} are {:.3g} m apart; an element of {:.3g} m needs at least {:.3g} m",
           j + 1, i + 1, gap, h, 2 * (snap_share + 0.05) * h);
  }
}

/// The mesh while it is being cut.
class Cutter {
 public:
  explicit Cutter(const SphereMeshSpec& spec)
      : surfaces_(surfaces_of(spec)),
        particles_(static_cast<std::int32_t>(spec.spheres.size())),
        lattice_(lattice_of(spec)) {
    h_ = std::cbrt(lattice_.step.x * lattice_.step.y * lattice_.step.z);
    for (std::size_t i = 0; i < spec.spheres.size(); ++i) check_sphere(spec, i, h_);
    place_nodes();
    for (std::int64_t x = 0; x < lattice_.cells[0]; ++x)
      for (std::int64_t y = 0; y < lattice_.cells[1]; ++y)
        for (std::int64_t z = 0; z < lattice_.cells[2]; ++z) cut_cube(x, y, z);
  }
  Tetrahedra take() { return std::move(result_); }

 private:
  using Polygon = std::vector<std::int32_t>;

  void place_nodes() {
    for (std::int64_t x = 0; x <= lattice_.cells[0]; ++x)
      for (std::int64_t y = 0; y <= lattice_.cells[1]; ++y)
        for (std::int64_t z = 0; z <= lattice_.cells[2]; ++z) {
          Point p{lattice_.low.x + static_cast<double>(x) * lattice_.step.x,
                  lattice_.low.y + static_cast<double>(y) * lattice_.step.y,
                  lattice_.low.z + static_cast<double>(z) * lattice_.step.z};
          const Place place = snapped(p);
          result_.vertices.push_back(p);
          places_.push_back(place);
        }
  }

  /// A node in the plane of a sphere's centre stays in that plane, so mirror planes stay flat.
  Place snapped(Point& p) const {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(surfaces_.size()); ++i) {
      const Sphere& s = surfaces_[at(i)];
      const Point arm = p - s.centre;
      const double distance = length(arm) - s.radius;
      if (std::abs(distance) < snap_share * h_) {
        p = s.centre + (s.radius / length(arm)) * arm;
        return {i, 0};
      }
      const bool shell_end = i == particles_;
      if (distance < 0 && !shell_end) return {i, -1};
      if (distance > 0 && shell_end) return {i, 1};
    }
    return {};
  }

  void cut_cube(std::int64_t x, std::int64_t y, std::int64_t z) {
    static constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (const auto& order : orders) {
      std::array<std::int64_t, 3> corner{x, y, z};
      std::array<std::int32_t, 4> tet{node(corner)};
      for (std::size_t k = 0; k < 3; ++k) {
        ++corner[at(order[k])];
        tet[k + 1] = node(corner);
      }
      add(tet);
    }
  }

  [[nodiscard]] std::int32_t node(const std::array<std::int64_t, 3>& c) const {
    return static_cast<std::int32_t>((c[0] * (lattice_.cells[1] + 1) + c[1]) * (lattice_.cells[2] + 1) + c[2]);
  }

  /// -1, 0, 1 of a node against one surface.
  [[nodiscard]] int side(std::int32_t n, std::int32_t surface) const {
    const Place& p = places_[at(n)];
    if (p.sphere == surface) return p.sign;
    return surface == particles_ ? -1 : 1;
  }

  void add(const std::array<std::int32_t, 4>& tet) {
    std::int32_t crossed = -1;
    bool beyond = false, all_on_one = true;
    for (const auto n : tet) {
      const Place& p = places_[at(n)];
      beyond = beyond || (p.sphere == particles_ && p.sign > 0);
      all_on_one = all_on_one && p.sign == 0 && p.sphere == places_[at(tet[0])].sphere;
      if (p.sign >= 0) continue;
      if (crossed >= 0 && crossed != p.sphere)
        fail(Exit::config, "mesh: an element reaches from sphere {} into sphere {}; choose a smaller h or more space",
             crossed + 1, p.sphere + 1);
      crossed = p.sphere;
    }
    if (beyond && crossed >= 0)
      fail(Exit::config, "mesh: an element reaches from a sphere beyond the shell; smaller h");
    if (beyond)
      cut(tet, particles_);
    else if (crossed >= 0)
      cut(tet, crossed);
    else
      keep(tet, all_on_one && places_[at(tet[0])].sphere < particles_ ? places_[at(tet[0])].sphere : binder);
  }

  void cut(const std::array<std::int32_t, 4>& tet, std::int32_t surface) {
    bool in = false, out = false;
    for (const auto n : tet) {
      in = in || side(n, surface) < 0;
      out = out || side(n, surface) > 0;
    }
    const bool shell_end = surface == particles_;
    if (in) keep_part(tet, surface, -1, shell_end ? binder : surface, out);
    if (out && !shell_end) keep_part(tet, surface, 1, binder, in);
  }

  void keep_part(const std::array<std::int32_t, 4>& tet, std::int32_t surface, int wanted, std::int32_t domain,
                 bool other_side) {
    if (!other_side) return keep(tet, domain);
    std::vector<Polygon> hull;
    static constexpr int faces[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};
    for (const auto& f : faces) {
      Polygon p = clipped({tet[at(f[0])], tet[at(f[1])], tet[at(f[2])]}, surface, wanted);
      if (p.size() >= 3) hull.push_back(std::move(p));
    }
    hull.push_back(section(tet, surface));
    pull(hull, domain);
  }

  /// The part of a triangle on the wanted side; corners on the surface belong to both.
  Polygon clipped(const Polygon& triangle, std::int32_t surface, int wanted) {
    Polygon p;
    bool inside = false;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int32_t a = triangle[i], b = triangle[(i + 1) % 3];
      const int sa = side(a, surface) * wanted, sb = side(b, surface) * wanted;
      inside = inside || sa > 0;
      if (sa >= 0) p.push_back(a);
      if (sa * sb < 0) p.push_back(crossing(a, b, surface));
    }
    return inside ? p : Polygon{};
  }

  /// Where the surface passes through the tetrahedron: a triangle, or the four crossings in order around.
  Polygon section(const std::array<std::int32_t, 4>& tet, std::int32_t surface) {
    Polygon in, out, p;
    for (const auto n : tet) {
      const int s = side(n, surface);
      if (s == 0) p.push_back(n);
      if (s != 0) (s < 0 ? in : out).push_back(n);
    }
    if (in.size() == 2 && out.size() == 2)
      return {crossing(in[0], out[0], surface), crossing(in[0], out[1], surface), crossing(in[1], out[1], surface),
              crossing(in[1], out[0], surface)};
    for (const auto a : in)
      for (const auto b : out) p.push_back(crossing(a, b, surface));
    return p;
  }

  std::int32_t crossing(std::int32_t a, std::int32_t b, std::int32_t surface) {
    if (a > b) std::swap(a, b);
    const auto key = (static_cast<std::uint64_t>(a) << 32) | static_cast<std::uint64_t>(b);
    const auto found = crossings_.find(key);
    if (found != crossings_.end()) return found->second;
    const auto n = static_cast<std::int32_t>(result_.vertices.size());
    result_.vertices.push_back(on_sphere(result_.vertices[at(a)], result_.vertices[at(b)], surfaces_[at(surface)]));
    places_.push_back({surface, 0});
    crossings_.emplace(key, n);
    return n;
  }

  static Point on_sphere(const Point& a, const Point& b, const Sphere& s) {
    const Point u = a - s.centre, d = b - a;
    const double q = dot(d, d), half = dot(u, d), c = dot(u, u) - s.radius * s.radius;
    const double root = std::sqrt(std::max(0.0, half * half - q * c));
    const double first = (-half - root) / q;
    const double t = first > 0 && first < 1 ? first : (-half + root) / q;
    return a + std::clamp(t, 0.0, 1.0) * d;
  }

  /// Tetrahedra from the smallest node of a convex hull to the triangles of the faces that do not touch it.
  void pull(const std::vector<Polygon>& hull, std::int32_t domain) {
    std::int32_t apex = hull[0][0];
    for (const auto& f : hull) apex = std::min(apex, *std::min_element(f.begin(), f.end()));
    for (const auto& f : hull) {
      if (std::find(f.begin(), f.end(), apex) != f.end()) continue;
      const auto first = static_cast<std::size_t>(std::min_element(f.begin(), f.end()) - f.begin());
      for (std::size_t k = 1; k + 1 < f.size(); ++k)
        keep({apex, f[first], f[(first + k) % f.size()], f[(first + k + 1) % f.size()]}, domain);
    }
  }

  void keep(std::array<std::int32_t, 4> tet, std::int32_t domain) {
    const auto p = [&](std::size_t i) { return result_.vertices[at(tet[i])]; };
    if (dot(p(1) - p(0), cross(p(2) - p(0), p(3) - p(0))) < 0) std::swap(tet[2], tet[3]);
    result_.corners.push_back(tet);
    result_.domain.push_back(domain);
  }

  std::vector<Sphere> surfaces_;
  std::int32_t particles_;
  Lattice lattice_;
  double h_ = 0;
  Tetrahedra result_;
  std::vector<Place> places_;
  std::unordered_map<std::uint64_t, std::int32_t> crossings_;
};

}  // namespace

Tetrahedra cut_spheres(const SphereMeshSpec& spec) { return Cutter(spec).take(); }

Mesh sphere_mesh(const SphereMeshSpec& spec) { return make_mesh(cut_spheres(spec), spec.order, spec.shell_end); }

SphereMeshSpec sphere_row(double radius, double spacing, const std::vector<double>& coverage, double h_over_R,
                          int order) {
  SphereMeshSpec spec;
  spec.order = order;
  spec.h = h_over_R * radius;
  for (std::size_t i = 0; i < coverage.size(); ++i)
    spec.spheres.push_back({{static_cast<double>(i) * spacing * radius, (1 - 2 * coverage[i]) * radius, 0}, radius});
  const double last = static_cast<double>(coverage.size() - 1) * spacing;
  spec.low = {-1.4 * radius, -2.2 * radius, 0};
  spec.high = {(last + 1.4) * radius, 2.2 * radius, 1.4 * radius};
  return spec;
}

}  // namespace cathoscope::fem
