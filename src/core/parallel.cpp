#include <cathoscope/core/parallel.hpp>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace cathoscope {

int resolve_threads(int requested) {
  if (requested > 0) return requested;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

namespace {

struct FirstFailure {
  std::mutex mutex;
  std::int64_t index = -1;
  std::exception_ptr error;

  void keep(std::int64_t i, std::exception_ptr e) {
    const std::scoped_lock lock(mutex);
    if (index < 0 || i < index) {
      index = i;
      error = std::move(e);
    }
  }
};

}  // namespace

void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& f) {
  const auto workers = static_cast<int>(std::min<std::int64_t>(count, std::max(1, threads)));
  if (workers <= 1) {
    for (std::int64_t i = 0; i < count; ++i) f(i);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  FirstFailure failure;
  const auto work = [&] {
    for (std::int64_t i = next++; i < count && !failed; i = next++) {
      try {
        f(i);
      } catch (...) {
        failed = true;
        failure.keep(i, std::current_exception());
      }
    }
  };
  {
    std::vector<std::jthread> pool;
    for (int t = 1; t < workers; ++t) pool.emplace_back(work);
    work();
  }
  if (failure.error) std::rethrow_exception(failure.error);
}

}  // namespace cathoscope
