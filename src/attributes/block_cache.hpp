#pragma once
/// Decoded blocks of a grid, kept while there is room: boxes of neighbouring particles overlap, and a compressed chunk
/// should be decoded once.

#include <cathoscope/core/grid.hpp>

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cathoscope::attributes {

template <class T>
class BlockCache {
 public:
  BlockCache(GridSource<T> source, std::size_t capacity_bytes) : source_(std::move(source)) {
    capacity_ = std::max<std::size_t>(1, capacity_bytes / (sizeof(T) * edge * edge * edge));
  }

  /// As GridSource::read. Two threads that miss the same block at once both read it; the values are the same.
  void read(const Box& box, T* out) {
    const auto block_of = [](std::int64_t i) { return i / edge; };
    for (std::int64_t z = block_of(box.begin[0]); z <= block_of(box.end[0] - 1); ++z)
      for (std::int64_t y = block_of(box.begin[1]); y <= block_of(box.end[1] - 1); ++y)
        for (std::int64_t x = block_of(box.begin[2]); x <= block_of(box.end[2] - 1); ++x)
          copy_part({z, y, x}, box, out);
  }

 private:
  static constexpr std::int64_t edge = 64;  // the chunks of the project's files
  using Values = std::shared_ptr<const std::vector<T>>;
  struct Entry {
    std::int64_t key;
    Values values;
  };

  [[nodiscard]] Box box_of(const Index3& block) const {
    const Index3 low{block[0] * edge, block[1] * edge, block[2] * edge};
    return intersect({low, {low[0] + edge, low[1] + edge, low[2] + edge}}, whole(source_.shape));
  }

  void copy_part(const Index3& block, const Box& box, T* out) {
    const Box stored = box_of(block);
    const Box part = intersect(stored, box);
    const Values values = block_values(block, stored);
    const Index3 from = stored.shape(), to = box.shape();
    for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
      for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y)
        std::copy_n(values->data() + ((z - stored.begin[0]) * from[1] + y - stored.begin[1]) * from[2] + part.begin[2] -
                        stored.begin[2],
                    part.end[2] - part.begin[2],
                    out + ((z - box.begin[0]) * to[1] + y - box.begin[1]) * to[2] + part.begin[2] - box.begin[2]);
  }

  Values block_values(const Index3& block, const Box& stored) {
    const std::int64_t key = (block[0] << 42) | (block[1] << 21) | block[2];
    {
      const std::scoped_lock lock(mutex_);
      if (const auto found = index_.find(key); found != index_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        return found->second->values;
      }
    }
    auto values = std::make_shared<std::vector<T>>(static_cast<std::size_t>(stored.size()));
    source_.read(stored, values->data());
    keep(key, values);
    return values;
  }

  void keep(std::int64_t key, const Values& values) {
    const std::scoped_lock lock(mutex_);
    if (index_.contains(key)) return;
    order_.push_front({key, values});
    index_[key] = order_.begin();
    if (order_.size() <= capacity_) return;
    index_.erase(order_.back().key);
    order_.pop_back();
  }

  GridSource<T> source_;
  std::size_t capacity_;
  std::mutex mutex_;
  std::list<Entry> order_;  // most recent first
  std::unordered_map<std::int64_t, typename std::list<Entry>::iterator> index_;
};

/// The grid behind a cache of this size; a grid in memory as it is.
template <class T>
GridSource<T> cached(GridSource<T> source, std::size_t capacity_bytes) {
  if (values_in_memory(source) != nullptr) return source;
  GridSource<T> result = source;
  auto cache = std::make_shared<BlockCache<T>>(std::move(source), capacity_bytes);
  result.read = [cache](const Box& box, T* out) { cache->read(box, out); };
  return result;
}

}  // namespace cathoscope::attributes
