#include <cathoscope/segmentation/basins.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/components.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>
#include <tuple>
#include <unordered_map>

namespace cathoscope {

namespace {

/// Where chains of a block end: at a root, or at a voxel of another block.
struct End {
  std::int64_t voxel = 0;
  std::uint16_t value = 0;
  bool is_root = false;
};

constexpr std::uint32_t last_index = std::numeric_limits<std::uint32_t>::max();

/// The order as one number: value, then the smaller index within the grown block (which orders as the grid's does).
std::uint64_t rank_of(std::uint16_t value, std::uint32_t index) {
  return value == 0 ? 0 : std::uint64_t{value} << 32 | (last_index - index);
}

/// Maximum over three neighbours along an axis, in place.
void max_of_three(std::vector<std::uint64_t>& values, const Index3& n, std::int64_t stride, std::int64_t count) {
  const std::int64_t total = volume_of(n);
  const std::int64_t period = stride * count;
  std::vector<std::uint64_t> previous(static_cast<std::size_t>(stride));
  std::uint64_t* v = values.data();
  for (std::int64_t base = 0; base < total; base += period) {
    std::fill(previous.begin(), previous.end(), 0);
    for (std::int64_t k = 0; k < count; ++k) {
      std::uint64_t* here = v + base + k * stride;
      const bool last = k + 1 == count;
      for (std::int64_t i = 0; i < stride; ++i) {
        const std::uint64_t own = here[i];
        const std::uint64_t next = last ? 0 : here[i + stride];
        const std::uint64_t highest = std::max(std::max(own, next), previous[static_cast<std::size_t>(i)]);
        previous[static_cast<std::size_t>(i)] = own;
        here[i] = highest;
      }
    }
  }
}

/// The index in the grown block that each voxel points to; last_index where there is no foreground.
std::vector<std::uint32_t> pointers_of(const Array3<std::uint16_t>& field) {
  const Index3 n = shape_of(field);
  std::vector<std::uint64_t> best(field.size());
  for (std::size_t i = 0; i < best.size(); ++i) best[i] = rank_of(field.data()[i], static_cast<std::uint32_t>(i));
  max_of_three(best, n, 1, n[2]);
  max_of_three(best, n, n[2], n[1]);
  max_of_three(best, n, n[1] * n[2], n[0]);
  std::vector<std::uint32_t> to(best.size());
  for (std::size_t i = 0; i < best.size(); ++i)
    to[i] = field.data()[i] == 0 ? last_index : last_index - static_cast<std::uint32_t>(best[i] & last_index);
  return to;
}

/// One block grown by a voxel: follows the chains to where they end within it.
class BlockChains {
 public:
  BlockChains(const Box& block, const Index3& grid, const Array3<std::uint16_t>& field)
      : block_(block), grid_(grid), wide_(shape_of(field)), field_(field), to_(pointers_of(field)) {
    end_of_.assign(to_.size(), 0);
  }

  /// Ids 1 .. ends.size() for the block's voxels.
  void follow(std::vector<std::uint32_t>& ids, std::vector<End>& ends) {
    const auto n = block_.shape();
    std::size_t k = 0;
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        for (std::int64_t x = 0; x < n[2]; ++x, ++k) {
          const auto i = static_cast<std::uint32_t>(((z + 1) * wide_[1] + y + 1) * wide_[2] + x + 1);
          ids[k] = to_[i] == last_index ? 0 : id_of(i, ends);
        }
  }

 private:
  std::uint32_t id_of(std::uint32_t start, std::vector<End>& ends) {
    path_.clear();
    std::uint32_t i = start;
    while (end_of_[i] == 0 && to_[i] != i && inside(i)) {
      path_.push_back(i);
      i = to_[i];
    }
    if (end_of_[i] == 0) {
      ends.push_back({grid_index(i), field_.data()[i], inside(i)});
      end_of_[i] = static_cast<std::uint32_t>(ends.size());
    }
    for (const std::uint32_t p : path_) end_of_[p] = end_of_[i];
    return end_of_[i];
  }

