#include "bit_mask.hpp"

#include <cathoscope/core/multiversion.hpp>

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace cathoscope::attributes {

namespace {

using Row = std::span<const std::uint64_t>;

/// Word w of the row moved so that bit x holds voxel x + dx, dx = -1, 0, 1.
std::uint64_t shifted(Row row, std::size_t w, int dx) {
  if (dx == 0) return row[w];
  if (dx > 0) return row[w] >> 1 | (w + 1 < row.size() ? row[w + 1] << 63 : 0);
  return row[w] << 1 | (w > 0 ? row[w - 1] >> 63 : 0);
}

/// Not called `empty`: for a container std::empty would be the better match, which asks another question.
bool all_clear(Row row) {
  return std::all_of(row.begin(), row.end(), [](std::uint64_t w) { return w == 0; });
}

/// Pairs of a row of a and a row of b at dx = -1, 0, 1.
std::array<std::int64_t, 3> pairs_between(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) {
  std::array<std::int64_t, 3> n{};
  std::uint64_t before = 0;
  for (std::size_t w = 0; w < words; ++w) {
    if (a[w] != 0) {
      const std::uint64_t after = w + 1 < words ? b[w + 1] << 63 : 0;
      n[0] += std::popcount(a[w] & (b[w] << 1 | before));
      n[1] += std::popcount(a[w] & b[w]);
      n[2] += std::popcount(a[w] & (b[w] >> 1 | after));
    }
    before = b[w] >> 63;
  }
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

std::uint64_t packed_bits(const std::array<std::uint8_t, 64>& bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 64; i += 16) {
    const __m128i v = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes.data() + i));
    word |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(v))} << i;
  }
  return word;
}

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

bool BitMask::any() const { return !all_clear(bits_); }

BitMask cropped(const BitMask& mask, const Box& box) {
  BitMask result(box.shape());
  const auto first = static_cast<std::size_t>(box.begin[2] / 64);
  const auto shift = static_cast<int>(box.begin[2] % 64);
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      const Row from = mask.row(z, y);
      const auto to = result.row(z - box.begin[0], y - box.begin[1]);
      for (std::size_t w = 0; w < to.size(); ++w) {
        to[w] = from[first + w] >> shift;
        if (shift > 0 && first + w + 1 < from.size()) to[w] |= from[first + w + 1] << (64 - shift);
      }
    }
  clear_padding(result);
  return result;
}

Box bounds_of(const BitMask& mask) {
  const Index3& s = mask.shape();
  Box box{s, {0, 0, 0}};
  std::vector<std::uint64_t> columns(static_cast<std::size_t>(mask.words()), 0);
  for (std::int64_t z = 0; z < s[0]; ++z)
    for (std::int64_t y = 0; y < s[1]; ++y) {
      const Row row = mask.row(z, y);
      if (all_clear(row)) continue;
      box.begin = {std::min(box.begin[0], z), std::min(box.begin[1], y), 0};
      box.end = {std::max(box.end[0], z + 1), std::max(box.end[1], y + 1), s[2]};
      for (std::size_t w = 0; w < columns.size(); ++w) columns[w] |= row[w];
    }
  if (box.empty()) return {};
  const auto set = [&](std::int64_t x) { return (columns[static_cast<std::size_t>(x / 64)] >> (x % 64) & 1) != 0; };
  while (!set(box.begin[2])) ++box.begin[2];
  while (!set(box.end[2] - 1)) --box.end[2];
  return box;
}

PairCounts count_pairs(const BitMask& a, const BitMask& b) {
  const Index3& shape = a.shape();
  const auto words = static_cast<std::size_t>(a.words());
  PairCounts counts{};
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const Row row = a.row(z, y);
      if (all_clear(row)) continue;
      const auto along = pairs_between(row.data(), b.row(z, y).data(), words);
      counts[0] += along[0] + along[2];
      // directions 1, 4, 7, 10 open the triples towards (0, 1), (1, -1), (1, 0), (1, 1)
      for (std::size_t k = 1; k < 13; k += 3) {
        const Direction& d = directions[k];
        for (const int sign : {1, -1}) {
          if (!inside(shape, z + sign * d.dz, y + sign * d.dy)) continue;
          const auto n = pairs_between(row.data(), b.row(z + sign * d.dz, y + sign * d.dy).data(), words);
          counts[k] += n[sign > 0 ? 0 : 2];
          counts[k + 1] += n[1];
          counts[k + 2] += n[sign > 0 ? 2 : 0];
        }
      }
    }
  return counts;
}

