#pragma once
/// Overlapping tiles that together give what the whole image gives.

#include <cstdint>
#include <vector>

namespace cathoscope {

/// One side of a tile: [begin, end) goes into the network, [keep_begin, keep_end) of it comes out.
struct TileSpan {
  std::int64_t begin = 0, end = 0;
  std::int64_t keep_begin = 0, keep_end = 0;
};

/// Tiles along a side of `length` pixels, at most `longest` each, with `overlap` around what is kept. length, longest and
/// overlap are multiples of `multiple`, and so is every begin: poolings then fall as in the whole image. One tile where
/// the length allows it. Depends on its arguments only.
std::vector<TileSpan> tile_spans(std::int64_t length, std::int64_t longest, std::int64_t overlap,
                                 std::int64_t multiple);

}  // namespace cathoscope
