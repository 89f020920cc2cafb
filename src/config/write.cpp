#include "words.hpp"

#include <cathoscope/config/config.hpp>

#include <algorithm>

namespace cathoscope::configuring {

namespace {

/// Writes what is described, so that nothing but its keys can appear.
class CanonicalWriter {
 public:
  explicit CanonicalWriter(Paths paths) : paths_(paths) {}

  std::string text;

  void record(const TypeInfo& type, const ConfigValue& tree, const std::string& indent, std::string first_indent,
              const std::vector<std::string>& without = {}) {
    for (const FieldInfo& field : type.fields) {
      const ConfigValue* value = tree.find(field.key);
      if (value == nullptr || std::find(without.begin(), without.end(), field.key) != without.end()) continue;
      if (paths_ == Paths::left_out && field.type.kind == TypeInfo::Kind::path) continue;
      text += std::exchange(first_indent, indent) + field.key + ':';
      entry(field.type, *value, indent);
    }
  }

 private:
  void entry(const TypeInfo& type, const ConfigValue& value, const std::string& indent) {
    const bool has_lines = !value.is_null() && type.kind == TypeInfo::Kind::record;
    const bool has_records =
        type.kind == TypeInfo::Kind::list && !value.items.empty() && type.element[0].kind == TypeInfo::Kind::record;
    if (has_lines)
      nested(type, value, indent + "  ");
    else if (has_records)
      records(type.element[0], value, indent + "  ");
    else
      text += ' ' + flow_text(shown_paths(value)) + '\n';
  }

  void nested(const TypeInfo& type, const ConfigValue& value, const std::string& indent) {
    const std::size_t before = text.size();
    text += '\n';
    record(type, value, indent, indent);
    if (text.size() == before + 1) text.replace(before, 1, " {}\n");
  }

  void records(const TypeInfo& type, const ConfigValue& list, const std::string& indent) {
    text += '\n';
    for (const ConfigValue& item : list.items) {
      const std::size_t before = text.size();
      if (item.is_null())
        text += indent + "- null\n";
      else
        record(type, item, indent + "  ", indent + "- ");
      if (text.size() == before) text += indent + "- {}\n";
    }
  }

  [[nodiscard]] ConfigValue shown_paths(ConfigValue value) const {
    if (paths_ == Paths::absolute && !value.resolved.empty()) value.text = value.resolved;
    for (ConfigValue& item : value.items) item = shown_paths(std::move(item));
    return value;
  }

  Paths paths_;
};

}  // namespace

std::string canonical(const TypeInfo& type, const ConfigValue& tree, const CanonicalOptions& options) {
  CanonicalWriter writer(options.paths);
  writer.record(type, tree, "", "", options.without);
  return std::move(writer.text);
}

}  // namespace cathoscope::configuring
