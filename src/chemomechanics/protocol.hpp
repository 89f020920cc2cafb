#pragma once
/// The protocol as any solver follows it: half-cycles, lengths of steps, exact ends.

#include <cathoscope/chemomechanics/network.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace cathoscope::chemo {

inline bool is_rest(HalfCycle half) { return half == HalfCycle::rest_charged || half == HalfCycle::rest_discharged; }

/// 1/h; 0 on rest.
inline double c_rate_of(const ProtocolConfig& p, HalfCycle half) {
  return is_rest(half) ? 0 : half == HalfCycle::charge ? p.charge_C : p.discharge_C;
}

/// What is left of the half-cycle: mean content to move, or seconds of rest.
inline double remaining_of(const ProtocolConfig& p, HalfCycle half, double mean_content, double half_time_s) {
  if (half == HalfCycle::charge) return mean_content - p.x_end;
  if (half == HalfCycle::discharge) return p.x_initial - mean_content;
  return p.rest_s - half_time_s;
}

/// Longest step in the unit of remaining_of.
inline double longest_step_of(const ProtocolConfig& p, const TimeConfig& time, HalfCycle half) {
  if (half == HalfCycle::charge) return time.dtau_charge;
  if (half == HalfCycle::discharge) return time.dtau_discharge;
  return time.dtau_charge * 3600 / p.charge_C;
}

inline double seconds_of_step(const ProtocolConfig& p, HalfCycle half, double step) {
  const double c = c_rate_of(p, half);
  return c > 0 ? step * 3600 / c : step;
}

/// > 0 beyond the limit that ends the half-cycle: the voltage, and on discharge a surface that is full.
inline double beyond_limit_of(const ProtocolConfig& p, HalfCycle half, double voltage, double fullest) {
  constexpr double full = 0.999;
  if (half == HalfCycle::charge) return voltage - p.V_max;
  if (half == HalfCycle::discharge) return std::max(p.V_min - voltage, fullest - full);
  return -1;
}

/// The half-cycle after this one; counts cycles, and says where the protocol is over.
inline void to_next_half(const ProtocolConfig& p, NetworkState& s) {
  const bool rests = p.rest_s > 0;
  const bool closes = s.half == HalfCycle::rest_discharged || (s.half == HalfCycle::discharge && !rests);
  if (closes) s.finished = ++s.cycle > p.cycles;
  if (closes)
    s.half = HalfCycle::charge;
  else if (s.half == HalfCycle::charge)
    s.half = rests ? HalfCycle::rest_charged : HalfCycle::discharge;
  else
    s.half = s.half == HalfCycle::rest_charged ? HalfCycle::discharge : HalfCycle::rest_discharged;
}

/// Of a population.
struct PopulationMoments {
  double mean = 0, std = 0, range = 0;
};
inline PopulationMoments moments_of(const std::vector<double>& v) {
  PopulationMoments m;
  const auto n = static_cast<double>(v.size());
  for (const double x : v) m.mean += x / n;
  for (const double x : v) m.std += (x - m.mean) * (x - m.mean) / n;
  m.std = std::sqrt(m.std);
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  m.range = *high - *low;
  return m;
}

/// Std over mean of -ln(1 - D): unlike std(D) it does not shrink merely because every D comes near 1.
inline double variation_of_damage(const std::vector<double>& damage) {
  std::vector<double> lost;
  for (const double d : damage) lost.push_back(-std::log1p(-d));
  const auto m = moments_of(lost);
  return m.mean > 0 && std::isfinite(m.mean) ? m.std / m.mean : std::numeric_limits<double>::quiet_NaN();
}

/// Steps of one half-cycle. Solver has: state() -> NetworkState&, time() -> const TimeConfig&, remaining(), longest()
/// (both in mean content, or seconds of rest), seconds(step), try_step(dt) -> bool, damage_step(), surface_step(),
/// beyond() of the trial, beyond_now() of the state, commit(dt), and report(), which throws.
template <class Solver>
class HalfCycleSteps {
 public:
  explicit HalfCycleSteps(Solver& solver) : solver_(solver) {}

  /// Takes one step; true where the half-cycle is over.
  bool advance() {
    const double left = solver_.remaining();
    if (!(left > 1e-12)) return true;
    for (;;) {
      double& scale = solver_.state().step_scale;
      const double count = std::ceil(left / (solver_.longest() * scale) - 1e-9);
      const double dt = solver_.seconds(left / count);
      if (solver_.try_step(dt) && acceptable()) {
        if (solver_.beyond() > 0) return end_at_limit(dt);
        accept(dt);
        return count == 1;
      }
      if (!solver_.time().adaptive || scale < 1e-6) solver_.report();
      scale *= 0.5;
    }
  }

 private:
  /// An interface that snaps open cannot be resolved by any step: damage may then jump.
  [[nodiscard]] bool acceptable() const {
    if (!solver_.time().adaptive || solver_.state().step_scale < 1e-3) return true;
    return solver_.damage_step() <= 0.1 && solver_.surface_step() <= 0.05;
  }

  void accept(double dt) {
    solver_.commit(dt);
    if (solver_.time().adaptive) solver_.state().step_scale = std::min(1.0, solver_.state().step_scale * 1.5);
  }

  /// The step that meets the limit exactly: false position (Illinois) for its length.
  bool end_at_limit(double dt) {
    double low = 0, high = dt, f_high = solver_.beyond();
    // Before the first step the voltage still is that of another current.
    double f_low = solver_.state().half_steps == 0 ? -f_high : solver_.beyond_now();
    double length = dt;
    for (int k = 0; k < 60; ++k) {
      length = (low * f_high - high * f_low) / (f_high - f_low);
      if (!(length > 1e-9 * dt)) return true;  // the limit is passed the moment the current flows
      if (!solver_.try_step(length)) solver_.report();
      const double f = solver_.beyond();
      if (std::abs(f) <= 1e-8 || high - low <= 1e-12 * dt) break;
      (f > 0 ? high : low) = length;
      (f > 0 ? f_high : f_low) = f;
      (f > 0 ? f_low : f_high) *= 0.5;
    }
    accept(length);
    return true;
  }

  Solver& solver_;
};

}  // namespace cathoscope::chemo
