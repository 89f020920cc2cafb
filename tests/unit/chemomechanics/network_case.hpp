#pragma once
/// Runs of the network that several tests look at.

#include <cathoscope/chemomechanics/network.hpp>

#include <algorithm>

namespace test {

inline cathoscope::NetworkState run(const cathoscope::ChemomechanicsConfig& config, int threads = 1) {
  const auto model = cathoscope::network_of(config, 7);
  auto state = cathoscope::initial_state(model);
  cathoscope::Progress progress;
  cathoscope::run_network(model, state, [](const auto&, const auto&) {}, {progress, threads});
  return state;
}

inline const cathoscope::HalfCycleSummary& charged(const cathoscope::NetworkState& s, std::int64_t cycle) {
  return *std::find_if(s.summaries.begin(), s.summaries.end(),
                       [&](const auto& h) { return h.cycle == cycle && h.half == cathoscope::HalfCycle::charge; });
}

inline cathoscope::ChemomechanicsConfig with_feedback(const char* feedback) {
  cathoscope::ChemomechanicsConfig c;
  c.kinetics.feedback = feedback;
  c.kinetics.film_ohm_m2 = 0.017;
  return c;
}

}  // namespace test
