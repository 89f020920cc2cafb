#include <cathoscope/config/problems.hpp>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace cathoscope {

namespace {

constexpr std::size_t most_spelled_out = 100;

/// "a[0].b" -> "a[0]" -> "a" -> "".
std::string_view enclosing(std::string_view key_path) {
  const auto cut = key_path.find_last_of(".[");
  return cut == std::string_view::npos ? std::string_view{} : key_path.substr(0, cut);
}

}  // namespace

Location locate(const Locations& where, std::string_view key_path) {
  for (;;) {
    const auto found = where.find(std::string(key_path));
    if (found != where.end()) return found->second;
    if (key_path.empty()) return {};
    key_path = enclosing(key_path);
  }
}

std::string joined(std::string_view prefix, std::string_view key) {
  std::string path(prefix);
  if (!path.empty() && !key.empty() && key.front() != '[') path += '.';
  return path += key;
}

void Problems::add(std::string_view key_path, const std::string& message) {
  const std::string path = joined(prefix_, key_path);
  if (only_sound_ && is_broken(path)) return;
  add_at(locate(*where_, path), path, path.empty() ? message : fmt::format("'{}' {}", path, message));
}

void Problems::add_at(Location location, std::string_view key_path, std::string message) {
  problems_.push_back({std::move(location), std::move(message)});
  if (!key_path.empty()) broken_.emplace(key_path);
}

bool Problems::is_broken(const std::string& key_path) const {
  for (std::string_view path = key_path; !path.empty(); path = enclosing(path))
    if (broken_.contains(std::string(path))) return true;
  const auto broken_inside = [&](char separator) {
    const std::string start = key_path + separator;
    const auto next = broken_.lower_bound(start);
    return next != broken_.end() && next->starts_with(start);
  };
  return !key_path.empty() && (broken_inside('.') || broken_inside('['));
}

std::string Problems::text() const {
  const std::string first_file = locate(*where_, "").file;
  const auto order = [&](std::size_t i) {
    const Location& at = problems_[i].location;
    return std::tuple(at.file != first_file, at.file, at.line, at.column, i);
  };
  std::vector<std::size_t> sorted(problems_.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  std::sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) { return order(a) < order(b); });
  std::string text;
  for (std::size_t n = 0; n < std::min(sorted.size(), most_spelled_out); ++n) {
    const auto& [at, message] = problems_[sorted[n]];
    text += fmt::format("{}{}:{}:{}: error: {}", n == 0 ? "" : "\n", at.file, at.line, at.column, message);
  }
  if (sorted.size() > most_spelled_out) {
    text += fmt::format("\n{}: error: and {} more problems", first_file, sorted.size() - most_spelled_out);
  }
  return text;
}

void Problems::throw_if_any(Exit exit) const {
  if (!empty()) throw Error(exit, text());
}

}  // namespace cathoscope
