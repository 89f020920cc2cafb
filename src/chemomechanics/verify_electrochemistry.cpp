#include "electrochemistry.hpp"
#include "tetra.hpp"
#include "verification_bodies.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr double diffusivity = 3e-14, c_max = 49000;

/// A binder that conducts so well that its potential is that of the collector.
ElectrochemicalModel ideal_conductor(Kinetics kinetics) {
  ElectrochemicalModel m;
  m.kinetics = std::move(kinetics);
  m.sigma_high = m.sigma_low = 1e4;
  return m;
}

struct Effective {
  double radius = 0, volume = 0, area = 0;
};
/// Radius of the sphere with the ratio of volume and surface that the mesh has.
Effective effective_of(const Mesh& mesh) {
  const auto q = mesh_quality(mesh);
  return {3 * q.particle_volume[0] / q.particle_area[0], q.particle_volume[0], q.particle_area[0]};
}

/// Steps that must converge; an unconverged one counts as infinitely wrong.
double advance(ElectrochemicalSystem& s, double duration, int steps, const Control& control, const Vector& damage,
               double reference, Unknowns& z) {
  for (int k = 0; k < steps; ++k)
    if (!s.step(duration / steps, control, damage, 1e-10, reference, z).converged) return HUGE_VAL;
  return 0;
}

/// Content at the centre of the sphere, which is the corner of the octant.
double centre_content(const Mesh& mesh, const ElectrochemicalSystem& s, const Unknowns& z) {
  std::int32_t nearest = 0;
  for (std::int32_t n = 0; n < mesh.corners; ++n)
    if (length(mesh.nodes[at(n)]) < length(mesh.nodes[at(nearest)])) nearest = n;
  return z[s.unknown_of(nearest)];
}

/// (c - c0) D / (j R) at the surface after T = D t / R^2 of constant flux j (Crank 1975, eq. 6.45).
double flux_surface(double T) {
  double sum = 3 * T + 0.2;
  double root = 4.493409457909064;
  for (int n = 1; n <= 60; ++n) {
    for (int k = 0; k < 50; ++k) root -= (std::tan(root) - root) / (std::tan(root) * std::tan(root));
    sum -= 2 * std::exp(-root * root * T) / (root * root);
    root = (n + 1.5) * std::numbers::pi - 1 / ((n + 1.5) * std::numbers::pi);
  }
  return sum;
}

double flux_centre(double T) {
  double sum = 3 * T - 0.3;
  double root = 4.493409457909064;
  for (int n = 1; n <= 60; ++n) {
    for (int k = 0; k < 50; ++k) root -= (std::tan(root) - root) / (std::tan(root) * std::tan(root));
    sum -= 2 * std::exp(-root * root * T) / (root * std::sin(root));
    root = (n + 1.5) * std::numbers::pi - 1 / ((n + 1.5) * std::numbers::pi);
  }
  return sum;
}

/// V1: constant flux, at T = 0.1 and 0.5.
void constant_flux(double h, Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(h, 1.5, 2));
  const auto e = effective_of(mesh);
  ElectrochemicalSystem s(mesh, ideal_conductor([](double phi, double, double, Contact) {
                            return InterfaceCurrent{1e5 * phi, 1e5, 0};
                          }));
  const Vector damage(interface_points(mesh), 0.0);
  const double unit = e.radius * e.radius / diffusivity, rate = -1e-5;  // m/s of x; negative: lithium enters
  const Control control{true, rate * faraday * c_max * e.area};
  auto z = s.uniform(0.2, 0);
  const double scale = -rate * e.radius / diffusivity;
  double surface_error = 0, centre_error = 0, done = 0;
  for (const double T : {0.02, 0.1, 0.5}) {
    const int steps = T < 0.05 ? 40 : 60;
    surface_error += advance(s, (T - done) * unit, steps, control, damage, std::abs(control.value), z);
    done = T;
    const double surface = (s.surface_content(z)[0] - 0.2) / scale, centre = (centre_content(mesh, s, z) - 0.2) / scale;
    surface_error = std::max(surface_error, std::abs(surface / flux_surface(T) - 1));
    if (T > 0.05) centre_error = std::max(centre_error, std::abs(centre / flux_centre(T) - 1) * (T > 0.3 ? 1 : 0.1));
  }
  const auto name = fmt::format("constant flux into a sphere, P2 h=R/{:.3g}", 1 / h);
  out.push_back({"V1", name + ": surface at T = 0.02, 0.1, 0.5", surface_error, 0.01});
  out.push_back({"V1", name + ": centre at T = 0.5 (and a tenth of it at 0.1)", centre_error, 0.01});
}

/// Uptake of a sphere with linear kinetics, L = k R / D; L below 0: fixed content at the surface.
double robin_uptake(double L, double T) {
  double uptake = 1;
  for (int n = 1; n <= 200; ++n) {
    if (L < 0) {
      const double a = n * std::numbers::pi;
      uptake -= 6 / (a * a) * std::exp(-a * a * T);
      continue;
    }
    double low = (n - 1) * std::numbers::pi + 1e-9, high = n * std::numbers::pi - 1e-9;
    for (int k = 0; k < 80; ++k) {
      const double b = (low + high) / 2;
      (b * std::cos(b) / std::sin(b) + L - 1 > 0 ? low : high) = b;
    }
    const double b2 = low * low;
    uptake -= 6 * L * L * std::exp(-b2 * T) / (b2 * (b2 + L * (L - 1)));
  }
  return uptake;
}

