#include "verification_bodies.hpp"

#include <cathoscope/core/text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {

constexpr unsigned lows = x_low | y_low | z_low, highs = x_high | y_high | z_high;

CohesiveLaw stiff_interface() { return {.strength = 1e12, .toughness = 1e9}; }

std::vector<Lame> two_materials(const Mesh& mesh) {
  return materials_of(mesh, lame_of(particle_modulus, poisson), lame_of(binder_modulus, poisson));
}

Eigenstrain shrinking_particle(const Mesh& mesh, double e) {
  return [&mesh, e](std::size_t t, const Barycentric&) { return mesh.domain[t] == binder ? 0.0 : -e; };
}

/// Radial stress 2 mu and hoop stress of a field u_r = -A/r^2 outside, uniform traction inside.
std::array<double, 6> misfit_stress(const MisfitSphere& exact, const Point& p, bool inside) {
  if (inside) return {exact.traction, exact.traction, exact.traction, 0, 0, 0};
  const double r = length(p), s = exact.traction * std::pow(sphere_radius / r, 3);
  const double x[3] = {p.x / r, p.y / r, p.z / r};
  const auto entry = [&](int i, int j) { return s * (1.5 * x[i] * x[j] - (i == j ? 0.5 : 0)); };
  return {entry(0, 0), entry(1, 1), entry(2, 2), entry(1, 2), entry(0, 2), entry(0, 1)};
}

/// V5: sphere that misfits by 1 % in a cube whose faces move as in the infinite matrix.
void infinite_matrix(double h, int order, double u_tolerance, double e_tolerance, int threads, Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(h, 2, order));
  const auto law = stiff_interface();
  const auto exact = bonded_misfit(0.01, law.stiffness);
  auto fixed = rollers(mesh, lows);
  Vector u(3 * mesh.nodes.size(), 0.0);
  prescribe(
      mesh, highs, [&](const Point& p) { return exact.displacement(p, false); }, fixed, u);
  const auto eigenstrain = shrinking_particle(mesh, exact.e);
  Mechanics body(mesh, two_materials(mesh), law, fixed, threads);
  body.solve(body.load_of(eigenstrain), Vector(interface_points(mesh), 0.0), 1e-8, u);
  const auto error = errors_against(
      mesh, body.lame(), u, eigenstrain,
      [&](std::size_t t, const Point& p) { return exact.displacement(p, mesh.domain[t] != binder); },
      [&](std::size_t t, const Point& p) { return misfit_stress(exact, p, mesh.domain[t] != binder); });
  const auto name = fmt::format("misfitting sphere in an infinite matrix, P{} h=R/{:.3g}", order, 1 / h);
  out.push_back({"V5", name + ": displacement, L2", error.displacement, u_tolerance});
  out.push_back({"V5", name + ": energy norm", error.energy, e_tolerance});
}

/// Area mean of the normal traction, by the spring of the bonded interface.
double mean_traction(const Mesh& mesh, const CohesiveLaw& law, const Vector& u) {
  const auto jumps = jumps_of(mesh, u);
  const auto areas = point_areas(mesh);
  double force = 0, area = 0;
  for (std::size_t i = 0; i < jumps.size(); ++i) {
    const auto n = normal_of(mesh.interface[i / points_per_facet(mesh)]);
    force += areas[i] * law.stiffness * (jumps[i][0] * n[0] + jumps[i][1] * n[1] + jumps[i][2] * n[2]);
    area += areas[i];
  }
  return force / area;
}

