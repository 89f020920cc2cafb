#include "read.hpp"

#include "override.hpp"
#include "parse.hpp"
#include "paths.hpp"
#include "words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <regex>
#include <unordered_set>

namespace cathoscope::configuring {

namespace {

namespace fs = std::filesystem;
using Kind = TypeInfo::Kind;

constexpr std::uintmax_t largest_file = 1 << 20;
constexpr std::size_t longest_text = 4096;

/// The number that the whole text is, written as we would; empty where it is none. Leading zeros are refused: to some
/// YAML readers 010 is 8.
template <class T>
std::optional<T> plain_number(const std::string& text) {
  const std::string_view digits = std::string_view(text).substr(text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return std::nullopt;
  T value{};
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || digits.empty()) return std::nullopt;
  return value;
}

bool within(double value, const Rule& rule) {
  const bool low = rule.low_open ? value > rule.low : value >= rule.low;
  const bool high = rule.high_open ? value < rule.high : value <= rule.high;
  return low && high;
}

/// "0.1" where {key: 0,1} was written, which YAML takes for the value 0 and a key 1; else nothing.
std::string with_decimal_comma(const ConfigValue& before, const std::pair<ConfigKey, ConfigValue>& entry) {
  static constexpr std::string_view digits = "0123456789";
  const auto& [key, value] = entry;
  const bool fits =
      before.is_scalar() && !before.quoted && value.is_null() && key.source == before.source && key.line == before.line;
  const std::string& whole = before.text;
  if (!fits || whole.size() + key.text.size() > 40 || key.text.empty()) return {};
  if (key.text.find_first_not_of(digits) != std::string::npos || !plain_number<std::int64_t>(whole)) return {};
  return whole + "." + key.text;
}

bool has_control_character(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

class TreeReader {
 public:
  TreeReader(const Source& source, Problems& problems, Locations& where)
      : source_(source), problems_(problems), where_(where) {
    names_.push_back(source.name);
    for (const std::string& assignment : source.overrides) names_.push_back(override_name(assignment));
  }

  /// The value in canonical form with all defaults; empty where it is wrong.
  std::optional<ConfigValue> read(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                  const std::string& path) {
    if (given.is_null() && type.nullable) return ConfigValue{};
    if (given.is_scalar() && type.automatic && given.text == "auto") return ConfigValue::scalar("auto");
    switch (type.kind) {
      case Kind::boolean: return read_boolean(type, rule, given, path);
      case Kind::integer: return read_integer(type, rule, given, path);
      case Kind::number: return read_number(type, rule, given, path);
      case Kind::text: return read_text(type, rule, given, path);
      case Kind::path: return read_path(type, rule, given, path);
      case Kind::voxel_size: return read_voxel_size(type, rule, given, path);
      case Kind::list: return read_list(type, rule, given, path);
      case Kind::record: return read_record(type, given, path);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] Location at(const ConfigValue& value) const {
    return {names_.at(static_cast<std::size_t>(value.source)), value.line, value.column};
  }
  [[nodiscard]] Location at(const ConfigKey& key) const {
    return {names_.at(static_cast<std::size_t>(key.source)), key.line, key.column};
  }

  std::nullopt_t wrong(const ConfigValue& given, const std::string& path, const std::string& message) {
    problems_.add_at(at(given), path, fmt::format("'{}' {}", path, message));
    return std::nullopt;
  }

  std::nullopt_t must_be(const TypeInfo& type, const Rule& rule, const ConfigValue& given, const std::string& path,
                         const std::string& hint = {}) {
    return wrong(given, path, fmt::format("must be {}, not {}{}", allowed(type, rule), what_is(given), hint));
  }

  std::optional<ConfigValue> read_boolean(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                          const std::string& path) {
    const bool sound = given.is_scalar() && !given.quoted && (given.text == "true" || given.text == "false");
    if (!sound) return must_be(type, rule, given, path, boolean_hint(given));
    return ConfigValue::scalar(given.text);
  }

  std::optional<ConfigValue> read_integer(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                          const std::string& path) {
    if (!given.is_scalar() || given.quoted) return must_be(type, rule, given, path, number_hint(given, true, path));
    if (type.lowest == 0) {
      const auto value = plain_number<std::uint64_t>(given.text);
      if (!value || *value > type.highest) return not_integer(type, rule, given, path);
      if (!within(static_cast<double>(*value), rule)) return must_be(type, rule, given, path);
    } else {
      const auto value = plain_number<std::int64_t>(given.text);
      const auto highest = static_cast<std::int64_t>(type.highest);
      if (!value || *value < type.lowest || *value > highest) return not_integer(type, rule, given, path);
      if (!within(static_cast<double>(*value), rule)) return must_be(type, rule, given, path);
    }
    return ConfigValue::scalar(given.text == "-0" ? "0" : given.text);
  }

  std::nullopt_t not_integer(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                             const std::string& path) {
    const bool digits_only =
        given.text.size() > 1 && given.text[0] != '0' && given.text.substr(0, 2) != "-0" &&
        given.text.find_first_not_of("0123456789", given.text[0] == '-' ? 1 : 0) == std::string::npos;
    const bool too_small = digits_only && given.text[0] == '-';
    if (digits_only && !(too_small && type.lowest == 0)) {
      const std::string limit =
          too_small ? fmt::format("the smallest is {}", type.lowest) : fmt::format("the largest is {}", type.highest);
      return must_be(type, rule, given, path, "; " + limit);
    }
    return must_be(type, rule, given, path, digits_only ? "" : number_hint(given, true, path));
  }

  std::optional<ConfigValue> read_number(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                         const std::string& path) {
    if (!given.is_scalar() || given.quoted) return must_be(type, rule, given, path, number_hint(given, false, path));
    const auto value = plain_number<double>(given.text);
    if (!value || !std::isfinite(*value)) return must_be(type, rule, given, path, number_hint(given, false, path));
    if (!within(*value, rule)) return must_be(type, rule, given, path);
    return ConfigValue::scalar(text_of(*value));
  }

  std::optional<ConfigValue> read_text(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                       const std::string& path) {
    if (!given.is_scalar()) return must_be(type, rule, given, path);
    if (!is_one_line(given, path)) return std::nullopt;
    const auto& choices = rule.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), given.text) == choices.end()) {
      const auto near = given.text.size() <= 64 ? nearest_name(given.text, choices) : std::nullopt;
      return must_be(type, rule, given, path, near ? "; did you mean '" + *near + "'?" : "");
    }
    if (!rule.pattern.empty() && !std::regex_match(given.text, std::regex(rule.pattern))) {
      return must_be(type, rule, given, path);
    }
    return ConfigValue::scalar(given.text, true);
  }

