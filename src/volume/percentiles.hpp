#pragma once
/// Exact percentiles of a stored volume inside its mask, a few passes over the stored volume at most.

#include "order_statistics.hpp"

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <mutex>
#include <optional>

namespace cathoscope::volumes {

template <class T>
bool counts_as_value(T v) {
  if constexpr (std::is_floating_point_v<T>) return std::isfinite(v);
  return true;
}

/// Adds the digits of round `round` of the values inside to the counts of their prefixes. Sums of whole numbers: the
/// order of the threads does not matter.
template <class T>
void count_digits(const T* values, const std::uint8_t* inside, std::int64_t n, int round, int threads,
                  DigitCounts& counts) {
  constexpr std::int64_t piece = std::int64_t{1} << 22;
  const int shift = shift_of_round<T>(round);
  std::mutex mutex;
  parallel_for((n + piece - 1) / piece, threads, [&](std::int64_t p) {
    DigitCounts mine;
    for (const auto& [prefix, digits] : counts) mine[prefix].resize(digits.size());
    auto* first = &mine.begin()->second;
    for (std::int64_t i = p * piece; i < std::min(n, (p + 1) * piece); ++i) {
      if ((inside != nullptr && inside[i] == 0) || !counts_as_value(values[i])) continue;
      const std::uint64_t key = order_key(values[i]);
      const auto digit = static_cast<std::size_t>((key >> shift) & 0xFFFF);
      if (round == 0) {
        ++(*first)[digit];
      } else if (const auto found = mine.find(key >> (shift + 16)); found != mine.end()) {
        ++found->second[digit];
      }
    }
    const std::scoped_lock lock(mutex);
    for (auto& [prefix, digits] : counts)
      for (std::size_t d = 0; d < digits.size(); ++d) digits[d] += mine[prefix][d];
  });
}

/// Empty counts for the prefixes that a round looks at.
inline DigitCounts counts_for(const RankSearch& search) {
  DigitCounts counts;
  for (const auto& r : search.ranks) counts[r.prefix].assign(1 << 16, 0);
  return counts;
}

/// A stored volume with its mask (empty read = all inside), and how thick slabs of it may be.
template <class T>
struct StoredVolume {
  GridSource<T> values;
  GridSource<std::uint8_t> mask;
  std::int64_t slab = 64;
};

/// Calls f(box, values, mask or nullptr) for every slab along z.
template <class T, class F>
void for_each_slab(const StoredVolume<T>& volume, F&& f) {
  for (const Box& box : slabs(volume.values.shape, volume.slab)) {
    auto values = volume.values.load(box);
    Array3<std::uint8_t> inside;
    if (volume.mask.read) inside = volume.mask.load(box);
    f(box, values.data(), volume.mask.read ? inside.data() : nullptr);
  }
}

/// The percentiles, linear between neighbours (numpy.percentile). `first` holds the counts of round 0; at least one
/// value.
template <class T>
std::vector<double> percentiles(const std::vector<double>& percents, const std::vector<std::uint64_t>& first,
                                const StoredVolume<T>& volume, int threads) {
  std::uint64_t n = 0;
  for (const std::uint64_t c : first) n += c;
  RankSearch search;
  std::vector<double> weights;
  for (const double p : percents) {
    const double at = p / 100 * static_cast<double>(n - 1);
    const auto low = static_cast<std::uint64_t>(at);
    weights.push_back(at - static_cast<double>(low));
    search.ranks.push_back({low, 0});
    search.ranks.push_back({std::min(low + 1, n - 1), 0});
  }
  search.take({{0, first}});
  for (int round = 1; round < rounds_of<T>(); ++round) {
    DigitCounts counts = counts_for(search);
    for_each_slab(volume, [&](const Box& box, const T* values, const std::uint8_t* inside) {
      count_digits(values, inside, box.size(), round, threads, counts);
    });
    search.take(counts);
  }
  std::vector<double> result;
  using Key = decltype(order_key(T{}));
  for (std::size_t i = 0; i < percents.size(); ++i) {
    const auto value = [&](std::size_t k) {
      return static_cast<double>(value_of_key<T>(static_cast<Key>(search.ranks[k].prefix)));
    };
    const double low = value(2 * i), high = value(2 * i + 1);
    result.push_back(low + (high - low) * weights[i]);
  }
  return result;
}

}  // namespace cathoscope::volumes
