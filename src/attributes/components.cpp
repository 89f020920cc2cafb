#include "components.hpp"

#include <algorithm>
#include <bit>

namespace cathoscope::attributes {

namespace {

std::uint32_t root_of(std::vector<std::uint32_t>& parent, std::uint32_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

/// The earlier run stays the root, so roots come in order of first voxel.
void unite(std::vector<std::uint32_t>& parent, std::uint32_t a, std::uint32_t b) {
  a = root_of(parent, a);
  b = root_of(parent, b);
  if (a < b)
    parent[b] = a;
  else
    parent[a] = b;
}

/// Next voxel at or after x that is set (or clear), n where there is none.
std::int64_t next(std::span<const std::uint64_t> row, std::int64_t x, std::int64_t n, bool set) {
  while (x < n) {
    const std::uint64_t word = row[static_cast<std::size_t>(x / 64)];
    const std::uint64_t rest = (set ? word : ~word) >> (x % 64);
    if (rest != 0) return std::min<std::int64_t>(n, x + std::countr_zero(rest));
    x = (x / 64 + 1) * 64;
  }
  return n;
}

void append_row(const BitMask& mask, std::int64_t z, std::int64_t y, std::vector<ComponentRun>& runs) {
  const std::int64_t n = mask.shape()[2];
  const auto row = mask.row(z, y);
  for (std::int64_t x = next(row, 0, n, true); x < n;) {
    const std::int64_t end = next(row, x, n, false);
    runs.push_back({static_cast<std::int32_t>(z), static_cast<std::int32_t>(y), static_cast<std::int32_t>(x),
                    static_cast<std::int32_t>(end), 0});
    x = next(row, end, n, true);
  }
}

/// Unites runs of two rows that overlap, or with `slack` 1 touch at a corner.
void unite_rows(const std::vector<ComponentRun>& runs, std::size_t a, std::size_t a_end, std::size_t b,
                std::size_t b_end, int slack, std::vector<std::uint32_t>& parent) {
  while (a < a_end && b < b_end) {
    if (runs[a].begin < runs[b].end + slack && runs[b].begin < runs[a].end + slack)
      unite(parent, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    if (runs[a].end < runs[b].end)
      ++a;
    else
      ++b;
  }
}

}  // namespace

Components components_of(const BitMask& mask, Connectivity connectivity) {
  const Index3& shape = mask.shape();
  Components result;
  std::vector<std::size_t> row_begin;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      row_begin.push_back(result.runs.size());
      append_row(mask, z, y, result.runs);
    }
  row_begin.push_back(result.runs.size());
  std::vector<std::uint32_t> parent(result.runs.size());
  for (std::size_t i = 0; i < parent.size(); ++i) parent[i] = static_cast<std::uint32_t>(i);

  const bool corners = connectivity == Connectivity::corners;
  const auto join = [&](std::int64_t z, std::int64_t y, std::int64_t oz, std::int64_t oy) {
    if (z + oz < 0 || y + oy < 0 || y + oy >= shape[1]) return;
    const auto here = static_cast<std::size_t>(z * shape[1] + y);
    const auto there = static_cast<std::size_t>((z + oz) * shape[1] + y + oy);
    unite_rows(result.runs, row_begin[here], row_begin[here + 1], row_begin[there], row_begin[there + 1], corners,
               parent);
  };
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      join(z, y, 0, -1);
      join(z, y, -1, 0);
      if (corners) {
        join(z, y, -1, -1);
        join(z, y, -1, 1);
      }
    }
  std::vector<std::uint32_t> number(parent.size());
  for (std::uint32_t i = 0; i < parent.size(); ++i) {
    const std::uint32_t root = root_of(parent, i);
    if (root == i) number[i] = result.count++;
    result.runs[i].component = number[root];
  }
  return result;
}

BitMask selected(const Components& components, const std::vector<bool>& keep, const Index3& shape) {
  BitMask mask(shape);
  for (const ComponentRun& run : components.runs)
    if (keep[run.component])
      for (std::int64_t x = run.begin; x < run.end; ++x) mask.set(run.z, run.y, x);
  return mask;
}

}  // namespace cathoscope::attributes
