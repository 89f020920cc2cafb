#include <cathoscope/chemomechanics/network.hpp>

#include "network_step.hpp"

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
constexpr double least_scale = 1e-6;  ///< of the longest step; below it a run gives up

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

double c_rate(const NetworkModel& model, HalfCycle half) {
  if (half == HalfCycle::charge) return model.protocol.charge_C;
  if (half == HalfCycle::discharge) return model.protocol.discharge_C;
  return 0;
}

double signed_current(const NetworkModel& model, HalfCycle half) {
  return (half == HalfCycle::charge ? 1 : -1) * model.current(c_rate(model, half));
}

/// What is left of the half-cycle: mean content to move, or seconds of rest.
double remaining(const NetworkModel& model, const NetworkState& s) {
  if (s.half == HalfCycle::charge) return mean_content(model, s.content) - model.protocol.x_end;
  if (s.half == HalfCycle::discharge) return model.protocol.x_initial - mean_content(model, s.content);
  return model.protocol.rest_s - s.half_time_s;
}

/// Longest step in the unit of `remaining`.
double longest_step(const NetworkModel& model, HalfCycle half) {
  if (half == HalfCycle::charge) return model.time.dtau_charge;
  if (half == HalfCycle::discharge) return model.time.dtau_discharge;
  return model.time.dtau_charge * 3600 / model.protocol.charge_C;
}

double seconds_of(const NetworkModel& model, HalfCycle half, double step) {
  const double c = c_rate(model, half);
  return c > 0 ? step * 3600 / c : step;
}

/// Content at which a surface takes no more lithium. The open-circuit voltage has no steep fall there, so that no cutoff
/// voltage would end a discharge that overfills a particle.
constexpr double full = 0.999;

/// > 0 beyond the limit that ends the half-cycle: voltage, and on discharge a full surface.
double beyond_limit(const NetworkModel& model, HalfCycle half, double voltage, double fullest) {
  if (half == HalfCycle::charge) return voltage - model.protocol.V_max;
  if (half == HalfCycle::discharge) return std::max(model.protocol.V_min - voltage, fullest - full);
  return -1;
}

