#include "characters.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cathoscope::configuring {

namespace {

/// The parser queues everything after an open bracket: some hundred bytes for each further one. Brackets in texts and
/// comments count here too, hence the generous limit; the parser's events are held to 64 levels.
constexpr int most_open_brackets = 1000;

std::string with_line_feeds(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      result += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      result += '\n';
    }
  }
  return result;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7F;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// The tab that indents the line, if one does.
std::optional<std::size_t> indenting_tab(std::string_view line) {
  const auto content = line.find_first_not_of(" \t");
  if (content == std::string_view::npos || line[content] == '#') return std::nullopt;
  const auto tab = line.find('\t');
  if (tab < content) return tab;
  return std::nullopt;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length), is_continuation)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

SourceText::SourceText(std::string_view text, std::string name) : text_(with_line_feeds(text)), name_(std::move(name)) {
  starts_.push_back(0);
  characters_.reserve(text_.size() + 1);
  characters_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') starts_.push_back(i + 1);
    characters_.push_back(characters_.back() + (is_continuation(text_[i]) ? 0 : 1));
  }
}

std::string_view SourceText::line(int number) const {
  if (number < 0 || number >= lines()) return {};
  const std::size_t start = starts_[static_cast<std::size_t>(number)];
  const std::size_t end = std::min(text_.find('\n', start), text_.size());
  return std::string_view(text_).substr(start, end - start);
}

Location SourceText::at(int line_number, int byte_column) const {
  const int number = std::clamp(line_number, 0, lines() - 1);
  const std::size_t start = starts_[static_cast<std::size_t>(number)];
  const std::size_t here = std::min(start + static_cast<std::size_t>(std::max(byte_column, 0)), text_.size());
  return {name_, number + 1, static_cast<int>(characters_[here] - characters_[start]) + 1};
}

bool SourceText::check(Problems& problems) const {
  bool sound = true;
  int open_brackets = 0;
  const auto report = [&](int number, std::size_t column, const std::string& message) {
    problems.add_at(at(number, static_cast<int>(column)), "", message);
    sound = false;
  };
  for (int number = 0; number < lines() && problems.size() < 100; ++number) {
    const std::string_view text = line(number);
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = utf8_length(text.substr(i));
      if (length == 0 || is_control(text[i])) {
        report(number, i,
               length == 0 ? "not UTF-8: save the file as UTF-8"
                           : fmt::format("control character {:#04x} in the file", static_cast<unsigned char>(text[i])));
        return false;
      }
      if (text[i] == '[' || text[i] == '{') ++open_brackets;
      if (text[i] == ']' || text[i] == '}') --open_brackets;
      if (open_brackets > most_open_brackets) {
        report(number, i, "too many levels of lists and maps");
        return false;
      }
      i += length;
    }
    if (const auto tab = indenting_tab(text)) report(number, *tab, "a tab indents this line: YAML wants spaces");
  }
  return sound;
}

}  // namespace cathoscope::configuring
