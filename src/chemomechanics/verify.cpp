#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/chemomechanics/verify.hpp>
#include <cathoscope/core/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace cathoscope {

namespace {

constexpr double pi = std::numbers::pi;

class Checks {
 public:
  void relative(const std::string& body, const std::string& quantity, double expected, double measured, double tol) {
    list_.push_back({body, quantity, expected, measured, tol, false});
  }
  void absolute(const std::string& body, const std::string& quantity, double expected, double measured, double tol) {
    list_.push_back({body, quantity, expected, measured, tol, true});
  }
  std::vector<ChemomechanicsCheck> take() { return std::move(list_); }

 private:
  std::vector<ChemomechanicsCheck> list_;
};

/// The k-th positive root of f between (k + low) pi and (k + high) pi, by bisection; f changes sign once there.
template <class F>
double root_between(double low, double high, const F& f) {
  const bool rising = f(high) > f(low);
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    ((f(middle) > 0) == rising ? high : low) = middle;
  }
  return 0.5 * (low + high);
}

/// A sphere of radius 1, diffusivity 1 and content scaled so that i = 1 A/m^2 is a flux of 1 out of it.
struct UnitSphere {
  int cells;
  std::vector<double> content;
  RadialStep step;

  UnitSphere(int n, double start) : cells(n), content(static_cast<std::size_t>(n), start) {}
  void prepare(double dt) { radial_step(content.data(), cells, 1, 1 / faraday, {1, false}, dt, step); }
  /// Takes the prepared step with current i; returns the surface content.
  double take(double i) {
    for (std::size_t k = 0; k < content.size(); ++k) content[k] = step.g[k] - i * step.h[k];
    return step.surface_g - i * step.surface_h;
  }
  [[nodiscard]] double mean() const { return shell_mean(content.data(), cells); }
};

/// V1: constant flux into a sphere, Carslaw and Jaeger: series over tan l = l.
void constant_flux(Checks& checks) {
  const auto series = [](double t) {
    double sum = 0;
    for (int n = 1; n <= 60; ++n) {
      const double l =
          root_between(n * pi, (n + 0.5) * pi - 1e-9, [](double x) { return std::sin(x) - x * std::cos(x); });
      sum += std::exp(-l * l * t) / (l * l);
    }
    return 3 * t + 0.2 - 2 * sum;
  };
  for (const double end : {0.02, 0.1, 0.5}) {
    UnitSphere sphere(320, 0);
    const int steps = 10000;
    double surface = 0;
    for (int n = 0; n < steps; ++n) {
      sphere.prepare(end / steps);
      surface = sphere.take(-1);
    }
    checks.relative("V1 sphere, constant flux", fmt::format("surface, T = {}", end), series(end), surface, 1e-4);
  }
}

/// V2: fixed content at the surface of a sphere.
void fixed_surface(Checks& checks) {
  for (const double end : {0.02, 0.1}) {
    double sum = 0;
    for (int n = 1; n <= 200; ++n) sum += std::exp(-n * n * pi * pi * end) / (n * n);
    UnitSphere sphere(80, 0);
    const int steps = 5000;
    for (int n = 0; n < steps; ++n) {
      sphere.prepare(end / steps);
      sphere.take((sphere.step.surface_g - 1) / sphere.step.surface_h);
    }
    checks.relative("V2 sphere, fixed surface", fmt::format("uptake, T = {}", end), 1 - 6 / (pi * pi) * sum,
                    sphere.mean(), 1e-3);
  }
}

/// V3: linear kinetics at the surface, L = k R / D.
void linear_kinetics(Checks& checks) {
  const double l = 2, end = 0.1;
  double sum = 0;
  for (int n = 0; n < 100; ++n) {
    const double b = root_between(n * pi + 1e-9, (n + 1) * pi - 1e-9,
                                  [&](double x) { return x * std::cos(x) + (l - 1) * std::sin(x); });
    sum += 6 * l * l * std::exp(-b * b * end) / (b * b * (b * b + l * (l - 1)));
  }
  UnitSphere sphere(80, 0);
  const int steps = 5000;
  for (int n = 0; n < steps; ++n) {
    sphere.prepare(end / steps);
    // i = l (x_s - 1) and x_s = g - h i
    sphere.take(l * (sphere.step.surface_g - 1) / (1 + l * sphere.step.surface_h));
  }
  checks.relative("V3 sphere, linear kinetics", "uptake, L = 2, T = 0.1", 1 - sum, sphere.mean(), 1e-3);
}

