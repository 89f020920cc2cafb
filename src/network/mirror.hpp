#pragma once
/// Continuing an image beyond its border by reflection; the border pixel itself is not repeated.

#include <cstdint>

namespace cathoscope {

/// The pixel of 0 .. n-1 that stands at position i of any size.
inline std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

}  // namespace cathoscope
