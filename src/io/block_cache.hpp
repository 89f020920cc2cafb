#pragma once
/// Decoded pieces of compressed files (strips, tiles, planes), the least recently used forgotten first.

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace cathoscope::readers {

/// Thread-safe. Two threads that miss the same piece may both decode it; the bytes are the same.
class BlockCache {
 public:
  using Key = std::pair<std::int64_t, std::int64_t>;  ///< plane, piece in it
  using Bytes = std::shared_ptr<const std::vector<char>>;

  explicit BlockCache(std::size_t most_bytes = std::size_t{64} << 20) : most_bytes_(most_bytes) {}

  /// The piece, decoded by `decode()` (a std::vector<char>) where it is not there.
  template <class F>
  Bytes get(const Key& key, F&& decode) {
    if (Bytes found = find(key)) return found;
    auto bytes = std::make_shared<const std::vector<char>>(decode());
    keep(key, bytes);
    return bytes;
  }

 private:
  Bytes find(const Key& key) {
    const std::scoped_lock lock(mutex_);
    const auto at = index_.find(key);
    if (at == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, at->second);
    return at->second->second;
  }

  void keep(const Key& key, Bytes bytes) {
    const std::scoped_lock lock(mutex_);
    if (index_.count(key) > 0) return;
    held_ += bytes->size();
    order_.emplace_front(key, std::move(bytes));
    index_[key] = order_.begin();
    while (held_ > most_bytes_ && order_.size() > 1) {
      held_ -= order_.back().second->size();
      index_.erase(order_.back().first);
      order_.pop_back();
    }
  }

  std::size_t most_bytes_;
  std::size_t held_ = 0;
  std::mutex mutex_;
  std::list<std::pair<Key, Bytes>> order_;
  std::map<Key, std::list<std::pair<Key, Bytes>>::iterator> index_;
};

}  // namespace cathoscope::readers