/// V6: the same sphere in a shell that ends at b, free or held.
void shell(double b_over_R, double h, bool held, int threads, Verifications& out) {
  auto spec = octant_spec(h, std::ceil((b_over_R + 0.05) / h) * h, 2);
  spec.shell_end = {{{0, 0, 0}, b_over_R * sphere_radius}};
  const Mesh mesh = sphere_mesh(spec);
  const auto law = stiff_interface();
  auto fixed = rollers(mesh, lows);
  Vector u(3 * mesh.nodes.size(), 0.0);
  if (held)
    prescribe(
        mesh, outer, [](const Point&) { return Point{}; }, fixed, u);
  Mechanics body(mesh, two_materials(mesh), law, fixed, threads);
  body.solve(body.load_of(shrinking_particle(mesh, 0.01)), Vector(interface_points(mesh), 0.0), 1e-8, u);
  const double beta = std::pow(b_over_R, 3);
  const auto matrix = lame_of(binder_modulus, poisson);
  const double stiffness = held ? (3 * matrix.bulk() + 4 * matrix.mu * beta) / (beta - 1)
                                : binder_modulus * (beta - 1) / ((1 - 2 * poisson) + (1 + poisson) * beta / 2);
  const double bulk = lame_of(particle_modulus, poisson).bulk();
  const double exact = 0.01 / (1 / stiffness + 1 / (3 * bulk) + 1 / (law.stiffness * sphere_radius));
  out.push_back(
      {"V6",
       fmt::format("sphere in a {} shell b = {} R, h=R/{:.3g}: traction", held ? "held" : "free", b_over_R, 1 / h),
       std::abs(mean_traction(mesh, law, u) / exact - 1), 0.01});
}

Point linear_field(const Point& p) {
  return {1e-3 * p.x + 2e-4 * p.y - 3e-4 * p.z, 4e-4 * p.x - 5e-4 * p.y + 1e-4 * p.z,
          2e-4 * p.x + 3e-4 * p.y + 7e-4 * p.z};
}

/// V15: a linear displacement of the faces is found inside exactly.
void patch(int order, int threads, Verifications& out) {
  const Mesh mesh = octant_of_one_piece(0.5, order);
  FixedBits fixed(mesh.nodes.size(), 0);
  Vector u(3 * mesh.nodes.size(), 0.0);
  prescribe(mesh, lows | highs, linear_field, fixed, u);
  Mechanics body(mesh, two_materials(mesh), stiff_interface(), fixed, threads);
  body.solve(Vector(u.size(), 0.0), {}, 1e-13, u);
  double error = 0, size = 0;
  for (std::size_t i = 0; i < mesh.nodes.size(); ++i) {
    const Point exact = linear_field(mesh.nodes[i]);
    error = std::max(error, length(Point{u[3 * i], u[3 * i + 1], u[3 * i + 2]} - exact));
    size = std::max(size, length(exact));
  }
  out.push_back({"V15", fmt::format("patch test on the cut mesh, P{}", order), error / size, 1e-10});
}

/// V15 with a bonded interface: uniform traction through a column of two materials.
void patch_with_interface(int order, int threads, Verifications& out) {
  const double length_x = 10e-6, stretch = 1e-8;
  const Mesh mesh = jointed_column(length_x, 4e-6, 6, 2, order);
  auto fixed = rollers(mesh, x_low | y_low | z_low | x_high);
  Vector u(3 * mesh.nodes.size(), 0.0);
  for (std::size_t i = 0; i < mesh.nodes.size(); ++i)
    if ((mesh.faces[i] & x_high) != 0) u[3 * i] = stretch;
  // Free to contract, with the same nu / E on both sides, so that the stress is uniaxial.
  const auto lame = materials_of(mesh, lame_of(140e9, 0), lame_of(2e9, 0));
  const auto law = stiff_interface();
  Mechanics body(mesh, lame, law, fixed, threads);
  body.solve(Vector(u.size(), 0.0), Vector(interface_points(mesh), 0.0), 1e-13, u);
  const double traction = stretch / (length_x / 2 / 140e9 + length_x / 2 / 2e9 + 1 / law.stiffness);
  double error = 0;
  for (const auto& jump : jumps_of(mesh, u)) error = std::max(error, std::abs(jump[0] * law.stiffness / traction - 1));
  for (std::size_t t = 0; t < mesh.tets.size(); ++t)
    error = std::max(error, std::abs(stress_at(mesh, lame, u, t, {0.25, 0.25, 0.25, 0.25}, 0)[0] / traction - 1));
  out.push_back({"V15", fmt::format("patch test through a bonded interface, P{}", order), error, 1e-10});
}

