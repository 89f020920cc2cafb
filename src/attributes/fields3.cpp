#include "fields3.hpp"

#include <cathoscope/core/multiversion.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace cathoscope::attributes {

namespace {

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

/// What one output row is made of: the rows (or the shifted row) at equal distance to both sides, nearest first.
struct Taps {
  const float* centre;
  std::vector<const float*> below, above;
};

/// Sixteen values at once stay in registers until all taps are in; every instruction set adds in the same order. The
/// last sixteen overlap those before them: out is not an input, so they get the same values again.
CATHOSCOPE_MULTIVERSION
void weigh(float* out, const float* centre, const float* const* below, const float* const* above, const float* kernel,
           std::int64_t reach, std::int64_t n) {
  constexpr std::int64_t lanes = 16;
  using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));
  for (std::int64_t start = 0; n >= lanes && start < n; start += lanes) {
    const std::int64_t i = std::min(start, n - lanes);
    Lanes sum, a, b;
    std::memcpy(&a, centre + i, sizeof a);
    sum = kernel[0] * a;
    for (std::int64_t k = 0; k < reach; ++k) {
      std::memcpy(&a, below[k] + i, sizeof a);
      std::memcpy(&b, above[k] + i, sizeof b);
      sum += kernel[k + 1] * (a + b);
    }
    std::memcpy(out + i, &sum, sizeof sum);
  }
  for (std::int64_t i = 0; n < lanes && i < n; ++i) {
    float sum = kernel[0] * centre[i];
    for (std::int64_t k = 0; k < reach; ++k) sum += kernel[k + 1] * (below[k][i] + above[k][i]);
    out[i] = sum;
  }
}

void weigh(float* out, const Taps& taps, const std::vector<float>& kernel, std::int64_t n) {
  weigh(out, taps.centre, taps.below.data(), taps.above.data(), kernel.data(),
        static_cast<std::int64_t>(kernel.size()) - 1, n);
}

/// No value differs from 0; without an early exit, so that it vectorises. Values here are not negative zeros.
bool all_zero(const float* row, std::int64_t n) {
  std::uint32_t bits = 0;
  for (std::int64_t i = 0; i < n; ++i) bits |= std::bit_cast<std::uint32_t>(row[i]);
  return bits == 0;
}

/// The smallest box with all values that are not 0.
Box support_of(const Field& field) {
  const Index3& s = field.shape;
  Box box{s, {0, 0, 0}};
  for (std::int64_t z = 0; z < s[0]; ++z)
    for (std::int64_t y = 0; y < s[1]; ++y) {
      const float* row = field.row(z, y);
      if (row[s[2] / 2] == 0 && all_zero(row, s[2])) continue;
      std::int64_t first = 0, last = s[2] - 1;
      while (first < box.begin[2] && row[first] == 0) ++first;
      while (last >= box.end[2] && row[last] == 0) --last;
      box.begin = {std::min(box.begin[0], z), std::min(box.begin[1], y), first};
      box.end = {std::max(box.end[0], z + 1), std::max(box.end[1], y + 1), last + 1};
    }
  return box.empty() ? Box{} : box;
}

Box grown_along(Box box, std::size_t axis, std::int64_t reach, const Index3& shape) {
  box.begin[axis] = std::max<std::int64_t>(0, box.begin[axis] - reach);
  box.end[axis] = std::min(shape[axis], box.end[axis] + reach);
  return box;
}

void smooth_along_rows(const std::vector<float>& kernel, const Field& in, const Box& box, Field& out) {
  const std::int64_t n = in.shape[2];
  const auto reach = static_cast<std::int64_t>(kernel.size()) - 1;
  std::vector<float> padded(static_cast<std::size_t>(n + 2 * reach));
  Taps taps{padded.data() + reach + box.begin[2], {}, {}};
  for (std::int64_t k = 1; k <= reach; ++k) {
    taps.below.push_back(taps.centre - k);
    taps.above.push_back(taps.centre + k);
  }
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      const float* row = in.row(z, y);
      std::fill_n(padded.begin(), reach, row[0]);
      std::copy_n(row, n, padded.begin() + reach);
      std::fill_n(padded.begin() + reach + n, reach, row[n - 1]);
      weigh(out.row(z, y) + box.begin[2], taps, kernel, box.end[2] - box.begin[2]);
    }
}

void smooth_across_rows(std::size_t axis, const std::vector<float>& kernel, const Field& in, const Box& box,
                        Field& out) {
  const auto reach = static_cast<std::int64_t>(kernel.size()) - 1;
  Taps taps{nullptr, std::vector<const float*>(kernel.size() - 1), std::vector<const float*>(kernel.size() - 1)};
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      const auto row = [&](std::int64_t step) {
        std::array<std::int64_t, 2> at{z, y};
        at[axis] = std::clamp<std::int64_t>(at[axis] + step, 0, in.shape[axis] - 1);
        return in.row(at[0], at[1]) + box.begin[2];
      };
      taps.centre = row(0);
      for (std::int64_t k = 1; k <= reach; ++k) {
        taps.below[static_cast<std::size_t>(k - 1)] = row(-k);
        taps.above[static_cast<std::size_t>(k - 1)] = row(k);
      }
      weigh(out.row(z, y) + box.begin[2], taps, kernel, box.end[2] - box.begin[2]);
    }
}

