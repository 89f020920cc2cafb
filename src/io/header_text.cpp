#include "header_text.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace cathoscope::readers {

namespace {
constexpr std::string_view blanks = " \t\r\n\f\v";
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(blanks, at)) != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(blanks, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::int64_t whole_number(const std::filesystem::path& path, const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || r.ec != std::errc() || r.ptr != text.data() + text.size() || value < 0 ||
      value > (std::int64_t{1} << 62))
    fail(Exit::data, "{}: {} = '{}' is not a whole number that makes sense here", path.string(), key,
         text.substr(0, 40));
  return value;
}

const std::string& needed(const std::filesystem::path& path, const KeyValues& values, const std::string& key) {
  const auto found = values.find(key);
  if (found == values.end()) fail(Exit::data, "{}: the header has no {}", path.string(), key);
  return found->second;
}

std::string value_or_empty(const KeyValues& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? std::string() : found->second;
}

}  // namespace cathoscope::readers