  bool is_one_line(const ConfigValue& given, const std::string& path) {
    if (given.text.size() > longest_text) {
      wrong(given, path, fmt::format("is {} bytes long: at most {} are allowed", given.text.size(), longest_text));
    } else if (has_control_character(given.text)) {
      wrong(given, path, "must be one line without control characters");
    } else {
      return true;
    }
    return false;
  }

  std::optional<ConfigValue> read_path(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                       const std::string& path) {
    if (!given.is_scalar()) return must_be(type, rule, given, path);
    if (!is_one_line(given, path)) return std::nullopt;
    ConfigValue value = ConfigValue::scalar(given.text, true);
    value.resolved = resolved_path(given.text, source_.folder);
    if (source_.inputs == Inputs::must_exist || given.text.empty()) {
      const std::string complaint = path_complaint(given.text, value.resolved);
      if (!complaint.empty()) return wrong(given, path, complaint);
    }
    return value;
  }

  std::optional<ConfigValue> read_voxel_size(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                             const std::string& path) {
    const TypeInfo number(Kind::number);
    if (!given.is_list()) return read_number(type, rule, given, path);
    if (given.items.size() != 3) return must_be(type, rule, given, path);
    return read_items(number, rule, given, path);
  }

  std::optional<ConfigValue> read_list(const TypeInfo& type, const Rule& rule, const ConfigValue& given,
                                       const std::string& path) {
    if (rule.or_single && given.is_scalar()) {
      auto item = read(type.element[0], rule, given, path);
      if (!item) return std::nullopt;
      return ConfigValue::list({std::move(*item)});
    }
    if (!given.is_list()) {
      const bool one_would_do = given.is_scalar() && type.length == 0;
      return must_be(type, rule, given, path, one_would_do ? "; write [" + shown(given.text) + "]" : "");
    }
    const std::size_t size = given.items.size();
    if ((type.length > 0 && size != type.length) || (rule.not_empty && size == 0)) {
      return must_be(type, rule, given, path);
    }
    auto list = read_items(type.element[0], rule, given, path);
    if (list && rule.unique && !check_unique(*list, given, path)) return std::nullopt;
    return list;
  }