/// Mean uptake by linear kinetics of strength k (m/s) in `steps` steps.
double uptake_of(const Mesh& mesh, double k, double duration, int steps) {
  ElectrochemicalSystem s(
      mesh, ideal_conductor([k](double phi, double x, double, Contact) {
        return InterfaceCurrent{faraday * c_max * k * (x - 1 + phi), faraday * c_max * k, faraday * c_max * k};
      }));
  const Vector damage(interface_points(mesh), 0.0);
  auto z = s.uniform(0, 0);
  const double reference = faraday * c_max * s.particle_volume() / duration;
  const double miss = advance(s, duration, steps, {false, 0}, damage, reference, z);
  return s.mean_content(z)[0] + miss;
}

/// V2 and V3: uptake at fixed surface content (k so large that it is), and by linear kinetics.
void uptake(double h, Verifications& out) {
  const Mesh mesh = sphere_mesh(octant_spec(h, 1.5, 2));
  const auto e = effective_of(mesh);
  const double unit = e.radius * e.radius / diffusivity;
  for (const double L : {-1.0, 2.0}) {
    double error = 0;
    for (const double T : {0.05, 0.2}) {
      const double k = (L < 0 ? 3e4 : L) * diffusivity / e.radius;
      // Extrapolation in the step, which converges with order one, leaves the error of the mesh.
      const double coarse = uptake_of(mesh, k, T * unit, 60), fine = uptake_of(mesh, k, T * unit, 120);
      error = std::max(error, std::abs((2 * fine - coarse) / robin_uptake(L, T) - 1));
    }
    out.push_back(
        {L < 0 ? "V2" : "V3",
         fmt::format("uptake of a sphere, {}, P2 h=R/{:.3g}", L < 0 ? "fixed surface" : "linear kinetics L = 2", 1 / h),
         error, 0.01});
  }
  const double k = 2 * diffusivity / e.radius, T = 0.2 * unit;
  const double a = uptake_of(mesh, k, T, 10), b = uptake_of(mesh, k, T, 20), c = uptake_of(mesh, k, T, 40);
  out.push_back({"V17", "backward Euler: order in the step minus 1", std::abs(std::log2((a - b) / (b - c)) - 1), 0.15});
}

/// V11: two lumped particles of linear kinetics, one on each binder.
void two_particles(Verifications& out) {
  SphereMeshSpec spec;
  spec.spheres = {{{0, -1.5 * sphere_radius, 0}, sphere_radius}, {{0, 1.5 * sphere_radius, 0}, sphere_radius}};
  spec.low = {-1.5 * sphere_radius, -3 * sphere_radius, 0};
  spec.high = {1.5 * sphere_radius, 3 * sphere_radius, 1.5 * sphere_radius};
  spec.h = 0.5 * sphere_radius;
  const Mesh mesh = sphere_mesh(spec);
  const auto q = mesh_quality(mesh);
  const double g_high = 3, g_low = 1, slope = 0.8;
  auto model = ideal_conductor([=](double phi, double x, double, Contact contact) {
    const double g = contact == Contact::high ? g_high : g_low;
    return InterfaceCurrent{g * (phi + slope * (x - 0.9)), g, g * slope};
  });
  model.sigma_high = model.sigma_low = 100;
  model.diffusivity.constant = 1e-11;
  ElectrochemicalSystem s(mesh, model);
  const double a1 = q.particle_area[0], a2 = q.particle_area[1];
  const double q1 = faraday * c_max * q.particle_volume[0] / a1, q2 = faraday * c_max * q.particle_volume[1] / a2;
  const double sum = g_high * a1 + g_low * a2, current = 0.5 * (a1 + a2);
  const double rate = slope * g_high * g_low * (a2 / q1 + a1 / q2) / sum;
  const double limit = -(current / sum) * (g_high / q1 - g_low / q2) / rate;
  const Vector damage(interface_points(mesh), 0.0);
  const double duration = 1.5 / rate;
  const auto difference = [&](int steps) {
    auto z = s.uniform(0.9, 0);
    const double miss = advance(s, duration, steps, {true, current}, damage, current, z);
    const auto mean = s.mean_content(z);
    return mean[0] - mean[1] + miss;
  };
  const double extrapolated = 2 * difference(100) - difference(50);
  out.push_back({"V11", "two lumped particles with linear kinetics: difference of content",
                 std::abs(extrapolated / (limit * (1 - std::exp(-1.5))) - 1), 1e-3});
}

