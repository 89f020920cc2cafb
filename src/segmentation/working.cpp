#include <cathoscope/segmentation/working.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include "grey.hpp"
#include "resample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

namespace cathoscope {

std::int64_t WorkingGrid::native_at(std::size_t axis, std::int64_t i) const {
  if (native_shape[axis] == 1) return 0;
  const auto at = static_cast<std::int64_t>(std::floor((static_cast<double>(i) + 0.5) * voxel_um / native_um[axis]));
  return std::clamp<std::int64_t>(at, 0, native_shape[axis] - 1);
}

std::int64_t WorkingGrid::working_at(std::size_t axis, std::int64_t i) const {
  if (native_shape[axis] == 1) return 0;
  const auto at = static_cast<std::int64_t>(std::floor((static_cast<double>(i) + 0.5) * native_um[axis] / voxel_um));
  return std::clamp<std::int64_t>(at, 0, shape[axis] - 1);
}

WorkingGrid working_grid_of_voxel(const Index3& native_shape, const Vec3& native_um, const Vec3& origin_um,
                                  double voxel_um) {
  WorkingGrid g{native_shape, native_um, origin_um, native_shape, voxel_um};
  for (std::size_t a = 0; a < 3; ++a) {
    if (native_shape[a] == 1) continue;
    const double n = static_cast<double>(native_shape[a]) * native_um[a] / voxel_um;
    g.shape[a] = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(n - 0.01)));
  }
  return g;
}

WorkingGrid working_grid(const Index3& native_shape, const Vec3& native_um, const Vec3& origin_um,
                         double particle_diameter_um) {
  double smallest = std::numeric_limits<double>::max();
  for (std::size_t a = 0; a < 3; ++a)
    if (native_shape[a] > 1) smallest = std::min(smallest, native_um[a]);
  if (smallest == std::numeric_limits<double>::max()) smallest = native_um[2];
  const double wanted = particle_diameter_um / canonical_diameter;
  // A few per cent of scale do not matter to the network; resampling by them would blur for nothing.
  return working_grid_of_voxel(native_shape, native_um, origin_um, wanted < 1.1 * smallest ? smallest : wanted);
}

std::uint16_t WorkingVolume::code(float value, bool inside) {
  const float steps = std::clamp((value + 7.0F) * 2048.0F + 0.5F, 0.0F, 32767.0F);
  return static_cast<std::uint16_t>(static_cast<unsigned>(steps) << 1 | (inside ? 1U : 0U));
}

Array3<float> WorkingVolume::values() const {
  Array3<float> all = array3<float>(shape());
  for (std::size_t i = 0; i < all.size(); ++i) all.data()[i] = value(static_cast<std::int64_t>(i));
  return all;
}

namespace {

/// What lies outside in a row takes the nearest value of the row, the lower one of two. False where there is none.
bool fill_row(float* row, std::int64_t n) {
  std::int64_t last = -1;
  for (std::int64_t x = 0; x < n; ++x) {
    if (std::isnan(row[x])) continue;
    if (last < 0) std::fill_n(row, x, row[x]);
    for (std::int64_t g = last + 1; last >= 0 && g < x; ++g) row[g] = g - last <= x - g ? row[last] : row[x];
    last = x;
  }
  if (last < 0) return false;
  std::fill(row + last + 1, row + n, row[last]);
  return true;
}

/// The nearest of `is_there` to i, the lower of two; -1 where there is none.
std::int64_t nearest_there(const std::vector<bool>& is_there, std::int64_t i) {
  const auto n = static_cast<std::int64_t>(is_there.size());
  for (std::int64_t d = 0; d < n; ++d)
    for (const std::int64_t j : {i - d, i + d})
      if (j >= 0 && j < n && is_there[static_cast<std::size_t>(j)]) return j;
  return -1;
}

/// Copies pieces of `length` values that are empty from the nearest piece that is not. False where all are.
bool fill_pieces(float* values, std::int64_t length, const std::vector<bool>& is_there) {
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(is_there.size()); ++i) {
    const std::int64_t from = nearest_there(is_there, i);
    if (from < 0) return false;
    if (from != i) std::copy_n(values + from * length, length, values + i * length);
  }
  return true;
}

/// Edge replication: along rows, then whole rows, then whole planes. False where there is no value at all.
bool fill_outside(Array3<float>& values, int threads) {
  const Index3 n = shape_of(values);
  std::vector<char> planes(static_cast<std::size_t>(n[0]), 0);
  parallel_for(n[0], threads, [&](std::int64_t z) {
    float* plane = values.data() + z * n[1] * n[2];
    std::vector<bool> rows(static_cast<std::size_t>(n[1]));
    for (std::int64_t y = 0; y < n[1]; ++y) rows[static_cast<std::size_t>(y)] = fill_row(plane + y * n[2], n[2]);
    planes[static_cast<std::size_t>(z)] = fill_pieces(plane, n[2], rows) ? 1 : 0;
  });
  return fill_pieces(values.data(), n[1] * n[2], {planes.begin(), planes.end()});
}

/// numpy.percentile of the values that are numbers.
std::array<double, 2> percentiles_of(const Array3<float>& values, double low, double high) {
  std::vector<float> kept;
  kept.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept), [](float v) { return !std::isnan(v); });
  if (kept.empty()) fail(Exit::data, "no voxel lies in the field of view");
  const auto at = [&](double percent) {
    const double position = percent / 100 * static_cast<double>(kept.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(position);
    std::nth_element(kept.begin(), kept.begin() + below, kept.end());
    const double first = kept[static_cast<std::size_t>(below)];
    if (below + 1 == static_cast<std::ptrdiff_t>(kept.size())) return first;
    const double next = *std::min_element(kept.begin() + below + 1, kept.end());
    return first + (next - first) * (position - static_cast<double>(below));
  };
  const double bottom = at(low);
  return {bottom, at(high)};
}