  [[nodiscard]] Index3 position(std::uint32_t i) const {
    return {i / (wide_[1] * wide_[2]), i / wide_[2] % wide_[1], i % wide_[2]};
  }
  [[nodiscard]] bool inside(std::uint32_t i) const {
    const Index3 p = position(i);
    for (std::size_t a = 0; a < 3; ++a)
      if (p[a] == 0 || p[a] == wide_[a] - 1) return false;
    return true;
  }
  [[nodiscard]] std::int64_t grid_index(std::uint32_t i) const {
    const Index3 p = position(i);
    return ((block_.begin[0] + p[0] - 1) * grid_[1] + block_.begin[1] + p[1] - 1) * grid_[2] + block_.begin[2] + p[2] -
           1;
  }

  Box block_;
  Index3 grid_, wide_;
  const Array3<std::uint16_t>& field_;
  std::vector<std::uint32_t> to_, end_of_, path_;
};

/// Provisional id -> root's id, along the chains from block to block.
void resolve_ends(const std::vector<End>& ends, const ScratchGrid<std::uint32_t>& ids, const Progress& progress,
                  std::vector<std::uint32_t>& root_of) {
  const auto count = static_cast<std::uint32_t>(ends.size());
  root_of = ids.at(
      count, [&](std::uint32_t id) { return ends[id].voxel; }, progress);  // at a root its own id
  root_of[0] = 0;
  std::vector<std::uint32_t> path;
  for (std::uint32_t id = 1; id < ends.size(); ++id) {
    path.clear();
    std::uint32_t i = id;
    for (; root_of[i] != i; i = root_of[i]) path.push_back(i);
    for (const std::uint32_t p : path) root_of[p] = i;
  }
}

/// Sorts the roots by linear index and turns root ids into positions.
void number_basins(const std::vector<End>& ends, std::vector<std::uint32_t>& basin_of, BasinGraph& graph) {
  std::vector<std::uint32_t> roots;
  for (std::uint32_t id = 1; id < ends.size(); ++id)
    if (ends[id].is_root) roots.push_back(id);
  std::sort(roots.begin(), roots.end(), [&](auto a, auto b) { return ends[a].voxel < ends[b].voxel; });
  std::vector<std::uint32_t> position(ends.size(), 0);
  for (std::uint32_t p = 0; p < roots.size(); ++p) {
    position[roots[p]] = p;
    graph.basins.push_back({ends[roots[p]].voxel, std::numeric_limits<std::int64_t>::max(), 0, ends[roots[p]].value});
  }
  for (std::uint32_t id = 1; id < ends.size(); ++id) basin_of[id] = position[basin_of[id]];
}

/// Sizes, first voxels and saddles of the basins in one block.
class BlockCensus {
 public:
  void add_rows(const Box& block, const Index3& grid, const Array3<std::uint32_t>& ids,
                const Array3<std::uint16_t>& field, const std::vector<std::uint32_t>& basin_of);
  void merge_into(BasinGraph& graph) const;