/// V4: free sphere under steady flux: hoop stress at the surface, Omega E j R / (15 (1 - nu) D) with volume strain Omega c.
void free_sphere(Checks& checks) {
  const int cells = 40;
  std::vector<double> strain;
  // Quasi-steady delithiation: c falls as -r^2 / 2 from the centre; means over the shells.
  const auto fifth = [](double r) { return r * r * r * r * r / 5; };
  const auto third = [](double r) { return r * r * r / 3; };
  for (int k = 0; k < cells; ++k) {
    const double a = static_cast<double>(k) / cells, b = static_cast<double>(k + 1) / cells;
    strain.push_back(-0.5 * (fifth(b) - fifth(a)) / (third(b) - third(a)));
  }
  checks.relative("V4 free sphere, steady delithiation", "surface hoop stress / E", 1 / (15 * 0.7),
                  largest_hoop_stress(strain, -0.5, 1, 0.3), 1e-6);
}

/// V5, V7: misfitting sphere in an infinite matrix, bonded and with the cohesive interface.
void misfit(Checks& checks) {
  const CohesiveLaw law;
  const double k_s = misfit_stiffness(140e9, 0.3, 2e9, 0.3), radius = 5e-6;
  checks.relative("V5 misfitting sphere", "K_s, Pa", 1 / (2.6 / 8e9 + 0.4 / 140e9), k_s, 1e-12);
  const double slope = k_s / radius * (law.failure() - law.onset()) - law.strength;
  for (const double e : {0.004, 0.006, 0.008, 0.010, 0.012}) {
    const double exact = (k_s * e - k_s * law.onset() / radius - law.strength) / slope;
    const double w = law.static_growth(0, misfit_opening(law, k_s, radius, e, 0));
    checks.absolute("V7 with cohesive interface", fmt::format("w at e = {}", e), exact, w, 1e-10);
  }
}

/// V9: constant amplitude below the envelope against the recursion, for p = 1 and p = 2, in one step a cycle and in 100.
void cyclic_law(Checks& checks) {
  for (const double p : {1.0, 2.0, 0.5}) {
    CohesiveLaw law;
    law.p = p;
    const double amplitude = 0.6 * law.kappa(0.3);
    double expected = 0.3, whole = 0.3, fine = 0.3, reference = 0.3;
    for (int cycle = 0; cycle < 50; ++cycle) {
      const double kappa = law.kappa(expected), floor = law.C_f * kappa;
      const double z = amplitude > floor
                           ? ((amplitude * amplitude - floor * floor) / (2 * kappa) - law.C_f * (amplitude - floor)) /
                                 (law.S * law.failure())
                           : 0;
      expected = p == 1 ? 1 - (1 - expected) * std::exp(-z)
                        : 1 - std::pow(std::pow(1 - expected, 1 - p) + (p - 1) * z, 1 / (1 - p));
      whole = law.cyclic_growth(whole, 0, amplitude);
      const auto in_steps = [&](double w, int steps) {
        for (int n = 0; n < steps; ++n) w = law.cyclic_growth(w, amplitude * n / steps, amplitude * (n + 1) / steps);
        return w;
      };
      fine = in_steps(fine, 100);
      reference = in_steps(reference, 6400);
    }
    const std::string name = fmt::format("V9 cyclic law, p = {}", p);
    checks.absolute(name, "w after 50 cycles", expected, whole, 1e-10);
    checks.absolute(name, "100 steps against 6400", reference, fine, 1e-3);
  }
}

/// V10: both ends of Butler-Volmer.
void charge_transfer(Checks& checks) {
  const ButlerVolmer law;
  const double v = law.thermal_voltage(), i0 = law.exchange(0.5).value;
  checks.relative("V10 Butler-Volmer", "5 mV", 2 * i0 * std::sinh(0.005 / (2 * v)), law.current(0.005, i0), 1e-12);
  const double a = 0.005 / (2 * v);
  checks.absolute("V10 Butler-Volmer", "5 mV over linear, less a^2/6", a * a / 6,
                  law.current(0.005, i0) / (i0 * 0.005 / v) - 1, 1e-5);
  checks.relative("V10 Butler-Volmer", "Tafel at 0.3 V", i0 * std::exp(0.3 / (2 * v)), law.current(0.3, i0), 1e-4);
}

