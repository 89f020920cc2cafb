#include "grey_levels.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

namespace cathoscope::attributes {

namespace {

constexpr std::size_t too_few = 50;

/// Contrast of void to matrix where no pores are seen: void = solid - 1.27 (solid - matrix), measured on the
/// nano-holotomogram of Li et al. (2022) with solid 180, matrix 87, void cores 62.
constexpr double void_contrast = 1.27;

struct TwoClasses {
  double threshold, low_mean, high_mean, separation;
};

/// Otsu's threshold on sorted values, exact; separation in units of the pooled standard deviation of the classes.
TwoClasses otsu(std::span<const float> sorted) {
  double total = 0, total_squares = 0;
  for (const float v : sorted) {
    total += v;
    total_squares += static_cast<double>(v) * v;
  }
  const auto n = static_cast<double>(sorted.size());
  double sum = 0, best = -1;
  TwoClasses r{sorted[0], sorted[0], sorted[0], 0};
  for (std::size_t i = 0; i + 1 < sorted.size(); ++i) {
    sum += sorted[i];
    if (sorted[i] == sorted[i + 1]) continue;
    const double n1 = static_cast<double>(i + 1), n2 = n - n1;
    const double m1 = sum / n1, m2 = (total - sum) / n2;
    const double between = n1 * n2 * (m2 - m1) * (m2 - m1);
    if (between <= best) continue;
    best = between;
    const double within_classes = std::max(0.0, (total_squares - n1 * m1 * m1 - n2 * m2 * m2) / n);
    r = {0.5 * (static_cast<double>(sorted[i]) + sorted[i + 1]), m1, m2,
         within_classes > 0 ? (m2 - m1) / std::sqrt(within_classes) : 1e9};
  }
  return r;
}

std::array<double, 10> monomials(const Vec3& p, const Vec3& extent) {
  Vec3 q{};
  for (std::size_t i = 0; i < 3; ++i) q[i] = 2 * p[i] / extent[i] - 1;
  return {1, q[0], q[1], q[2], q[0] * q[0], q[1] * q[1], q[2] * q[2], q[0] * q[1], q[0] * q[2], q[1] * q[2]};
}

/// Medians of the matrix samples in 6 x 6 x 6 blocks, then least squares; blocks with few samples are left out.
Drift fitted_drift(const std::vector<GreySample>& samples, double low, double high, const Index3& shape) {
  Drift drift;
  for (std::size_t i = 0; i < 3; ++i) drift.extent[i] = static_cast<double>(shape[i]);
  std::map<std::array<std::int64_t, 3>, std::vector<float>> block_values;
  for (const GreySample& s : samples) {
    if (s.solid || s.value < low || s.value > high) continue;
    std::array<std::int64_t, 3> block{};
    for (std::size_t i = 0; i < 3; ++i) block[i] = 6 * s.position[i] / shape[i];
    block_values[block].push_back(s.value);
  }
  std::vector<std::pair<std::array<double, 10>, double>> rows;
  for (auto& [block, values] : block_values) {
    if (values.size() < too_few) continue;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    Vec3 centre{};
    for (std::size_t i = 0; i < 3; ++i) centre[i] = (static_cast<double>(block[i]) + 0.5) * drift.extent[i] / 6;
    rows.emplace_back(monomials(centre, drift.extent), *middle);
  }
  if (rows.size() < 30) return drift;
  Eigen::MatrixXd a(static_cast<Eigen::Index>(rows.size()), 10);
  Eigen::VectorXd b(static_cast<Eigen::Index>(rows.size()));
  for (Eigen::Index r = 0; r < a.rows(); ++r) {
    for (Eigen::Index c = 0; c < 10; ++c)
      a(r, c) = rows[static_cast<std::size_t>(r)].first[static_cast<std::size_t>(c)];
    b(r) = rows[static_cast<std::size_t>(r)].second;
  }
  // minimum norm where an axis has too few blocks to tell its terms apart
  const Eigen::VectorXd x = a.completeOrthogonalDecomposition().solve(b);
  const double mean = (a * x).mean();
  for (std::size_t c = 0; c < 10; ++c) drift.coefficients[c] = x(static_cast<Eigen::Index>(c));
  drift.coefficients[0] -= mean;
  return drift;
}

std::vector<float> sorted_values(const std::vector<GreySample>& samples, bool solid) {
  std::vector<float> values;
  for (const GreySample& s : samples)
    if (s.solid == solid) values.push_back(s.value);
  std::sort(values.begin(), values.end());
  return values;
}

/// Samples with the drift taken off: modes of drifting values wander.
std::vector<GreySample> without(const Drift& drift, std::vector<GreySample> samples) {
  for (GreySample& s : samples)
    s.value -= static_cast<float>(drift.at(
        {static_cast<double>(s.position[0]), static_cast<double>(s.position[1]), static_cast<double>(s.position[2])}));
  return samples;
}

/// Most frequent of sorted values.
float most_frequent(const std::vector<float>& sorted) {
  float best = sorted.front();
  std::ptrdiff_t most = 0;
  for (auto from = sorted.begin(); from != sorted.end();) {
    const auto to = std::upper_bound(from, sorted.end(), *from);
    if (to - from > most) most = to - from, best = *from;
    from = to;
  }
  return best;
}

/// Phases: two ids between the particles, the smaller is the pore. The id that dominates in the particles does not
/// count: outside it is particles that have no label, too small ones for example.
std::optional<GreyLevels> phase_levels(const std::vector<float>& outside, const std::vector<float>& solid) {
  const float active = most_frequent(solid);
  std::vector<float> ids = outside;
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::erase(ids, active);
  if (ids.size() != 2) return std::nullopt;
  GreyLevels levels;
  levels.phases = true;
  levels.solid = active;
  levels.void_level = ids[0];
  levels.matrix = ids[1];
  levels.binder_limit = 0.5 * (levels.void_level + levels.matrix);
  levels.bimodal = true;
  return levels;
}

}  // namespace

double Drift::at(const Vec3& position) const {
  const auto m = monomials(position, extent);
  double v = 0;
  for (std::size_t i = 0; i < 10; ++i) v += coefficients[i] * m[i];
  return v;
}

double half_sample_mode(std::vector<float>& values) {
  std::sort(values.begin(), values.end());
  std::size_t begin = 0, n = values.size();
  while (n > 3) {
    const std::size_t half = (n + 1) / 2;
    std::size_t best = begin;
    for (std::size_t i = begin; i + half <= begin + n; ++i)
      if (values[i + half - 1] - values[i] < values[best + half - 1] - values[best]) best = i;
    begin = best;
    n = half;
  }
  double sum = 0;
  for (std::size_t i = begin; i < begin + n; ++i) sum += values[i];
  return sum / static_cast<double>(n);
}

std::optional<GreyLevels> grey_levels(const std::vector<GreySample>& samples, const Index3& shape, bool phases) {
  std::vector<float> solid = sorted_values(samples, true), outside = sorted_values(samples, false);
  if (solid.size() < too_few || outside.size() < too_few) return std::nullopt;
  if (phases) return phase_levels(outside, solid);
  GreyLevels levels;
  const TwoClasses classes = otsu(outside);
  levels.bimodal = classes.separation > 3.2;  // one Gaussian gives 2.65, two that lie 4 sigma apart give 4
  const auto split = std::lower_bound(outside.begin(), outside.end(), static_cast<float>(classes.threshold));
  std::vector<float> low(outside.begin(), split), high(split, outside.end());
  const bool pores = levels.bimodal && !low.empty() && !high.empty();
  levels.drift = fitted_drift(samples, pores ? classes.threshold : outside.front(), outside.back(), shape);
  const std::vector<GreySample> flat = without(levels.drift, samples);
  solid = sorted_values(flat, true);
  outside = sorted_values(flat, false);
  levels.solid = half_sample_mode(solid);
  if (pores) {
    const auto middle = std::lower_bound(outside.begin(), outside.end(), static_cast<float>(classes.threshold));
    low.assign(outside.begin(), middle), high.assign(middle, outside.end());
    levels.void_level = half_sample_mode(low);
    levels.matrix = half_sample_mode(high);
  } else {
    levels.matrix = half_sample_mode(outside);
    levels.void_level = levels.solid - void_contrast * (levels.solid - levels.matrix);
  }
  levels.binder_limit = 0.5 * (levels.void_level + levels.matrix);
  if (levels.solid == levels.matrix || levels.solid == levels.void_level) return std::nullopt;
  return levels;
}

}  // namespace cathoscope::attributes
