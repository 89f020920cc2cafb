#pragma once
/// chemomechanics.h5 as the figures need it.

#include <cathoscope/core/table.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

/// Histories of the particles of a network, thinned to what a figure can show. Values are steps x particles.
struct NetworkHistory {
  std::vector<double> radius_um;
  std::vector<double> coverage;      ///< share of the surface on highly conductive binder
  bool elements = false;             ///< by finite elements, else by the network
  std::size_t particles_in_run = 0;  ///< `coverage` may hold fewer: evenly chosen by coverage
  std::vector<double> cycle;         ///< by step, from 1
  std::vector<int> half;             ///< 0 charge, 1 rest, 2 discharge, 3 rest
  std::vector<double> tau;
  std::vector<double> voltage;
  std::vector<double>
      position;  ///< cycles since the start; charge takes the first half of a cycle, discharge the second
  std::vector<char> last_of_half;
  std::vector<double> content, damage, stress;
  std::vector<double> content_mean, content_std, content_range, damage_mean, damage_std;  ///< of all particles, by step

  [[nodiscard]] std::size_t steps() const { return cycle.size(); }
  [[nodiscard]] std::size_t particles() const { return coverage.size(); }
  [[nodiscard]] bool first_charge(std::size_t step) const { return cycle[step] == 1 && half[step] == 0; }
  [[nodiscard]] bool end_of_charge(std::size_t step) const { return half[step] == 0 && last_of_half[step] != 0; }
};

/// What is read of a history.
struct HistoryLimits {
  std::size_t steps = 2500;    ///< the first charge is kept whole, and every end of a half-cycle
  std::size_t particles = 30;  ///< shown one by one
};

/// Reads row by row: memory does not grow with the run. Throws Error{data} where the arrays disagree.
NetworkHistory read_network_history(const std::filesystem::path& h5, const HistoryLimits& limits = {});

/// "charge", "rest" or "discharge".
const char* half_cycle_name(int half);

/// Positions in cycles of steps: charge fills [c - 1, c - 1/2] in proportion to tau, discharge the rest, rests stand still.
std::vector<double> cycle_positions(const std::vector<double>& cycle, const std::vector<int>& half,
                                    const std::vector<double>& tau);

/// Mean, population standard deviation and range of n values.
struct Moments {
  double mean = 0, deviation = 0, range = 0;
};
Moments moments_of(const double* values, std::size_t n);

}  // namespace cathoscope
