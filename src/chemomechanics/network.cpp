#include <cathoscope/chemomechanics/network.hpp>

#include "network_step.hpp"
#include "protocol.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numbers>

namespace cathoscope {

using namespace chemo;

namespace {

constexpr double pi = std::numbers::pi;

double share_of_volume(const NetworkModel& model, std::size_t k) {
  return 4 * pi / 3 * std::pow(model.particles[k].radius, 3);
}

/// Mean content by volume.
double mean_content(const NetworkModel& model, const std::vector<double>& content) {
  double sum = 0, volume = 0;
  for (std::size_t k = 0; k < model.particles.size(); ++k) {
    const double v = share_of_volume(model, k);
    sum += v * shell_mean(content.data() + k * static_cast<std::size_t>(model.cells), model.cells);
    volume += v;
  }
  return sum / volume;
}

void take_trial(Trial& trial, double dt, double total, NetworkState& s) {
  s.content.swap(trial.content);
  s.surface.swap(trial.surface);
  s.current.swap(trial.current);
  s.damage.swap(trial.damage);
  s.opening.swap(trial.opening);
  s.voltage = trial.voltage;
  s.time_s += dt;
  s.half_time_s += dt;
  s.charge_passed += total * dt;
  ++s.half_steps;
}

std::vector<double> contents(const NetworkModel& model, const NetworkState& s) {
  std::vector<double> x;
  for (std::size_t k = 0; k < model.particles.size(); ++k)
    x.push_back(shell_mean(s.content.data() + k * static_cast<std::size_t>(model.cells), model.cells));
  return x;
}

/// |lithium lost - charge passed / F| since the start, over all sites.
double lithium_error(const NetworkModel& model, const NetworkState& s) {
  const double lost = (s.initial_content - mean_content(model, s.content)) * model.c_max * model.volume();
  return std::abs(lost - s.charge_passed / faraday) / (model.c_max * model.volume());
}

const char* likely_cause(const Trial& trial, HalfCycle half) {
  if (trial.failed.find("ran out") != std::string::npos)
    return "protocol.charge_C is too high or protocol.x_end too low for materials.diffusivity_m2_s and "
           "geometry.radius_um; or set protocol.V_max so that the charge ends before";
  if (!trial.failed.empty())
    return "kinetics.i00_A_m2, kinetics.chi or kinetics.film_ohm_m2 is far from the rate of charge";
  return half == HalfCycle::charge ? "the interface snaps open at once (softening steeper than the stiffness around "
                                     "it): cohesive.toughness_J_m2 "
                                     "is too small for cohesive.strength_MPa, or materials.binder_GPa too low"
                                   : "time.dtau_discharge";
}

[[noreturn]] void report_failure(const NetworkModel& model, const NetworkState& s, const Trial& trial) {
  std::string residuals;
  const std::size_t first = trial.residuals.size() > 8 ? trial.residuals.size() - 8 : 0;
  for (std::size_t k = first; k < trial.residuals.size(); ++k) residuals += fmt::format(" {:.1e}", trial.residuals[k]);
  const std::size_t k = std::min(trial.worst, model.particles.size() - 1);
  fail(Exit::not_converged,
       "chemomechanics: no step succeeds in cycle {}, {}, at {:.6g} s ({:.6g} s into it), although it was shortened to "
       "{:.0e} of the "
       "longest: "
       "{}. Worst: particle {} (coverage {:.3g}, radius {:.3g} um), surface content {:.4g}, damage {:.4g}. Voltage "
       "{:.4f} V. "
       "Residuals of the current balance:{}. Likely: {}.",
       s.cycle, name_of(s.half), s.time_s, s.half_time_s, s.step_scale,
       trial.failed.empty() ? fmt::format("damage would grow by {:.3g} and a surface content by {:.3g} in a step",
                                          trial.largest_damage_step, trial.largest_surface_step)
                            : trial.failed,
       k + 1, model.particles[k].coverage, model.particles[k].radius * 1e6, s.surface[k], s.damage[k], s.voltage,
       residuals.empty() ? " none" : residuals, likely_cause(trial, s.half));
}

/// The network as HalfCycleSteps wants it. Keeps buffers between steps.
class NetworkSolver {
 public:
  NetworkSolver(const NetworkModel& model, NetworkState& state, int threads)
      : model_(model), state_(state), threads_(threads) {}

