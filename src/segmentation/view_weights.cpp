#include "plane_predictions.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope {

namespace {

constexpr std::int64_t most_samples = 200000;
constexpr double least_weight = 0.05;
constexpr double ridge = 1e-5;  // of the samples: keeps coefficients finite where a view never errs

/// Foregrounds of the views at voxels, rows of `views` values and the truth.
struct Samples {
  std::size_t views = 0;
  std::vector<float> foreground;
  std::vector<std::uint8_t> truth;

  [[nodiscard]] std::size_t size() const { return truth.size(); }
  [[nodiscard]] const float* row(std::size_t i) const { return foreground.data() + i * views; }
};

/// One value a view at every step-th voxel; -1 where the view does not see it, or only near an image's edge.
std::vector<float> foregrounds(const WorkingVolume& volume, const StarPredictor& predict,
                               const std::vector<PlaneFamily>& families, std::int64_t step, const Context& context) {
  const std::int64_t least = least_width(volume.shape(), families.size());
  const std::int64_t rows = (volume_of(volume.shape()) + step - 1) / step;
  std::vector<float> values(static_cast<std::size_t>(rows) * families.size(), -1.0F);
  for (std::size_t v = 0; v < families.size(); ++v)
    for_each_prediction(
        volume, predict, families[v], least, false, context, [&](const LatticePlane& plane, const StarFields& fields) {
          RowGather gather(plane, fields.grid, fields.rows, fields.columns);
          std::vector<float> f, w;
          for (const LatticeRow& row : plane.rows) {
            gather(row, fields.foreground.empty() ? fields.probability.data() : fields.foreground.data(), f);
            border_weights(plane, row, w);
            for (std::size_t m = 0; m < w.size(); ++m) {
              const std::int64_t voxel = row.first + static_cast<std::int64_t>(m) * row.step;
              if (voxel % step != 0 || w[m] < 1) continue;
              values[static_cast<std::size_t>(voxel / step) * families.size() + v] = std::clamp(f[m], 0.0F, 1.0F);
            }
          }
        });
  return values;
}

Samples samples_of(const WorkingVolume& volume, const std::vector<std::uint8_t>& truth, const StarPredictor& predict,
                   const std::vector<PlaneFamily>& families, const Context& context) {
  std::int64_t step = volume_of(volume.shape()) / most_samples + 1;
  while (step > 1 && (std::gcd(step, volume.shape()[2]) > 1 || std::gcd(step, volume.shape()[1]) > 1)) ++step;
  const std::vector<float> values = foregrounds(volume, predict, families, step, context);
  Samples s{families.size(), {}, {}};
  for (std::size_t i = 0; i * s.views < values.size(); ++i) {
    const auto* row = values.data() + i * s.views;
    const auto voxel = static_cast<std::int64_t>(i) * step;
    if (!volume.inside(voxel) || std::any_of(row, row + s.views, [](float f) { return f < 0; })) continue;
    s.foreground.insert(s.foreground.end(), row, row + s.views);
    s.truth.push_back(truth[static_cast<std::size_t>(voxel)] != 0 ? 1 : 0);
  }
  return s;
}

/// Solves the symmetric positive definite system A x = b by Cholesky's factors; `a` is overwritten.
std::vector<double> solved(std::vector<double> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
    }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return b;
}

/// A step of Newton's method for the coefficients of the views in `used` and the bias, which comes last.
std::vector<double> newton_step(const Samples& s, const std::vector<std::size_t>& used, const std::vector<double>& c) {
  const std::size_t n = used.size() + 1;
  std::vector<double> hessian(n * n, 0), gradient(n, 0), x(n, 1);
  for (std::size_t i = 0; i < s.size(); ++i) {
    double score = c.back();
    for (std::size_t k = 0; k + 1 < n; ++k) {
      x[k] = double{s.row(i)[used[k]]};
      score += c[k] * x[k];
    }
    const double p = 1 / (1 + std::exp(-score));
    const double curvature = p * (1 - p);
    for (std::size_t k = 0; k < n; ++k) {
      gradient[k] += (s.truth[i] - p) * x[k];
      for (std::size_t l = 0; l <= k; ++l) hessian[k * n + l] += curvature * x[k] * x[l];
    }
  }
  for (std::size_t k = 0; k + 1 < n; ++k) {
    gradient[k] -= ridge * static_cast<double>(s.size()) * c[k];
    hessian[k * n + k] += ridge * static_cast<double>(s.size());
  }
  return solved(std::move(hessian), std::move(gradient));
}

std::vector<double> fitted(const Samples& s, const std::vector<std::size_t>& used) {
  std::vector<double> c(used.size() + 1, 0);
  for (int round = 0; round < 100; ++round) {
    const auto step = newton_step(s, used, c);
    double most = 0;
    for (std::size_t k = 0; k < c.size(); ++k) {
      c[k] += std::clamp(step[k], -2.0, 2.0);
      most = std::max(most, std::abs(step[k]));
    }
    if (most < 1e-6) break;
  }
  return c;
}

/// Coefficients of all views and the bias; none negative: such a view is left out and the others are fitted again.
std::vector<double> non_negative(const Samples& s) {
  std::vector<std::size_t> used(s.views);
  std::iota(used.begin(), used.end(), std::size_t{0});
  for (;;) {
    const auto c = fitted(s, used);
    std::vector<std::size_t> kept;
    for (std::size_t k = 0; k < used.size(); ++k)
      if (c[k] > 0) kept.push_back(used[k]);
    if (kept.size() < used.size() && !kept.empty()) {
      used = std::move(kept);
      continue;
    }
    std::vector<double> all(s.views + 1, 0);
    for (std::size_t k = 0; k < used.size(); ++k) all[used[k]] = c[k];
    all.back() = c.back();
    return all;
  }
}

}  // namespace

ViewWeights fitted_view_weights(const WorkingVolume& volume, const std::vector<std::uint8_t>& truth,
                                const StarPredictor& predict, const std::string& views, const Context& context) {
  if (truth.size() != static_cast<std::size_t>(volume_of(volume.shape())))
    fail(Exit::internal, "{} values of truth for {} working voxels", truth.size(), volume_of(volume.shape()));
  const auto families = plane_families(volume.shape()[0] == 1 ? "xy" : views);
  share_volume(volume, context);
  const Samples s = samples_of(volume, truth, predict, families, context);
  const auto particle = static_cast<std::size_t>(std::count(s.truth.begin(), s.truth.end(), 1));
  if (particle == 0 || particle == s.size())
    fail(Exit::data,
         "view weights cannot be fitted: of {} voxels that all views see, {} lie in particles; a larger volume with "
         "both "
         "particles and matrix is needed",
         s.size(), particle);
  const auto c = non_negative(s);
  const double most = *std::max_element(c.begin(), c.end() - 1);
  if (!(most > 0)) fail(Exit::data, "view weights cannot be fitted: no view tells particles from matrix");
  ViewWeights result;
  double sum = 0;
  for (std::size_t v = 0; v < s.views; ++v) {
    result.weights.push_back(std::max(least_weight, c[v] / most));
    sum += result.weights.back();
  }
  result.foreground_threshold = std::clamp(-c.back() / (sum * most), 0.02, 0.8);
  return result;
}

}  // namespace cathoscope