/// Absolute second differences along an axis, two steps apart, in 4096 bins up to `most`.
double noise_along(const Array3<float>& values, std::size_t axis, double most) {
  constexpr std::size_t bins = 4096;
  const Index3 n = shape_of(values);
  if (n[axis] < 5) return 0;
  const std::int64_t step = 2 * (axis == 0 ? n[1] * n[2] : axis == 1 ? n[2] : 1);
  std::vector<std::uint64_t> counts(bins, 0);
  std::uint64_t total = 0;
  Index3 low{0, 0, 0};
  Index3 high = n;
  low[axis] = 2;
  high[axis] -= 2;
  for (std::int64_t z = low[0]; z < high[0]; ++z)
    for (std::int64_t y = low[1]; y < high[1]; ++y)
      for (std::int64_t x = low[2]; x < high[2]; ++x) {
        const float* v = values.data() + (z * n[1] + y) * n[2] + x;
        const double d = std::abs(0.5 * (double{v[-step]} + double{v[step]}) - double{*v});
        if (std::isnan(d)) continue;
        counts[static_cast<std::size_t>(std::min(d / most * bins, bins - 1.0))] += 1;
        ++total;
      }
  std::uint64_t sum = 0;
  std::size_t bin = 0;
  while (bin + 1 < bins && 2 * (sum += counts[bin]) < total) ++bin;
  const double median = (static_cast<double>(bin) + 0.5) * most / bins;
  return total == 0 || bin == 0 ? 0 : 1.4826 * median / std::sqrt(1.5);
}

void smooth(Array3<float>& values, double sigma, int threads) {
  const Index3 n = shape_of(values);
  const auto reach = static_cast<std::int64_t>(std::ceil(4 * sigma));
  std::vector<float> taps;
  float sum = 0;
  for (std::int64_t d = -reach; d <= reach; ++d) {
    taps.push_back(static_cast<float>(std::exp(-0.5 * static_cast<double>(d * d) / (sigma * sigma))));
    sum += taps.back();
  }
  for (float& t : taps) t /= sum;
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (n[axis] == 1) continue;
    const std::int64_t length = n[axis];
    const std::size_t across = axis == 0 ? 1 : 0;
    const std::size_t along = axis == 2 ? 1 : 2;
    parallel_for(n[across], threads, [&](std::int64_t i) {
      std::vector<float> line(static_cast<std::size_t>(length));
      for (std::int64_t j = 0; j < n[along]; ++j) {
        float* v = values.data() + i * stride[across] + j * stride[along];
        for (std::int64_t k = 0; k < length; ++k) line[static_cast<std::size_t>(k)] = v[k * stride[axis]];
        for (std::int64_t k = 0; k < length; ++k) {
          float filtered = 0;
          for (std::int64_t d = -reach; d <= reach; ++d)
            filtered += taps[static_cast<std::size_t>(d + reach)] *
                        line[static_cast<std::size_t>(std::clamp<std::int64_t>(k + d, 0, length - 1))];
          v[k * stride[axis]] = filtered;
        }
      }
    });
  }
}

}  // namespace

double measured_noise(const Array3<float>& values) {
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  for (const float v : values) {
    if (std::isnan(v)) continue;
    low = std::min(low, double{v});
    high = std::max(high, double{v});
  }
  if (!(high > low)) return 0;
  double noise = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double along = noise_along(values, axis, high - low);
    if (along > 0) along = noise_along(values, axis, std::min(high - low, 20 * along));  // finer bins
    noise = std::max(noise, along);
  }
  return noise;
}

double denoise_sigma_for(double noise) {
  constexpr double harmless = 0.10;  // what the network met in training
  if (noise <= harmless) return 0;
  return std::min(1.0, 0.5 + 2.5 * (noise - harmless));
}

WorkingVolume working_volume(const GridSource<float>& grey,
                             const std::optional<GridSource<std::uint8_t>>& field_of_view, const WorkingGrid& grid,
                             const WorkingSettings& settings, const Context& context) {
  Array3<float> values = resampled(grey, field_of_view, grid, context);
  const auto [low, high] = percentiles_of(values, settings.low_percentile, settings.high_percentile);
  const double scale = high > low ? 1 / (high - low) : 0;
  const double noise = measured_noise(values) * scale;
  std::vector<std::uint16_t> codes(values.size());
  bool outside = false;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = std::isnan(values.data()[i]) ? 0 : 1;
    outside = outside || codes[i] == 0;
  }
  fill_outside(values, context.threads);
  const double sigma = settings.denoise_sigma.value_or(denoise_sigma_for(noise));
  if (sigma > 0) smooth(values, sigma, context.threads);
  const Index3 n = grid.shape;
  parallel_for(n[0], context.threads, [&](std::int64_t z) {
    for (std::int64_t i = z * n[1] * n[2]; i < (z + 1) * n[1] * n[2]; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double v = (double{values.data()[k]} - low) * scale;
      codes[k] = WorkingVolume::code(static_cast<float>(v), codes[k] != 0);
    }
  });
  WorkingVolume result(grid, std::move(codes));
  result.low_grey = low;
  result.high_grey = high;
  result.noise = noise;
  result.denoise_sigma = sigma;
  result.any_outside = outside;
  return result;
}

}  // namespace cathoscope