/// V11: two lumped particles near x = 1/2 under a small current, where potential and kinetics are linear.
void two_particles(Checks& checks, const Context& context) {
  ChemomechanicsConfig c;
  c.geometry.coverage.values = {1, 0};
  c.geometry.particles = 2;
  c.kinetics.chi = 1.0 / 3;
  c.kinetics.feedback = "none";
  c.materials.diffusivity_m2_s = 1e-9;  // lumped
  c.materials.a1 = c.materials.a2 = 0;  // no strain
  c.protocol.charge_C = c.protocol.discharge_C = 0.002;
  c.protocol.x_initial = 0.5;
  c.protocol.x_end = 0.4998;
  c.protocol.cycles = 1;
  c.time = {2e-7, 2e-6, false, 1};
  c.radial_cells = 4;
  const NetworkModel model = network_of(c, 0);
  NetworkState state = initial_state(model);
  double difference = 0, time = 0;
  run_network(
      model, state,
      [&](const NetworkState& s, const StepFacts& step) {
        if (step.half != HalfCycle::charge) return;
        const auto rows = particle_rows(model, s);
        difference = rows.content[0] - rows.content[1];
        time = step.time_s;
      },
      context);
  const double v = model.kinetics.charge_transfer.thermal_voltage();
  const double g1 = model.kinetics.charge_transfer.exchange(0.5).value / v, g2 = g1 / 3;
  const double s = -model.kinetics.open_circuit.derivative(0.4999), i = model.current(0.002) / model.area();
  const double q = faraday * model.c_max * model.particles[0].radius / 3;
  const double relaxation = q * (g1 + g2) / (2 * s * g1 * g2);
  checks.relative("V11 two lumped particles", "x1 - x2", i / s * (1 / g1 - 1 / g2) * (1 - std::exp(-time / relaxation)),
                  difference, 1e-3);
}

NetworkModel default_model(const ChemomechanicsConfig& c = {}) { return network_of(c, 7); }

NetworkState finished(const NetworkModel& model, const Context& context) {
  NetworkState state = initial_state(model);
  run_network(
      model, state, [](const NetworkState&, const StepFacts&) {}, context);
  return state;
}

const HalfCycleSummary& end_of_charge(const NetworkState& s, std::int64_t cycle) {
  return *std::find_if(s.summaries.begin(), s.summaries.end(),
                       [&](const auto& h) { return h.cycle == cycle && h.half == HalfCycle::charge; });
}

/// V13, V14: what the currents carry and what the particles hold.
void conservation(Checks& checks, const Context& context) {
  const NetworkModel model = default_model();
  NetworkState state = initial_state(model);
  double worst = 0;
  run_network(
      model, state,
      [&](const NetworkState& s, const StepFacts& step) {
        double sum = 0;
        for (std::size_t k = 0; k < s.current.size(); ++k)
          sum += 4 * pi * std::pow(model.particles[k].radius, 2) * s.current[k];
        worst = std::max(worst, std::abs(sum / step.current_A - 1));
      },
      context);
  double lithium = 0;
  for (const auto& h : state.summaries) lithium = std::max(lithium, h.lithium_error);
  checks.absolute("V13 charge", "worst |sum i A - I| / I", 0, worst, 1e-8);
  checks.absolute("V14 lithium", "worst balance over 20 cycles", 0, lithium, 1e-9);
}

/// V20: random openings never heal the interface, and closing never harms it.
void irreversible(Checks& checks) {
  const CohesiveLaw law;
  Stream random(1, {"verify chemomechanics"});
  double w = 0, before = 0, healed = 0, harmed = 0;
  for (int n = 0; n < 2000; ++n) {
    const double after = random.uniform(0, 0.02) * law.failure() * (n % 100);
    const double grown = law.cyclic_growth(law.static_growth(w, after), before, after);
    healed = std::max(healed, w - grown);
    if (after <= before) harmed = std::max(harmed, grown - law.static_growth(w, after));
    w = grown;
    before = after;
    if (w >= 1) w = before = 0;
  }
  checks.absolute("V20 irreversibility", "largest healing", 0, healed, 0);
  checks.absolute("V20 irreversibility", "damage from closing", 0, harmed, 0);
}

/// V22, V23: equal particles stay equal; half the step changes nothing that matters.
void metamorphic(Checks& checks, const Context& context) {
  ChemomechanicsConfig equal;
  equal.geometry.coverage.values = {0.5, 0.5, 0.5};
  const auto same = finished(default_model(equal), context);
  checks.absolute("V22 equal coverage", "std of damage, cycle 1", 0, end_of_charge(same, 1).damage_std, 1e-15);
  ChemomechanicsConfig fine;
  fine.time.dtau_charge /= 2, fine.time.dtau_discharge /= 2;
  const auto a = finished(default_model(), context), b = finished(default_model(fine), context);
  const auto ratio = [](const NetworkState& s) {
    return end_of_charge(s, 20).damage_std / end_of_charge(s, 1).damage_std;
  };
  checks.absolute("V23 half the step", "std(D), cycle 20 / 1", ratio(b), ratio(a), 0.02);
}

