#include "fields3.hpp"

#include "multiversion.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

namespace cathoscope::attributes {

namespace {

CATHOSCOPE_MULTIVERSION
void add_pair(float* out, const float* a, const float* b, float weight, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] += weight * (a[i] + b[i]);
}

CATHOSCOPE_MULTIVERSION
void scale_to(float* out, const float* in, float weight, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = weight * in[i];
}

/// f(row) for every line of rows along axis 0 or 1: lines of `count` rows, `stride` values apart.
struct Lines {
  std::int64_t count, stride, outer, outer_stride;
};

Lines lines_along(int axis, const Index3& s) {
  if (axis == 0) return {s[0], s[1] * s[2], s[1], s[2]};
  return {s[1], s[2], s[0], s[1] * s[2]};
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

/// No value differs from 0; without an early exit, so that it vectorises. Values here are not negative zeros.
bool all_zero(const float* row, std::int64_t n) {
  std::uint32_t bits = 0;
  for (std::int64_t i = 0; i < n; ++i) bits |= std::bit_cast<std::uint32_t>(row[i]);
  return bits == 0;
}

/// Rows of zeros, most of them around a particle, stay as they are.
void smooth_along_rows(const std::vector<float>& kernel, Field& field) {
  const std::int64_t n = field.shape[2];
  const auto reach = static_cast<std::int64_t>(kernel.size()) - 1;
  std::vector<float> padded(static_cast<std::size_t>(n + 2 * reach));
  for (std::int64_t r = 0; r < field.shape[0] * field.shape[1]; ++r) {
    float* row = field.values.data() + r * n;
    if (all_zero(row, n)) continue;
    std::fill_n(padded.begin(), reach, row[0]);
    std::copy_n(row, n, padded.begin() + reach);
    std::fill_n(padded.begin() + reach + n, reach, row[n - 1]);
    const float* centre = padded.data() + reach;
    scale_to(row, centre, kernel[0], n);
    for (std::int64_t k = 1; k <= reach; ++k)
      add_pair(row, centre - k, centre + k, kernel[static_cast<std::size_t>(k)], n);
  }
}

/// One line of rows; `line` is a copy of it. Rows of zeros add nothing and are passed over.
void smooth_line(const std::vector<float>& kernel, const Lines& lines, std::int64_t n, float* base,
                 const std::vector<float>& line, const std::vector<char>& used) {
  const auto reach = static_cast<std::int64_t>(kernel.size()) - 1;
  const auto index = [&](std::int64_t i) { return std::clamp<std::int64_t>(i, 0, lines.count - 1); };
  for (std::int64_t i = 0; i < lines.count; ++i) {
    float* row = base + i * lines.stride;
    scale_to(row, line.data() + i * n, kernel[0], n);
    for (std::int64_t k = 1; k <= reach; ++k) {
      const std::int64_t below = index(i - k), above = index(i + k);
      if (used[static_cast<std::size_t>(below)] == 0 && used[static_cast<std::size_t>(above)] == 0) continue;
      add_pair(row, line.data() + below * n, line.data() + above * n, kernel[static_cast<std::size_t>(k)], n);
    }
  }
}

void smooth_along(int axis, const std::vector<float>& kernel, Field& field) {
  const Lines lines = lines_along(axis, field.shape);
  const std::int64_t n = field.shape[2];
  std::vector<float> line(static_cast<std::size_t>(lines.count * n));
  std::vector<char> used(static_cast<std::size_t>(lines.count));
  for (std::int64_t o = 0; o < lines.outer; ++o) {
    float* base = field.values.data() + o * lines.outer_stride;
    for (std::int64_t i = 0; i < lines.count; ++i) {
      std::copy_n(base + i * lines.stride, n, line.data() + i * n);
      used[static_cast<std::size_t>(i)] = all_zero(line.data() + i * n, n) ? 0 : 1;
    }
    if (std::any_of(used.begin(), used.end(), [](char u) { return u != 0; }))
      smooth_line(kernel, lines, n, base, line, used);
  }
}

}  // namespace

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
  const auto where = [&](float low, float high) {
    return among & mask_where(field.values.data(), field.shape, [=](float v) { return v > low && v <= high; });
  };
  constexpr float most = std::numeric_limits<float>::max();
  // the threshold of a smoothed mask lies well between 0 and 1; elsewhere it is looked for among all values
  BitMask between = where(0.1F, 0.9F);
  const BitMask above = where(0.9F, most);
  std::int64_t wanted = count - above.count();
  if (wanted <= 0 || wanted > between.count()) {
    between = among;
    wanted = count;
  }
  std::vector<float> values;
  for_each_set(between, [&](std::int64_t z, std::int64_t y, std::int64_t x) { values.push_back(field.row(z, y)[x]); });
  if (wanted > static_cast<std::int64_t>(values.size())) return among;
  std::nth_element(values.begin(), values.begin() + (wanted - 1), values.end(), std::greater<>());
  const float threshold = values[static_cast<std::size_t>(wanted - 1)];
  return mask_where(field.values.data(), field.shape, [threshold](float v) { return v >= threshold; }) & among;
}

}  // namespace cathoscope::attributes
