#pragma once
/// Masks of one particle's box, 64 voxels a word. Counting label changes costs about two instructions a voxel.

#include "crofton.hpp"

#include <cathoscope/core/box.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cathoscope::attributes {

/// A bit a voxel, rows padded to whole words; padding bits are 0.
class BitMask {
 public:
  BitMask() = default;
  explicit BitMask(const Index3& shape)
      : shape_(shape), words_((shape[2] + 63) / 64), bits_(static_cast<std::size_t>(shape[0] * shape[1] * words_), 0) {}

  [[nodiscard]] const Index3& shape() const { return shape_; }
  [[nodiscard]] std::int64_t words() const { return words_; }
  [[nodiscard]] std::span<std::uint64_t> row(std::int64_t z, std::int64_t y) {
    return {bits_.data() + (z * shape_[1] + y) * words_, static_cast<std::size_t>(words_)};
  }
  [[nodiscard]] std::span<const std::uint64_t> row(std::int64_t z, std::int64_t y) const {
    return {bits_.data() + (z * shape_[1] + y) * words_, static_cast<std::size_t>(words_)};
  }
  [[nodiscard]] bool at(std::int64_t z, std::int64_t y, std::int64_t x) const {
    return (row(z, y)[static_cast<std::size_t>(x / 64)] >> (x % 64) & 1) != 0;
  }
  void set(std::int64_t z, std::int64_t y, std::int64_t x) {
    row(z, y)[static_cast<std::size_t>(x / 64)] |= std::uint64_t{1} << (x % 64);
  }
  [[nodiscard]] std::int64_t count() const;
  [[nodiscard]] bool any() const;

  friend BitMask operator&(const BitMask& a, const BitMask& b);
  friend BitMask operator|(const BitMask& a, const BitMask& b);
  /// a without b
  friend BitMask operator-(const BitMask& a, const BitMask& b);

 private:
  template <class F>
  static BitMask combined(const BitMask& a, const BitMask& b, const F& f);

  Index3 shape_{0, 0, 0};
  std::int64_t words_ = 0;
  std::vector<std::uint64_t> bits_;
};

/// Bit i is the highest bit of byte i.
std::uint64_t packed_bits(const std::array<std::uint8_t, 64>& bytes);

/// The mask of the voxels where predicate(value) holds; `values` in z, y, x order.
template <class T, class F>
BitMask mask_where(const T* values, const Index3& shape, const F& predicate) {
  BitMask mask(shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const T* row = values + (z * shape[1] + y) * shape[2];
      const auto out = mask.row(z, y);
      for (std::int64_t x0 = 0; x0 < shape[2]; x0 += 64) {
        const std::int64_t n = std::min<std::int64_t>(64, shape[2] - x0);
        alignas(16) std::array<std::uint8_t, 64> flags{};
        if (n == 64)  // a known count vectorises
          for (std::size_t i = 0; i < 64; ++i) flags[i] = predicate(row[x0 + static_cast<std::int64_t>(i)]) ? 0xFF : 0;
        else
          for (std::int64_t i = 0; i < n; ++i) flags[static_cast<std::size_t>(i)] = predicate(row[x0 + i]) ? 0xFF : 0;
        out[static_cast<std::size_t>(x0 / 64)] = packed_bits(flags);
      }
    }
  return mask;
}

/// Every voxel that is not set.
BitMask complement(const BitMask& mask);

/// Calls f(z, y, x) for every set voxel, in z, y, x order.
template <class F>
void for_each_set(const BitMask& mask, const F& f) {
  const Index3& shape = mask.shape();
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const auto row = mask.row(z, y);
      for (std::size_t w = 0; w < row.size(); ++w)
        for (std::uint64_t word = row[w]; word != 0; word &= word - 1)
          f(z, y, static_cast<std::int64_t>(64 * w) + __builtin_ctzll(word));
    }
}

/// Neighbouring voxel pairs with one end in a and the other in b, along each of the 13 directions. a and b are
/// disjoint.
PairCounts count_pairs(const BitMask& a, const BitMask& b);

/// The mask without voxels that share a face with a voxel outside it. The rim of the box does not erode.
BitMask eroded(const BitMask& mask);

/// The mask and every voxel that shares a face with it.
BitMask dilated(const BitMask& mask);

/// The voxels whose centre is at most `distance_um` from that of a voxel of the mask: dilation by a ball. Exact.
BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um);

/// The part of `wanted` that is so.
BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um, const BitMask& wanted);

/// Smallest box with all set voxels; empty without any.
Box bounds_of(const BitMask& mask);

/// The part of the mask in `box`, whose begin becomes (0, 0, 0).
BitMask cropped(const BitMask& mask, const Box& box);

/// Majority of the 3 x 3 x 3 voxels around each, the rim of the box repeated outwards.
BitMask median27(const BitMask& mask);

}  // namespace cathoscope::attributes