/// V24: derivatives against central differences; the largest error over the cases, relative to the derivative.
void derivatives(Checks& checks) {
  double worst = 0;
  for (const double rho : {0.0, 0.02})
    for (const auto variant : {Feedback::reversion, Feedback::multiply, Feedback::film})
      for (const double x : {0.2, 0.45, 0.8}) {
        const InterfaceKinetics law{{}, {variant, 0.05, 0.01}, {}};
        const double phi = law.open_circuit(x) + 0.07, h = 1e-6;
        const auto at = [&](double p, double y) { return law(p, y, 0.4, Contact::high, rho).i; };
        const auto here = law(phi, x, 0.4, Contact::high, rho);
        const double by_phi = (at(phi + h, x) - at(phi - h, x)) / (2 * h);
        const double by_x = (at(phi, x + h) - at(phi, x - h)) / (2 * h);
        worst = std::max({worst, std::abs(here.by_potential / by_phi - 1), std::abs(here.by_content / by_x - 1)});
      }
  checks.absolute("V24 derivatives", "charge transfer", 0, worst, 1e-5);
  const CohesiveLaw law;
  const Jump normal{2.0 / 3, -1.0 / 3, 2.0 / 3};
  const auto tangent_error = [&](const Jump& jump, double w) {
    const auto here = law.traction(jump, normal, w);
    double scale = 0, error = 0;
    for (std::size_t b = 0; b < 3; ++b) {
      const double h = 1e-6 * law.failure();
      Jump plus = jump, minus = jump;
      plus[b] += h, minus[b] -= h;
      const auto p = law.traction(plus, normal, w), m = law.traction(minus, normal, w);
      for (std::size_t a = 0; a < 3; ++a) {
        error = std::max(error, std::abs(here.tangent[a][b] - (p.traction[a] - m.traction[a]) / (2 * h)));
        scale = std::max(scale, std::abs(here.tangent[a][b]));
      }
    }
    return error / scale;
  };
  const double f = law.failure();
  const Jump opening{0.3 * f, -0.1 * f, 0.25 * f}, sliding{0.2 * f, 0.45 * f, -0.1 * f};
  const Jump closed{-0.2 * f + 0.1 * f, 0.1 * f + 0.2 * f, -0.2 * f};
  checks.absolute("V24 derivatives", "cohesive, loading", 0, tangent_error(opening, 0.1), 1e-5);
  checks.absolute("V24 derivatives", "cohesive, unloading", 0, tangent_error(opening, 0.7), 1e-5);
  checks.absolute("V24 derivatives", "cohesive, mixed mode", 0, tangent_error(sliding, 0.1), 1e-5);
  checks.absolute("V24 derivatives", "cohesive, closed", 0, tangent_error(closed, 0.2), 1e-5);
}

/// The run of configs/fig3.yaml at a quarter of its step against values of an independent prototype of these equations.
void reference_run(Checks& checks, const Context& context) {
  ChemomechanicsConfig c;
  c.time = {0.0025, 0.0025, false, 1};
  const auto state = finished(default_model(c), context);
  struct Row {
    std::int64_t cycle;
    double x[3], damage[3], damage_tolerance;
  };
  const Row rows[] = {{1, {.281, .293, .325}, {.744, .664, .483}, .015},
                      {2, {.289, .295, .316}, {.823, .765, .624}, .010},
                      {5, {.293, .297, .310}, {.928, .901, .824}, .010},
                      {10, {.297, .299, .304}, {.980, .971, .943}, .010},
                      {20, {.300, .300, .300}, {.998, .997, .994}, .010}};
  for (const auto& row : rows)
    for (std::size_t k = 0; k < 3; ++k) {
      const auto& h = end_of_charge(state, row.cycle);
      const std::string body = fmt::format("reference run, cycle {}", row.cycle);
      checks.absolute(body, fmt::format("x of particle {}", k + 1), row.x[k], h.x[k], .002);
      checks.absolute(body, fmt::format("damage of particle {}", k + 1), row.damage[k], h.damage[k],
                      row.damage_tolerance);
    }
}

}  // namespace

std::vector<ChemomechanicsCheck> verify_chemomechanics(const Context& context) {
  Checks checks;
  constant_flux(checks);
  fixed_surface(checks);
  linear_kinetics(checks);
  free_sphere(checks);
  misfit(checks);
  cyclic_law(checks);
  charge_transfer(checks);
  two_particles(checks, context);
  conservation(checks, context);
  irreversible(checks);
  metamorphic(checks, context);
  derivatives(checks);
  reference_run(checks, context);
  return checks.take();
}

}  // namespace cathoscope
