#include "verification_bodies.hpp"

#include <cmath>

namespace cathoscope::fem {

namespace {
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Elastic energy density of a stress.
double density(const Lame& m, const std::array<double, 6>& s) {
  const double trace = s[0] + s[1] + s[2];
  double squares = 0;
  for (std::size_t i = 0; i < 6; ++i) squares += (i < 3 ? 1 : 2) * s[i] * s[i];
  return (squares - m.lambda / (3 * m.lambda + 2 * m.mu) * trace * trace) / (4 * m.mu);
}
}  // namespace

SphereMeshSpec octant_spec(double h_over_R, double box, int order) {
  SphereMeshSpec spec;
  spec.spheres = {{{0, 0, 0}, sphere_radius}};
  spec.high = {box * sphere_radius, box * sphere_radius, box * sphere_radius};
  spec.h = h_over_R * sphere_radius;
  spec.order = order;
  return spec;
}

Mesh octant_of_one_piece(double h_over_R, int order) {
  auto tets = cut_spheres(octant_spec(h_over_R, 1.5, order));
  tets.domain.assign(tets.domain.size(), binder);
  return make_mesh(tets, order);
}

Mesh jointed_column(double length, double width, int cells_along, int cells_across, int order) {
  SphereMeshSpec spec;
  // One lattice for any aspect: the unit of x is stretched afterwards.
  const double across = width / cells_across;
  spec.high = {across * cells_along, width, width};
  spec.h = across;
  auto tets = cut_spheres(spec);
  for (auto& p : tets.vertices) p.x *= length / (across * cells_along);
  for (std::size_t t = 0; t < tets.corners.size(); ++t) {
    double x = 0;
    for (const auto v : tets.corners[t]) x += tets.vertices[at(v)].x / 4;
    tets.domain[t] = x < length / 2 ? 0 : binder;
  }
  return make_mesh(tets, order);
}

Point MisfitSphere::displacement(const Point& p, bool inside) const {
  const double mu = lame_of(binder_modulus, poisson).mu, bulk = lame_of(particle_modulus, poisson).bulk();
  const double r = length(p);
  if (inside) return (-e + traction / (3 * bulk)) * p;
  return (-traction * std::pow(sphere_radius / r, 3) / (4 * mu)) * p;
}

MisfitSphere bonded_misfit(double e, double K0) {
  const double ks = misfit_stiffness(particle_modulus, poisson, binder_modulus, poisson);
  return {e, e / (1 / ks + (K0 > 0 ? 1 / (K0 * sphere_radius) : 0))};
}

void prescribe(const Mesh& mesh, unsigned faces, const std::function<Point(const Point&)>& place, FixedBits& fixed,
               Vector& u) {
  for (std::size_t i = 0; i < mesh.nodes.size(); ++i) {
    if ((mesh.faces[i] & faces) == 0) continue;
    const Point value = place(mesh.nodes[i]);
    fixed[i] = 7;
    u[3 * i] = value.x;
    u[3 * i + 1] = value.y;
    u[3 * i + 2] = value.z;
  }
}

Point place_of(const Mesh& mesh, std::size_t tet, const Barycentric& l) {
  Point p;
  for (std::size_t i = 0; i < 4; ++i) p = p + l[i] * mesh.nodes[at(mesh.tets[tet][i])];
  return p;
}

RelativeErrors errors_against(const Mesh& mesh, const std::vector<Lame>& lame, const Vector& u,
                              const Eigenstrain& eigenstrain,
                              const std::function<Point(std::size_t, const Point&)>& exact_displacement,
                              const std::function<std::array<double, 6>(std::size_t, const Point&)>& exact_stress) {
  double u_error = 0, u_norm = 0, e_error = 0, e_norm = 0;
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const double volume = mesh.volume(t);
    for (const auto& q : tet_rule()) {
      const Point p = place_of(mesh, t, q.l);
      const auto shape = tet_shape(mesh.order, q.l);
      Point value;
      for (int a = 0; a < mesh.nodes_per_tet(); ++a) {
        const double* n = &u[3 * at(mesh.tets[t][at(a)])];
        value = value + shape[at(a)] * Point{n[0], n[1], n[2]};
      }
      const Point exact = exact_displacement(t, p), miss = value - exact;
      u_error += q.weight * volume * dot(miss, miss);
      u_norm += q.weight * volume * dot(exact, exact);
      auto stress = stress_at(mesh, lame, u, t, q.l, eigenstrain(t, q.l));
      const auto expected = exact_stress(t, p);
      for (std::size_t i = 0; i < 6; ++i) stress[i] -= expected[i];
      e_error += q.weight * volume * density(lame[t], stress);
      e_norm += q.weight * volume * density(lame[t], expected);
    }
  }
  return {std::sqrt(u_error / u_norm), std::sqrt(e_error / e_norm)};
}

}  // namespace cathoscope::fem
