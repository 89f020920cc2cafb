#include "stop.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

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

namespace {

/// The whole number that `text` begins with, which is taken from it.
std::optional<std::int64_t> number_taken(std::string_view& text) {
  std::int64_t value = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec != std::errc() || value < 0 || value >= 100'000'000) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(r.ptr - text.data()));
  return value;
}

/// "3h50m"; seconds.
std::optional<std::int64_t> with_units(std::string_view text) {
  static constexpr std::pair<char, std::int64_t> units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto value = number_taken(text);
    const auto* unit = std::find_if(std::begin(units), std::end(units),
                                    [&](const auto& u) { return !text.empty() && u.first == text.front(); });
    if (!value || unit == std::end(units)) return std::nullopt;
    total += *value * unit->second;
    text.remove_prefix(1);
  }
  return total;
}

/// "23:30:00" or "1-12:00:00", as Slurm writes it; seconds.
std::optional<std::int64_t> with_colons(std::string_view text) {
  std::int64_t days = 0;
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    std::string_view head = text.substr(0, dash);
    const auto value = number_taken(head);
    if (!value || !head.empty()) return std::nullopt;
    days = *value;
    text.remove_prefix(dash + 1);
  }
  std::int64_t total = 0;
  for (int part = 0; part < 3; ++part) {
    const auto value = number_taken(text);
    if (!value || (part > 0 && *value >= 60)) return std::nullopt;
    total = 60 * total + *value;
    if (part == 2) break;
    if (text.empty() || text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
  }
  return text.empty() ? std::optional(86400 * days + total) : std::nullopt;
}

}  // namespace

std::chrono::seconds duration_from(const std::string& text) {
  const auto total = text.find(':') == std::string::npos ? with_units(text) : with_colons(text);
  if (!total || *total == 0)
    fail(Exit::usage,
         "--time-limit '{}' is not a duration; write for example 3h50m, 45m, 90s, or as Slurm does 23:30:00 or "
         "1-12:00:00",
         text);
  return std::chrono::seconds(*total);
}

StopWatch::StopWatch(std::optional<std::chrono::seconds> limit, const std::optional<std::filesystem::path>& file) {
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
