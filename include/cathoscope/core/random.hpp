#pragma once
/// Counter-based random numbers: the same draws for any schedule of threads, blocks or ranks.
/// Generator: Philox4x32-10 (Salmon et al., SC11, DOI 10.1145/2063384.2063405).

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace cathoscope {

/// One Philox4x32-10 block: four 32-bit words from a counter and a key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A 64-bit key from the seed and the names and numbers that tell one stream from another.
std::uint64_t stream_key(std::uint64_t seed, std::initializer_list<std::string_view> names, std::uint64_t item = 0);

/// A stream of draws. Cheap to make: one for each item (particle, tree, block) that needs its own.
class Stream {
 public:
  explicit Stream(std::uint64_t key) : key_(key) {}
  Stream(std::uint64_t seed, std::initializer_list<std::string_view> names, std::uint64_t item = 0)
      : key_(stream_key(seed, names, item)) {}

  std::uint32_t next32();
  std::uint64_t next64();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller; both values are used).
  double normal();
  /// Uniform integer in [0, n), unbiased (Lemire). n >= 1.
  std::uint64_t below(std::uint64_t n);
  /// Poisson by multiplication of uniforms; meant for means below about 50.
  std::uint64_t poisson(double mean);

  /// Fisher-Yates shuffle of [first, last).
  template <class It>
  void shuffle(It first, It last) {
    for (auto n = static_cast<std::uint64_t>(last - first); n > 1; --n) {
      using std::swap;
      swap(first[static_cast<std::ptrdiff_t>(n - 1)], first[static_cast<std::ptrdiff_t>(below(n))]);
    }
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> words_{};
  int left_ = 0;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace cathoscope
