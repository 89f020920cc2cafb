#pragma once
/// Exact order statistics of any number of values, by digits of 16 bits, in bounded memory.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <type_traits>
#include <vector>

namespace cathoscope::volumes {

/// A number of as many bits whose unsigned order is the order of the values. Both zeros are one value.
template <class T>
auto order_key(T v) {
  using U = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                               std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  constexpr U top = static_cast<U>(U{1} << (8 * sizeof(T) - 1));
  if constexpr (std::is_floating_point_v<T>) {
    const U bits = std::bit_cast<U>(v == 0 ? T{0} : v);
    return static_cast<U>((bits & top) != 0 ? ~bits : bits | top);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<U>(static_cast<U>(v) ^ top);
  } else {
    return static_cast<U>(v);
  }
}

/// The value of a key.
template <class T, class U>
T value_of_key(U key) {
  constexpr U top = static_cast<U>(U{1} << (8 * sizeof(T) - 1));
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(static_cast<U>((key & top) != 0 ? key ^ top : ~key));
  else if constexpr (std::is_signed_v<T>)
    return static_cast<T>(static_cast<U>(key ^ top));
  else
    return static_cast<T>(key);
}

/// Counts of the digit that follows each of a few prefixes.
using DigitCounts = std::map<std::uint64_t, std::vector<std::uint64_t>>;

/// Bits of a key below the digit of round r (round 0 = the highest 16 bits).
template <class T>
constexpr int shift_of_round(int round) {
  const int shift = static_cast<int>(8 * sizeof(T)) - 16 * (round + 1);
  return shift < 0 ? 0 : shift;
}

template <class T>
constexpr int rounds_of() {
  return sizeof(T) <= 2 ? 1 : static_cast<int>(sizeof(T)) / 2;
}

/// The wanted ranks and what is known of their keys so far.
struct RankSearch {
  struct Rank {
    std::uint64_t within = 0;  ///< rank among the values that share the prefix
    std::uint64_t prefix = 0;  ///< digits found
  };
  std::vector<Rank> ranks;

  /// Takes the digit of every rank from the counts of this round.
  void take(const DigitCounts& counts) {
    for (Rank& r : ranks) {
      const auto& digits = counts.at(r.prefix);
      std::uint64_t digit = 0;
      while (r.within >= digits[digit]) r.within -= digits[digit++];
      r.prefix = r.prefix << 16 | digit;
    }
  }
};

}  // namespace cathoscope::volumes
