#include "memory_ladder.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>

namespace cathoscope {

namespace {

constexpr std::int64_t smallest_tile = 256;  // pixels a side: less would be overlap only

}  // namespace

MemoryLadder::MemoryLadder(int concurrency, std::int64_t tile, std::function<void(const std::string&)> warn)
    : limit_(std::max(1, concurrency)), tile_(tile), warn_(std::move(warn)) {}

void MemoryLadder::enter() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return running_ < limit_; });
  ++running_;
}

void MemoryLadder::leave() {
  {
    const std::scoped_lock lock(mutex_);
    --running_;
  }
  free_.notify_all();
}

void MemoryLadder::step_down(int seen_limit, std::int64_t seen_tile) {
  const std::scoped_lock lock(mutex_);
  if (limit_ != seen_limit || tile_ != seen_tile) return;  // another call has done it already
  std::string message;
  if (limit_ > 1) {
    limit_ /= 2;
    message = "the device is out of memory: now " + std::to_string(limit_) + " images at once";
  } else if (tile_ > smallest_tile) {
    tile_ /= 2;
    message = "the device is out of memory: now tiles of " + std::to_string(tile_) + " pixels";
  } else {
    fail(Exit::no_memory, "the device has no memory for a tile of {} x {} pixels; use --device cpu", tile_, tile_);
  }
  if (warn_) warn_(message);
}

void MemoryLadder::climb(const std::function<void(std::int64_t)>& compute) {
  for (;;) {
    enter();
    std::unique_lock lock(mutex_);
    const int limit = limit_;
    const std::int64_t tile = tile_;
    lock.unlock();
    try {
      compute(tile);
      leave();
      return;
    } catch (const OutOfDeviceMemory&) {
      leave();
      step_down(limit, tile);
    } catch (...) {
      leave();
      throw;
    }
  }
}

}  // namespace cathoscope
