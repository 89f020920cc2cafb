#pragma once
/// Tables that are filled row by row: text columns first, then numbers.

#include <cathoscope/core/table.hpp>

#include <string>
#include <utility>
#include <vector>

namespace cathoscope {

class TableRows {
 public:
  TableRows(const std::vector<std::string>& texts, const std::vector<std::string>& numbers) : texts_(texts.size()) {
    for (const auto* names : {&texts, &numbers})
      for (const std::string& name : *names) table_.columns.emplace_back().name = name;
  }

  /// As many of each as there are columns.
  void add(const std::vector<std::string>& texts, const std::vector<double>& numbers) {
    for (std::size_t c = 0; c < texts_; ++c) table_.columns[c].texts.push_back(texts[c]);
    for (std::size_t c = texts_; c < table_.columns.size(); ++c)
      table_.columns[c].numbers.push_back(numbers[c - texts_]);
  }

  [[nodiscard]] Table table() && { return std::move(table_); }

 private:
  std::size_t texts_;
  Table table_;
};

}  // namespace cathoscope
