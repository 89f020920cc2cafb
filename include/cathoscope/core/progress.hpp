#pragma once
/// What a stage needs from its surroundings besides data: threads, memory, progress, warnings, and the wish to stop.

#include <cathoscope/core/ranks.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace cathoscope {

/// Receives progress; the application draws bars or log lines from it.
struct ProgressListener {
  std::function<void(const std::string& task, double fraction)> on_progress;
  std::function<void(const std::string& message)> on_warning;
};

/// Progress of one stage. Thread-safe.
class Progress {
 public:
  Progress() = default;
  explicit Progress(ProgressListener listener, const std::atomic<bool>* stop = nullptr)
      : listener_(std::move(listener)), stop_(stop) {}

  /// Starts a task of `total` units (of any kind).
  void begin(const std::string& task, std::uint64_t total);
  /// Reports finished units. Throws Error{interrupted} if a stop was asked for: call it once a block.
  void advance(std::uint64_t units = 1);
  /// Throws Error{interrupted} if a stop was asked for.
  void check_stop() const;
  /// A message for the user, the log, the provenance and the report.
  void warn(const std::string& message);
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  ProgressListener listener_;
  const std::atomic<bool>* stop_ = nullptr;
  mutable std::mutex mutex_;
  std::string task_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
  std::vector<std::string> warnings_;
};

/// Surroundings of a stage. None of it may change a result.
struct Context {
  Progress& progress;
  int threads = 1;
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;  ///< what the stage may hold at once
  Ranks ranks{};                                        ///< other processes that help
};

}  // namespace cathoscope
