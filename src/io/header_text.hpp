#pragma once
/// Headers made of "key = value" lines.

#include <cathoscope/io/volume_file.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope::readers {

/// Keys in lower case with blanks at the ends cut off.
using KeyValues = std::map<std::string, std::string>;

std::string trimmed(std::string_view text);
std::string lower_case(std::string_view text);
/// Words between blanks.
std::vector<std::string> words_of(std::string_view text);

/// A whole number in [0, 2^62]. Throws Error{data} naming file and key.
std::int64_t whole_number(const std::filesystem::path& path, const std::string& key, const std::string& text);

/// The value of a key. Throws Error{data} where it is absent.
const std::string& needed(const std::filesystem::path& path, const KeyValues& values, const std::string& key);

/// The value of a key, or empty text.
std::string value_or_empty(const KeyValues& values, const std::string& key);

}  // namespace cathoscope::readers