void commit(Trial& trial, double dt, double total, NetworkState& s) {
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

struct Moments {
  double mean = 0, std = 0, range = 0;
};

Moments moments(const std::vector<double>& v) {
  Moments m;
  const auto n = static_cast<double>(v.size());
  for (const double x : v) m.mean += x / n;
  for (const double x : v) m.std += (x - m.mean) * (x - m.mean) / n;
  m.std = std::sqrt(m.std);
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  m.range = *high - *low;
  return m;
}

/// Std over mean of -ln(1 - D): unlike std(D) it does not shrink merely because every D comes near 1.
double damage_variation(const std::vector<double>& damage) {
  std::vector<double> lost;
  for (const double d : damage) lost.push_back(-std::log1p(-d));
  const Moments m = moments(lost);
  return m.mean > 0 && std::isfinite(m.mean) ? m.std / m.mean : std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> contents(const NetworkModel& model, const NetworkState& s) {
  std::vector<double> x;
  for (std::size_t k = 0; k < model.particles.size(); ++k)
    x.push_back(shell_mean(s.content.data() + k * static_cast<std::size_t>(model.cells), model.cells));
  return x;
}

/// Follows the peaks of the half-cycle under way. `share`: how much of it is done.
void update_running(const NetworkModel& model, NetworkState& s, double share) {
  auto& r = s.running;
  const Moments d = moments(s.damage);
  r.x_std_peak = std::max(r.x_std_peak, moments(contents(model, s)).std);
  r.damage_std_peak = std::max(r.damage_std_peak, d.std);
  if (share <= 0.7 + 1e-9) r.damage_mean_70 = d.mean;
}

void summarise(const NetworkModel& model, NetworkState& s) {
  HalfCycleSummary r = s.running;
  r.cycle = s.cycle;
  r.half = s.half;
  r.time_s = s.time_s;
  r.voltage = s.voltage;
  r.x = contents(model, s);
  r.damage = s.damage;
  const Moments x = moments(r.x), d = moments(r.damage);
  r.x_mean = x.mean, r.x_std = x.std, r.x_range = x.range;
  r.damage_mean = d.mean, r.damage_std = d.std;
  r.damage_variation = damage_variation(r.damage);
  r.steps = s.half_steps;
  const double lost = (s.initial_content - mean_content(model, s.content)) * model.c_max * model.volume();
  r.lithium_error = std::abs(lost - s.charge_passed / faraday) / (model.c_max * model.volume());
  s.summaries.push_back(std::move(r));
}

void next_half(const NetworkModel& model, NetworkState& s) {
  const bool rests = model.protocol.rest_s > 0;
  switch (s.half) {
    case HalfCycle::charge: s.half = rests ? HalfCycle::rest_charged : HalfCycle::discharge; break;
    case HalfCycle::rest_charged: s.half = HalfCycle::discharge; break;
    case HalfCycle::discharge:
      if (rests) {
        s.half = HalfCycle::rest_discharged;
        break;
      }
      [[fallthrough]];
    case HalfCycle::rest_discharged:
      s.half = HalfCycle::charge;
      s.finished = ++s.cycle > model.protocol.cycles;
      break;
  }
  s.half_time_s = 0;
  s.half_steps = 0;
  s.half_start_content = mean_content(model, s.content);
  s.step_scale = model.time.adaptive ? 0.1 : 1;
  s.running = {};
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

/// Runs one half-cycle's steps. Keeps buffers between steps.
class HalfCycleRun {
 public:
  HalfCycleRun(const NetworkModel& model, NetworkState& state, int threads)
      : model_(model), state_(state), threads_(threads), total_(0) {
    const bool rest = state.half == HalfCycle::rest_charged || state.half == HalfCycle::rest_discharged;
    total_ = rest ? 0 : signed_current(model, state.half);
  }

  /// Takes one step; true where the half-cycle is over.
  bool advance() {
    const double left = remaining(model_, state_);
    if (!(left > 1e-12)) return true;
    for (;;) {
      const double longest = longest_step(model_, state_.half) * state_.step_scale;
      const double count = std::ceil(left / longest - 1e-9);
      const double dt = seconds_of(model_, state_.half, left / count);
      try_step(model_, state_, dt, total_, threads_, space_, trial_);
      if (acceptable()) {
        if (beyond() > 0) return end_at_limit(dt);
        accept(dt);
        return count == 1;
      }
      if (!model_.time.adaptive || state_.step_scale < least_scale) report_failure(model_, state_, trial_);
      state_.step_scale *= 0.5;
    }
  }
  [[nodiscard]] double total() const { return total_; }

 private:
  /// A particle that snaps open cannot be resolved by any step: damage may then jump.
  [[nodiscard]] bool acceptable() const {
    if (!trial_.failed.empty()) return false;
    if (!model_.time.adaptive) return true;
    const bool tiny = state_.step_scale < 1e-3;
    return (trial_.largest_damage_step <= 0.1 && trial_.largest_surface_step <= 0.05) || tiny;
  }

  void accept(double dt) {
    commit(trial_, dt, total_, state_);
    if (model_.time.adaptive) state_.step_scale = std::min(1.0, state_.step_scale * 1.5);
  }

  [[nodiscard]] double beyond() const { return beyond_limit(model_, state_.half, trial_.voltage, trial_.fullest); }

  /// The step that meets the limit exactly: false position (Illinois) for its length.
  bool end_at_limit(double dt) {
    double low = 0, high = dt;
    double f_high = beyond();
    // Before the first step the voltage still is that of another current.
    double f_low = state_.half_steps == 0
                       ? -f_high
                       : beyond_limit(model_, state_.half, state_.voltage,
                                      *std::max_element(state_.surface.begin(), state_.surface.end()));
    double length = dt;
    for (int k = 0; k < 100; ++k) {
      length = (low * f_high - high * f_low) / (f_high - f_low);
      if (!(length > 1e-9 * dt)) return true;  // the limit is passed the moment the current flows
      try_step(model_, state_, length, total_, threads_, space_, trial_);
      if (!trial_.failed.empty()) report_failure(model_, state_, trial_);
      const double f = beyond();
      if (std::abs(f) <= 1e-10 || high - low <= 1e-12 * dt) break;
      if (f > 0) {
        high = length, f_high = f, f_low *= 0.5;
      } else {
        low = length, f_low = f, f_high *= 0.5;
      }
    }
    accept(length);
    return true;
  }

  const NetworkModel& model_;
  NetworkState& state_;
  int threads_;
  double total_;
  StepSpace space_;
  Trial trial_;
};

/// Share of the half-cycle that is done, by content or time.
double share_done(const NetworkModel& model, const NetworkState& s) {
  if (s.half == HalfCycle::charge || s.half == HalfCycle::discharge) {
    const double whole = std::abs(s.half_start_content -
                                  (s.half == HalfCycle::charge ? model.protocol.x_end : model.protocol.x_initial));
    return whole > 0 ? 1 - std::abs(remaining(model, s)) / whole : 1;
  }
  return model.protocol.rest_s > 0 ? s.half_time_s / model.protocol.rest_s : 1;
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
    HalfCycleRun half(model, state, context.threads);
    for (bool over = false; !over;) {
      show(static_cast<double>(state.cycle - 1) +
           0.5 * (share_done(model, state) + (state.half >= HalfCycle::discharge ? 1 : 0)));
      const auto steps = state.half_steps;
      over = half.advance();
      const bool stepped = state.half_steps > steps;
      if (stepped) update_running(model, state, share_done(model, state));
      const double rate = c_rate(model, state.half) > 0 ? c_rate(model, state.half) : 1;
      const StepFacts facts{state.half,   state.cycle,      state.time_s, state.half_time_s * rate / 3600,
                            half.total(), state.half_steps, over};
      if (over) {
        summarise(model, state);
        next_half(model, state);
      }
      if (stepped) observer(state, facts);
    }
  }
}

}  // namespace cathoscope