  [[nodiscard]] NetworkState& state() { return state_; }
  [[nodiscard]] const TimeConfig& time() const { return model_.time; }
  [[nodiscard]] double remaining() const {
    return remaining_of(model_.protocol, state_.half, mean_content(model_, state_.content), state_.half_time_s);
  }
  [[nodiscard]] double longest() const { return longest_step_of(model_.protocol, model_.time, state_.half); }
  [[nodiscard]] double seconds(double step) const { return seconds_of_step(model_.protocol, state_.half, step); }
  /// A, positive on charge.
  [[nodiscard]] double total() const {
    const double rate = c_rate_of(model_.protocol, state_.half);
    return rate > 0 ? (state_.half == HalfCycle::charge ? 1 : -1) * model_.current(rate) : 0;
  }
  bool try_step(double dt) {
    chemo::try_step(model_, state_, dt, total(), threads_, space_, trial_);
    return trial_.failed.empty();
  }
  [[nodiscard]] double damage_step() const { return trial_.largest_damage_step; }
  [[nodiscard]] double surface_step() const { return trial_.largest_surface_step; }
  [[nodiscard]] double beyond() const {
    return beyond_limit_of(model_.protocol, state_.half, trial_.voltage, trial_.fullest);
  }
  [[nodiscard]] double beyond_now() const {
    const double fullest = *std::max_element(state_.surface.begin(), state_.surface.end());
    return beyond_limit_of(model_.protocol, state_.half, state_.voltage, fullest);
  }
  [[nodiscard]] static double limit_tolerance() { return 1e-10; }
  void commit(double dt) { take_trial(trial_, dt, total(), state_); }
  [[noreturn]] void report() const { report_failure(model_, state_, trial_); }

 private:
  const NetworkModel& model_;
  NetworkState& state_;
  int threads_;
  StepSpace space_;
  Trial trial_;
};

/// Share of the half-cycle that is done, by content or time.
double share_done(const NetworkModel& model, const NetworkState& s) {
  return share_done_of(model.protocol, s, mean_content(model, s.content));
}

}  // namespace

double NetworkModel::volume() const {
  double v = 0;
  for (std::size_t k = 0; k < particles.size(); ++k) v += share_of_volume(*this, k);
  return v;
}

double NetworkModel::area() const {
  double a = 0;
  for (const auto& p : particles) a += 4 * pi * p.radius * p.radius;
  return a;
}

double NetworkModel::current(double rate) const { return rate * faraday * c_max * volume() / 3600; }

const char* name_of(HalfCycle half) {
  if (half == HalfCycle::charge) return "charge";
  return half == HalfCycle::discharge ? "discharge" : "rest";
}

NetworkState initial_state(const NetworkModel& model) {
  NetworkState s;
  const std::size_t n = model.particles.size();
  const double x0 = model.protocol.x_initial;
  s.content.assign(n * static_cast<std::size_t>(model.cells), x0);
  s.surface.assign(n, x0);
  s.current.assign(n, 0);
  s.damage.assign(n, 0);
  s.opening.assign(n, 0);
  s.voltage = model.kinetics.open_circuit(x0);
  s.initial_content = s.half_start_content = mean_content(model, s.content);
  s.step_scale = model.time.adaptive ? 0.1 : 1;
  return s;
}

void run_network(const NetworkModel& model, NetworkState& state, const NetworkObserver& observer,
                 const Context& context) {
  const auto cycles = static_cast<std::uint64_t>(model.protocol.cycles);
  context.progress.begin("network", 1000 * cycles);
  std::uint64_t shown = 0;
  const auto show = [&](double cycles_done) {
    const auto now = static_cast<std::uint64_t>(1000 * std::max(0.0, cycles_done));
    if (now > shown) context.progress.advance(now - shown);
    shown = std::max(shown, now);
    context.progress.check_stop();
  };
  while (!state.finished) {
    NetworkSolver solver(model, state, context.threads);
    HalfCycleSteps half(solver);
    const double total = solver.total();
    for (bool over = false; !over;) {
      show(static_cast<double>(state.cycle - 1) +
           0.5 * (share_done(model, state) + (state.half >= HalfCycle::discharge ? 1 : 0)));
      const auto steps = state.half_steps;
      over = half.advance();
      const bool stepped = state.half_steps > steps;
      if (stepped) follow_peaks(state, contents(model, state), state.damage, share_done(model, state));
      const StepFacts facts{state.half, state.cycle,      state.time_s, tau_of(model.protocol, state),
                            total,      state.half_steps, over};
      if (over) {
        summarise(state, contents(model, state), state.damage, lithium_error(model, state));
        begin_next_half(model.protocol, model.time, mean_content(model, state.content), state);
      }
      if (stepped) observer(state, facts);
    }
  }
}

}  // namespace cathoscope
