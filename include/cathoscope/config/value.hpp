#pragma once
/// A YAML value as a plain tree: what was written, and where.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cathoscope {

struct ConfigKey {
  std::string text{};
  int source = 0;
  int line = 0;
  int column = 0;
};

/// null, one scalar, a list, or a map in the order written.
struct ConfigValue {
  enum class Kind { null, scalar, list, map };

  ConfigValue();  // out of line: the type is incomplete here, and holds lists of itself

  Kind kind = Kind::null;
  std::string text;      ///< scalars
  bool quoted = false;   ///< scalars: written in quotes, hence text whatever it looks like
  std::string resolved;  ///< scalars that are input paths, after reading: absolute
  std::vector<ConfigValue> items;
  std::vector<std::pair<ConfigKey, ConfigValue>> entries;
  int source = 0;  ///< 0 = the file, n = the n-th --set
  int line = 0;    ///< 1-based; 0 = not from a file
  int column = 0;  ///< 1-based, in characters

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  /// The value of a key, or nullptr.
  [[nodiscard]] const ConfigValue* find(std::string_view key) const;
  [[nodiscard]] ConfigValue* find(std::string_view key);

  static ConfigValue scalar(std::string text, bool quoted = false);
  static ConfigValue list(std::vector<ConfigValue> items);
  static ConfigValue map(std::vector<std::pair<ConfigKey, ConfigValue>> entries);
};

}  // namespace cathoscope
