#include <cathoscope/config/value.hpp>

namespace cathoscope {

ConfigValue::ConfigValue() = default;

const ConfigValue* ConfigValue::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.text == key) return &value;
  return nullptr;
}

ConfigValue* ConfigValue::find(std::string_view key) {
  for (auto& [name, value] : entries)
    if (name.text == key) return &value;
  return nullptr;
}

ConfigValue ConfigValue::scalar(std::string text, bool quoted) {
  ConfigValue value;
  value.kind = Kind::scalar;
  value.text = std::move(text);
  value.quoted = quoted;
  return value;
}

ConfigValue ConfigValue::list(std::vector<ConfigValue> items) {
  ConfigValue value;
  value.kind = Kind::list;
  value.items = std::move(items);
  return value;
}

ConfigValue ConfigValue::map(std::vector<std::pair<ConfigKey, ConfigValue>> entries) {
  ConfigValue value;
  value.kind = Kind::map;
  value.entries = std::move(entries);
  return value;
}

}  // namespace cathoscope