/// V16: everything swells alike and nothing holds it.
void uniform_eigenstrain(int threads, Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(0.5, 1.5, 2));
  const auto fixed = rollers(mesh, lows);
  const double e = 0.01;
  const Eigenstrain everywhere = [e](std::size_t, const Barycentric&) { return e; };
  Mechanics body(mesh, two_materials(mesh), stiff_interface(), fixed, threads);
  Vector u(3 * mesh.nodes.size(), 0.0);
  body.solve(body.load_of(everywhere), Vector(interface_points(mesh), 0.0), 1e-13, u);
  double largest = 0;
  for (std::size_t t = 0; t < mesh.tets.size(); ++t)
    for (const double s : stress_at(mesh, body.lame(), u, t, {0.1, 0.2, 0.3, 0.4}, e))
      largest = std::max(largest, std::abs(s));
  out.push_back({"V16", "uniform eigenstrain of a free body: stress over E e", largest / (particle_modulus * e), 1e-8});
}

/// u = (sin ax cos by, ...) of one material and the body force that goes with it.
struct Manufactured {
  double k = 3e5;
  Lame m = lame_of(2e9, 0.3);
  [[nodiscard]] Point displacement(const Point& p) const {
    return 1e-8 *
           Point{std::sin(k * p.x) * std::cos(k * p.y), std::sin(k * p.y + k * p.z), std::cos(k * p.x - k * p.z)};
  }
  /// -(lambda + mu) grad div u - mu laplace u
  [[nodiscard]] Point force(const Point& p) const {
    const double sx = std::sin(k * p.x), cx = std::cos(k * p.x), sy = std::sin(k * p.y), cy = std::cos(k * p.y);
    const double syz = std::sin(k * p.y + k * p.z), sxz = std::cos(k * p.x - k * p.z);
    const Point laplace = -k * k * Point{2 * sx * cy, 2 * syz, 2 * sxz};
    // div u = k (cx cy + cos(ky + kz) + sin(kx - kz))
    const Point grad_div = k * k * Point{-sx * cy + sxz, -cx * sy - syz, -syz - sxz};
    return -1e-8 * ((m.lambda + m.mu) * grad_div + m.mu * laplace);
  }
  [[nodiscard]] std::array<double, 6> stress(const Point& p) const {
    const double a = 1e-8 * k;
    const double sx = std::sin(k * p.x), cx = std::cos(k * p.x), sy = std::sin(k * p.y), cy = std::cos(k * p.y);
    const double cyz = std::cos(k * p.y + k * p.z), sxz = std::sin(k * p.x - k * p.z);
    const double xx = a * cx * cy, yy = a * cyz, zz = a * sxz;
    const double xy = -a * sx * sy / 2, yz = a * cyz / 2, xz = -a * sxz / 2;
    const double trace = m.lambda * (xx + yy + zz);
    return {2 * m.mu * xx + trace, 2 * m.mu * yy + trace, 2 * m.mu * zz + trace,
            2 * m.mu * yz,         2 * m.mu * xz,         2 * m.mu * xy};
  }
};

RelativeErrors manufactured_errors(int cells, int order, int threads) {
  const Manufactured exact;
  SphereMeshSpec spec;
  spec.high = {6e-6, 6e-6, 6e-6};
  spec.h = 6e-6 / cells;
  spec.order = order;
  const Mesh mesh = sphere_mesh(spec);
  FixedBits fixed(mesh.nodes.size(), 0);
  Vector u(3 * mesh.nodes.size(), 0.0);
  prescribe(
      mesh, lows | highs, [&](const Point& p) { return exact.displacement(p); }, fixed, u);
  Mechanics body(mesh, materials_of(mesh, exact.m, exact.m), stiff_interface(), fixed, threads);
  body.solve(body_force(mesh, [&](const Point& p) { return exact.force(p); }), {}, 1e-10, u);
  return errors_against(
      mesh, body.lame(), u, [](std::size_t, const Barycentric&) { return 0.0; },
      [&](std::size_t, const Point& p) { return exact.displacement(p); },
      [&](std::size_t, const Point& p) { return exact.stress(p); });
}

