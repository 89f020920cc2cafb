#include "words.hpp"

#include <cathoscope/config/config.hpp>

#include <nlohmann/json.hpp>

#include <cmath>

namespace cathoscope::configuring {

namespace {

using Json = nlohmann::ordered_json;
using Kind = TypeInfo::Kind;

Json schema_of(const TypeInfo& type, const Rule& rule);

Json with_bounds(Json schema, const Rule& rule) {
  if (std::isfinite(rule.low)) schema[rule.low_open ? "exclusiveMinimum" : "minimum"] = rule.low;
  if (std::isfinite(rule.high)) schema[rule.high_open ? "exclusiveMaximum" : "maximum"] = rule.high;
  return schema;
}

Json integer_schema(const TypeInfo& type, const Rule& rule) {
  Json schema = with_bounds({{"type", "integer"}}, rule);
  if (!schema.contains("minimum") && !schema.contains("exclusiveMinimum")) schema["minimum"] = type.lowest;
  if (!schema.contains("maximum") && !schema.contains("exclusiveMaximum")) schema["maximum"] = type.highest;
  return schema;
}

Json text_schema(const Rule& rule) {
  Json schema{{"type", "string"}};
  if (!rule.choices.empty()) schema["enum"] = rule.choices;
  if (!rule.pattern.empty()) schema["pattern"] = "^(?:" + rule.pattern + ")$";
  return schema;
}

Json list_schema(const Json& items, std::size_t length, const Rule& rule) {
  Json schema{{"type", "array"}, {"items", items}};
  if (length > 0) schema["minItems"] = schema["maxItems"] = length;
  if (length == 0 && rule.not_empty) schema["minItems"] = 1;
  if (rule.unique) schema["uniqueItems"] = true;
  return schema;
}

/// A default as JSON; the tree keeps numbers as text.
Json json_of(const ConfigValue& value) {
  if (value.is_null()) return nullptr;
  Json json = value.is_map() ? Json::object() : Json::array();
  for (const auto& [key, entry] : value.entries) json[key.text] = json_of(entry);
  for (const auto& item : value.items) json.push_back(json_of(item));
  if (!value.is_scalar()) return json;
  if (value.quoted || value.text == "auto") return value.text;
  return Json::parse(value.text, nullptr, false);
}

Json field_schema(const FieldInfo& field) {
  Json schema = schema_of(field.type, field.rule);
  schema["description"] = field.doc;
  const bool has_default = !field.rule.required && (field.type.kind != Kind::record || field.type.nullable);
  if (has_default) schema["default"] = json_of(field.default_value);
  return schema;
}

Json object_schema(const TypeInfo& type) {
  Json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const FieldInfo& field : type.fields) {
    schema["properties"][field.key] = field_schema(field);
    if (field.rule.required) required.push_back(field.key);
  }
  if (!required.empty()) schema["required"] = required;
  return schema;
}

Json record_schema(const TypeInfo& type) {
  for (const FieldInfo& field : type.fields) {
    if (field.key == type.shorthand) return {{"anyOf", {schema_of(field.type, field.rule), object_schema(type)}}};
  }
  return object_schema(type);
}

Json plain_schema(const TypeInfo& type, const Rule& rule) {
  const Json number = with_bounds({{"type", "number"}}, rule);
  switch (type.kind) {
    case Kind::boolean: return {{"type", "boolean"}};
    case Kind::integer: return integer_schema(type, rule);
    case Kind::number: return number;
    case Kind::text: return text_schema(rule);
    case Kind::path: return {{"type", "string"}, {"minLength", 1}};
    case Kind::voxel_size: return {{"anyOf", {number, list_schema(number, 3, {})}}};
    case Kind::list: {
      const Json items = schema_of(type.element[0], rule);
      const Json list = list_schema(items, type.length, rule);
      return rule.or_single ? Json{{"anyOf", {list, items}}} : list;
    }
    case Kind::record: return record_schema(type);
  }
  return {};
}

Json schema_of(const TypeInfo& type, const Rule& rule) {
  Json schema = plain_schema(type, rule);
  if (!type.automatic && !type.nullable) return schema;
  Json choices = schema.contains("anyOf") ? schema["anyOf"] : Json::array({schema});
  if (type.automatic) choices.push_back({{"const", "auto"}});
  if (type.nullable) choices.push_back({{"type", "null"}});
  return {{"anyOf", choices}};
}

}  // namespace

std::string schema_text(const TypeInfo& type, std::string_view title) {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(object_schema(type));
  return schema.dump(2) + '\n';
}

}  // namespace cathoscope::configuring
