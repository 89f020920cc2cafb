#include "run_folder.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/version.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <thread>
#include <vector>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

constexpr const char* marker = ".cathoscope-run";

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown host";
  return name.data();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Value of a `Key:   123 kB` line of /proc/self/status, in bytes.
std::uint64_t status_bytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.rfind(key + ":", 0) == 0) return std::strtoull(line.c_str() + key.size() + 1, nullptr, 10) * 1024;
  return 0;
}

/// The marker before it has its name: of a shard that begins at the same time, or of a process that was killed then.
bool is_coming_marker(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.find(marker) <= 1 && name.ends_with(".partial");
}

/// Whether a folder holds nothing, or nothing but what `cathoscope explore` left for the run's figures.
bool is_free(const fs::path& folder, std::error_code& error) {
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename() != "explore" && !is_coming_marker(entry->path())) return false;
  return !error;
}

/// Shards may do so at the same time: each under a name of its own, until one renaming wins; all say the same.
void write_marker(const fs::path& folder, const std::string& run_name) {
  const fs::path mine = folder / fmt::format("{}.{}-{}.partial", marker, host_name(), getpid());
  write_atomically(mine, run_name + "\n");
  std::error_code error;
  fs::rename(mine, folder / marker, error);
  if (error) fail(Exit::cannot_create, "{} cannot be created: {}", (folder / marker).string(), error.message());
}

}  // namespace

void check_run_folder(const fs::path& folder, const std::string& run_name) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    fail(Exit::cannot_create, "output {} is not a folder; name another with `output:` or --output", folder.string());
  if (is_free(folder, error)) return;
  if (error) fail(Exit::cannot_create, "output {} cannot be read: {}", folder.string(), error.message());
  if (!fs::exists(folder / marker, error))
    fail(Exit::cannot_create,
         "output {} holds files that no run made; nothing was touched. Name an empty or new folder with `output:` or "
         "--output.",
         folder.string());
  const std::string owner = first_line(folder / marker);
  if (owner != run_name)
    fail(Exit::cannot_create, "output {} belongs to the run '{}', not '{}'. Name another folder, or change `name`.",
         folder.string(), owner, run_name);
}

void make_run_folder(const fs::path& folder, const std::string& run_name) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    fs::create_directories(folder, error);
    if (error) fail(Exit::cannot_create, "output {} cannot be created: {}", folder.string(), error.message());
  }
  check_run_folder(folder, run_name);
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    fail(Exit::cannot_create, "output {} cannot be written: {}", folder.string(), std::strerror(errno));
  if (!fs::exists(folder / marker)) write_marker(folder, run_name);
}

void make_electrode_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_symlink(folder, error))
    fail(Exit::cannot_create, "{} is a symbolic link; an electrode's results stay inside the run folder. Remove it.",
         folder.string());
  fs::create_directories(folder, error);
  if (error) fail(Exit::cannot_create, "{} cannot be created: {}", folder.string(), error.message());
}

namespace {

/// Takes the lock unless a run has it: `status` has it for a moment, too, to look whether it is free.
bool locked_soon(int fd, int kind) {
  for (int tries = 0; tries < 5; ++tries) {
    if (flock(fd, kind | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  errno = EWOULDBLOCK;
  return false;
}

}  // namespace

std::optional<std::string> holder_of(const fs::path& folder) {
  const auto path = folder / ".lock";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  if (!held) return std::nullopt;
  const std::string holder = first_line(path);
  return holder.empty() ? "another run" : holder;
}

int lock_run_folder(const fs::path& folder, bool shared) {
  const auto path = folder / ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) fail(Exit::cannot_create, "{} cannot be created: {}", path.string(), std::strerror(errno));
  if (!locked_soon(fd, shared ? LOCK_SH : LOCK_EX)) {
    const int reason = errno;
    const std::string holder = first_line(path);
    ::close(fd);
    if (reason == EWOULDBLOCK)
      fail(Exit::interrupted, "{} is in use by {}; wait for it to end, then run again", folder.string(),
           holder.empty() ? "another run" : holder);
    fail(Exit::cannot_create, "{} cannot be locked: {}. Use a folder on a file system with locks.", path.string(),
         std::strerror(reason));
  }
  const std::string text = fmt::format("{} {} on {} since {}\n", shared ? "shards, one of them process" : "process",
                                       getpid(), host_name(), utc_now());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    ::close(fd);
    fail(Exit::write_error, "{} cannot be written: {}", path.string(), std::strerror(errno));
  }
  return fd;
}

void unlock_run_folder(int lock, bool shared) {
  if (lock < 0) return;
  // The note of who held it goes first; should that fail, the lock still ends with the descriptor. Shards leave the note
  // to each other.
  if (!shared) [[maybe_unused]]
    const int ignored = ftruncate(lock, 0);
  ::close(lock);
}

namespace {

/// Whether a path below the run folder is one that a stage writes to before anything gets its final name.
bool is_temporary(const fs::path& path, const fs::path& folder) {
  const std::string name = path.filename().string();
  if (name.front() == '.' && name.find(".partial") != std::string::npos) return true;
  const auto below = path.lexically_relative(folder);
  return std::any_of(below.begin(), below.end(), [](const fs::path& part) { return part.extension() == ".work"; });
}

}  // namespace

void remove_dead_partials(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> dead;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    std::error_code none;
    const bool link = it->is_symlink(none);
    const bool partial = it->path().filename().string().find(".partial") != std::string::npos;
    // A link that waits where a stage is about to write would lead its bytes out of the folder.
    if (is_temporary(it->path(), folder) && (link || (partial && it->is_regular_file(none))))
      dead.push_back(it->path());
  }
  for (const auto& path : dead) fs::remove(path, error);
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";  // without permission the peak is of the whole process: still true
}

std::uint64_t peak_memory() { return status_bytes("VmHWM"); }

double processor_seconds() {
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    for (const timeval& t : {used.ru_utime, used.ru_stime})
      sum += static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  }
  return sum;
}

nlohmann::ordered_json host_facts() {
  utsname system{};
  uname(&system);
  return {{"host", host_name()},
          {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"cores", resolve_threads(0)},
          {"utc", utc_now()},
          {"program", fmt::format("cathoscope {} ({})", version_text(), git_text())}};
}

}  // namespace cathoscope
