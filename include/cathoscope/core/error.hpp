#pragma once
/// The one error type of the program and its exit codes (sysexits, the same everywhere).

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace cathoscope {

/// Process exit codes; the meaning of each is part of the command-line contract.
enum class Exit : int {
  ok = 0,              ///< done, or nothing to do
  not_converged = 1,   ///< a computation did not converge, or a verification missed its tolerance
  usage = 64,          ///< command line
  data = 65,           ///< input data invalid, truncated or unsupported
  no_input = 66,       ///< input missing or unreadable
  unavailable = 69,    ///< device or feature not available
  internal = 70,       ///< a bug
  no_memory = 71,      ///< out of memory after the fallbacks
  cannot_create = 73,  ///< output cannot be created or belongs to another run
  write_error = 74,    ///< write error, disk full
  interrupted = 75,    ///< stopped by a signal, a time limit or another live run; resumable
  version = 76,        ///< weights or artifact of another version
  config = 78,         ///< configuration
};

/// What is wrong, which value, what is allowed, where, what to do; and the exit code that goes with it.
/// Visible where visibility is hidden: the program catches what its shared library throws.
class [[gnu::visibility("default")]] Error : public std::runtime_error {
 public:
  Error(Exit exit, const std::string& message) : std::runtime_error(message), exit_(exit) {}
  [[nodiscard]] Exit exit() const noexcept { return exit_; }

 private:
  Exit exit_;
};

/// Throws Error{exit, formatted message}.
template <class... Args>
[[noreturn]] void fail(Exit exit, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(exit, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cathoscope
