#include "verification_bodies.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr unsigned lows = x_low | y_low | z_low, highs = x_high | y_high | z_high;

double misfit_modulus() { return misfit_stiffness(particle_modulus, poisson, binder_modulus, poisson); }

Eigenstrain shrinking_particle(const Mesh& mesh, double e) {
  return [&mesh, e](std::size_t t, const Barycentric&) { return mesh.domain[t] == binder ? 0.0 : -e; };
}

std::vector<Lame> two_materials(const Mesh& mesh) {
  return materials_of(mesh, lame_of(particle_modulus, poisson), lame_of(binder_modulus, poisson));
}

/// Damage of the sphere in an infinite matrix on the softening branch, linear in e.
double softened_damage(const CohesiveLaw& law, double e) {
  const double ks = misfit_modulus(), r = sphere_radius;
  return (ks * e - ks * law.onset() / r - law.strength) / (ks / r * (law.failure() - law.onset()) - law.strength);
}

/// V7: debonding of the misfitting sphere, the faces of the cube moving as the infinite matrix does.
void debonding(double h, int order, double tolerance, int threads, Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(h, 1.5, order));
  const CohesiveLaw law;
  const auto rolling = rollers(mesh, lows);
  auto fixed = rolling;
  Vector u(3 * mesh.nodes.size(), 0.0), damage(interface_points(mesh), 0.0);
  prescribe(
      mesh, highs, [](const Point&) { return Point{}; }, fixed, u);
  Mechanics body(mesh, two_materials(mesh), law, fixed, threads);
  double damage_error = 0, traction_error = 0;
  for (const double e : {0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.010, 0.011, 0.012}) {
    const double elastic = e / (1 / misfit_modulus() + 1 / (law.stiffness * sphere_radius));
    const double w = elastic > law.strength ? softened_damage(law, e) : 0;
    const MisfitSphere exact{e, w > 0 ? law.strength * (1 - w) : elastic};
    auto faces = rolling;
    prescribe(
        mesh, highs, [&](const Point& p) { return exact.displacement(p, false); }, faces, u);
    const auto report = body.solve(body.load_of(shrinking_particle(mesh, e)), damage, 1e-9, u);
    damage = static_damage(law, damage, openings_of(mesh, u));
    const double mean = particle_means(mesh, damage)[0];
    damage_error = std::max(damage_error, std::abs(mean - w) + (report.converged ? 0 : 1));
    if (w > 0 && w < 0.85) traction_error = std::max(traction_error, std::abs(mean - w));
  }
  const auto name = fmt::format("debonding sphere, P{} h=R/{:.3g}", order, 1 / h);
  out.push_back({"V7", name + ": damage, e = 0.2 to 1.2 %", damage_error, tolerance});
  if (order == 2) out.push_back({"V7", name + ": traction over the strength while w < 0.85", traction_error, 0.01});
}

/// Work of pulling a jointed bar apart, J/m^2; trapezoids are exact because the response is linear between the kinks.
double work_of_separation(int cells_along, int threads, double& largest_misfit) {
  const double length_x = 5e-6, width = 2e-6, modulus = 2e9;
  const Mesh mesh = jointed_column(length_x, width, cells_along, 2, 2);
  const CohesiveLaw law;
  const auto fixed = rollers(mesh, x_low | y_low | z_low | x_high);
  Mechanics body(mesh, materials_of(mesh, lame_of(modulus, 0), lame_of(modulus, 0)), law, fixed, threads);
  Vector u(3 * mesh.nodes.size(), 0.0), damage(interface_points(mesh), 0.0);
  const double onset = law.strength * length_x / modulus + law.onset();
  std::vector<double> stretches{0, onset};
  for (int k = 1; k <= 8; ++k) stretches.push_back(onset + (law.failure() - onset) * k / 8);
  double work = 0, before = 0;
  for (std::size_t step = 1; step < stretches.size(); ++step) {
    for (std::size_t i = 0; i < mesh.nodes.size(); ++i)
      if ((mesh.faces[i] & x_high) != 0) u[3 * i] = stretches[step];
    body.solve(Vector(u.size(), 0.0), damage, 1e-11, u);
    const auto reaction = body.residual(Vector(u.size(), 0.0), damage, u);
    double force = 0;
    for (std::size_t i = 0; i < mesh.nodes.size(); ++i)
      if ((mesh.faces[i] & x_high) != 0) force += reaction[3 * i];
    const double traction = force / (width * width);
    const auto openings = openings_of(mesh, u);
    for (const double delta : openings)
      largest_misfit =
          std::max(largest_misfit, std::abs(traction * length_x / modulus + delta - stretches[step]) / stretches[step]);
    damage = static_damage(law, damage, openings);
    work += (traction + before) / 2 * (stretches[step] - stretches[step - 1]);
    before = traction;
  }
  return work;
}

