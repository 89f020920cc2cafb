#include "tiles.hpp"

#include <algorithm>

namespace cathoscope {

std::vector<TileSpan> tile_spans(std::int64_t length, std::int64_t longest, std::int64_t overlap,
                                 std::int64_t multiple) {
  if (length <= longest) return {{0, length, 0, length}};
  // All cores have the same size, as nearly as the multiple allows: no last sliver that is all overlap.
  const std::int64_t core = std::max(multiple, longest - 2 * overlap);
  const std::int64_t count = (length + core - 1) / core;
  const std::int64_t even = ((length + count - 1) / count + multiple - 1) / multiple * multiple;
  std::vector<TileSpan> spans;
  for (std::int64_t at = 0; at < length; at += even) {
    const std::int64_t end = std::min(at + even, length);
    spans.push_back({std::max<std::int64_t>(0, at - overlap), std::min(length, end + overlap), at, end});
  }
  return spans;
}

}  // namespace cathoscope
