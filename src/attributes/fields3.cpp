#include "fields3.hpp"

#include "multiversion.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace cathoscope::attributes {

namespace {

constexpr float infinite = std::numeric_limits<float>::max() / 4;

CATHOSCOPE_MULTIVERSION
void lower_to(float* out, const float* other, float offset, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float v = other[i] + offset;
    out[i] = v < out[i] ? v : out[i];
  }
}

CATHOSCOPE_MULTIVERSION
void add_pair(float* out, const float* a, const float* b, float weight, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] += weight * (a[i] + b[i]);
}

CATHOSCOPE_MULTIVERSION
void scale_to(float* out, const float* in, float weight, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = weight * in[i];
}

/// Squared distances along a row of bits, two sweeps.
void distance_along(std::span<const std::uint64_t> bits, float* out, std::int64_t n, double h) {
  const auto set = [&](std::int64_t x) { return (bits[static_cast<std::size_t>(x / 64)] >> (x % 64) & 1) != 0; };
  const std::int64_t none = -(std::int64_t{1} << 40);
  std::int64_t last = none;
  for (std::int64_t x = 0; x < n; ++x) {
    if (set(x)) last = x;
    out[x] = last == none ? infinite : static_cast<float>(static_cast<double>(x - last) * h);
  }
  last = none;
  for (std::int64_t x = n - 1; x >= 0; --x) {
    if (set(x)) last = x;
    if (last != none) out[x] = std::min(out[x], static_cast<float>(static_cast<double>(last - x) * h));
  }
  for (std::int64_t x = 0; x < n; ++x)
    if (out[x] < infinite) out[x] *= out[x];
}

/// f(row) for every line of rows along axis 0 or 1: lines of `count` rows, `stride` values apart.
struct Lines {
  std::int64_t count, stride, outer, outer_stride;
};

Lines lines_along(int axis, const Index3& s) {
  if (axis == 0) return {s[0], s[1] * s[2], s[1], s[2]};
  return {s[1], s[2], s[0], s[1] * s[2]};
}

/// Minimum over the window of value + squared offset, along z or y.
void lower_along(int axis, double h, double cap, Field& field) {
  const Lines lines = lines_along(axis, field.shape);
  const std::int64_t n = field.shape[2];
  const auto reach = std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(cap / h + 1e-9)), lines.count - 1);
  std::vector<float> line(static_cast<std::size_t>(lines.count * n));
  std::vector<char> used(static_cast<std::size_t>(lines.count));
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    float* base = field.values.data() + o * lines.outer_stride;
    bool any = false;
    for (std::int64_t i = 0; i < lines.count; ++i) {
      const float* row = base + i * lines.stride;
      std::copy_n(row, n, line.data() + i * n);
      const bool here = std::any_of(row, row + n, [](float v) { return v < infinite; });
      used[static_cast<std::size_t>(i)] = here;
      any = any || here;
    }
    if (!any) continue;
    for (std::int64_t i = 0; i < lines.count; ++i)
      for (std::int64_t j = std::max<std::int64_t>(0, i - reach); j <= std::min(lines.count - 1, i + reach); ++j) {
        if (j == i || !used[static_cast<std::size_t>(j)]) continue;
        const double d = static_cast<double>(j - i) * h;
        lower_to(base + i * lines.stride, line.data() + j * n, static_cast<float>(d * d), n);
      }
  }
}

/// Half of a symmetric kernel, sum of the whole 1.
std::vector<float> gaussian_kernel(double sigma_voxels) {
  const auto reach = static_cast<std::int64_t>(std::ceil(3.5 * sigma_voxels));
  std::vector<double> half;
  double sum = 0;
  for (std::int64_t i = 0; i <= reach; ++i) {
    half.push_back(std::exp(-0.5 * std::pow(static_cast<double>(i) / sigma_voxels, 2)));
    sum += (i == 0 ? 1 : 2) * half.back();
  }
  std::vector<float> kernel;
  for (const double v : half) kernel.push_back(static_cast<float>(v / sum));
  return kernel;
}

