#include "row_runs.hpp"

#include <emmintrin.h>

#include <bit>
#include <cstring>

namespace cathoscope::attributes {

namespace {

/// First position in [begin, size) whose value differs from `value`. 16 values a step: part of x86-64 itself.
std::int32_t end_of_equal(const std::uint32_t* row, std::int32_t begin, std::int32_t size, std::uint32_t value) {
  const __m128i v = _mm_set1_epi32(static_cast<int>(value));
  std::int32_t x = begin;
  const auto equal4 = [&](std::int32_t i) {
    return _mm_cmpeq_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i)), v);
  };
  for (; x + 16 <= size; x += 16) {
    const __m128i low = _mm_packs_epi32(equal4(x), equal4(x + 4));
    const __m128i high = _mm_packs_epi32(equal4(x + 8), equal4(x + 12));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
    if (mask != 0xFFFFU) return x + std::countr_one(mask);
  }
  while (x < size && row[x] == value) ++x;
  return x;
}

/// First position in [begin, end) where (row[x] != 0) differs from `set`.
std::int32_t end_of_flag(const std::uint8_t* row, std::int32_t begin, std::int32_t end, bool set) {
  std::int32_t x = begin;
  const __m128i zero = _mm_setzero_si128();
  for (; x + 16 <= end; x += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + x));
    const auto zeros = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero)));
    const unsigned same = set ? ~zeros & 0xFFFFU : zeros;
    if (same != 0xFFFFU) return x + std::countr_one(same);
  }
  while (x < end && (row[x] != 0) == set) ++x;
  return x;
}

/// Splits [begin, end) where `flags` changes.
void append_split(const std::uint8_t* flags, std::int32_t begin, std::int32_t end, State clear, State set,
                  std::vector<Run>& runs) {
  for (std::int32_t x = begin; x < end;) {
    const bool flag = flags[x] != 0;
    const std::int32_t stop = end_of_flag(flags, x, end, flag);
    runs.push_back({flag ? set : clear, stop});
    x = stop;
  }
}

}  // namespace

void append_runs(const RowInput& row, std::vector<Run>& runs) {
  for (std::int32_t x = 0; x < row.size;) {
    const std::uint32_t label = row.labels[x];
    const std::int32_t end = end_of_equal(row.labels, x, row.size, label);
    if (label != 0 && row.cracks != nullptr)
      append_split(row.cracks, x, end, label << 1, (label << 1) | 1, runs);
    else if (label == 0 && row.field_of_view != nullptr)
      append_split(row.field_of_view, x, end, unseen, background, runs);
    else
      runs.push_back({label << 1, end});
    x = end;
  }
}

}  // namespace cathoscope::attributes
