#pragma once
/// The random numbers of numpy's legacy RandomState and of scikit-learn's tree splitter.

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace cathoscope::sklearn {

/// numpy.random.RandomState(seed) as far as scikit-learn's forests use it.
class RandomState {
 public:
  explicit RandomState(std::uint32_t seed) : engine_(seed) {}

  /// randint(0, n): masked rejection on 32-bit draws.
  std::uint32_t below(std::uint32_t n) { return up_to(n - 1); }
  /// permutation(n): Fisher-Yates from the end.
  std::vector<std::int64_t> permutation(std::size_t n);

 private:
  std::uint32_t up_to(std::uint32_t highest);
  std::mt19937 engine_;
};

inline std::uint32_t RandomState::up_to(std::uint32_t highest) {
  if (highest == 0) return 0;
  std::uint32_t mask = highest;
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  std::uint32_t value = 0;
  do value = static_cast<std::uint32_t>(engine_()) & mask;
  while (value > highest);
  return value;
}

inline std::vector<std::int64_t> RandomState::permutation(std::size_t n) {
  std::vector<std::int64_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<std::int64_t>(i);
  for (std::size_t i = n; i-- > 1;) std::swap(order[i], order[up_to(static_cast<std::uint32_t>(i))]);
  return order;
}

/// The splitter's generator: xorshift32 (13, 17, 5), taken modulo 2^31.
class SplitterRandom {
 public:
  explicit SplitterRandom(std::uint32_t state) : state_(state) {}

  std::uint32_t below(std::uint32_t n) {
    if (state_ == 0) state_ = 1;
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return (state_ % 0x80000000U) % n;
  }

 private:
  std::uint32_t state_;
};

}  // namespace cathoscope::sklearn
