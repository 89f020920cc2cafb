#pragma once
/// The characters of a configuration file, before YAML.

#include <cathoscope/config/problems.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope::configuring {

/// Text with line feeds only and no byte order mark; positions in it as people count them.
class SourceText {
 public:
  SourceText(std::string_view text, std::string name);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// From yaml-cpp's 0-based line and byte column.
  [[nodiscard]] Location at(int line, int byte_column) const;
  [[nodiscard]] std::string_view line(int number) const;
  [[nodiscard]] int lines() const { return static_cast<int>(starts_.size()); }

  /// False, with the reason, where the text is not UTF-8, holds control characters, indents with tabs, or opens far
  /// more brackets than it closes.
  bool check(Problems& problems) const;

 private:
  std::string text_;
  std::string name_;
  std::vector<std::size_t> starts_;        ///< of the lines
  std::vector<std::uint32_t> characters_;  ///< before each byte
};

/// Bytes of the UTF-8 character at the start of `text`; 0 where it is malformed (overlong, surrogate, cut off).
std::size_t utf8_length(std::string_view text);

}  // namespace cathoscope::configuring
