#pragma once
/// The vocabulary with which a struct describes its own keys, once:
///
///     template <class V>
///     void fields(V& v, WatershedConfig& c) {
///       v("sigma_um", c.sigma_um, "Gaussian smoothing before the threshold, um", at_least(0));
///       v("polarity", c.polarity, "which side of the threshold is particle", one_of({"bright", "dark"}));
///     }
///
/// The same list reads the YAML, writes the canonical configuration, the documentation, the template and the schema
/// (module `config`). Member types: bool, int, std::int64_t, std::uint64_t, double, std::string, InputPath, Auto<T>,
/// VoxelSize, std::optional<T> (null = absent), std::vector<T>, std::array<T, N>, and structs with `fields`.
/// A struct that a user may also give as one scalar names the key that the scalar fills:
///
///     static constexpr std::string_view shorthand = "path";
///
/// Rules across fields go into an optional function that is found the same way. `problems.add(key, message)` puts the
/// message where the key stands in the file; keys are relative to the struct:
///
///     template <class P>
///     void check(P& problems, const NormaliseConfig& c) {
///       if (c.low_percentile >= c.high_percentile) problems.add("low_percentile", "must be below high_percentile");
///     }

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cathoscope {

/// What a value may be. Numbers: bounds (also for the elements of a list); strings: choices or a pattern.
struct Rule {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  ///< the bound itself is excluded
  bool high_open = false;
  std::vector<std::string> choices{};
  std::string pattern{};     ///< ECMAScript regular expression for the whole string
  bool required = false;     ///< the key must be given
  bool not_empty = false;    ///< lists: at least one element
  bool unique = false;       ///< lists: no element twice
  bool or_single = false;    ///< lists: one bare value stands for a list of one
  bool spelled_out = false;  ///< optional structs: the template writes the keys instead of null
  std::string example{};     ///< what the template shows for a required key
};

inline Rule any_value() { return {}; }
inline Rule at_least(double low) { return {.low = low}; }
inline Rule above(double low) { return {.low = low, .low_open = true}; }
inline Rule between(double low, double high) { return {.low = low, .high = high}; }
inline Rule one_of(std::vector<std::string> choices) { return {.choices = std::move(choices)}; }
inline Rule matching(std::string pattern) { return {.pattern = std::move(pattern)}; }
/// Names that become file or folder names: no separator, no leading dot, so nothing escapes the run folder.
inline Rule file_name() { return matching("[A-Za-z0-9][A-Za-z0-9._-]{0,63}"); }
inline Rule required(Rule rule) {
  rule.required = true;
  return rule;
}
inline Rule required(Rule rule, std::string example) {
  rule.required = true;
  rule.example = std::move(example);
  return rule;
}
inline Rule spelled_out(Rule rule) {
  rule.spelled_out = true;
  return rule;
}
inline Rule not_empty(Rule rule) {
  rule.not_empty = true;
  return rule;
}
inline Rule unique(Rule rule) {
  rule.unique = true;
  return rule;
}
inline Rule or_single(Rule rule) {
  rule.or_single = true;
  return rule;
}

/// A file, folder or glob that must exist; relative to the configuration file that names it.
struct InputPath {
  std::string text;      ///< as the user wrote it
  std::string resolved;  ///< absolute
  bool operator==(const InputPath&) const = default;
};

/// `auto`, or a value.
template <class T>
struct Auto {
  std::optional<T> value;  ///< empty = auto
  bool operator==(const Auto&) const = default;
};

/// One number (cubic voxels) or [z, y, x], in micrometres.
struct VoxelSize {
  std::array<double, 3> zyx{};
  bool operator==(const VoxelSize&) const = default;
};

}  // namespace cathoscope
