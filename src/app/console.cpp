#include "console.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cathoscope::app {

namespace {

bool can_redraw() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string(term) != "dumb";
}

/// spdlog would create missing folders, so that a mistyped path would go unnoticed. `flags`: O_NOFOLLOW for a log in a run
/// folder, which may come from elsewhere.
void require_writable(const std::filesystem::path& file, int flags) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0666);
  if (fd < 0) fail(Exit::cannot_create, "log file {} cannot be written: {}", file.string(), std::strerror(errno));
  ::close(fd);
}

std::shared_ptr<spdlog::logger> file_logger(const std::string& name, const std::filesystem::path& file,
                                            const std::string& pattern, int flags) {
  require_writable(file, flags);
  try {
    auto logger =
        std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()));
    logger->set_pattern(pattern, spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    logger->set_error_handler([](const std::string&) {});  // a full disk must not stop the work over its log
    return logger;
  } catch (const spdlog::spdlog_ex& e) {
    fail(Exit::cannot_create, "log file {} cannot be written: {}", file.string(), e.what());
  }
}

std::string json_text(const std::string& message) {
  return nlohmann::json(message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Console::Console(Loudness loudness) : bar_(can_redraw() && loudness != Loudness::quiet) {
  screen_ = std::make_shared<spdlog::logger>("screen", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  screen_->set_pattern("%v");
  screen_->set_level(loudness == Loudness::quiet ? spdlog::level::warn : spdlog::level::info);
  screen_->set_error_handler([](const std::string&) {});  // stderr may be closed
}

void Console::log_to(const std::filesystem::path& file) {
  file_ = file_logger("file", file, "%Y-%m-%dT%H:%M:%S.%eZ %l %v", O_NOFOLLOW);
}

void Console::log_json_to(const std::filesystem::path& file) {
  json_ = file_logger("json", file, R"({"time": "%Y-%m-%dT%H:%M:%S.%eZ", "level": "%l", "message": %v})", 0);
}

void Console::clear_bar() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

void Console::info(const std::string& message) {
  clear_bar();
  screen_->info(message);
  if (file_) file_->info(message);
  if (json_) json_->info(json_text(message));
}

void Console::warn(const std::string& message) {
  clear_bar();
  screen_->warn("warning: " + message);
  if (file_) file_->warn(message);
  if (json_) json_->warn(json_text(message));
}

void Console::error(const std::string& message) {
  clear_bar();
  screen_->error(message);
  if (file_) file_->error(message);
  if (json_) json_->error(json_text(message));
}

ProgressListener Console::listener() {
  return {[this](const std::string& task, double fraction) { show_progress(task, fraction); },
          [this](const std::string& message) { warn(message); }};
}

void Console::show_progress(const std::string& task, double fraction) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (task != task_ || fraction == 0) {
    task_ = task;
    task_start_ = now;
    last_tenth_ = 0;
  }
  const double elapsed = std::chrono::duration<double>(now - task_start_).count();
  const std::string left =
      fraction > 0 && fraction < 1 ? ", " + duration_text(elapsed / fraction * (1 - fraction)) + " left" : "";
  const std::string line = fmt::format("  {} {:3.0f} %, {}{}", task, 100 * fraction, duration_text(elapsed), left);
  if (bar_) {
    if (now - last_draw_ < 100ms && fraction < 1) return;
    last_draw_ = now;
    const int filled = static_cast<int>(30 * fraction);
    fmt::print(stderr, "\r\033[K  [{}{}]{}", std::string(static_cast<std::size_t>(filled), '#'),
               std::string(static_cast<std::size_t>(30 - filled), ' '), line);
    std::fflush(stderr);
    bar_shown_ = true;
    if (fraction >= 1) clear_bar();
    return;
  }
  const int tenth = static_cast<int>(10 * fraction);
  if (tenth <= last_tenth_ || elapsed < 2) return;  // nobody needs ten lines about a task of seconds
  last_tenth_ = tenth;
  info(line);
}

}  // namespace cathoscope::app