  std::optional<ConfigValue> read_items(const TypeInfo& element, const Rule& rule, const ConfigValue& given,
                                        const std::string& path) {
    ConfigValue list = ConfigValue::list({});
    bool sound = true;
    for (std::size_t i = 0; i < given.items.size(); ++i) {
      const std::string item_path = fmt::format("{}[{}]", path, i);
      where_[item_path] = at(given.items[i]);
      auto item = read(element, rule, given.items[i], item_path);
      if (item)
        list.items.push_back(std::move(*item));
      else
        sound = false;
    }
    return sound ? std::optional(std::move(list)) : std::nullopt;
  }

  bool check_unique(const ConfigValue& list, const ConfigValue& given, const std::string& path) {
    std::unordered_set<std::string> seen;
    bool sound = true;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (seen.insert(flow_text(list.items[i])).second) continue;
      sound = false;
      wrong(given.items[i], fmt::format("{}[{}]", path, i), "is in the list twice: " + what_is(given.items[i]));
    }
    return sound;
  }

  std::optional<ConfigValue> read_record(const TypeInfo& type, const ConfigValue& given, const std::string& path) {
    if (given.is_null()) {
      ConfigValue empty = given;
      empty.kind = ConfigValue::Kind::map;
      return read_record(type, empty, path);
    }
    if (!given.is_map()) {
      if (type.shorthand.empty() || path.empty()) return must_be_map(type, given, path);
      return read_record(type, map_of_shorthand(type, given), path);
    }
    report_unknown_keys(type, given, path);
    ConfigValue record = ConfigValue::map({});
    for (const FieldInfo& field : type.fields) {
      record.entries.emplace_back(ConfigKey{.text = field.key}, read_field(field, given, joined(path, field.key)));
    }
    return record;
  }

  std::nullopt_t must_be_map(const TypeInfo& type, const ConfigValue& given, const std::string& path) {
    if (!path.empty()) return must_be(type, {}, given, path);
    problems_.add_at(at(given), path, fmt::format("expected 'key: value' lines, not {}", what_is(given)));
    return std::nullopt;
  }

  /// The value of one key: what is given, else its default.
  ConfigValue read_field(const FieldInfo& field, const ConfigValue& record, const std::string& path) {
    const auto entry = std::find_if(record.entries.begin(), record.entries.end(),
                                    [&](const auto& e) { return e.first.text == field.key; });
    if (entry != record.entries.end()) {
      const auto& [key, value] = *entry;
      where_[path] = value.is_scalar() ? at(value) : at(key);
      return read(field.type, field.rule, value, path).value_or(field.default_value);
    }
    if (field.rule.required) {
      problems_.add_at(locate(where_, path), path,
                       fmt::format("'{}' is missing: {} ({})", path, field.doc, allowed(field.type, field.rule)));
    } else if (field.type.kind == Kind::record && !field.type.nullable) {
      return read_record(field.type, ConfigValue::map({}), path).value_or(field.default_value);
    }
    return field.default_value;
  }

