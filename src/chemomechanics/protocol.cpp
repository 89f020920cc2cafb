#include "protocol.hpp"

namespace cathoscope::chemo {

namespace {

void to_next_half(const ProtocolConfig& p, NetworkState& s) {
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
double variation_of_damage(const std::vector<double>& damage) {
  std::vector<double> lost;
  for (const double d : damage) lost.push_back(-std::log1p(-d));
  const Moments m = moments(lost);
  return m.mean > 0 && std::isfinite(m.mean) ? m.std / m.mean : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void begin_next_half(const ProtocolConfig& p, const TimeConfig& time, double mean_content, NetworkState& s) {
  to_next_half(p, s);
  s.half_time_s = 0;
  s.half_steps = 0;
  s.half_start_content = mean_content;
  s.step_scale = time.adaptive ? 0.1 : 1;
  s.running = {};
}

void follow_peaks(NetworkState& s, const std::vector<double>& content, const std::vector<double>& damage,
                  double share) {
  auto& r = s.running;
  const Moments d = moments(damage);
  r.x_std_peak = std::max(r.x_std_peak, moments(content).std);
  r.damage_std_peak = std::max(r.damage_std_peak, d.std);
  if (share <= 0.7 + 1e-9) r.damage_mean_70 = d.mean;
}

void summarise(NetworkState& s, const std::vector<double>& content, const std::vector<double>& damage,
               double lithium_error) {
  HalfCycleSummary r = s.running;
  r.cycle = s.cycle;
  r.half = s.half;
  r.time_s = s.time_s;
  r.voltage = s.voltage;
  r.x = content;
  r.damage = damage;
  const Moments x = moments(content), d = moments(damage);
  r.x_mean = x.mean, r.x_std = x.std, r.x_range = x.range;
  r.damage_mean = d.mean, r.damage_std = d.std;
  r.damage_variation = variation_of_damage(damage);
  r.steps = s.half_steps;
  r.lithium_error = lithium_error;
  s.summaries.push_back(std::move(r));
}

}  // namespace cathoscope::chemo
