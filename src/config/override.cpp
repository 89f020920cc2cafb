#include "override.hpp"

#include "parse.hpp"
#include "read.hpp"

#include <algorithm>

namespace cathoscope::configuring {

namespace {

/// "a[0].b" and "a.0.b" = a, 0, b. Empty where a part is missing.
std::vector<std::string> parts_of(std::string_view path) {
  std::string dotted;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '[')
      dotted += '.';
    else if (path[i] != ']')
      dotted += path[i];
    else if (i + 1 < path.size() && path[i + 1] != '.' && path[i + 1] != '[')
      return {};
  }
  std::vector<std::string> parts{""};
  for (const char c : dotted) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  const bool whole = std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
  return whole ? parts : std::vector<std::string>{};
}

/// One step into the tree at a time, with the description beside it.
struct Walker {
  const TypeInfo* type;
  ConfigValue* value;
  int source;
  std::string complaint;

  bool into(const std::string& part) {
    if (type->kind == TypeInfo::Kind::record) return into_record(part);
    if (type->kind == TypeInfo::Kind::list) return into_list(part);
    complaint = fmt::format("there is nothing inside a single value: '{}'", shown(part));
    return false;
  }

 private:
  bool into_record(const std::string& key) {
    const auto field = std::find_if(type->fields.begin(), type->fields.end(), [&](auto& f) { return f.key == key; });
    if (field == type->fields.end()) {
      std::vector<std::string> keys;
      for (const FieldInfo& other : type->fields) keys.push_back(other.key);
      complaint = unknown_key(key, "", keys, keys);
      return false;
    }
    make_map();
    if (!value->is_map()) {
      complaint =
          fmt::format("the file gives {} where '{}' would need a map", value->is_list() ? "a list" : "a value", key);
      return false;
    }
    if (value->find(key) == nullptr) {
      ConfigValue empty;
      empty.source = source;
      empty.line = empty.column = 1;
      value->entries.emplace_back(ConfigKey{key, source, 1, 1}, std::move(empty));
    }
    value = value->find(key);
    type = &field->type;
    return true;
  }

  void make_map() {
    if (value->is_null()) {
      value->kind = ConfigValue::Kind::map;
    } else if (!value->is_map() && !type->shorthand.empty()) {
      *value = map_of_shorthand(*type, *value);
    }
  }

  bool into_list(const std::string& part) {
    std::size_t index = 0;
    const auto result = std::from_chars(part.data(), part.data() + part.size(), index);
    if (result.ec != std::errc() || result.ptr != part.data() + part.size()) {
      complaint = fmt::format("a list has numbers from 0, not '{}'", shown(part));
      return false;
    }
    if (!value->is_list() || index >= value->items.size()) {
      complaint = fmt::format("the file has {} entries in this list: there is no [{}]", value->items.size(), part);
      return false;
    }
    value = &value->items[index];
    type = &type->element[0];
    return true;
  }
};

}  // namespace

std::string override_name(const std::string& assignment) {
  return "--set " + shown(assignment.substr(0, assignment.find('=')));
}

void apply_override(const TypeInfo& type, const std::string& assignment, int source, ConfigValue& root,
                    Problems& problems) {
  const Location at{override_name(assignment), 1, 1};
  const auto equals = assignment.find('=');
  const auto parts = parts_of(assignment.substr(0, equals));
  if (equals == std::string::npos || parts.empty()) {
    return problems.add_at(at, "", fmt::format("expected key.path=value, not '{}'", shown(assignment)));
  }
  auto given = parse_yaml(assignment.substr(equals + 1), at.file, source, problems);
  if (!given) return;
  if (given->line == 0) given->line = given->column = 1;
  given->source = source;
  ConfigValue changed = root;  // so that a path that ends nowhere leaves nothing behind
  Walker walker{&type, &changed, source, {}};
  for (const std::string& part : parts) {
    if (!walker.into(part)) return problems.add_at(at, "", walker.complaint);
  }
  *walker.value = std::move(*given);
  root = std::move(changed);
}

}  // namespace cathoscope::configuring