 private:
  struct Part {
    std::int64_t first = 0;
    std::uint64_t voxels = 0;
  };
  /// Voxels come in ascending order: the first of a part is its smallest.
  void count(std::uint32_t basin, std::int64_t voxel) {
    if (part_ == nullptr || basin != counted_) {
      part_ = &parts_.try_emplace(basin, Part{voxel, 0}).first->second;
      counted_ = basin;
    }
    part_->voxels += 1;
  }
  void meet(std::uint32_t a, std::uint32_t b, std::uint16_t value) {
    const std::uint64_t pair = std::uint64_t{std::min(a, b)} << 32 | std::max(a, b);
    if (saddle_ == nullptr || pair != met_) {
      saddle_ = &saddles_[pair];
      met_ = pair;
    }
    *saddle_ = std::max(*saddle_, value);
  }
  std::uint32_t counted_ = 0;
  std::uint64_t met_ = 0;
  Part* part_ = nullptr;
  std::uint16_t* saddle_ = nullptr;
  std::unordered_map<std::uint32_t, Part> parts_;
  std::unordered_map<std::uint64_t, std::uint16_t> saddles_;
};

void BlockCensus::add_rows(const Box& block, const Index3& grid, const Array3<std::uint32_t>& ids,
                           const Array3<std::uint16_t>& field, const std::vector<std::uint32_t>& basin_of) {
  const Index3 wide = shape_of(ids);
  std::vector<std::int64_t> steps;  // the 13 neighbours after a voxel
  for (std::int64_t dz = 0; dz <= 1; ++dz)
    for (std::int64_t dy = -1; dy <= 1; ++dy)
      for (std::int64_t dx = -1; dx <= 1; ++dx)
        if (std::tuple(dz, dy, dx) > std::tuple<std::int64_t, std::int64_t, std::int64_t>(0, 0, 0))
          steps.push_back((dz * wide[1] + dy) * wide[2] + dx);
  const auto n = block.shape();
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const std::int64_t row = ((z + 1) * wide[1] + y + 1) * wide[2] + 1;
      const std::int64_t voxel = ((block.begin[0] + z) * grid[1] + block.begin[1] + y) * grid[2] + block.begin[2];
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const std::uint32_t id = ids.data()[row + x];
        if (id == 0) continue;
        const std::uint32_t own = basin_of[id];
        count(own, voxel + x);
        for (const std::int64_t s : steps) {
          const std::uint32_t other = ids.data()[row + x + s];
          if (other != 0 && other != id && basin_of[other] != own)
            meet(own, basin_of[other], std::min(field.data()[row + x], field.data()[row + x + s]));
        }
      }
    }
}

void BlockCensus::merge_into(BasinGraph& graph) const {
  for (const auto& [basin, part] : parts_) {
    graph.basins[basin].first = std::min(graph.basins[basin].first, part.first);
    graph.basins[basin].voxels += part.voxels;
  }
  for (const auto& [pair, value] : saddles_)
    graph.saddles.push_back({static_cast<std::uint32_t>(pair >> 32), static_cast<std::uint32_t>(pair), value});
}

/// One saddle a pair: the highest of those that its blocks found.
void unify_saddles(std::vector<BasinGraph::Saddle>& saddles) {
  std::sort(saddles.begin(), saddles.end(),
            [](const auto& p, const auto& q) { return std::tuple(p.a, p.b, q.value) < std::tuple(q.a, q.b, p.value); });
  const auto end = std::unique(saddles.begin(), saddles.end(),
                               [](const auto& p, const auto& q) { return p.a == q.a && p.b == q.b; });
  saddles.erase(end, saddles.end());
}

std::vector<End> find_ends(const Workspace& w, const ScratchGrid<std::uint16_t>& field,
                           const ScratchGrid<std::uint32_t>& ids) {
  std::vector<End> ends(1);
  std::mutex mutex;
  for_each_block(w, "basins", [&](const Box& block) {
    const Array3<std::uint16_t> values = field.padded(reaching(block, {1, 1, 1}), 0);
    std::vector<std::uint32_t> own(static_cast<std::size_t>(block.size()));
    std::vector<End> found;
    BlockChains(block, w.shape, values).follow(own, found);
    std::size_t offset = 0;
    {
      const std::scoped_lock lock(mutex);
      offset = ends.size() - 1;
      ends.insert(ends.end(), found.begin(), found.end());
    }
    if (offset + found.size() >= last_index)
      fail(Exit::data, "the volume has more than 4294967294 basins: smooth it or crop it");
    for (std::uint32_t& id : own)
      if (id != 0) id += static_cast<std::uint32_t>(offset);
    ids.write(block, own.data());
  });
  return ends;
}

}  // namespace

