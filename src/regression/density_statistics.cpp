#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/damage_statistics.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<double> known(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double v : values)
    if (std::isfinite(v)) result.push_back(v);
  return result;
}

/// Calls f(a's distribution function minus b's, width) for every interval between neighbouring values of both.
template <class F>
void for_each_step(std::vector<double> a, std::vector<double> b, F f) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<double> all(a);
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  std::size_t i = 0, j = 0;
  for (std::size_t k = 0; k < all.size(); ++k) {
    while (i < a.size() && a[i] <= all[k]) ++i;
    while (j < b.size() && b[j] <= all[k]) ++j;
    const double gap =
        static_cast<double>(i) / static_cast<double>(a.size()) - static_cast<double>(j) / static_cast<double>(b.size());
    f(gap, k + 1 < all.size() ? all[k + 1] - all[k] : 0);
  }
}

DensityCurve curve_of(const std::vector<double>& values, const std::vector<double>& edges, int bootstraps,
                      Stream random) {
  DensityCurve curve;
  curve.n = values.size();
  curve.density = density(values, edges);
  curve.median = quantile_of(values, 0.5);
  curve.lower_quartile = quantile_of(values, 0.25);
  curve.upper_quartile = quantile_of(values, 0.75);
  std::vector<std::vector<double>> draws(curve.density.size());
  std::vector<double> resampled(values.size());
  for (int b = 0; b < bootstraps && !values.empty(); ++b) {
    for (double& v : resampled) v = values[random.below(values.size())];
    const std::vector<double> d = density(resampled, edges);
    for (std::size_t k = 0; k < d.size(); ++k) draws[k].push_back(d[k]);
  }
  for (const std::vector<double>& bin : draws) {
    curve.low.push_back(quantile_of(bin, 0.025));
    curve.high.push_back(quantile_of(bin, 0.975));
  }
  return curve;
}

}  // namespace

std::vector<double> common_bins(const std::vector<double>& pooled) {
  const std::vector<double> values = known(pooled);
  if (values.empty()) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high - *low;
  if (range == 0) return {*low - 0.5, *low + 0.5};
  const double iqr = quantile_of(values, 0.75) - quantile_of(values, 0.25);
  const auto n = static_cast<double>(values.size());
  const double width = iqr > 0 ? 2 * iqr / std::cbrt(n) : range / std::sqrt(n);
  const auto bins = static_cast<std::size_t>(std::clamp(std::ceil(range / width), 1.0, 200.0));
  std::vector<double> edges;
  for (std::size_t k = 0; k <= bins; ++k)
    edges.push_back(k == bins ? *high : *low + range * static_cast<double>(k) / static_cast<double>(bins));
  return edges;
}

std::vector<double> density(const std::vector<double>& values, const std::vector<double>& edges) {
  if (edges.size() < 2) return {};
  std::vector<double> counts(edges.size() - 1, 0);
  double inside = 0;
  for (const double v : values) {
    if (!(v >= edges.front() && v <= edges.back())) continue;
    const auto above = std::upper_bound(edges.begin(), edges.end(), v) - edges.begin();
    ++counts[static_cast<std::size_t>(std::min<std::ptrdiff_t>(above, std::ssize(counts)) - 1)];
    ++inside;
  }
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (inside > 0) counts[k] /= inside * (edges[k + 1] - edges[k]);
  return counts;
}

double ks_distance(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return nothing;
  double largest = 0;
  for_each_step(std::move(a), std::move(b), [&](double gap, double) { largest = std::max(largest, std::abs(gap)); });
  return largest;
}

double wasserstein(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return nothing;
  double area = 0;
  for_each_step(std::move(a), std::move(b), [&](double gap, double width) { area += std::abs(gap) * width; });
  return area;
}

DensityComparison compare_densities(const std::vector<std::vector<double>>& samples, int bootstraps,
                                    std::uint64_t seed) {
  std::vector<std::vector<double>> values;
  std::vector<double> pooled;
  for (const auto& sample : samples) {
    values.push_back(known(sample));
    pooled.insert(pooled.end(), values.back().begin(), values.back().end());
  }
  DensityComparison result;
  result.edges = common_bins(pooled);
  for (std::size_t s = 0; s < values.size(); ++s) {
    result.curves.push_back(curve_of(values[s], result.edges, bootstraps, Stream(seed, {"density"}, s)));
    result.ks.push_back(ks_distance(values.front(), values[s]));
    result.wasserstein.push_back(wasserstein(values.front(), values[s]));
  }
  return result;
}

DamageCorrelation damage_correlation(const std::string& attribute, const std::vector<double>& values,
                                     const std::vector<double>& damage) {
  std::vector<double> x, y;
  for (std::size_t i = 0; i < std::min(values.size(), damage.size()); ++i)
    if (std::isfinite(values[i]) && std::isfinite(damage[i])) {
      x.push_back(values[i]);
      y.push_back(damage[i]);
    }
  DamageCorrelation c{attribute, x.size(), pearson(x, y), nothing, nothing, nothing, spearman(x, y)};
  if (x.size() < 4 || std::isnan(c.pearson)) return c;
  const double z = std::atanh(c.pearson), se = 1 / std::sqrt(static_cast<double>(x.size()) - 3);
  c.ci_low = std::tanh(z - 1.959963984540054 * se);
  c.ci_high = std::tanh(z + 1.959963984540054 * se);
  c.p = normal_p(z / se);
  return c;
}

}  // namespace cathoscope