void smooth_along_rows(const std::vector<float>& kernel, Field& field) {
  const std::int64_t n = field.shape[2];
  const auto reach = static_cast<std::int64_t>(kernel.size()) - 1;
  std::vector<float> padded(static_cast<std::size_t>(n + 2 * reach));
  for (std::int64_t r = 0; r < field.shape[0] * field.shape[1]; ++r) {
    float* row = field.values.data() + r * n;
    std::fill_n(padded.begin(), reach, row[0]);
    std::copy_n(row, n, padded.begin() + reach);
    std::fill_n(padded.begin() + reach + n, reach, row[n - 1]);
    const float* centre = padded.data() + reach;
    scale_to(row, centre, kernel[0], n);
    for (std::int64_t k = 1; k <= reach; ++k)
      add_pair(row, centre - k, centre + k, kernel[static_cast<std::size_t>(k)], n);
  }
}

void smooth_along(int axis, const std::vector<float>& kernel, Field& field) {
  const Lines lines = lines_along(axis, field.shape);
  const std::int64_t n = field.shape[2];
  const auto reach = static_cast<std::int64_t>(kernel.size()) - 1;
  std::vector<float> line(static_cast<std::size_t>(lines.count * n));
  const auto at = [&](std::int64_t i) { return line.data() + std::clamp<std::int64_t>(i, 0, lines.count - 1) * n; };
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    float* base = field.values.data() + o * lines.outer_stride;
    for (std::int64_t i = 0; i < lines.count; ++i) std::copy_n(base + i * lines.stride, n, line.data() + i * n);
    for (std::int64_t i = 0; i < lines.count; ++i) {
      float* row = base + i * lines.stride;
      scale_to(row, at(i), kernel[0], n);
      for (std::int64_t k = 1; k <= reach; ++k)
        add_pair(row, at(i - k), at(i + k), kernel[static_cast<std::size_t>(k)], n);
    }
  }
}

}  // namespace

Field squared_distance(const BitMask& mask, const Vec3& voxel_size_um, double cap_um) {
  const Index3& shape = mask.shape();
  Field field(shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      distance_along(mask.row(z, y), field.row(z, y), shape[2], voxel_size_um[2]);
  lower_along(1, voxel_size_um[1], cap_um, field);
  lower_along(0, voxel_size_um[0], cap_um, field);
  return field;
}

BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um) {
  if (!mask.any()) return mask;
  const Field d = squared_distance(mask, voxel_size_um, distance_um);
  const auto limit = static_cast<float>(distance_um * distance_um * (1 + 1e-6));
  return mask_where(d.values.data(), d.shape, [limit](float v) { return v <= limit; });
}

Index3 smoothing_reach(const Vec3& voxel_size_um, double sigma_um) {
  Index3 reach{};
  for (std::size_t i = 0; i < 3; ++i)
    reach[i] = static_cast<std::int64_t>(std::ceil(3.5 * sigma_um / voxel_size_um[i]));
  return reach;
}

Field smoothed(Field field, const Vec3& voxel_size_um, const Vec3& sigma_um) {
  if (sigma_um[2] > 0) smooth_along_rows(gaussian_kernel(sigma_um[2] / voxel_size_um[2]), field);
  for (const int axis : {1, 0}) {
    const auto a = static_cast<std::size_t>(axis);
    if (sigma_um[a] > 0) smooth_along(axis, gaussian_kernel(sigma_um[a] / voxel_size_um[a]), field);
  }
  return field;
}

Field smoothed(Field field, const Vec3& voxel_size_um, double sigma_um) {
  return smoothed(std::move(field), voxel_size_um, Vec3{sigma_um, sigma_um, sigma_um});
}

Field field_of(const BitMask& mask) {
  Field field(mask.shape());
  for_each_set(mask, [&](std::int64_t z, std::int64_t y, std::int64_t x) { field.row(z, y)[x] = 1; });
  return field;
}

BitMask largest(const Field& field, const BitMask& among, std::int64_t count) {
  if (count <= 0) return BitMask(field.shape);
  std::vector<float> values;
  for_each_set(among, [&](std::int64_t z, std::int64_t y, std::int64_t x) { values.push_back(field.row(z, y)[x]); });
  if (count >= static_cast<std::int64_t>(values.size())) return among;
  std::nth_element(values.begin(), values.begin() + (count - 1), values.end(), std::greater<>());
  const float threshold = values[static_cast<std::size_t>(count - 1)];
  return mask_where(field.values.data(), field.shape, [threshold](float v) { return v >= threshold; }) & among;
}

}  // namespace cathoscope::attributes
