#include "severe_particles.hpp"

#include "plotting.hpp"

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

constexpr std::size_t most_centres = 2000;

double distance(const SevereParticle& a, const SevereParticle& b) {
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += (a.place[i] - b.place[i]) * (a.place[i] - b.place[i]);
  return std::sqrt(sum);
}

std::vector<std::size_t> centres_of(const std::vector<SevereParticle>& all) {
  std::vector<std::size_t> centres;
  const std::size_t step = std::max<std::size_t>(1, (all.size() + most_centres - 1) / most_centres);
  for (std::size_t i = 0; i < all.size(); i += step) centres.push_back(i);
  return centres;
}

}  // namespace

std::vector<SevereParticle> severe_particles(const Table& particles, const std::string& electrode) {
  std::vector<SevereParticle> result;
  for (const std::size_t row : rows_where(particles, "electrode", electrode))
    if (number_at(particles, "severe", row) > 0)
      result.push_back(
          {row, {number_at(particles, "X", row), number_at(particles, "Y", row), number_at(particles, "Z", row)}});
  return result;
}

std::vector<SevereNeighbour> three_nearest(const std::vector<SevereParticle>& all, std::size_t centre) {
  std::vector<SevereNeighbour> nearest;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == centre) continue;
    const double d = distance(all[i], all[centre]);
    if (nearest.size() == 3 && d >= nearest.back().distance_um) continue;
    const auto at = std::upper_bound(nearest.begin(), nearest.end(), d,
                                     [](double value, const SevereNeighbour& n) { return value < n.distance_um; });
    nearest.insert(at, {i, d});
    if (nearest.size() > 3) nearest.pop_back();
  }
  return nearest;
}

std::vector<double> severe_distances(const std::vector<SevereParticle>& all) {
  std::vector<double> distances;
  for (const std::size_t centre : centres_of(all))
    for (const auto& n : three_nearest(all, centre)) distances.push_back(n.distance_um);
  return distances;
}

std::vector<std::size_t> regions_to_enlarge(const std::vector<SevereParticle>& all) {
  if (all.size() < 4) return {};
  const auto centres = centres_of(all);
  std::vector<double> means;
  for (const std::size_t centre : centres) {
    double sum = 0;
    for (const auto& n : three_nearest(all, centre)) sum += n.distance_um;
    means.push_back(sum / 3);
  }
  const auto order = sorted_order(means);
  const std::size_t first = centres[order.front()];
  const auto members = three_nearest(all, first);
  const auto overlaps = [&](std::size_t centre) {
    return centre == first ||
           std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.index == centre; });
  };
  for (std::size_t k = order.size() / 2; k < order.size(); ++k)
    if (!overlaps(centres[order[k]])) return {first, centres[order[k]]};
  return {first};
}

}  // namespace cathoscope