  void report_unknown_keys(const TypeInfo& type, const ConfigValue& given, const std::string& path) {
    std::vector<std::string> known;
    std::vector<std::string> unused;
    for (const FieldInfo& field : type.fields) {
      known.push_back(field.key);
      if (given.find(field.key) == nullptr) unused.push_back(field.key);
    }
    for (std::size_t i = 0; i < given.entries.size(); ++i) {
      const auto& [key, value] = given.entries[i];
      if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
      const auto colon = key.text.find(':');
      const bool glued = value.is_null() && colon != std::string::npos;
      const std::string number = i > 0 ? with_decimal_comma(given.entries[i - 1].second, given.entries[i]) : "";
      const std::string message =
          glued ? fmt::format("'{}' needs a space after the colon", shown(key.text))
          : !number.empty()
              ? fmt::format("unknown key '{}': if the comma before it is a decimal comma, write {}, with a point",
                            shown(key.text), number)
              : unknown_key(key.text, path, unused, known);
      problems_.add_at(at(key), joined(path, key.text), message);
    }
  }

  const Source& source_;
  Problems& problems_;
  Locations& where_;
  std::vector<std::string> names_;
};

/// The file and the overrides as one tree; empty where the file is no use.
std::optional<ConfigValue> given_tree(const TypeInfo& type, std::string_view text, const Source& source,
                                      Problems& problems) {
  auto root = parse_yaml(text, source.name, 0, problems);
  if (!root) return std::nullopt;
  if (root->is_null()) {
    problems.add("", "the file is empty: 'cathoscope init' writes one to start from");
    return std::nullopt;
  }
  int number = 0;
  for (const std::string& assignment : source.overrides) apply_override(type, assignment, ++number, *root, problems);
  return root;
}

}  // namespace

std::string unknown_key(const std::string& key, const std::string& path, const std::vector<std::string>& unused,
                        const std::vector<std::string>& known) {
  std::string message = fmt::format("unknown key '{}'", shown(key));
  if (!path.empty()) message += fmt::format(" in '{}'", path);
  const auto near = key.size() <= 64 ? nearest_name(key, unused) : std::nullopt;
  return message +
         (near ? fmt::format("; did you mean '{}'?", *near) : fmt::format("; known here: {}", fmt::join(known, ", ")));
}

ConfigValue map_of_shorthand(const TypeInfo& type, const ConfigValue& value) {
  ConfigValue map = ConfigValue::map({{ConfigKey{type.shorthand, value.source, value.line, value.column}, value}});
  map.source = value.source;
  map.line = value.line;
  map.column = value.column;
  return map;
}

ConfigValue read_tree(const TypeInfo& type, std::string_view text, const Source& source, Problems& problems,
                      Locations& where) {
  where[""] = {source.name, 1, 1};
  TreeReader reader(source, problems, where);
  std::optional<ConfigValue> tree;
  if (const auto given = given_tree(type, text, source, problems)) tree = reader.read(type, {}, *given, "");
  return tree.value_or(ConfigValue::map({}));
}

std::string file_text(const fs::path& file) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!fs::exists(status)) fail(Exit::no_input, "{}: there is no such file", file.string());
  if (!fs::is_regular_file(status))
    fail(Exit::no_input, "{}: not a file; a configuration is one YAML file", file.string());
  const auto size = fs::file_size(file, error);
  if (!error && size > largest_file) {
    fail(Exit::config, "{}:1:1: error: the file has {} bytes; a configuration has at most {}", file.string(), size,
         largest_file);
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text(largest_file + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (stream.fail() && !stream.eof()))
    fail(Exit::no_input, "{}: the file cannot be read", file.string());
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace cathoscope::configuring
