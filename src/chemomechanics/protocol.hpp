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

/// Share of the half-cycle that is done, by content or time.
inline double share_done_of(const ProtocolConfig& p, const NetworkState& s, double mean_content) {
  if (is_rest(s.half)) return p.rest_s > 0 ? s.half_time_s / p.rest_s : 1;
  const double whole = std::abs(s.half_start_content - (s.half == HalfCycle::charge ? p.x_end : p.x_initial));
  return whole > 0 ? 1 - std::abs(remaining_of(p, s.half, mean_content, s.half_time_s)) / whole : 1;
}

/// Time in the half-cycle times C / 3600; on rest in hours.
inline double tau_of(const ProtocolConfig& p, const NetworkState& s) {
  const double rate = c_rate_of(p, s.half);
  return s.half_time_s * (rate > 0 ? rate : 1) / 3600;
}

/// To the start of the half-cycle after this one; counts cycles, and says where the protocol is over.
void begin_next_half(const ProtocolConfig& p, const TimeConfig& time, double mean_content, NetworkState& s);

/// Follows the peaks of the half-cycle under way by mean content and damage of the particles. `share` of it is done.
void follow_peaks(NetworkState& s, const std::vector<double>& content, const std::vector<double>& damage, double share);

/// Closes the half-cycle: adds its summary.
void summarise(NetworkState& s, const std::vector<double>& content, const std::vector<double>& damage,
               double lithium_error);

/// Steps of one half-cycle. Solver has: state() -> NetworkState&, time() -> const TimeConfig&, remaining(), longest()
/// (both in mean content, or seconds of rest), seconds(step), try_step(dt) -> bool, damage_step(), surface_step(),
/// beyond() of the trial, beyond_now() of the state, limit_tolerance() of both, commit(dt), report(), which throws.
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
    for (int k = 0; k < 100; ++k) {
      length = (low * f_high - high * f_low) / (f_high - f_low);
      if (!(length > 1e-9 * dt)) return true;  // the limit is passed the moment the current flows
      if (!solver_.try_step(length)) solver_.report();
      const double f = solver_.beyond();
      if (std::abs(f) <= solver_.limit_tolerance() || high - low <= 1e-12 * dt) break;
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
