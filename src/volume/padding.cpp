#include "padding.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace cathoscope::volumes {

namespace {

constexpr std::int64_t window = 9;
constexpr std::int64_t dilation = 6;

template <class T>
bool is_number(T v) {
  if constexpr (std::is_floating_point_v<T>) return std::isfinite(v);
  return true;
}

/// More than 95 % of the corner's window hold the corner's value.
template <class T>
bool corner_is_flat(const T* plane, std::int64_t height, std::int64_t width, std::int64_t cy, std::int64_t cx) {
  const std::int64_t y0 = cy == 0 ? 0 : height - window, x0 = cx == 0 ? 0 : width - window;
  const T value = plane[cy * width + cx];
  std::int64_t equal = 0;
  for (std::int64_t y = y0; y < y0 + window; ++y)
    for (std::int64_t x = x0; x < x0 + window; ++x) equal += plane[y * width + x] == value;
  return is_number(value) && 20 * equal > 19 * window * window;
}

}  // namespace

template <class T>
void PaddingSurvey<T>::count_values(const T* plane, std::int64_t n) {
  T last = plane[0];
  bool first = values_.empty();
  for (std::int64_t i = 0; i < n && values_.size() <= few; ++i) {
    if (!first && plane[i] == last) continue;
    first = false;
    last = plane[i];
    if (is_number(last) && std::find(values_.begin(), values_.end(), last) == values_.end()) values_.push_back(last);
  }
}

template <class T>
void PaddingSurvey<T>::vote(T value) {
  const auto found = std::find_if(votes_.begin(), votes_.end(), [&](const auto& v) { return v.first == value; });
  if (found == votes_.end())
    votes_.emplace_back(value, 1);
  else
    ++found->second;
}

template <class T>
void PaddingSurvey<T>::add(const T* plane, std::int64_t height, std::int64_t width) {
  count_values(plane, height * width);
  if (height < window || width < window) return;
  for (const std::int64_t cy : {std::int64_t{0}, height - 1})
    for (const std::int64_t cx : {std::int64_t{0}, width - 1})
      if (corner_is_flat(plane, height, width, cy, cx)) vote(plane[cy * width + cx]);
}

template <class T>
std::optional<T> PaddingSurvey<T>::value() const {
  if (values_.size() <= few || votes_.empty()) return std::nullopt;
  const auto best = std::max_element(votes_.begin(), votes_.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first > b.first;
  });
  return best->first;
}

namespace {

using Mask = std::vector<std::uint8_t>;

/// Marks voxels that hold the value without interruption from the border, along rows and columns.
template <class T>
Mask border_runs(const T* plane, std::int64_t height, std::int64_t width, T value) {
  Mask runs(static_cast<std::size_t>(height * width), 0);
  const auto mark = [&](std::int64_t start, std::int64_t step, std::int64_t count) {
    for (std::int64_t i = start, k = 0; k < count && plane[i] == value; ++k, i += step)
      runs[static_cast<std::size_t>(i)] = 1;
  };
  for (std::int64_t y = 0; y < height; ++y) {
    mark(y * width, 1, width);
    mark(y * width + width - 1, -1, width);
  }
  for (std::int64_t x = 0; x < width; ++x) {
    mark(x, width, height);
    mark((height - 1) * width + x, -width, height);
  }
  return runs;
}

/// Sum over [i - radius, i + radius], cut at the ends, of `count` values at a stride; into `out` at the same stride.
template <class In, class Out>
void box_sum(const In* in, std::int64_t count, std::int64_t stride, std::int64_t radius, Out* out) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < std::min(radius, count); ++i) sum += in[i * stride];
  for (std::int64_t i = 0; i < count; ++i) {
    if (i + radius < count) sum += in[(i + radius) * stride];
    if (i - radius - 1 >= 0) sum -= in[(i - radius - 1) * stride];
    out[i * stride] = static_cast<Out>(sum);
  }
}

std::vector<std::uint16_t> window_sums(const std::uint8_t* mask, std::int64_t height, std::int64_t width,
                                       std::int64_t radius) {
  std::vector<std::uint16_t> rows(static_cast<std::size_t>(height * width)), sums(rows.size());
  for (std::int64_t y = 0; y < height; ++y) box_sum(mask + y * width, width, 1, radius, rows.data() + y * width);
  for (std::int64_t x = 0; x < width; ++x) box_sum(rows.data() + x, height, width, radius, sums.data() + x);
  return sums;
}

std::int64_t window_extent(std::int64_t i, std::int64_t n, std::int64_t radius) {
  return std::min(n - 1, i + radius) - std::max<std::int64_t>(0, i - radius) + 1;
}

/// Keeps voxels whose window is nearly full; returns how many.
std::int64_t keep_flat(Mask& mask, std::int64_t height, std::int64_t width) {
  constexpr std::int64_t radius = window / 2;
  const auto sums = window_sums(mask.data(), height, width, radius);
  std::int64_t kept = 0;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<std::size_t>(y * width + x);
      const std::int64_t full = window_extent(y, height, radius) * window_extent(x, width, radius);
      mask[i] = mask[i] != 0 && 20 * std::int64_t{sums[i]} > 19 * full;
      kept += mask[i];
    }
  return kept;
}

/// 1500 voxels, or less in small slices, where a corner is small as well.
std::int64_t smallest_padding(std::int64_t height, std::int64_t width) {
  return std::clamp<std::int64_t>(height * width / 200, window * window, 1500);
}

}  // namespace

template <class T>
std::int64_t mark_padding(const T* plane, std::int64_t height, std::int64_t width, T value, std::uint8_t* outside) {
  const std::int64_t n = height * width;
  Mask mask = border_runs(plane, height, width, value);
  if (keep_flat(mask, height, width) < smallest_padding(height, width)) {
    std::fill_n(outside, n, std::uint8_t{0});
    return 0;
  }
  const auto sums = window_sums(mask.data(), height, width, dilation);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += outside[i] = sums[static_cast<std::size_t>(i)] > 0;
  return count;
}

#define CATHOSCOPE_PADDING(T)      \
  template class PaddingSurvey<T>; \
  template std::int64_t mark_padding<T>(const T*, std::int64_t, std::int64_t, T, std::uint8_t*);
CATHOSCOPE_PADDING(std::uint8_t)
CATHOSCOPE_PADDING(std::int8_t)
CATHOSCOPE_PADDING(std::uint16_t)
CATHOSCOPE_PADDING(std::int16_t)
CATHOSCOPE_PADDING(std::uint32_t)
CATHOSCOPE_PADDING(std::int32_t)
CATHOSCOPE_PADDING(std::uint64_t)
CATHOSCOPE_PADDING(std::int64_t)
CATHOSCOPE_PADDING(float)
CATHOSCOPE_PADDING(double)

}  // namespace cathoscope::volumes
