#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

namespace cathoscope {

namespace {

/// A spreadsheet runs a cell that starts so as a formula.
bool starts_like_a_formula(std::string_view text) {
  return !text.empty() && (std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos);
}

std::string in_quotes(std::string_view text) {
  if (text.find_first_of(",\"\n\r\t") == std::string_view::npos) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string text_cell(std::string_view text) {
  return in_quotes(starts_like_a_formula(text) ? fmt::format("'{}", text) : std::string(text));
}

std::string cell(const Column& column, std::size_t row) {
  if (row < column.ids.size()) return std::to_string(column.ids[row]);
  if (row < column.texts.size()) return text_cell(column.texts[row]);
  if (row >= column.numbers.size() || std::isnan(column.numbers[row])) return {};
  return text_of(column.numbers[row] + 0.0);  // -0 + 0 is 0: a table has no use for -0
}

/// A cell as it was written: a quoted cell is text even where it looks like a number.
struct Cell {
  std::string text;
  bool quoted = false;
};

struct Row {
  std::vector<Cell> cells;
  std::size_t line = 0;
};

/// Splits comma- or tab-separated text; quotes as in RFC 4180.
class Splitter {
 public:
  Splitter(const std::string& text, char separator, std::string file)
      : text_(text), separator_(separator), file_(std::move(file)) {
    if (text_.rfind("\xEF\xBB\xBF", 0) == 0) at_ = 3;
  }

  /// The next row that is not blank; false at the end.
  bool next(Row& row) {
    while (at_ < text_.size()) {
      row = {{}, line_};
      bool more = true;
      while (more) more = read_cell(row);
      if (row.cells.size() > 1 || !row.cells.front().text.empty() || row.cells.front().quoted) return true;
    }
    return false;
  }

 private:
  /// Appends one cell; true where another follows on the same row.
  bool read_cell(Row& row) {
    Cell c;
    if (at_ < text_.size() && text_[at_] == '"') read_quoted(c);
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') c.text += text_[at_++];
    // within quotes a return is text: one that ends the line stands behind them
    const bool ended_by_return = !c.quoted || (at_ > 0 && text_[at_ - 1] == '\r');
    if (!c.text.empty() && c.text.back() == '\r' && ended_by_return) c.text.pop_back();
    row.cells.push_back(std::move(c));
    if (at_ >= text_.size()) return false;
    const bool separator = text_[at_] == separator_;
    if (!separator) ++line_;
    ++at_;
    return separator;
  }

  void read_quoted(Cell& c) {
    const std::size_t first_line = line_;
    c.quoted = true;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        c.text += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        c.text += text_[at_++];
      } else {
        ++at_;
        return;
      }
    }
    fail(Exit::data, "{}:{}: a quoted field is never closed", file_, first_line);
  }

  const std::string& text_;
  char separator_;
  std::string file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

/// By the header; what stands in quotes separates nothing.
char separator_of(const std::string& text) {
  bool quoted = false, tab = false, comma = false, semicolon = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n') break;
    tab = tab || c == '\t';
    comma = comma || c == ',';
    semicolon = semicolon || c == ';';
  }
  return tab ? '\t' : semicolon && !comma ? ';' : ',';
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

std::optional<std::uint64_t> id_from(std::string_view text) {
  std::uint64_t id = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return id;
}

/// 0,05 or -1,5e3: a number with a comma where the point belongs.
bool has_decimal_comma(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos || text.find(',', comma + 1) != std::string_view::npos) return false;
  std::string with_point(text);
  with_point[comma] = '.';
  return number_from(with_point).has_value();
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_(path.string()), text_(read_text(path)) {}

