#include "stage_journal.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest = std::uintmax_t{256} << 20;
constexpr std::size_t check_length = 16, number_length = 16;

std::string check_of(std::string_view rest) { return sha256_of_text(rest).substr(0, check_length); }

std::string line_of(const std::string& name, const std::vector<double>& values) {
  std::string rest;
  for (const double v : values) rest += fmt::format("{:016x}", std::bit_cast<std::uint64_t>(v));
  rest += " " + name;
  return check_of(rest) + " " + rest + "\n";
}

/// The numbers of a line's middle field; nothing where it is no such field.
std::optional<std::vector<double>> numbers_of(std::string_view text) {
  if (text.size() % number_length != 0) return std::nullopt;
  std::vector<double> values;
  for (std::size_t at = 0; at < text.size(); at += number_length) {
    std::uint64_t bits = 0;
    const char* const end = text.data() + at + number_length;
    const auto r = std::from_chars(text.data() + at, end, bits, 16);
    if (r.ec != std::errc() || r.ptr != end) return std::nullopt;
    values.push_back(std::bit_cast<double>(bits));
  }
  return values;
}

}  // namespace

StageJournal::StageJournal(const fs::path& file, const std::string& key, const std::vector<fs::path>& others,
                           const Shard& shard) {
  const std::string head = "cathoscope finished pieces of " + key + "\n";
  begin(file, head, shard);
  for (const auto& other : others)
    if (other != file && !read(other, head)) ++not_used_;
  pieces_.shard = shard;
  pieces_.find = [this](const std::string& name) -> std::optional<std::vector<double>> {
    const auto at = found_.find(name);
    if (at == found_.end()) return std::nullopt;
    return at->second;
  };
  pieces_.keep = [this](const std::string& name, const std::vector<double>& values) {
    if (name.find('\n') == std::string::npos) append(line_of(name, values), 1);
  };
}

void StageJournal::begin(const fs::path& file, const std::string& head, const Shard& shard) {
  file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (file_ >= 0 && shard.count > 1 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    fail(Exit::interrupted, "{}: another process works on shard {} of {}; wait for it to end, then run again",
         file.string(), shard.index, shard.count);
  }
  read(file, head);
  const bool fresh = found_.empty() && file_ >= 0 && ::ftruncate(file_, 0) == 0;
  append(fresh ? head : "\n", 0);  // an empty line ends one that was torn
}

StageJournal::~StageJournal() {
  if (file_ >= 0) ::close(file_);
}

bool StageJournal::read(const fs::path& file, const std::string& head) {
  std::error_code none;
  if (fs::symlink_status(file, none).type() != fs::file_type::regular || fs::file_size(file, none) > largest)
    return false;
  const std::string text = read_text(file);
  if (text.rfind(head, 0) != 0) return false;
  for (std::size_t begin = head.size(), end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line(text.data() + begin, end - begin);
    if (line.size() <= check_length + 1) continue;
    const std::string_view rest = line.substr(check_length + 1);
    const auto space = rest.find(' ');
    if (space == std::string_view::npos || check_of(rest) != line.substr(0, check_length)) continue;
    if (auto values = numbers_of(rest.substr(0, space)))
      found_[std::string(rest.substr(space + 1))] = *std::move(values);
  }
  return true;
}

void StageJournal::append(const std::string& line, std::size_t pieces) {
  const std::scoped_lock lock(mutex_);
  if (file_ < 0) return;
  if (::write(file_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
    kept_ += pieces;
    return;
  }
  ::close(file_);  // what is torn now is found by its check sum
  file_ = -1;
}

fs::path journal_file(const fs::path& folder, const std::string& stem, const Shard& shard) {
  if (shard.count == 1) return folder / fmt::format(".{}.journal", stem);
  return folder / fmt::format(".{}.shard-{}-of-{}.journal", stem, shard.index, shard.count);
}

std::vector<fs::path> journal_files(const fs::path& folder, const std::string& stem) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("." + stem + ".") && name.ends_with(".journal")) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace cathoscope
