#include "given_labels.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <unordered_map>

namespace cathoscope {

void check_label_count(std::uint64_t count) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max() - 1;
  if (count > most)
    fail(Exit::data, "the labels hold {} different ids; at most {} are possible: crop the volume", count, most);
}

namespace {

struct Found {
  std::int64_t first = 0;
  std::uint64_t voxels = 0;
};

using Census = std::unordered_map<std::uint64_t, Found>;

void add(Census& census, std::uint64_t id, const Found& found) {
  auto& entry = census.try_emplace(id, Found{found.first, 0}).first->second;
  entry.first = std::min(entry.first, found.first);
  entry.voxels += found.voxels;
}

/// Ids of a block in runs along x: one look-up a run.
Census census_of(const Box& block, const Index3& grid, const Array3<std::uint64_t>& ids,
                 const Array3<std::uint8_t>& seen) {
  Census census;
  const auto n = block.shape();
  for (std::int64_t row = 0; row < n[0] * n[1]; ++row) {
    const std::int64_t start =
        ((block.begin[0] + row / n[1]) * grid[1] + block.begin[1] + row % n[1]) * grid[2] + block.begin[2];
    const auto id_at = [&](std::int64_t x) {
      return seen.data()[row * n[2] + x] == 0 ? 0 : ids.data()[row * n[2] + x];
    };
    for (std::int64_t x = 0; x < n[2];) {
      const std::int64_t begin = x;
      while (x < n[2] && id_at(x) == id_at(begin)) ++x;
      if (id_at(begin) != 0) add(census, id_at(begin), {start + begin, static_cast<std::uint64_t>(x - begin)});
    }
  }
  return census;
}

Census census_of(const Workspace& w, const GridSource<std::uint64_t>& given, const FieldOfView& inside) {
  Census all;
  std::mutex mutex;
  for_each_block(w, "given labels", [&](const Box& block) {
    const Census census = census_of(block, w.shape, given.load(block), inside(block));
    const std::scoped_lock lock(mutex);
    for (const auto& [id, found] : census) add(all, id, found);
    check_label_count(all.size());
  });
  return all;
}

}  // namespace

GivenLabels dense_labels(const Workspace& w, const GridSource<std::uint64_t>& given, const FieldOfView& inside,
                         const std::vector<std::uint64_t>& excluded, std::uint64_t least_voxels) {
  GivenLabels result{ScratchGrid<std::uint32_t>(w), {}, 0};
  Census census = census_of(w, given, inside);
  for (const std::uint64_t id : excluded) census.erase(id);
  std::vector<std::pair<std::int64_t, std::uint64_t>> order;
  for (const auto& [id, found] : census) {
    if (found.voxels >= least_voxels)
      order.emplace_back(found.first, id);
    else
      ++result.dropped;
  }
  std::sort(order.begin(), order.end());
  std::unordered_map<std::uint64_t, std::uint32_t> label_of;
  for (const auto& [first, id] : order) {
    result.ids.push_back(id);
    label_of[id] = static_cast<std::uint32_t>(result.ids.size());
  }
  for_each_block(w, "dense labels", [&](const Box& block) {
    const Array3<std::uint64_t> ids = given.load(block);
    const Array3<std::uint8_t> seen = inside(block);
    Array3<std::uint32_t> labels = array3<std::uint32_t>(block.shape());
    std::uint64_t last_id = 0;
    std::uint32_t last_label = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::uint64_t id = seen.data()[i] == 0 ? 0 : ids.data()[i];
      if (id != last_id) {
        const auto found = label_of.find(id);
        last_label = found == label_of.end() ? 0 : found->second;
        last_id = id;
      }
      labels.data()[i] = last_label;
    }
    result.labels.write(block, labels.data());
  });
  return result;
}

}  // namespace cathoscope
