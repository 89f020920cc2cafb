#pragma once
/// Numbers to and from text without the process locale, and near misses of names.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// Shortest text that reads back to the same double; "nan", "inf", "-inf" for the others.
std::string text_of(double value);

/// The whole text as a finite or non-finite double by from_chars; empty where it is not one.
std::optional<double> number_from(std::string_view text);

/// The name nearest to `name` by edit distance, if it is near enough to be a typing mistake.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& names);

/// A duration in words: "3 s", "2 min 05 s", "1 h 02 min".
std::string duration_text(double seconds);

/// A byte count in words: "512 B", "3.2 MiB".
std::string bytes_text(double bytes);

/// Natural order: digit runs compare by value ("s9" < "s10").
bool natural_less(std::string_view a, std::string_view b);

}  // namespace cathoscope
