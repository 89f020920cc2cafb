#include "point_tree.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/damage_statistics.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace cathoscope {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<int> terciles(const std::vector<double>& values) {
  const std::vector<double> ranks = ranks_of(values);
  std::vector<int> result;
  for (const double r : ranks)
    result.push_back(static_cast<int>(std::min(2.0, std::floor(3 * (r - 0.5) / static_cast<double>(ranks.size())))));
  return result;
}

/// Values shuffled among the members of each stratum.
std::vector<double> shuffled(const std::vector<double>& values, const std::vector<int>& strata, Stream random) {
  std::vector<std::vector<std::size_t>> members(9);
  for (std::size_t i = 0; i < values.size(); ++i) members[static_cast<std::size_t>(strata[i])].push_back(i);
  std::vector<double> result(values);
  for (const auto& stratum : members) {
    std::vector<std::size_t> order(stratum);
    random.shuffle(order.begin(), order.end());
    for (std::size_t k = 0; k < stratum.size(); ++k) result[stratum[k]] = values[order[k]];
  }
  return result;
}

/// Several statistics of the same shuffles.
using Statistics = std::function<std::vector<double>(const std::vector<double>& damage)>;

NullComparison compared(double observed, std::vector<double> null, bool large_is_clustered) {
  NullComparison c{observed, nothing, nothing, nothing, nothing};
  if (null.empty() || std::isnan(observed)) return c;
  c.expected = mean_of(null);
  c.low = quantile_of(null, 0.025);
  c.high = quantile_of(null, 0.975);
  if (!large_is_clustered)
    for (double& v : null) v = -v;
  c.p = permutation_p(null, large_is_clustered ? observed : -observed);
  return c;
}

/// Every statistic beside its two nulls. `large` says for each whether large values mean clustering.
std::vector<SpatialNull> against_nulls(const DamagedParticles& particles, const Statistics& statistics,
                                       const std::vector<bool>& large, int permutations, std::uint64_t seed,
                                       const Context& context) {
  const std::vector<double> observed = statistics(particles.damage);
  std::vector<SpatialNull> result(observed.size());
  for (const bool stratified : {false, true}) {
    const std::vector<int> strata =
        stratified ? depth_and_size_strata(particles) : std::vector<int>(particles.damage.size(), 0);
    std::vector<std::vector<double>> draws(static_cast<std::size_t>(permutations));
    parallel_for(permutations, context.threads, [&](std::int64_t b) {
      context.progress.check_stop();
      const Stream random(seed, {"random labelling", stratified ? "strata" : "all"}, static_cast<std::uint64_t>(b));
      draws[static_cast<std::size_t>(b)] = statistics(shuffled(particles.damage, strata, random));
    });
    for (std::size_t k = 0; k < observed.size(); ++k) {
      std::vector<double> null;
      for (const auto& draw : draws) null.push_back(draw[k]);
      (stratified ? result[k].stratified : result[k].plain) = compared(observed[k], std::move(null), large[k]);
    }
  }
  return result;
}

std::vector<std::size_t> severe_ones(const std::vector<double>& damage, double threshold) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < damage.size(); ++i)
    if (is_severe(damage[i], threshold)) result.push_back(i);
  return result;
}

PointTree tree_of(const DamagedParticles& particles, const std::vector<std::size_t>& chosen) {
  std::vector<std::array<double, 3>> points;
  for (const std::size_t i : chosen) points.push_back(particles.position[i]);
  return PointTree(std::move(points));
}

constexpr std::size_t nearest_severe = 3;

double mean_severe_distance(const DamagedParticles& particles, const std::vector<std::size_t>& severe) {
  const PointTree tree = tree_of(particles, severe);
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < severe.size(); ++i)
    for (const auto& neighbour : tree.nearest(i, nearest_severe)) {
      sum += neighbour.distance;
      ++count;
    }
  return sum / count;
}

double distance_to_box(const DamagedParticles& particles, const std::array<double, 3>& at) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto [low, high] = std::minmax_element(particles.position.begin(), particles.position.end(),
                                                 [&](const auto& a, const auto& b) { return a[axis] < b[axis]; });
    if ((*high)[axis] > (*low)[axis])  // a flat axis (2-D) has no edge
      least = std::min({least, at[axis] - (*low)[axis], (*high)[axis] - at[axis]});
  }
  return least;
}

void add_distances(const DamagedParticles& particles, const std::vector<std::size_t>& severe,
                   SevereAgglomeration& result) {
  const PointTree tree = tree_of(particles, severe);
  for (std::size_t i = 0; i < severe.size(); ++i) {
    const double edge = distance_to_box(particles, particles.position[severe[i]]);
    for (const auto& neighbour : tree.nearest(i, nearest_severe)) {
      if (neighbour.distance <= edge)
        result.distances.push_back(neighbour.distance);
      else
        ++result.distances_cut;
    }
  }
}

constexpr std::size_t graph_neighbours = 6;
constexpr std::size_t variogram_neighbours = 30, variogram_bins = 10;

struct Pair {
  std::uint32_t a, b, bin;
};

