#include "bit_mask.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace cathoscope::attributes {

namespace {

using Row = std::span<const std::uint64_t>;

/// Word w of the row moved so that bit x holds voxel x + dx, dx = -1, 0, 1.
std::uint64_t shifted(Row row, std::size_t w, int dx) {
  if (dx == 0) return row[w];
  if (dx > 0) return row[w] >> 1 | (w + 1 < row.size() ? row[w + 1] << 63 : 0);
  return row[w] << 1 | (w > 0 ? row[w - 1] >> 63 : 0);
}

bool empty(Row row) {
  return std::all_of(row.begin(), row.end(), [](std::uint64_t w) { return w == 0; });
}

std::int64_t pairs_between(Row a, Row b_moved, Row b, Row a_moved, int dx) {
  std::int64_t n = 0;
  for (std::size_t w = 0; w < a.size(); ++w)
    n += std::popcount(a[w] & shifted(b_moved, w, dx)) + std::popcount(b[w] & shifted(a_moved, w, dx));
  return n;
}

bool inside(const Index3& shape, std::int64_t z, std::int64_t y) {
  return z >= 0 && z < shape[0] && y >= 0 && y < shape[1];
}

}  // namespace

template <class F>
BitMask BitMask::combined(const BitMask& a, const BitMask& b, const F& f) {
  BitMask r = a;
  for (std::size_t i = 0; i < r.bits_.size(); ++i) r.bits_[i] = f(a.bits_[i], b.bits_[i]);
  return r;
}

BitMask operator&(const BitMask& a, const BitMask& b) {
  return BitMask::combined(a, b, [](std::uint64_t p, std::uint64_t q) { return p & q; });
}
BitMask operator|(const BitMask& a, const BitMask& b) {
  return BitMask::combined(a, b, [](std::uint64_t p, std::uint64_t q) { return p | q; });
}
BitMask operator-(const BitMask& a, const BitMask& b) {
  return BitMask::combined(a, b, [](std::uint64_t p, std::uint64_t q) { return p & ~q; });
}

std::int64_t BitMask::count() const {
  std::int64_t n = 0;
  for (const std::uint64_t w : bits_) n += std::popcount(w);
  return n;
}

bool BitMask::any() const { return !empty(bits_); }

PairCounts count_pairs(const BitMask& a, const BitMask& b) {
  const Index3& shape = a.shape();
  PairCounts counts{};
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const Row ra = a.row(z, y), rb = b.row(z, y);
      const bool has_a = !empty(ra), has_b = !empty(rb);
      if (!has_a && !has_b) continue;
      for (std::size_t k = 0; k < 13; ++k) {
        const Direction& d = directions[k];
        if (!inside(shape, z + d.dz, y + d.dy)) continue;
        counts[k] += pairs_between(ra, b.row(z + d.dz, y + d.dy), rb, a.row(z + d.dz, y + d.dy), d.dx);
      }
    }
  return counts;
}

BitMask eroded(const BitMask& mask) {
  const Index3& shape = mask.shape();
  BitMask result = mask;
  const auto last = static_cast<std::size_t>(mask.words() - 1);
  const std::uint64_t end_bit = std::uint64_t{1} << ((shape[2] - 1) % 64);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const auto out = result.row(z, y);
      const Row centre = mask.row(z, y);
      for (std::size_t w = 0; w < out.size(); ++w) {
        const std::uint64_t left = shifted(centre, w, -1) | (w == 0 ? 1 : 0);
        const std::uint64_t right = shifted(centre, w, 1) | (w == last ? end_bit : 0);
        out[w] &= centre[w] & left & right;
        for (const auto& [oz, oy] : {std::array{-1, 0}, {1, 0}, {0, -1}, {0, 1}})
          if (inside(shape, z + oz, y + oy)) out[w] &= mask.row(z + oz, y + oy)[w];
      }
    }
  return result;
}

BitMask dilated(const BitMask& mask) {
  const Index3& shape = mask.shape();
  BitMask result = mask;
  const std::int64_t tail = shape[2] % 64;
  const std::uint64_t valid = tail == 0 ? ~std::uint64_t{0} : (std::uint64_t{1} << tail) - 1;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const auto out = result.row(z, y);
      const Row centre = mask.row(z, y);
      for (std::size_t w = 0; w < out.size(); ++w) {
        out[w] |= shifted(centre, w, -1) | shifted(centre, w, 1);
        for (const auto& [oz, oy] : {std::array{-1, 0}, {1, 0}, {0, -1}, {0, 1}})
          if (inside(shape, z + oz, y + oy)) out[w] |= mask.row(z + oz, y + oy)[w];
      }
      out.back() &= valid;
    }
  return result;
}

BitMask median27(const BitMask& mask) {
  const Index3& shape = mask.shape();
  const auto clamped = [](std::int64_t i, std::int64_t n) { return std::clamp<std::int64_t>(i, 0, n - 1); };
  BitMask result(shape);
  std::vector<int> column(static_cast<std::size_t>(shape[2]));
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      std::fill(column.begin(), column.end(), 0);
      for (std::int64_t oz = -1; oz <= 1; ++oz)
        for (std::int64_t oy = -1; oy <= 1; ++oy) {
          const Row row = mask.row(clamped(z + oz, shape[0]), clamped(y + oy, shape[1]));
          if (empty(row)) continue;
          for (std::size_t x = 0; x < column.size(); ++x) column[x] += static_cast<int>(row[x / 64] >> (x % 64) & 1);
        }
      for (std::int64_t x = 0; x < shape[2]; ++x) {
        const auto at = [&](std::int64_t i) { return column[static_cast<std::size_t>(clamped(i, shape[2]))]; };
        if (at(x - 1) + at(x) + at(x + 1) >= 14) result.set(z, y, x);
      }
    }
  return result;
}

}  // namespace cathoscope::attributes
