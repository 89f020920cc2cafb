#include "bit_mask.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

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

void clear_padding(BitMask& mask) {
  const Index3& shape = mask.shape();
  if (shape[2] % 64 == 0) return;
  const std::uint64_t valid = (std::uint64_t{1} << (shape[2] % 64)) - 1;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) mask.row(z, y).back() &= valid;
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

BitMask complement(const BitMask& mask) {
  BitMask result(mask.shape());
  for (std::int64_t z = 0; z < mask.shape()[0]; ++z)
    for (std::int64_t y = 0; y < mask.shape()[1]; ++y) {
      const auto out = result.row(z, y);
      for (std::size_t w = 0; w < out.size(); ++w) out[w] = ~mask.row(z, y)[w];
    }
  clear_padding(result);
  return result;
}

std::int64_t BitMask::count() const {
  std::int64_t n = 0;
  for (const std::uint64_t w : bits_) n += std::popcount(w);
  return n;
}

bool BitMask::any() const { return !empty(bits_); }

PairCounts count_pairs(const BitMask& a, const BitMask& b) {
  const Index3& shape = a.shape();
  std::vector<char> has_a(static_cast<std::size_t>(shape[0] * shape[1]));
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      has_a[static_cast<std::size_t>(z * shape[1] + y)] = empty(a.row(z, y)) ? 0 : 1;
  PairCounts counts{};
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const bool here = has_a[static_cast<std::size_t>(z * shape[1] + y)] != 0;
      for (std::size_t k = 0; k < 13; ++k) {
        const Direction& d = directions[k];
        if (!inside(shape, z + d.dz, y + d.dy)) continue;
        if (!here && has_a[static_cast<std::size_t>((z + d.dz) * shape[1] + y + d.dy)] == 0) continue;
        counts[k] +=
            pairs_between(a.row(z, y), b.row(z + d.dz, y + d.dy), b.row(z, y), a.row(z + d.dz, y + d.dy), d.dx);
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
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const auto out = result.row(z, y);
      const Row centre = mask.row(z, y);
      for (std::size_t w = 0; w < out.size(); ++w) {
        out[w] |= shifted(centre, w, -1) | shifted(centre, w, 1);
        for (const auto& [oz, oy] : {std::array{-1, 0}, {1, 0}, {0, -1}, {0, 1}})
          if (inside(shape, z + oz, y + oy)) out[w] |= mask.row(z + oz, y + oy)[w];
      }
    }
  clear_padding(result);
  return result;
}

namespace {

/// Row offsets of a ball, and how far it reaches along x there.
struct BallRow {
  std::int64_t dz, dy, half_width;
};

std::vector<BallRow> ball_rows(const Vec3& h, double radius) {
  const double r = radius * (1 + 1e-9);
  const auto reach = [&](double edge) { return static_cast<std::int64_t>(std::floor(r / edge)); };
  std::vector<BallRow> rows;
  for (std::int64_t dz = -reach(h[0]); dz <= reach(h[0]); ++dz)
    for (std::int64_t dy = -reach(h[1]); dy <= reach(h[1]); ++dy) {
      const double z = static_cast<double>(dz) * h[0], y = static_cast<double>(dy) * h[1];
      const double rest = r * r - z * z - y * y;
      if (rest >= 0) rows.push_back({dz, dy, static_cast<std::int64_t>(std::floor(std::sqrt(rest) / h[2]))});
    }
  return rows;
}

/// The row widened by 0, 1, ... `most` voxels to both sides, one after the other.
std::vector<std::uint64_t> widened(Row row, std::int64_t most) {
  std::vector<std::uint64_t> all(row.begin(), row.end());
  for (std::int64_t w = 1; w <= most; ++w) {
    const std::size_t begin = all.size() - row.size();
    const std::vector<std::uint64_t> last(all.begin() + static_cast<std::ptrdiff_t>(begin), all.end());
    for (std::size_t i = 0; i < row.size(); ++i) all.push_back(last[i] | shifted(last, i, -1) | shifted(last, i, 1));
  }
  return all;
}

/// Adds a bit to 64 counters of five bits.
void count_bit(std::array<std::uint64_t, 5>& planes, std::uint64_t bit) {
  for (std::uint64_t& plane : planes) {
    const std::uint64_t carry = plane & bit;
    plane ^= bit;
    bit = carry;
  }
}

}  // namespace

BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um) {
  const Index3& shape = mask.shape();
  const std::vector<BallRow> ball = ball_rows(voxel_size_um, distance_um);
  std::int64_t most = 0;
  for (const BallRow& b : ball) most = std::max(most, b.half_width);
  BitMask result(shape);
  const auto words = static_cast<std::size_t>(mask.words());
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      if (empty(mask.row(z, y))) continue;
      const std::vector<std::uint64_t> wide = widened(mask.row(z, y), most);
      for (const BallRow& b : ball) {
        if (!inside(shape, z + b.dz, y + b.dy)) continue;
        const std::uint64_t* from = wide.data() + static_cast<std::size_t>(b.half_width) * words;
        const auto to = result.row(z + b.dz, y + b.dy);
        for (std::size_t w = 0; w < words; ++w) to[w] |= from[w];
      }
    }
  clear_padding(result);
  return result;
}

BitMask median27(const BitMask& mask) {
  const Index3& shape = mask.shape();
  const auto clamped = [](std::int64_t i, std::int64_t n) { return std::clamp<std::int64_t>(i, 0, n - 1); };
  const auto last = static_cast<std::size_t>(mask.words() - 1);
  const auto end_bit = static_cast<int>((shape[2] - 1) % 64);
  BitMask result(shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::size_t w = 0; w <= last; ++w) {
        std::array<std::uint64_t, 5> counts{};
        for (std::int64_t oz = -1; oz <= 1; ++oz)
          for (std::int64_t oy = -1; oy <= 1; ++oy) {
            const Row row = mask.row(clamped(z + oz, shape[0]), clamped(y + oy, shape[1]));
            std::uint64_t left = shifted(row, w, -1), right = shifted(row, w, 1);
            if (w == 0) left |= row[0] & 1;
            if (w == last) right |= row[w] & (std::uint64_t{1} << end_bit);
            count_bit(counts, left);
            count_bit(counts, row[w]);
            count_bit(counts, right);
          }
        result.row(z, y)[w] = counts[4] | (counts[3] & counts[2] & counts[1]);  // 14 of 27 or more
      }
  clear_padding(result);
  return result;
}

}  // namespace cathoscope::attributes
