/// V21 to V23: the whole coupled model against the network, against symmetry, and against itself on finer steps and mesh.
#include "protocol.hpp"

#include <cathoscope/chemomechanics/element_verification.hpp>
#include <cathoscope/chemomechanics/elements.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {

struct Outcome {
  std::vector<HalfCycleSummary> charges;           ///< at the end of each charge
  std::vector<std::vector<double>> damage_at_tau;  ///< of the first charge: tau, then damage by particle
};

/// Up to the end of the last charge: what follows it adds no damage.
Outcome outcome_of(const ElementModel& model, const Context& context) {
  Outcome out;
  ElementState state = initial_state(model);
  ElementObserver observer;
  struct Enough {};
  observer.step = [&](const ElementState& s, const StepFacts& step, const ParticleRows& rows) {
    if (step.cycle == 1 && step.half == HalfCycle::charge) {
      out.damage_at_tau.push_back({step.tau});
      out.damage_at_tau.back().insert(out.damage_at_tau.back().end(), rows.damage.begin(), rows.damage.end());
    }
    if (!step.last_of_half || step.half != HalfCycle::charge) return;
    out.charges.push_back(s.progress.summaries.back());
    if (step.cycle == model.laws.protocol.cycles) throw Enough{};
  };
  try {
    run_elements(model, state, observer, context);
  } catch (const Enough&) {
  }
  return out;
}

double interpolated(const std::vector<std::pair<double, double>>& curve, double at) {
  const auto next = std::lower_bound(curve.begin(), curve.end(), std::pair{at, -1.0});
  if (next == curve.begin()) return curve.front().second;
  if (next == curve.end()) return curve.back().second;
  const auto& [x0, y0] = *(next - 1);
  return y0 + (next->second - y0) * (at - x0) / (next->first - x0);
}

ChemomechanicsConfig three_spheres(double h, std::int64_t cycles) {
  ChemomechanicsConfig config;
  config.mesh.h_over_R = h;
  config.protocol.cycles = cycles;
  return config;
}

}  // namespace

/// One particle wholly on the good binder, in a wide box, against the network of one particle.
Verifications verify_against_network(double h, const Context& context) {
  ChemomechanicsConfig config;
  config.protocol.cycles = 1;
  config.boundary.mechanical = "collector_rollers";
  SphereMeshSpec spec;
  const double r = config.geometry.radius_um * 1e-6, half = 3.5 * r;
  spec.spheres = {{{0, -half, 0}, r}};
  spec.low = {-half, -2 * half, 0};
  spec.high = {half, 0, half};
  spec.h = h * r;
  config.geometry.particles = 1;
  config.geometry.coverage.values = {1};
  const ElementModel model = elements_on(sphere_mesh(spec), config);
  NetworkModel network = model.laws;
  network.cells = static_cast<int>(config.radial_cells);
  std::vector<std::pair<double, double>> curve{{0, 0}};
  NetworkState state = initial_state(network);
  run_network(
      network, state,
      [&](const NetworkState& s, const StepFacts& step) {
        if (step.half == HalfCycle::charge && step.cycle == 1) curve.emplace_back(step.tau, s.damage[0]);
      },
      context);
  double largest = 0, last = 0;
  for (const auto& row : outcome_of(model, context).damage_at_tau) {
    last = row[1] - interpolated(curve, row[0]);
    largest = std::max(largest, std::abs(last));
  }
  return {
      {"V21",
       fmt::format("one particle on the good binder against the network, h=R/{:.3g} (at the end {:+.3f})", 1 / h, last),
       largest, 0.03}};
}

Verifications verify_three_spheres(double h, double finer, const Context& context) {
  Verifications out;
  const Outcome base = outcome_of(elements_of(three_spheres(h, 2), 0), context);
  auto equal = three_spheres(h, 1);
  equal.kinetics.chi = 1;
  equal.materials.sigma_low_S_m = equal.materials.sigma_high_S_m;
  const Outcome same = outcome_of(elements_of(equal, 0), context);
  out.push_back({"V22",
                 fmt::format("equal kinetics and conductivity: std(D) over that of the default, h=R/{:.3g}", 1 / h),
                 same.charges[0].damage_std / base.charges[0].damage_std, 0.05});
  auto halved = three_spheres(h, 2);
  halved.time.dtau_charge /= 2;
  halved.time.dtau_discharge /= 2;
  const Outcome steps = outcome_of(elements_of(halved, 0), context);
  const auto ratio = [](const Outcome& o) { return o.charges[1].damage_std / o.charges[0].damage_std; };
  out.push_back({"V23", fmt::format("halved steps: change of std(D) at cycle 2 over cycle 1, h=R/{:.3g}", 1 / h),
                 std::abs(ratio(steps) - ratio(base)), 0.02});
  const Outcome mesh = outcome_of(elements_of(three_spheres(finer, 1), 0), context);
  out.push_back({"V23", fmt::format("mesh h=R/{:.3g} to R/{:.3g}: mean D at cycle 1", 1 / h, 1 / finer),
                 std::abs(mesh.charges[0].damage_mean / base.charges[0].damage_mean - 1), 0.05});
  return out;
}

std::vector<ChemomechanicsCheck> verify_finite_elements(bool fine, const Context& context) {
  std::vector<ChemomechanicsCheck> checks;
  const auto take = [&](const Verifications& rows) {
    for (const auto& r : rows) checks.push_back({r.id + ": " + r.problem, "error", 0, r.error, r.tolerance, true});
    context.progress.check_stop();
  };
  take(verify_mesh(fine));
  take(verify_elasticity(fine, context.threads));
  take(verify_interface(fine, context.threads));
  take(verify_electrochemistry(fine));
  take(verify_against_network(fine ? 1.0 / 3 : 0.5, context));
  take(fine ? verify_three_spheres(1.0 / 3, 0.25, context) : verify_three_spheres(0.5, 0.4, context));
  return checks;
}

}  // namespace cathoscope::fem