  Table table() {
    if (text_.find('\0') != std::string::npos) fail(Exit::data, "{}: not a text file (it holds zero bytes)", file_);
    const char separator = separator_of(text_);
    Splitter splitter(text_, separator, file_);
    Row header;
    if (!splitter.next(header)) fail(Exit::data, "{}: empty, a header row is needed", file_);
    check_header(header, separator);
    Row row;
    while (splitter.next(row)) rows_.push_back(checked(std::move(row), header.cells.size()));
    Table table;
    for (std::size_t c = 0; c < header.cells.size(); ++c) table.columns.push_back(column(c, name_of_column(header, c)));
    return table;
  }

 private:
  static std::string name_of_column(const Row& header, std::size_t c) {
    return std::string(trimmed(header.cells[c].text));
  }

  void check_header(const Row& header, char separator) const {
    if (separator == ';')
      fail(Exit::data,
           "{}:1: fields are separated by ';', which goes with decimal commas; save it with commas and decimal points",
           file_);
    std::set<std::string> seen;
    std::size_t numbers = 0;
    for (std::size_t c = 0; c < header.cells.size(); ++c) {
      const std::string name = name_of_column(header, c);
      if (name.empty()) fail(Exit::data, "{}:1: column {} has no name", file_, c + 1);
      if (!seen.insert(name).second) fail(Exit::data, "{}:1: two columns are called '{}'", file_, name);
      if (number_from(name)) ++numbers;
    }
    if (numbers == header.cells.size())
      fail(Exit::data, "{}:1: the first row holds only numbers; a header row with column names is needed", file_);
  }

  Row checked(Row row, std::size_t expected) const {
    if (row.cells.size() != expected)
      fail(Exit::data, "{}:{}: {} fields, but the header has {}", file_, row.line, row.cells.size(), expected);
    return row;
  }

  /// Nothing where a cell is no whole number.
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> ids_of(std::size_t c) const {
    std::vector<std::uint64_t> ids;
    for (const Row& r : rows_) {
      const auto id = id_from(trimmed(r.cells[c].text));
      if (!id) return std::nullopt;
      ids.push_back(*id);
    }
    return ids;
  }

  [[nodiscard]] Column column(std::size_t c, std::string name) const {
    Column column;
    column.name = std::move(name);
    if (auto ids = column.name == "label" ? ids_of(c) : std::nullopt) {
      column.ids = std::move(*ids);
    } else if (all(c, [](const Cell& x) { return trimmed(x.text).empty() || number_from(trimmed(x.text)); })) {
      for (const Row& r : rows_)
        column.numbers.push_back(
            number_from(trimmed(r.cells[c].text)).value_or(std::numeric_limits<double>::quiet_NaN()));
    } else {
      refuse_decimal_commas(c, column.name);
      for (const Row& r : rows_) column.texts.push_back(text_value(r.cells[c].text));
    }
    return column;
  }

  /// Undoes the apostrophe that csv_text puts before a text that a spreadsheet would run.
  static std::string text_value(const std::string& text) {
    return text.size() > 1 && text.front() == '\'' && starts_like_a_formula(std::string_view(text).substr(1))
               ? text.substr(1)
               : text;
  }

  void refuse_decimal_commas(std::size_t c, const std::string& name) const {
    for (const Row& r : rows_)
      if (has_decimal_comma(trimmed(r.cells[c].text)))
        fail(Exit::data, "{}:{}: column '{}': '{}' has a decimal comma; write decimal points", file_, r.line, name,
             r.cells[c].text);
  }

  template <class F>
  bool all(std::size_t c, F&& f) const {
    return std::all_of(rows_.begin(), rows_.end(), [&](const Row& r) { return f(r.cells[c]); });
  }

  std::string file_;
  std::string text_;
  std::vector<Row> rows_;
};

}  // namespace

std::string csv_text(const Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) text += ',';
    text += text_cell(table.columns[c].name);
  }
  text += '\n';
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (c > 0) text += ',';
      text += cell(table.columns[c], row);
    }
    text += '\n';
  }
  return text;
}

Table read_csv(const std::filesystem::path& path) { return Reader(path).table(); }

}  // namespace cathoscope
