#pragma once
/// Averages over cubes of voxels.

#include <cathoscope/core/box.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace cathoscope::volumes {

/// floor((2 s + n) / 2n): s / n rounded to the nearest whole number, halves up.
template <class Int>
Int rounded_quotient(Int s, Int n) {
  const Int a = 2 * s + n, b = 2 * n;
  if constexpr (std::is_signed_v<Int>)
    return a / b - (a % b != 0 && a < 0 ? 1 : 0);
  else
    return a / b;
}

/// Mean of a whole bin, rounded to T. Integers: exact sum, halves up. Floats: over the finite values, summed in double
/// in z, y, x order; NaN where there is none.
template <class T>
class BinMean {
 public:
  explicit BinMean(std::int64_t count) : count_(static_cast<Sum>(count)) {}
  void add(T v) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(v)) return;
      sum_ += static_cast<double>(v);
      ++finite_;
    } else if constexpr (sizeof(T) == 8) {
      sum_ += v / count_;  // quotients and remainders apart, so that nothing overflows
      rest_ += v % count_;
    } else {
      sum_ += v;
    }
  }
  [[nodiscard]] T value() const {
    if constexpr (std::is_floating_point_v<T>)
      return finite_ == 0 ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(sum_ / static_cast<double>(finite_));
    else if constexpr (sizeof(T) == 8)
      return static_cast<T>(sum_ + rounded_quotient(rest_, count_));
    else
      return static_cast<T>(rounded_quotient(sum_, count_));
  }

 private:
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double,
                                 std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
  Sum count_;
  Sum sum_ = 0;
  Sum rest_ = 0;
  std::int64_t finite_ = 0;
};

/// Calls f(value) for every voxel of one bin, z, y, x.
template <class T, class F>
void for_bin(const T* first, const Index3& bin, const Index3& strides, F&& f) {
  for (std::int64_t z = 0; z < bin[0]; ++z)
    for (std::int64_t y = 0; y < bin[1]; ++y)
      for (std::int64_t x = 0; x < bin[2]; ++x) f(first[z * strides[0] + y * strides[1] + x * strides[2]]);
}

/// Calls reduce(bin's first voxel) for every voxel of plane z of the result and stores what it returns.
template <class T, class U, class F>
void reduce_plane(const T* stored, const Index3& strides, const Index3& bin, const Index3& shape, std::int64_t z,
                  U* out, F&& reduce) {
  U* target = out + z * shape[1] * shape[2];
  for (std::int64_t y = 0; y < shape[1]; ++y) {
    const T* row = stored + z * bin[0] * strides[0] + y * bin[1] * strides[1];
    for (std::int64_t x = 0; x < shape[2]; ++x) *target++ = reduce(row + x * bin[2] * strides[2]);
  }
}

}  // namespace cathoscope::volumes
