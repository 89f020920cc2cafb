#include "swarm.hpp"

#include "plotting.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

std::vector<double> swarm_offsets(const std::vector<double>& values, double low, double high, int bins,
                                  double half_width) {
  std::vector<double> offsets(values.size(), 0);
  if (!(high > low)) return offsets;
  std::vector<int> taken(static_cast<std::size_t>(bins), 0);
  int fullest = 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const int bin = std::clamp(static_cast<int>((values[i] - low) / (high - low) * bins), 0, bins - 1);
    const int before = taken[static_cast<std::size_t>(bin)]++;
    offsets[i] = (before % 2 == 1 ? 1 : -1) * ((before + 1) / 2);
    fullest = std::max(fullest, before + 1);
  }
  const double step = std::min(0.06, half_width / std::max(1, fullest / 2));
  for (double& o : offsets) o *= step;
  return offsets;
}

std::vector<double> relative_ranks(const std::vector<double>& values) {
  std::vector<double> finite, ranks(values.size(), std::numeric_limits<double>::quiet_NaN());
  for (const double v : values)
    if (std::isfinite(v)) finite.push_back(v);
  std::sort(finite.begin(), finite.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    if (finite.front() == finite.back()) {
      ranks[i] = 0.5;
      continue;
    }
    const auto [first, last] = std::equal_range(finite.begin(), finite.end(), values[i]);
    const double middle = 0.5 * static_cast<double>((first - finite.begin()) + (last - finite.begin() - 1));
    ranks[i] = middle / static_cast<double>(finite.size() - 1);
  }
  return ranks;
}

}  // namespace cathoscope
