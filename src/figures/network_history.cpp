#include "network_history.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

/// Steps that end a half-cycle: the next one belongs to another.
std::vector<char> ends(const std::vector<double>& cycle, const std::vector<int>& half) {
  std::vector<char> last(cycle.size(), 0);
  for (std::size_t s = 0; s < cycle.size(); ++s)
    last[s] = s + 1 == cycle.size() || cycle[s + 1] != cycle[s] || half[s + 1] != half[s];
  return last;
}

/// The first charge, every end of a half-cycle, and of the others as many as the limit allows, evenly.
std::vector<std::size_t> shown_steps(const std::vector<double>& cycle, const std::vector<int>& half,
                                     const std::vector<char>& last, std::size_t limit) {
  const std::size_t stride = std::max<std::size_t>(1, (cycle.size() + limit - 1) / limit);
  std::vector<std::size_t> shown;
  for (std::size_t s = 0; s < cycle.size(); ++s)
    if ((cycle[s] == 1 && half[s] == 0) || last[s] != 0 || s % stride == 0) shown.push_back(s);
  return shown;
}

/// Evenly chosen by coverage, in the order of the run.
std::vector<std::size_t> shown_particles(const std::vector<double>& coverage, std::size_t limit) {
  std::vector<std::size_t> order(coverage.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() <= limit) return order;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return coverage[a] < coverage[b]; });
  std::vector<std::size_t> shown;
  for (std::size_t k = 0; k < limit; ++k) shown.push_back(order[k * (order.size() - 1) / (limit - 1)]);
  std::sort(shown.begin(), shown.end());
  return shown;
}

std::vector<double> picked(const std::vector<double>& values, const std::vector<std::size_t>& rows) {
  std::vector<double> result;
  for (const std::size_t r : rows) result.push_back(values[r]);
  return result;
}

/// Appends the shown particles of the shown steps to `values`, and calls `all` with each row of all particles.
template <class All>
void read_rows(const H5File& file, const char* name, std::size_t n, const std::vector<std::size_t>& steps,
               const std::vector<std::size_t>& particles, std::vector<double>& values, const All& all) {
  const auto grid = file.grid<double>(name);
  std::vector<double> row(n);
  for (const std::size_t s : steps) {
    const auto at = static_cast<std::int64_t>(s);
    grid.read({{0, at, 0}, {1, at + 1, static_cast<std::int64_t>(n)}}, row.data());
    for (const std::size_t p : particles) values.push_back(row[p]);
    all(moments_of(row.data(), n));
  }
}

void check_shape(const H5File& file, const char* name, std::size_t steps, std::size_t particles) {
  const Index3 shape = file.grid_shape(name);
  if (shape != Index3{1, static_cast<std::int64_t>(steps), static_cast<std::int64_t>(particles)})
    fail(Exit::data, "{}: {} has {} x {} values for {} steps of {} particles; run the stage chemomechanics again",
         file.path().string(), name, shape[1], shape[2], steps, particles);
}

}  // namespace

Moments moments_of(const double* values, std::size_t n) {
  if (n == 0) return {};
  Moments m;
  for (std::size_t i = 0; i < n; ++i) m.mean += values[i];
  m.mean /= static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) m.deviation += (values[i] - m.mean) * (values[i] - m.mean);
  m.deviation = std::sqrt(m.deviation / static_cast<double>(n));
  const auto [low, high] = std::minmax_element(values, values + n);
  m.range = *high - *low;
  return m;
}

const char* half_cycle_name(int half) { return half == 0 ? "charge" : half == 2 ? "discharge" : "rest"; }

std::vector<double> cycle_positions(const std::vector<double>& cycle, const std::vector<int>& half,
                                    const std::vector<double>& tau) {
  const std::vector<char> last = ends(cycle, half);
  std::vector<double> position(cycle.size());
  std::size_t end = 0;
  for (std::size_t s = 0; s < cycle.size(); ++s) {
    while (end < s || last[end] == 0) ++end;
    const double share = tau[end] > 0 ? 0.5 * tau[s] / tau[end] : 0.5;
    const double start = cycle[s] - 1;
    position[s] = half[s] == 0   ? start + share
                  : half[s] == 1 ? start + 0.5
                  : half[s] == 2 ? start + 0.5 + share
                                 : start + 1;
  }
  return position;
}

NetworkHistory read_network_history(const fs::path& h5, const HistoryLimits& limits) {
  const auto file = H5File::open(h5);
  const auto cycle = file.read_array<double>("/steps/cycle");
  const auto half_numbers = file.read_array<double>("/steps/half_cycle");
  const auto tau = file.read_array<double>("/steps/tau");
  const auto coverage = file.read_array<double>("/particles/coverage");
  const std::vector<int> half(half_numbers.begin(), half_numbers.end());
  for (const char* name : {"/concentration", "/damage", "/hoop_stress_max"})
    check_shape(file, name, cycle.size(), coverage.size());
  const auto last = ends(cycle, half);
  const auto steps = shown_steps(cycle, half, last, limits.steps);
  const auto particles = shown_particles(coverage, limits.particles);
  NetworkHistory h;
  h.elements = file.contains("/mesh/nodes_um");
  h.particles_in_run = coverage.size();
  h.coverage = picked(coverage, particles);
  h.radius_um = picked(file.read_array<double>("/particles/radius_um"), particles);
  h.cycle = picked(cycle, steps);
  h.tau = picked(tau, steps);
  h.voltage = picked(file.read_array<double>("/steps/voltage_V"), steps);
  h.position = picked(cycle_positions(cycle, half, tau), steps);
  for (const std::size_t s : steps) h.half.push_back(half[s]), h.last_of_half.push_back(last[s]);
  const auto read = [&](const char* name, std::vector<double>& values, const auto& all) {
    read_rows(file, name, coverage.size(), steps, particles, values, all);
  };
  read("/concentration", h.content, [&](const Moments& m) {
    h.content_mean.push_back(m.mean), h.content_std.push_back(m.deviation), h.content_range.push_back(m.range);
  });
  read("/damage", h.damage,
       [&](const Moments& m) { h.damage_mean.push_back(m.mean), h.damage_std.push_back(m.deviation); });
  read("/hoop_stress_max", h.stress, [](const Moments&) {});
  return h;
}

}  // namespace cathoscope
