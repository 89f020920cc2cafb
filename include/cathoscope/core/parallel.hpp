#pragma once
/// A parallel loop over independent items. Small on purpose: no pool, no nesting, clean under thread sanitizer.

#include <cstdint>
#include <functional>

namespace cathoscope {

/// Threads to use for a request of `requested` (0 = all that this process may run on); at least 1.
int resolve_threads(int requested);

/// Calls f(i) for i in [0, count) on up to `threads` threads. Items are handed out in order. If items throw, the
/// exception of the smallest failing index that ran is rethrown after all threads have stopped.
/// Results must not depend on which thread runs an item.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& f);

}  // namespace cathoscope
