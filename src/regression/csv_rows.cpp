#include "csv_rows.hpp"

#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace cathoscope {

namespace {

constexpr std::size_t block_bytes = std::size_t{4} << 20;
constexpr std::size_t longest_record = std::size_t{256} << 20;

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

/// End of the record that starts at `at` (its line end, or the end of the text if that closes the file); npos: not
/// whole.
std::size_t record_end(std::string_view text, std::size_t at, bool last) {
  bool quoted = false;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\n' && !quoted) return i;
  }
  return last && !quoted ? text.size() : std::string_view::npos;
}

/// Appends the fields of `text`; quotes as in RFC 4180.
void split_fields(std::string_view text, char separator, std::vector<std::string>& fields) {
  std::size_t count = 0;
  const auto next = [&]() -> std::string& {
    if (count == fields.size()) fields.emplace_back();
    fields[count].clear();
    return fields[count++];
  };
  std::string* field = &next();
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      *field += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      field = &next();
    } else {
      *field += c;
    }
  }
  fields.resize(count);
}

}  // namespace

CsvRows::CsvRows(const std::filesystem::path& path) : file_(path.string()), in_(path, std::ios::binary) {
  std::error_code ignored;
  if (!in_ || std::filesystem::is_directory(path, ignored)) fail(Exit::no_input, "{}: cannot be read", file_);
  read_more(rest_);
  if (rest_.rfind("\xEF\xBB\xBF", 0) == 0) rest_.erase(0, 3);
  std::size_t end = record_end(rest_, 0, in_.eof());
  while (end == std::string::npos && !in_.eof() && rest_.size() < longest_record) {
    read_more(rest_);
    end = record_end(rest_, 0, in_.eof());
  }
  if (end == std::string::npos || trimmed(std::string_view(rest_).substr(0, end)).empty())
    fail(Exit::data, "{}:1: a header row is needed", file_);
  const std::string head = rest_.substr(0, end);
  separator_ = head.find('\t') != std::string::npos ? '\t' : ',';
  split_fields(head, separator_, header_);
  for (std::string& name : header_) name = std::string(trimmed(name));
  for (std::size_t c = 0; c < header_.size(); ++c)
    if (std::find(header_.begin(), header_.begin() + static_cast<std::ptrdiff_t>(c), header_[c]) !=
        header_.begin() + static_cast<std::ptrdiff_t>(c))
      fail(Exit::data, "{}:1: two columns are called '{}'", file_, header_[c]);
  line_ += static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n')) + 1;
  rest_.erase(0, std::min(end + 1, rest_.size()));
}

void CsvRows::read_more(std::string& text) {
  const std::size_t before = text.size();
  text.resize(before + block_bytes);
  in_.read(text.data() + before, static_cast<std::streamsize>(block_bytes));
  if (in_.bad()) fail(Exit::no_input, "{}: cannot be read", file_);
  text.resize(before + static_cast<std::size_t>(in_.gcount()));
  if (in_.gcount() < static_cast<std::streamsize>(block_bytes)) in_.setstate(std::ios::eofbit);
  if (std::memchr(text.data() + before, '\0', text.size() - before) != nullptr)
    fail(Exit::data, "{}: not a text file (it holds zero bytes)", file_);
}

bool CsvRows::next(CsvBlock& block) {
  block.text = std::move(rest_);
  block.records.clear();
  rest_.clear();
  if (!in_.eof()) read_more(block.text);
  std::size_t at = 0;
  while (true) {
    const std::size_t end = record_end(block.text, at, in_.eof());
    if (end == std::string::npos || at >= block.text.size()) {
      if (!block.records.empty() || at >= block.text.size()) break;
      if (in_.eof()) fail(Exit::data, "{}:{}: a quoted field is never closed", file_, line_);
      if (block.text.size() > longest_record) fail(Exit::data, "{}:{}: the line is longer than 256 MiB", file_, line_);
      read_more(block.text);  // one very long record, or blank lines only
      block.records.clear();
      continue;
    }
    const std::string_view text = std::string_view(block.text).substr(at, end - at);
    if (!trimmed(text).empty()) block.records.push_back({text, line_});
    line_ += 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    at = std::min(end + 1, block.text.size());
  }
  rest_ = block.text.substr(at);
  if (block.records.empty() && !in_.eof()) return next(block);
  if (block.records.empty() && !rest_.empty()) fail(Exit::data, "{}:{}: a quoted field is never closed", file_, line_);
  return !block.records.empty();
}

void CsvRows::split(const CsvRecord& record, std::vector<std::string>& fields) const {
  split_fields(record.text, separator_, fields);
  if (fields.size() != header_.size())
    fail(Exit::data, "{}:{}: {} fields, but the header has {}", file_, record.line, fields.size(), header_.size());
}

float CsvRows::value(const CsvRecord& record, const std::vector<std::string>& fields, std::size_t column) const {
  const std::string_view text = trimmed(fields[column]);
  if (text.empty()) return std::numeric_limits<float>::quiet_NaN();
  const auto number = number_from(text);
  if (!number) fail(Exit::data, "{}:{}: column '{}': '{}' is not a number", file_, record.line, header_[column], text);
  if (std::isnan(*number)) return std::numeric_limits<float>::quiet_NaN();
  const auto narrow = static_cast<float>(*number);
  if (!std::isfinite(narrow))
    fail(Exit::data, "{}:{}: column '{}': {} is not a finite number below 3.4e38", file_, record.line, header_[column],
         text);
  return narrow;
}

}  // namespace cathoscope
