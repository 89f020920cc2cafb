#pragma once
/// What the user sees while the program works: messages on stderr and in log.txt, progress with rate and time left.

#include <cathoscope/core/progress.hpp>

#include <spdlog/logger.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace cathoscope::app {

enum class Loudness { quiet, normal, verbose };

/// Messages and progress of one process. stdout stays free for results.
class Console {
 public:
  explicit Console(Loudness loudness);

  /// Also writes to this file from now on; `json` adds a file of one JSON object a line.
  void log_to(const std::filesystem::path& file);
  void log_json_to(const std::filesystem::path& file);

  void info(const std::string& message);
  void warn(const std::string& message);
  void error(const std::string& message);
  ProgressListener listener();

 private:
  void show_progress(const std::string& task, double fraction);
  void clear_bar();

  std::shared_ptr<spdlog::logger> screen_;
  std::shared_ptr<spdlog::logger> file_;
  std::shared_ptr<spdlog::logger> json_;
  bool bar_ = false;  ///< stderr is a terminal that can redraw a line
  bool bar_shown_ = false;
  std::string task_;
  std::chrono::steady_clock::time_point task_start_;
  std::chrono::steady_clock::time_point last_draw_;
  int last_tenth_ = -1;
};

}  // namespace cathoscope::app