namespace {

/// The rows at the four faces of a row; nullptr outside the box.
std::array<const std::uint64_t*, 4> rows_around(const BitMask& mask, std::int64_t z, std::int64_t y) {
  const auto at = [&](std::int64_t iz, std::int64_t iy) {
    return inside(mask.shape(), iz, iy) ? mask.row(iz, iy).data() : nullptr;
  };
  return {at(z - 1, y), at(z + 1, y), at(z, y - 1), at(z, y + 1)};
}

}  // namespace

BitMask eroded(const BitMask& mask) {
  const Index3& shape = mask.shape();
  BitMask result = mask;
  const auto last = static_cast<std::size_t>(mask.words() - 1);
  const std::uint64_t end_bit = std::uint64_t{1} << ((shape[2] - 1) % 64);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const Row centre = mask.row(z, y);
      if (all_clear(centre)) continue;
      const auto out = result.row(z, y);
      for (std::size_t w = 0; w <= last; ++w) {
        const std::uint64_t left = shifted(centre, w, -1) | (w == 0 ? 1 : 0);
        const std::uint64_t right = shifted(centre, w, 1) | (w == last ? end_bit : 0);
        out[w] &= left & right;
      }
      for (const std::uint64_t* row : rows_around(mask, z, y))
        for (std::size_t w = 0; row != nullptr && w <= last; ++w) out[w] &= row[w];
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
      for (std::size_t w = 0; w < out.size(); ++w) out[w] |= shifted(centre, w, -1) | shifted(centre, w, 1);
      for (const std::uint64_t* row : rows_around(mask, z, y))
        for (std::size_t w = 0; row != nullptr && w < out.size(); ++w) out[w] |= row[w];
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

/// Every row widened along x by 0 to `most` voxels, with empty rows around the box so that a ball never leaves it.
class WidenedRows {
 public:
  WidenedRows(const BitMask& mask, std::int64_t most, std::int64_t reach_z, std::int64_t reach_y)
      : words_(mask.words()),
        nz_(mask.shape()[0] + 2 * reach_z),
        ny_(mask.shape()[1] + 2 * reach_y),
        reach_z_(reach_z),
        reach_y_(reach_y),
        bits_(static_cast<std::size_t>((most + 1) * nz_ * ny_ * words_), 0) {
    for (std::int64_t z = 0; z < mask.shape()[0]; ++z)
      for (std::int64_t y = 0; y < mask.shape()[1]; ++y) {
        const Row row = mask.row(z, y);
        if (!all_clear(row)) widen(row, most, bits_.data() + index(z, y));
      }
  }

  [[nodiscard]] std::int64_t step(std::int64_t dz, std::int64_t dy, std::int64_t width) const {
    return width * layer() + (dz * ny_ + dy) * words_;
  }
  [[nodiscard]] const std::uint64_t* at(std::int64_t z, std::int64_t y) const { return bits_.data() + index(z, y); }

 private:
  [[nodiscard]] std::int64_t layer() const { return nz_ * ny_ * words_; }
  [[nodiscard]] std::int64_t index(std::int64_t z, std::int64_t y) const {
    return ((z + reach_z_) * ny_ + y + reach_y_) * words_;
  }
  void widen(Row row, std::int64_t most, std::uint64_t* out) const {
    std::copy(row.begin(), row.end(), out);
    for (std::int64_t width = 1; width <= most; ++width) {
      const Row last(out, row.size());
      out += layer();
      for (std::size_t w = 0; w < row.size(); ++w) out[w] = last[w] | shifted(last, w, -1) | shifted(last, w, 1);
    }
  }

  std::int64_t words_, nz_, ny_, reach_z_, reach_y_;
  std::vector<std::uint64_t> bits_;
};

/// out[i] = union of from[i + step] over the steps. Rows of a plane follow one another in both, so all of them go
/// through at once; the last words overlap those before them.
CATHOSCOPE_MULTIVERSION
void unite_steps(std::uint64_t* out, const std::uint64_t* from, const std::int64_t* steps, std::size_t count,
                 std::int64_t n) {
  constexpr std::int64_t lanes = 8;
  using Lanes = std::uint64_t __attribute__((vector_size(lanes * sizeof(std::uint64_t))));
  for (std::int64_t start = 0; n >= lanes && start < n; start += lanes) {
    const std::int64_t i = std::min(start, n - lanes);
    Lanes found{}, part;
    for (std::size_t k = 0; k < count; ++k) {
      std::memcpy(&part, from + i + steps[k], sizeof part);
      found |= part;
    }
    std::memcpy(out + i, &found, sizeof found);
  }
  for (std::int64_t i = 0; n < lanes && i < n; ++i)
    for (std::size_t k = 0; k < count; ++k) out[i] |= from[i + steps[k]];
}

/// Number of set voxels among x - 1, x, x + 1, in two bits; the rim is repeated.
struct ThreeSum {
  std::uint64_t ones, twos;
};

ThreeSum three_sum(Row row, std::size_t w, int end_bit) {
  std::uint64_t left = shifted(row, w, -1), right = shifted(row, w, 1);
  if (w == 0) left |= row[0] & 1;
  if (w + 1 == row.size()) right |= row[w] & (std::uint64_t{1} << end_bit);
  return {left ^ row[w] ^ right, (left & row[w]) | (right & (left | row[w]))};
}

/// Adds to 64 counters of five bits.
void add_to(std::array<std::uint64_t, 5>& planes, const ThreeSum& s) {
  std::uint64_t carry = planes[0] & s.ones;
  planes[0] ^= s.ones;
  const std::uint64_t sum = planes[1] ^ s.twos;
  const std::uint64_t next = (planes[1] & s.twos) | (carry & sum);
  planes[1] = sum ^ carry;
  carry = next;
  for (std::size_t i = 2; i < 5; ++i) {
    const std::uint64_t over = planes[i] & carry;
    planes[i] ^= carry;
    carry = over;
  }
}

}  // namespace

BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um) {
  return within(mask, voxel_size_um, distance_um, complement(BitMask(mask.shape())));
}

BitMask within(const BitMask& mask, const Vec3& voxel_size_um, double distance_um, const BitMask& wanted) {
  const Index3& shape = mask.shape();
  BitMask result(shape);
  if (!mask.any()) return result;
  const std::vector<BallRow> ball = ball_rows(voxel_size_um, distance_um);
  std::int64_t most = 0, reach_z = 0, reach_y = 0;
  for (const BallRow& b : ball) {
    most = std::max(most, std::min(b.half_width, shape[2]));
    reach_z = std::max(reach_z, b.dz);
    reach_y = std::max(reach_y, b.dy);
  }
  const WidenedRows wide(mask, most, reach_z, reach_y);
  std::vector<std::int64_t> steps;
  for (const BallRow& b : ball) steps.push_back(wide.step(b.dz, b.dy, std::min(b.half_width, most)));
  for (std::int64_t z = 0; z < shape[0]; ++z) {
    std::int64_t begin = 0, end = shape[1];
    while (begin < end && all_clear(wanted.row(z, begin))) ++begin;
    while (begin < end && all_clear(wanted.row(z, end - 1))) --end;
    if (begin < end)
      unite_steps(result.row(z, begin).data(), wide.at(z, begin), steps.data(), steps.size(),
                  (end - begin) * mask.words());
  }
  return result & wanted;
}

BitMask median27(const BitMask& mask) {
  const Index3& shape = mask.shape();
  const auto clamped = [](std::int64_t i, std::int64_t n) { return std::clamp<std::int64_t>(i, 0, n - 1); };
  const auto last = static_cast<std::size_t>(mask.words() - 1);
  const auto end_bit = static_cast<int>((shape[2] - 1) % 64);
  std::vector<ThreeSum> sums(static_cast<std::size_t>(shape[0] * shape[1] * mask.words()));
  for (std::size_t i = 0, z = 0; z < static_cast<std::size_t>(shape[0]); ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::size_t w = 0; w <= last; ++w, ++i)
        sums[i] = three_sum(mask.row(static_cast<std::int64_t>(z), y), w, end_bit);
  BitMask result(shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::size_t w = 0; w <= last; ++w) {
        std::array<std::uint64_t, 5> counts{};
        for (std::int64_t oz = -1; oz <= 1; ++oz)
          for (std::int64_t oy = -1; oy <= 1; ++oy) {
            const std::int64_t row = clamped(z + oz, shape[0]) * shape[1] + clamped(y + oy, shape[1]);
            add_to(counts, sums[static_cast<std::size_t>(row) * (last + 1) + w]);
          }
        result.row(z, y)[w] = counts[4] | (counts[3] & counts[2] & counts[1]);  // 14 of 27 or more
      }
  clear_padding(result);
  return result;
}

}  // namespace cathoscope::attributes
