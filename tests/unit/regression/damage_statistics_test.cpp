#include "../../../src/regression/point_tree.hpp"

#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/damage_statistics.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace cathoscope;

namespace {

/// Particles in a box with damage = trend with depth + size + noise, or + a field that neighbours share.
DamagedParticles particles(std::size_t n, std::uint64_t seed, double trend, double field) {
  Stream random(seed, {"damage statistics"});
  DamagedParticles p;
  const double phase = random.uniform(0, 6);
  for (std::size_t i = 0; i < n; ++i) {
    const std::array<double, 3> at{random.uniform(0, 40), random.uniform(0, 100), random.uniform(0, 100)};
    const double shared = std::sin(at[1] / 8 + phase) * std::sin(at[2] / 8 + phase) * 2;
    p.position.push_back(at);
    p.depth.push_back(at[0]);
    p.size.push_back(random.normal());
    p.damage.push_back(trend * (at[0] / 20 - 1) + field * shared + random.normal());
  }
  return p;
}

Progress progress;
const Context context{progress, 2};

double rejected(double trend, double field, bool stratified, bool coupling) {
  int count = 0;
  constexpr int rounds = 20;
  for (int r = 0; r < rounds; ++r) {
    const DamagedParticles p = particles(300, static_cast<std::uint64_t>(r), trend, field);
    const SpatialNull null = coupling
                                 ? spatial_coupling(p, 199, 1, context).moran
                                 : severe_agglomeration(p, quantile_of(p.damage, 0.85), 199, 1, context).mean_distance;
    count += (stratified ? null.stratified : null.plain).p < 0.05;
  }
  return static_cast<double>(count) / rounds;
}

}  // namespace

TEST_CASE("densities integrate to one on common bins") {
  Stream random(1, {"density"});
  std::vector<double> a, b;
  for (int i = 0; i < 500; ++i) a.push_back(random.normal());
  for (int i = 0; i < 300; ++i) b.push_back(random.normal() + 1);
  b.push_back(std::numeric_limits<double>::quiet_NaN());
  const DensityComparison c = compare_densities({a, b}, 100, 1);
  for (const DensityCurve& curve : c.curves) {
    double integral = 0;
    for (std::size_t k = 0; k < curve.density.size(); ++k) {
      integral += curve.density[k] * (c.edges[k + 1] - c.edges[k]);
      CHECK(curve.low[k] <= curve.high[k]);
    }
    CHECK(integral == Approx(1));
  }
  CHECK(c.curves[1].n == 300);
  CHECK(c.wasserstein[1] ==
        Approx(std::abs(mean_of(a) - mean_of(std::vector<double>(b.begin(), b.end() - 1)))).epsilon(0.1));
  CHECK(c.curves[0].median == Approx(quantile_of(a, 0.5)));
}

TEST_CASE("distances between samples have their known values") {
  CHECK(ks_distance({1, 2, 3}, {1, 2, 3}) == 0);
  CHECK(ks_distance({1, 1, 1}, {2, 2}) == 1);
  CHECK(ks_distance({1, 2, 2, 3}, {2, 2}) == Approx(0.25));
  CHECK(wasserstein({0, 1}, {2, 3}) == Approx(2));
  CHECK(wasserstein({0, 1, 3}, {5, 6, 8}) == Approx(5));  // scipy.stats.wasserstein_distance
  CHECK(std::isnan(wasserstein({}, {1})));
  CHECK(common_bins({2, 2, 2}) == std::vector<double>{1.5, 2.5});
  CHECK(density({0, 0.5, 1, 7}, {0, 0.5, 1}) == std::vector<double>{2.0 / 3, 4.0 / 3});
}

TEST_CASE("correlations carry Fisher's interval") {
  std::vector<double> x, y;
  for (int i = 0; i < 103; ++i) {
    x.push_back(i);
    y.push_back(i + 60 * ((i * 37) % 101) / 101.0);
  }
  const DamageCorrelation c = damage_correlation("a", x, y);
  CHECK(std::atanh(c.ci_high) - std::atanh(c.ci_low) == Approx(2 * 1.959963984540054 / 10));
  CHECK(c.pearson == Approx(pearson(x, y)));
  CHECK(c.p < 1e-10);
  CHECK(std::isnan(damage_correlation("a", {1, 1, 1, 1, 1}, {1, 2, 3, 4, 5}).pearson));
}