/// Bits in the order of the values.
std::uint32_t ordered(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
}

float from_ordered(std::uint32_t key) { return std::bit_cast<float>((key >> 31) != 0 ? key & 0x7FFFFFFFU : ~key); }

}  // namespace

float nth_smallest(const std::vector<float>& values, std::size_t n) {
  std::vector<std::uint32_t> counts(1 << 16, 0);
  for (const float v : values) ++counts[ordered(v) >> 16];
  std::uint32_t bucket = 0;
  while (n >= counts[bucket]) n -= counts[bucket++];
  std::vector<std::uint32_t> keys;
  keys.reserve(counts[bucket]);
  for (const float v : values)
    if (const std::uint32_t key = ordered(v); key >> 16 == bucket) keys.push_back(key);
  const auto wanted = keys.begin() + static_cast<std::ptrdiff_t>(n);
  std::nth_element(keys.begin(), wanted, keys.end());
  return from_ordered(*wanted);
}

Index3 smoothing_reach(const Vec3& voxel_size_um, double sigma_um) {
  Index3 reach{};
  for (std::size_t i = 0; i < 3; ++i)
    reach[i] = static_cast<std::int64_t>(std::ceil(3.5 * sigma_um / voxel_size_um[i]));
  return reach;
}

Field smoothed(Field field, const Vec3& voxel_size_um, const Vec3& sigma_um) {
  const Box all = whole(field.shape);
  return smoothed(std::move(field), voxel_size_um, sigma_um, all);
}

Field smoothed(Field field, const Vec3& voxel_size_um, const Vec3& sigma_um, const Box& wanted) {
  const Index3 shape = field.shape;
  Box box = support_of(field);
  if (box.empty()) return field;
  Field other(shape);
  std::array<std::vector<float>, 3> kernels;
  std::array<Box, 3> needed{};  // of the pass along each axis: what the passes after it look at
  Box later = wanted;
  for (const std::size_t axis : {0U, 1U, 2U}) {
    needed[axis] = later;
    if (sigma_um[axis] <= 0) continue;
    kernels[axis] = gaussian_kernel(sigma_um[axis] / voxel_size_um[axis]);
    later = grown_along(later, axis, static_cast<std::int64_t>(kernels[axis].size()) - 1, shape);
  }
  // Outside `box` both fields are 0 (or not wanted), and it only grows: nothing of an earlier pass shows through.
  for (const std::size_t axis : {2U, 1U, 0U}) {
    if (kernels[axis].empty()) continue;
    box = grown_along(box, axis, static_cast<std::int64_t>(kernels[axis].size()) - 1, shape);
    const Box part = intersect(box, needed[axis]);
    if (part.empty()) continue;
    if (axis == 2)
      smooth_along_rows(kernels[axis], field, part, other);
    else
      smooth_across_rows(axis, kernels[axis], field, part, other);
    std::swap(field, other);
  }
  return field;
}

Field smoothed(Field field, const Vec3& voxel_size_um, double sigma_um) {
  return smoothed(std::move(field), voxel_size_um, Vec3{sigma_um, sigma_um, sigma_um});
}

Field field_of(const BitMask& mask) {
  Field field(mask.shape());
  const Index3& s = mask.shape();
  for (std::int64_t z = 0; z < s[0]; ++z)
    for (std::int64_t y = 0; y < s[1]; ++y)
      for (std::int64_t x = 0; x < s[2]; x += 64) {
        const std::uint64_t word = mask.row(z, y)[static_cast<std::size_t>(x / 64)];
        if (word == 0) continue;
        float* row = field.row(z, y) + x;
        for (std::int64_t i = 0; i < std::min<std::int64_t>(64, s[2] - x); ++i)
          row[i] = static_cast<float>(static_cast<std::int32_t>(word >> i & 1));
      }
  return field;
}

BitMask largest(const Field& field, const BitMask& among, std::int64_t count) {
  if (count <= 0) return BitMask(field.shape);
  const auto where = [&](float low, float high) {
    return among & mask_where(field.values.data(), field.shape, [=](float v) { return (v > low) & (v <= high); });
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
  values.reserve(static_cast<std::size_t>(between.count()));
  for_each_set(between, [&](std::int64_t z, std::int64_t y, std::int64_t x) { values.push_back(field.row(z, y)[x]); });
  if (wanted > static_cast<std::int64_t>(values.size())) return among;
  const float threshold = nth_smallest(values, values.size() - static_cast<std::size_t>(wanted));
  return mask_where(field.values.data(), field.shape, [threshold](float v) { return v >= threshold; }) & among;
}

}  // namespace cathoscope::attributes
