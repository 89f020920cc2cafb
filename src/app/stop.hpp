#pragma once
/// The wish to stop, from signals, a time limit or a file.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace cathoscope::app {

/// Set by SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU; a second SIGINT kills.
const std::atomic<bool>& stop_flag();
/// Name of what asked for the stop; empty where nothing did.
std::string stop_reason();
/// The same as a number, for another rank: a signal, or what only request_stop() knows; 0 where nothing did.
int stop_code();
/// Asks for a stop as if what stop_code() named on another rank had happened here.
void request_stop(int code);

/// Installs the handlers; SIGPIPE and SIGXFSZ become errors of the write that met them.
void handle_signals();

/// For commands that compute one result and write it whole or not at all: signals end them at once.
void end_at_signals();

/// "3h50m", "90s", "2h", "45m". Throws Error{usage}.
std::chrono::seconds duration_from(const std::string& text);

/// Asks for a stop when the time is over or the file appears, until destroyed.
class StopWatch {
 public:
  StopWatch(std::optional<std::chrono::seconds> limit, const std::optional<std::filesystem::path>& file);

 private:
  std::jthread thread_;
};

}  // namespace cathoscope::app
