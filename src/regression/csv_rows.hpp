#pragma once
/// A CSV or TSV file read block by block, for tables that need not fit into memory.

#include <cathoscope/core/error.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// One line (or more, where a quoted field holds line ends) of the file.
struct CsvRecord {
  std::string_view text;
  std::size_t line = 0;
};

/// A piece of the file: whole records that are not blank.
struct CsvBlock {
  std::string text;
  std::vector<CsvRecord> records;
};

class CsvRows {
 public:
  /// Opens the file and reads its header. Throws Error{no_input}, Error{data}.
  explicit CsvRows(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::string& file() const { return file_; }

  /// The next records; false at the end of the file.
  bool next(CsvBlock& block);

  /// The fields of a record. Throws Error{data} where there are more or fewer than in the header.
  void split(const CsvRecord& record, std::vector<std::string>& fields) const;
  /// The field as float32; NaN where it is empty or nan. Throws Error{data} where it is not a number, or too large.
  [[nodiscard]] float value(const CsvRecord& record, const std::vector<std::string>& fields, std::size_t column) const;

 private:
  void read_more(std::string& text);

  std::string file_;
  std::ifstream in_;
  std::string rest_;  ///< read, but not handed out
  char separator_ = ',';
  std::size_t line_ = 1;
  std::vector<std::string> header_;
};

}  // namespace cathoscope
