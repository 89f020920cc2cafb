#pragma once
/// What to do where a device has no memory left: fewer images at once, then smaller tiles.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace cathoscope {

/// Thrown by a computation that a device had no memory for.
struct OutOfDeviceMemory {};

/// Thread-safe. Shared by all calls of a predictor.
class MemoryLadder {
 public:
  MemoryLadder(int concurrency, std::int64_t tile, std::function<void(const std::string&)> warn);

  /// Calls compute(tile) until it does not throw OutOfDeviceMemory: with half as many others beside it each time, then
  /// with tiles of half the side. Throws Error{no_memory} where the smallest tile alone does not fit.
  void climb(const std::function<void(std::int64_t tile)>& compute);

 private:
  void enter();
  void leave();
  void step_down(int seen_limit, std::int64_t seen_tile);

  std::mutex mutex_;
  std::condition_variable free_;
  int limit_, running_ = 0;
  std::int64_t tile_;
  std::function<void(const std::string&)> warn_;
};

}  // namespace cathoscope