/// V12: potential drop through two layers, and through a spherical shell.
void ohm(double h, Verifications& out) {
  SphereMeshSpec spec;
  const double unit = 1e-6;
  spec.low = {0, -2 * unit, 0};
  spec.high = {2 * unit, 4 * unit, 2 * unit};
  spec.h = unit;
  auto tets = cut_spheres(spec);
  for (std::size_t t = 0; t < tets.corners.size(); ++t) {
    double y = 0;
    for (const auto v : tets.corners[t]) y += tets.vertices[at(v)].y / 4;
    tets.domain[t] = y > 3 * unit ? 0 : binder;
  }
  const auto drop_of = [&](const Mesh& mesh, double sigma_high, double sigma_low, unsigned collector, double current) {
    ElectrochemicalModel model;
    model.kinetics = [](double phi, double, double, Contact) { return InterfaceCurrent{1e6 * phi, 1e6, 0}; };
    model.sigma_high = sigma_high;
    model.sigma_low = sigma_low;
    model.collector = collector;
    ElectrochemicalSystem s(mesh, model);
    auto z = s.uniform(0.5, 0);
    double area = advance(s, 1e-3, 1, {true, current}, Vector(interface_points(mesh), 0.0), current, z);
    for (const auto& f : mesh.interface) area += f.area;
    return s.voltage(z) - current / (1e6 * area);
  };
  const double density = 2000;
  const double slab = drop_of(make_mesh(tets, 2), 10, 0.1, y_low, density * 4 * unit * unit);
  const double exact = density * (2 * unit / 10 + 3 * unit / 0.1);
  out.push_back({"V12", "Ohm: slab of two layers", std::abs(slab / exact - 1), 1e-8});

  auto shell = octant_spec(h, 2.1, 2);
  shell.shell_end = {{{0, 0, 0}, 2 * sphere_radius}};
  const double current = 1e-8;
  const double drop = drop_of(sphere_mesh(shell), 0.3, 0.3, outer, current);
  const double resistance = 8 * (1 / sphere_radius - 1 / (2 * sphere_radius)) / (4 * std::numbers::pi * 0.3);
  out.push_back({"V12", fmt::format("Ohm: spherical shell, P2 h=R/{:.3g}", 1 / h),
                 std::abs(drop / (current * resistance) - 1), 0.01});
}

/// V13 and V14 on the three spheres with the full kinetics; V24 on the way.
void conservation(Verifications& out) {
  const Mesh mesh = sphere_mesh(sphere_row(sphere_radius, 2.6, {0.9, 0.5, 0.1}, 0.5, 2));
  ElectrochemicalModel model;
  model.kinetics = InterfaceKinetics{};
  ElectrochemicalSystem s(mesh, model);
  Vector damage(interface_points(mesh));
  for (std::size_t i = 0; i < damage.size(); ++i) damage[i] = static_cast<double>(i % 10) / 10;
  const double one_c = faraday * c_max * s.particle_volume() / 3600;
  auto z = s.uniform(0.95, OpenCircuitVoltage{}(0.95));
  const double start = s.total_content(z);
  double charge = 0, worst = 0;
  const auto run = [&](double rate, double dt, int steps) {
    for (int k = 0; k < steps; ++k) {
      const auto r = s.step(dt, {true, rate * one_c}, damage, 1e-10, one_c, z);
      charge += rate * one_c * dt;
      const double reference = std::abs(rate) > 0 ? std::abs(rate) * one_c : one_c;
      worst = std::max({worst, std::abs(s.interface_current(z, damage) - rate * one_c) / reference,
                        std::abs(s.collector_current(z) - rate * one_c) / reference, r.converged ? 0.0 : 1.0});
    }
  };
  run(5, 7.2, 60);
  run(0, 20, 5);
  run(-1, 72, 20);
  out.push_back({"V13", "charge: interface and collector against the current, three spheres h=R/2", worst, 1e-8});
  const double lost = start - s.total_content(z);
  out.push_back({"V14", "lithium lost against charge passed, over c_max volume",
                 std::abs(lost - charge / (faraday * c_max)) / s.particle_volume(), 1e-9});

  std::mt19937 random(11);
  Unknowns direction(s.size());
  for (auto& d : direction) d = static_cast<double>(random()) / 4294967296.0 - 0.5;
  double error = 0;
  for (const double rate : {5.0, 0.0, -1.0}) {
    Unknowns there = z;
    for (Eigen::Index i = 0; i < there.size(); ++i) there[i] += 0.01 * std::sin(static_cast<double>(i));
    const Control control{true, rate * one_c};
    const Unknowns product = s.derivatives(10, control, damage, z, there) * direction;
    const double step = 1e-6;
    const Unknowns difference = (s.equations(10, control, damage, z, s.moved(there, direction, step)) -
                                 s.equations(10, control, damage, z, s.moved(there, direction, -step))) /
                                (2 * step);
    error = std::max(error, (difference - product).cwiseAbs().maxCoeff() / product.cwiseAbs().maxCoeff());
  }
  out.push_back({"V24", "Jacobian of the electrochemistry against differences", error, 1e-5});
}

}  // namespace

Verifications verify_electrochemistry(bool fine) {
  Verifications out;
  const double h = fine ? 1.0 / 6 : 0.25;
  constant_flux(h, out);
  uptake(h, out);
  two_particles(out);
  ohm(h, out);
  conservation(out);
  return out;
}

}  // namespace cathoscope::fem
