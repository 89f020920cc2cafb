#pragma once
/// Mistakes in a configuration, collected and reported together, each where it stands in the file.

#include <cathoscope/core/error.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// Line and column count from 1; columns are characters.
struct Location {
  std::string file;
  int line = 1;
  int column = 1;
};

/// Where the keys of a configuration stand, by key path: "electrodes[0].volume.path"; "" is the file itself.
using Locations = std::map<std::string, Location>;

/// The place of a key, or of the nearest enclosing key that is in the file.
Location locate(const Locations& where, std::string_view key_path);

/// "volume" + "path" = "volume.path".
std::string joined(std::string_view prefix, std::string_view key);

class Problems {
 public:
  /// `where` must outlive the object.
  explicit Problems(const Locations& where) : where_(&where) {}

  /// Reports `message` where the key stands (relative to the struct being checked).
  void add(std::string_view key_path, const std::string& message);
  void add_at(Location location, std::string_view key_path, std::string message);

  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] std::size_t size() const { return problems_.size(); }
  /// All of them in the order of the file, one a line: "FILE:LINE:COLUMN: error: MESSAGE". The first 100 are spelled
  /// out.
  [[nodiscard]] std::string text() const;
  /// Throws Error{exit, text()} unless empty.
  void throw_if_any(Exit exit = Exit::config) const;

  /// From here on keys are relative to `prefix`.
  void enter(std::string prefix) { prefix_ = std::move(prefix); }
  /// From here on only problems of keys that are sound so far count: a rule across fields says nothing new about a
  /// value that could not be read.
  void only_sound_keys() { only_sound_ = true; }

 private:
  struct Problem {
    Location location;
    std::string message;
  };
  [[nodiscard]] bool is_broken(const std::string& key_path) const;

  const Locations* where_;
  std::vector<Problem> problems_;
  std::set<std::string> broken_;
  std::string prefix_;
  bool only_sound_ = false;
};

}  // namespace cathoscope