TEST_CASE("nearest points are those of an exhaustive search, twins included") {
  Stream random(2, {"points"});
  std::vector<std::array<double, 3>> points;
  for (int i = 0; i < 60; ++i)
    points.push_back(
        {std::floor(random.uniform(0, 4)), std::floor(random.uniform(0, 4)), std::floor(random.uniform(0, 4))});
  const PointTree tree(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<std::pair<double, std::size_t>> all;
    for (std::size_t j = 0; j < points.size(); ++j)
      if (j != i)
        all.emplace_back(
            std::hypot(points[i][0] - points[j][0], points[i][1] - points[j][1], points[i][2] - points[j][2]), j);
    std::sort(all.begin(), all.end());
    const auto nearest = tree.nearest(i, 6);
    REQUIRE(nearest.size() == 6);
    for (std::size_t k = 0; k < 6; ++k) CHECK(nearest[k].distance == Approx(all[k].first));
  }
  CHECK(PointTree({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}).nearest(0, 2).size() == 2);
}

TEST_CASE("clustered and unclustered damage are told apart by both statistics", "[slow]") {
  CHECK(rejected(0, 1.5, true, false) >= 0.8);
  CHECK(rejected(0, 1, true, true) >= 0.8);
  // 20 rounds at 5 %: more than 4 have a chance of 0.3 %
  CHECK(rejected(0, 0, true, false) <= 0.2);
  CHECK(rejected(0, 0, true, true) <= 0.2);
}

TEST_CASE("a depth trend alone is clustering to the plain null and less so to the stratified one") {
  const double plain = rejected(0.8, 0, false, true), stratified = rejected(0.8, 0, true, true);  // r = .42 with depth
  CHECK(plain >= 0.8);
  CHECK(stratified <= 0.3);  // terciles leave a part of the trend
}

TEST_CASE("spatial statistics do not depend on threads, and their nulls surround nothing planted") {
  const DamagedParticles p = particles(200, 77, 0, 0);
  const SpatialCoupling a = spatial_coupling(p, 99, 3, {progress, 1}), b = spatial_coupling(p, 99, 3, {progress, 4});
  CHECK(a.moran.stratified.p == b.moran.stratified.p);
  CHECK(a.moran.plain.expected == b.moran.plain.expected);
  CHECK(a.moran.plain.expected == Approx(-1.0 / 199).margin(0.02));  // E[I] = -1 / (n - 1)
  REQUIRE(a.variogram.size() == 10);
  const double variance = sd_of(p.damage) * sd_of(p.damage);
  for (std::size_t k = 3; k < 10; ++k) CHECK(a.variogram[k].plain.expected == Approx(variance).epsilon(0.1));
}

TEST_CASE("too few particles give no statistic instead of a wrong one") {
  DamagedParticles p = particles(20, 5, 0, 0);
  const SevereAgglomeration none = severe_agglomeration(p, 1e9, 19, 1, context);
  CHECK(none.severe == 0);
  CHECK(std::isnan(none.mean_distance.plain.p));
  std::fill(p.damage.begin(), p.damage.end(), 0.5);
  CHECK(std::isnan(spatial_coupling(p, 19, 1, context).moran.plain.observed));
  const SevereAgglomeration all = severe_agglomeration(p, 0.5, 19, 1, context);
  CHECK(all.severe == 20);
  CHECK(all.mean_distance.plain.p == 1);  // every labelling is the observed one
  CHECK(all.distances.size() + all.distances_cut == 60);
}

TEST_CASE("particles without damage are never severe, even where the limit is zero") {
  DamagedParticles p = particles(20, 5, 0, 0);
  std::fill(p.damage.begin(), p.damage.end(), 0.0);
  p.damage[3] = p.damage[7] = 0.02;
  CHECK(severe_agglomeration(p, quantile_of(p.damage, 0.8), 19, 1, context).severe == 2);
  CHECK(is_severe(0, -1));  // a table's target may be negative
  CHECK_FALSE(is_severe(-1, 0));
}