/// V8: the energy of separation is the toughness, whatever the mesh.
void bar(int threads, Verifications& out) {
  double misfit = 0;
  const double coarse = work_of_separation(4, threads, misfit), fine = work_of_separation(8, threads, misfit);
  out.push_back({"V8", "jointed bar: energy of separation over the toughness",
                 std::abs(coarse / CohesiveLaw{}.toughness - 1), 1e-3});
  out.push_back({"V8", "jointed bar: two meshes against each other", std::abs(coarse / fine - 1), 1e-6});
  out.push_back({"V8", "jointed bar: stretch = T L / E + opening", misfit, 1e-6});
}

/// V20: damage only grows, stays in 0..1, closing adds none, and a bond that cannot break gives everything back.
void irreversibility(int threads, Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(0.5, 1.5, 2));
  const auto fixed = rollers(mesh, lows | highs);
  const auto path = {0.004, 0.007, 0.002, -0.003, 0.0, 0.005};
  Vector u(3 * mesh.nodes.size(), 0.0), damage(interface_points(mesh), 0.0);
  const CohesiveLaw law;
  Mechanics body(mesh, two_materials(mesh), law, fixed, threads);
  double broken = 0, before_closing = 0, after_closing = 0;
  for (const double e : path) {
    const auto report = body.solve(body.load_of(shrinking_particle(mesh, e)), damage, 1e-9, u);
    const auto next = static_damage(law, damage, openings_of(mesh, u));
    for (std::size_t i = 0; i < next.size(); ++i)
      broken = std::max({broken, damage[i] - next[i], next[i] - 1, -next[i], report.converged ? 0.0 : 1.0});
    const double sum = std::accumulate(next.begin(), next.end(), 0.0);
    if (e == 0.007) before_closing = sum;
    if (e <= 0.002) after_closing = sum;
    damage = next;
  }
  out.push_back({"V20", "damage falls, or leaves 0..1", broken, 0});
  out.push_back({"V20", "damage from closing", (after_closing - before_closing) / before_closing, 0});
  const CohesiveLaw strong{.strength = 1e12, .toughness = 1e9};
  Mechanics unbreakable(mesh, two_materials(mesh), strong, fixed, threads);
  Vector v(u.size(), 0.0), start(damage.size(), 0.0), first;
  for (const double e : {0.001, 0.006, 0.012, 0.003, 0.001}) {
    unbreakable.solve(unbreakable.load_of(shrinking_particle(mesh, e)), start, 1e-12, v);
    if (first.empty()) first = v;
  }
  double error = 0, size = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    error = std::max(error, std::abs(v[i] - first[i]));
    size = std::max(size, std::abs(first[i]));
  }
  out.push_back({"V20", "an interface that cannot break returns to its start", error / size, 1e-8});
}

/// V24: tangent against differences of the forces.
void tangent(Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(0.5, 1.5, 2));
  const CohesiveLaw law;
  const auto incidence = incidence_of(mesh);
  const BlockMatrix nothing = bulk_pattern(mesh, incidence, 1);
  BlockMatrix matrix = interface_pattern(mesh), scratch = matrix;
  const FixedBits none(mesh.nodes.size(), 0);
  std::mt19937 random(3);
  const auto number = [&] { return static_cast<double>(random()) / 4294967296.0 - 0.5; };
  struct Case {
    const char* name;
    double opening, scatter, damage;
  };
  for (const Case& c : {Case{"loading", 20e-9, 4e-9, 0.1}, Case{"unloading", 8e-9, 2e-9, 0.5},
                        Case{"closed", -2e-9, 0.5e-9, 0.4}, Case{"mixed", 0, 60e-9, 0.3}}) {
    Vector u(3 * mesh.nodes.size(), 0.0), direction(u.size());
    for (auto& d : direction) d = number();
    for (const auto& f : mesh.interface)
      for (const auto n : f.outer) {
        const Point p = (c.opening / sphere_radius) * mesh.nodes[at(n)];
        const double value[3] = {p.x, p.y, p.z};
        for (std::size_t i = 0; i < 3; ++i) u[3 * at(n) + i] = value[i] + c.scatter * number();
      }
    const Vector damage(interface_points(mesh), c.damage);
    const auto force_at = [&](double step) {
      Vector moved = u;
      add_scaled(moved, step, direction, 1);
      return interface_response(mesh, law, moved, damage, InterfaceStiffness::tangent, scratch).force;
    };
    interface_response(mesh, law, u, damage, InterfaceStiffness::tangent, matrix);
    Vector product(u.size());
    BlockOperator{&nothing, &matrix, &none, 1}.apply(direction, product);
    const double step = 1e-14;
    const Vector up = force_at(step), down = force_at(-step);
    double error = 0, size = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      error = std::max(error, std::abs((up[i] - down[i]) / (2 * step) - product[i]));
      size = std::max(size, std::abs(product[i]));
    }
    out.push_back({"V24", fmt::format("tangent of the interface against differences, {}", c.name), error / size, 1e-5});
  }
}

}  // namespace

Verifications verify_interface(bool fine, int threads) {
  Verifications out;
  debonding(0.25, 2, 0.01, threads, out);
  debonding(0.25, 1, 0.025, threads, out);
  if (fine) debonding(0.125, 2, 0.01, threads, out);
  bar(threads, out);
  irreversibility(threads, out);
  tangent(out);
  return out;
}

}  // namespace cathoscope::fem