/// V17: orders of convergence for a smooth field.
void orders(int order, int coarse, int threads, Verifications& out) {
  const auto a = manufactured_errors(coarse, order, threads), b = manufactured_errors(2 * coarse, order, threads);
  out.push_back({"V17", fmt::format("manufactured solution, P{}: order in L2 minus {}", order, order + 1),
                 std::abs(std::log2(a.displacement / b.displacement) - (order + 1)), 0.15});
  out.push_back({"V17", fmt::format("manufactured solution, P{}: order in energy minus {}", order, order),
                 std::abs(std::log2(a.energy / b.energy) - order), 0.15});
}

/// The same bits with one thread and with three, on a mesh that is large enough to be shared out.
void same_bits(Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(0.2, 2, 2));
  const auto displacement = [&](int threads) {
    const auto fixed = rollers(mesh, lows | highs);
    Vector u(3 * mesh.nodes.size(), 0.0);
    Mechanics body(mesh, two_materials(mesh), CohesiveLaw{}, fixed, threads);
    body.solve(body.load_of(shrinking_particle(mesh, 0.006)), Vector(interface_points(mesh), 0.0), 1e-4, u);
    return u;
  };
  const Vector one = displacement(1), three = displacement(3);
  double different = 0;
  for (std::size_t i = 0; i < one.size(); ++i) different += one[i] == three[i] ? 0 : 1;
  out.push_back({"bits",
                 fmt::format("displacements that differ between one thread and three, {} nodes", mesh.nodes.size()),
                 different, 0});
}

}  // namespace

Verifications verify_elasticity(bool fine, int threads) {
  Verifications out;
  // Tolerances of V5: an independent implementation of the same method, plus 20 %.
  infinite_matrix(0.5, 2, 1.2 * 3.3e-2, 1.2 * 0.14, threads, out);
  infinite_matrix(0.25, 2, 1.2 * 9.5e-3, 1.2 * 4.8e-2, threads, out);
  infinite_matrix(0.25, 1, 1.2 * 2.5e-2, 1.2 * 0.26, threads, out);
  if (fine) infinite_matrix(0.125, 2, 1.2 * 2.3e-3, 1.2 * 1.5e-2, threads, out);
  if (fine) infinite_matrix(0.125, 1, 1.2 * 8.0e-3, 1.2 * 0.13, threads, out);
  for (const bool held : {false, true}) {
    shell(1.5, 0.2, held, threads, out);
    shell(2, 0.25, held, threads, out);
    if (fine) shell(1.26, 0.1, held, threads, out);
  }
  for (const int order : {1, 2}) {
    patch(order, threads, out);
    patch_with_interface(order, threads, out);
    orders(order, order == 1 ? 6 : 4, threads, out);
  }
  uniform_eigenstrain(threads, out);
  same_bits(out);
  return out;
}

Verifications verify_mesh(bool fine) {
  Verifications out;
  const std::vector<double> coverage{0.9, 0.5, 0.1};
  std::vector<double> sizes{0.5, 1.0 / 3, 0.25};
  if (fine) sizes.push_back(1.0 / 6);
  for (const double h : sizes) {
    const auto q = mesh_quality(sphere_mesh(sphere_row(sphere_radius, 2.6, coverage, h, 2)));
    const auto at_h = fmt::format(", h=R/{:.3g}", 1 / h);
    double share = 0;
    for (std::size_t i = 0; i < 3; ++i) share = std::max(share, std::abs(q.low_side_share[i] - coverage[i]));
    if (h <= 0.25) out.push_back({"V18", "coverage against Archimedes" + at_h, share, 0.01});
    out.push_back({"V19", "volumes against the box" + at_h, q.volume_error, 1e-12});
    out.push_back({"V19", "8 degrees over the smallest dihedral angle" + at_h, 8 / q.min_dihedral_deg, 1});
    int wrong = static_cast<int>(q.facets_open_edges);
    for (const int e : q.euler) wrong += std::abs(e - 1);
    out.push_back({"V19", "Euler numbers and open edges of the interface" + at_h, static_cast<double>(wrong), 0});
  }
  return out;
}

}  // namespace cathoscope::fem
