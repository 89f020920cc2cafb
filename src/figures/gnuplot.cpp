#include "gnuplot.hpp"

#include <cathoscope/core/error.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>

extern char** environ;

namespace cathoscope {

namespace {

using Clock = std::chrono::steady_clock;

/// This process's environment with a locale that has UTF-8 and dots in numbers, and without gnuplot's own variables.
std::vector<std::string> environment() {
  std::vector<std::string> result{"LC_ALL=C.UTF-8"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.rfind("LC_ALL=", 0) != 0 && text.rfind("GNUTERM", 0) != 0 && text.rfind("GNUPLOT_", 0) != 0)
      result.push_back(text);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// A child whose output comes through a pipe; killed and reaped if it is left before its end.
class Child {
 public:
  Child(const std::filesystem::path& folder, const std::string& script) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(Exit::internal, "no pipe for gnuplot: {}", std::strerror(errno));
    output_ = ends[0];
    const int error = spawn(folder, script, ends[1]);
    ::close(ends[1]);
    if (error == 0) return;
    ::close(output_);
    if (error == ENOENT)
      fail(Exit::unavailable,
           "gnuplot draws the figures and is not to be found in $PATH. Install it (Debian: apt-get install "
           "gnuplot-nox), "
           "then run again: everything else is kept");
    fail(Exit::unavailable, "gnuplot cannot be started: {}", std::strerror(error));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      (void)wait();
    }
    ::close(output_);
  }

  /// Appends what came within a tenth of a second; false at the end of the output.
  bool read(std::string& text) const {
    pollfd watched{output_, POLLIN, 0};
    const int ready = ::poll(&watched, 1, 100);
    if (ready <= 0) return true;
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(output_, buffer.data(), buffer.size());
    if (n > 0 && text.size() < 65536) text.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }

  int wait() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return status;
  }

 private:
  int spawn(const std::filesystem::path& folder, const std::string& script, int write_end) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, write_end, STDERR_FILENO);
    std::vector<std::string> arguments{"gnuplot", "-d", script}, variables = environment();
    const int error =
        posix_spawnp(&process_, "gnuplot", &actions, nullptr, pointers(arguments).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) process_ = -1;
    return error;
  }

  pid_t process_ = -1;
  int output_ = -1;
};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const auto first = text.find_first_not_of(" \n");
  return first == std::string::npos ? "" : text.substr(first);
}

}  // namespace

std::string run_gnuplot(const std::filesystem::path& folder, const std::string& script, double seconds,
                        const std::function<void()>& check_stop) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  Child child(folder, script);
  std::string said;
  while (child.read(said)) {
    check_stop();
    if (Clock::now() > deadline)
      fail(Exit::internal, "gnuplot took more than {} s for {} and was ended", seconds, script);
  }
  const int status = child.wait();
  said = trimmed(said);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return said;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    fail(Exit::unavailable, "gnuplot cannot be run: {}", said.empty() ? "not found" : said);
  fail(Exit::internal, "gnuplot failed on {} ({}): {}", script,
       WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : fmt::format("code {}", WEXITSTATUS(status)),
       said.empty() ? "it said nothing" : said);
}

void fix_pdf_date(std::string& pdf) {
  static const std::string key = "/CreationDate (D:";
  const auto at = pdf.find(key);
  const auto end = at == std::string::npos ? at : pdf.find(')', at);
  if (end == std::string::npos)
    fail(Exit::internal, "a PDF of gnuplot has no CreationDate; its bytes would depend on the time");
  static const std::string fixed = "20000101000000";
  std::size_t k = 0;
  for (std::size_t i = at + key.size(); i < end; ++i)
    if (pdf[i] >= '0' && pdf[i] <= '9') pdf[i] = k < fixed.size() ? fixed[k++] : '0';
}

}  // namespace cathoscope