struct Graph {
  std::vector<std::vector<std::size_t>> neighbours;  ///< the 6 nearest
  std::vector<Pair> pairs;                           ///< within the variogram's reach
  std::vector<double> lag;
  std::vector<double> count;
};

Graph graph_of(const DamagedParticles& particles) {
  const PointTree tree(particles.position);
  Graph graph;
  const std::size_t n = particles.position.size();
  double reach = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto nearest = tree.nearest(i, std::min(variogram_neighbours, n - 1));
    reach += nearest.back().distance / static_cast<double>(n);
    std::vector<std::size_t> six;
    for (std::size_t k = 0; k < std::min(graph_neighbours, nearest.size()); ++k) six.push_back(nearest[k].index);
    graph.neighbours.push_back(std::move(six));
  }
  graph.count.assign(variogram_bins, 0);
  for (std::size_t k = 1; k <= variogram_bins; ++k)
    graph.lag.push_back(reach * static_cast<double>(k) / variogram_bins);
  for (std::size_t i = 0; i < n && reach > 0; ++i)
    for (const auto& other : tree.within(i, reach)) {
      if (other.index <= i) continue;
      const auto bin = std::min(variogram_bins - 1, static_cast<std::size_t>(variogram_bins * other.distance / reach));
      graph.pairs.push_back(
          {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(other.index), static_cast<std::uint32_t>(bin)});
      ++graph.count[bin];
    }
  return graph;
}

/// Moran's I, the correlation with the neighbours' mean, then the variogram.
std::vector<double> coupling_of(const Graph& graph, const std::vector<double>& damage) {
  const double mean = mean_of(damage);
  std::vector<double> around(damage.size());
  double cross = 0, own = 0;
  for (std::size_t i = 0; i < damage.size(); ++i) {
    for (const std::size_t j : graph.neighbours[i]) around[i] += damage[j];
    around[i] /= static_cast<double>(graph.neighbours[i].size());
    cross += (damage[i] - mean) * (around[i] - mean);
    own += (damage[i] - mean) * (damage[i] - mean);
  }
  std::vector<double> result{own > 0 ? cross / own : nothing, pearson(damage, around)};
  std::vector<double> sums(variogram_bins, 0);
  for (const Pair& pair : graph.pairs)
    sums[pair.bin] += (damage[pair.a] - damage[pair.b]) * (damage[pair.a] - damage[pair.b]);
  for (std::size_t k = 0; k < variogram_bins; ++k)
    result.push_back(graph.count[k] > 0 ? sums[k] / (2 * graph.count[k]) : nothing);
  return result;
}

}  // namespace

std::vector<int> depth_and_size_strata(const DamagedParticles& particles) {
  std::vector<int> strata(particles.damage.size(), 0);
  const auto add = [&](const std::vector<double>& values, int step) {
    if (values.size() != strata.size()) return;
    const std::vector<int> third = terciles(values);
    for (std::size_t i = 0; i < strata.size(); ++i) strata[i] += step * third[i];
  };
  add(particles.depth, 3);
  add(particles.size, 1);
  return strata;
}

bool is_severe(double damage, double threshold) { return damage >= threshold && (damage != 0 || threshold != 0); }

SevereAgglomeration severe_agglomeration(const DamagedParticles& particles, double threshold, int permutations,
                                         std::uint64_t seed, const Context& context) {
  SevereAgglomeration result;
  result.threshold = threshold;
  const std::vector<std::size_t> severe = severe_ones(particles.damage, threshold);
  result.severe = severe.size();
  if (severe.size() <= nearest_severe) {
    result.mean_distance.plain = result.mean_distance.stratified = {nothing, nothing, nothing, nothing, nothing};
    result.scaled_distance = nothing;
    return result;
  }
  add_distances(particles, severe, result);
  const Statistics mean_distance = [&](const std::vector<double>& damage) {
    return std::vector<double>{mean_severe_distance(particles, severe_ones(damage, threshold))};
  };
  result.mean_distance = against_nulls(particles, mean_distance, {false}, permutations, seed, context).front();
  result.scaled_distance = result.mean_distance.plain.observed * std::cbrt(static_cast<double>(severe.size()));
  return result;
}

SpatialCoupling spatial_coupling(const DamagedParticles& particles, int permutations, std::uint64_t seed,
                                 const Context& context) {
  SpatialCoupling result;
  constexpr SpatialNull none{{nothing, nothing, nothing, nothing, nothing},
                             {nothing, nothing, nothing, nothing, nothing}};
  result.moran = result.neighbour_correlation = none;
  if (particles.damage.size() < 8 || !(sd_of(particles.damage) > 0)) return result;
  const Graph graph = graph_of(particles);
  std::vector<bool> large(2 + variogram_bins, false);
  large[0] = large[1] = true;
  const auto nulls = against_nulls(
      particles, [&](const std::vector<double>& damage) { return coupling_of(graph, damage); }, large, permutations,
      seed, context);
  result.moran = nulls[0];
  result.neighbour_correlation = nulls[1];
  result.lag_um = graph.lag;
  result.pairs = graph.count;
  result.variogram.assign(nulls.begin() + 2, nulls.end());
  return result;
}

}  // namespace cathoscope
