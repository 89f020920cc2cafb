#include "stop.hpp"

#include <cathoscope/core/error.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

namespace cathoscope::app {

namespace {

constexpr std::array<int, 5> stopping{SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};
std::atomic<bool> stop_wanted{false};
std::atomic<int> stop_signal{0};  // a signal's number; -1 time limit, -2 stop file

void on_signal(int number) {
  if (number == SIGINT && stop_wanted) std::signal(SIGINT, SIG_DFL), std::raise(SIGINT);
  stop_signal = number;
  stop_wanted = true;
}

}  // namespace

int stop_code() { return stop_signal; }

void request_stop(int code) {
  stop_signal = code;
  stop_wanted = true;
}

const std::atomic<bool>& stop_flag() { return stop_wanted; }

std::string stop_reason() {
  switch (const int code = stop_signal) {
    case 0: return {};
    case -1: return "the time limit";
    case -2: return "the stop file";
    default: return fmt::format("signal {} ({})", code, strsignal(code));
  }
}

void handle_signals() {
  for (const int number : stopping) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void end_at_signals() {
  for (const int number : stopping) std::signal(number, SIG_DFL);
}

std::chrono::seconds duration_from(const std::string& text) {
  std::int64_t total = 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  bool good = p != end;
  while (good && p != end) {
    std::int64_t value = 0;
    const auto r = std::from_chars(p, end, value);
    good = r.ec == std::errc() && r.ptr != end && value >= 0 && value < 100'000'000;
    if (!good) break;
    switch (*r.ptr) {
      case 'h': total += 3600 * value; break;
      case 'm': total += 60 * value; break;
      case 's': total += value; break;
      default: good = false;
    }
    p = r.ptr + 1;
  }
  if (!good || total == 0)
    fail(Exit::usage, "--time-limit '{}' is not a duration; write for example 3h50m, 45m or 90s", text);
  return std::chrono::seconds(total);
}

StopWatch::StopWatch(std::optional<std::chrono::seconds> limit, std::optional<std::filesystem::path> file) {
  if (!limit && !file) return;
  const auto end = std::chrono::steady_clock::now() + limit.value_or(std::chrono::hours(24 * 365));
  thread_ = std::jthread([end, file](const std::stop_token& token) {
    while (!token.stop_requested() && !stop_wanted) {
      std::error_code none;
      if (file && std::filesystem::exists(*file, none)) request_stop(-2);
      if (std::chrono::steady_clock::now() >= end) request_stop(-1);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
}

}  // namespace cathoscope::app