Basins find_basins(const Workspace& w, const ScratchGrid<std::uint16_t>& field) {
  Basins result{{}, ScratchGrid<std::uint32_t>(w), {}};
  {
    const std::vector<End> ends = find_ends(w, field, result.ids);
    resolve_ends(ends, result.ids, w.context->progress, result.basin_of);
    number_basins(ends, result.basin_of, result.graph);
  }
  std::mutex mutex;
  for_each_block(w, "saddles", [&](const Box& block) {
    const Box wide = reaching(block, {1, 1, 1});
    BlockCensus census;
    census.add_rows(block, w.shape, result.ids.padded(wide, 0), field.padded(wide, 0), result.basin_of);
    const std::scoped_lock lock(mutex);
    census.merge_into(result.graph);
  });
  unify_saddles(result.graph.saddles);
  return result;
}

std::vector<std::uint32_t> merge_basins(const BasinGraph& graph, const MergeRule& rule) {
  std::vector<BasinGraph::Saddle> order = graph.saddles;
  std::sort(order.begin(), order.end(),
            [](const auto& p, const auto& q) { return std::tuple(q.value, p.a, p.b) < std::tuple(p.value, q.a, q.b); });
  DisjointSets groups(graph.basins.size());
  std::vector<std::uint16_t> peak(graph.basins.size());
  for (std::size_t i = 0; i < peak.size(); ++i) peak[i] = graph.basins[i].peak;
  for (const auto& saddle : order) {
    const std::uint32_t a = groups.find(saddle.a);
    const std::uint32_t b = groups.find(saddle.b);
    if (a == b) continue;
    const double lower = std::min(peak[a], peak[b]);
    if (lower >= rule.least_peak && lower - saddle.value >= std::max(rule.least, rule.share * lower)) continue;
    groups.unite(a, b);
    peak[std::min(a, b)] = std::max(peak[a], peak[b]);
  }
  std::vector<std::uint32_t> group(graph.basins.size());
  for (std::uint32_t i = 0; i < group.size(); ++i) group[i] = groups.find(i);
  return group;
}

Instances number_instances(const BasinGraph& graph, const std::vector<std::uint32_t>& group_of,
                           std::uint64_t least_voxels, std::uint16_t least_peak) {
  std::vector<std::uint16_t> peak(group_of.size(), 0);
  std::vector<std::int64_t> first(group_of.size(), std::numeric_limits<std::int64_t>::max());
  std::vector<std::uint64_t> voxels(group_of.size(), 0);
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    first[group_of[i]] = std::min(first[group_of[i]], graph.basins[i].first);
    voxels[group_of[i]] += graph.basins[i].voxels;
    peak[group_of[i]] = std::max(peak[group_of[i]], graph.basins[i].peak);
  }
  Instances result;
  std::vector<std::uint32_t> kept;
  for (std::uint32_t g = 0; g < group_of.size(); ++g) {
    if (voxels[g] == 0) continue;
    if (peak[g] < least_peak) {
      result.unresolved_voxels += voxels[g];
    } else if (voxels[g] >= least_voxels) {
      kept.push_back(g);
    } else {
      result.dropped += 1;
      result.dropped_voxels += voxels[g];
    }
  }
  std::sort(kept.begin(), kept.end(), [&](auto a, auto b) { return first[a] < first[b]; });
  result.count = static_cast<std::uint32_t>(kept.size());
  std::vector<std::uint32_t> label(group_of.size(), 0);
  for (std::uint32_t i = 0; i < kept.size(); ++i) label[kept[i]] = i + 1;
  result.label_of.resize(group_of.size());
  for (std::size_t i = 0; i < group_of.size(); ++i) result.label_of[i] = label[group_of[i]];
  return result;
}

}  // namespace cathoscope
