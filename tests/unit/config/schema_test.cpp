/// The JSON Schema accepts what the reader accepts; the documentation names what is there.
#include <cathoscope/config/config.hpp>

#include "study_config.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <regex>

using namespace cathoscope;
using nlohmann::json;
using study::Study;

namespace {

bool has_type(const json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type == "null" && value.is_null();
}

bool valid(const json& schema, const json& value);

bool valid_number(const json& schema, const json& value) {
  const double x = value.get<double>();
  if (schema.contains("minimum") && x < schema["minimum"].get<double>()) return false;
  if (schema.contains("maximum") && x > schema["maximum"].get<double>()) return false;
  return !schema.contains("exclusiveMinimum") || x > schema["exclusiveMinimum"].get<double>();
}

bool valid_text(const json& schema, const json& value) {
  const auto text = value.get<std::string>();
  if (text.size() < schema.value("minLength", std::size_t{0})) return false;
  if (schema.contains("enum") && std::count(schema["enum"].begin(), schema["enum"].end(), value) == 0) return false;
  return !schema.contains("pattern") || std::regex_search(text, std::regex(schema["pattern"].get<std::string>()));
}

bool valid_list(const json& schema, const json& value) {
  if (value.size() < schema.value("minItems", std::size_t{0})) return false;
  if (value.size() > schema.value("maxItems", value.size())) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!valid(schema["items"], value[i])) return false;
    if (schema.value("uniqueItems", false) && std::count(value.begin(), value.end(), value[i]) > 1) return false;
  }
  return true;
}

bool valid_object(const json& schema, const json& value) {
  for (const auto& [key, entry] : value.items()) {
    if (!schema["properties"].contains(key) || !valid(schema["properties"][key], entry)) return false;
  }
  const json required = schema.value("required", json::array());
  return std::all_of(required.begin(), required.end(), [&](const json& key) { return value.contains(key); });
}

/// The part of JSON Schema that we use.
bool valid(const json& schema, const json& value) {
  if (schema.contains("anyOf")) {
    return std::any_of(schema["anyOf"].begin(), schema["anyOf"].end(), [&](auto& one) { return valid(one, value); });
  }
  if (schema.contains("const")) return schema["const"] == value;
  if (!has_type(value, schema.at("type"))) return false;
  if (value.is_number()) return valid_number(schema, value);
  if (value.is_string()) return valid_text(schema, value);
  if (value.is_array()) return valid_list(schema, value);
  return !value.is_object() || valid_object(schema, value);
}

bool readable(const std::string& text) {
  try {
    (void)read_config_text<Study>(text, "run.json", "/", {}, Inputs::may_be_missing);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("schema and reader agree on JSON documents, which are YAML too") {
  const json schema = json::parse(json_schema<Study>("Study"));
  const std::vector<std::string> good{
      R"({"name": "a"})",
      R"({"name": "a", "seed": 18446744073709551615, "level": -5, "match": false, "sigma_um": 0.5})",
      R"({"name": "a", "threshold": "auto", "workers": 3, "minimum_um3": null, "exclude": [1, 2], "weights": [0, 1]})",
      R"({"name": "a", "threshold": -3.5, "workers": "auto", "minimum_um3": 0})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": "s.tif", "labels": null}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "voxel_size_um": 0.1, "bin": 64}}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "voxel_size_um": [1, 2, 3],
          "crop": [[0, 1], [0, 2], [0, 3]], "faces": [], "levels": {"low": 2}}}]})",
  };
  const std::vector<std::string> bad{
      R"({})",
      R"({"name": "a", "sead": 1})",
      R"({"name": "a", "seed": -1})",
      R"({"name": "a", "seed": 1.5})",
      R"({"name": "a", "seed": "1"})",
      R"({"name": "a", "level": 2147483648})",
      R"({"name": "a", "match": 1})",
      R"({"name": "a", "match": "true"})",
      R"({"name": "a", "sigma_um": 0})",
      R"({"name": "a", "sigma_um": null})",
      R"({"name": "a", "threshold": "otsu"})",
      R"({"name": "a", "workers": 0})",
      R"({"name": "a", "minimum_um3": -1})",
      R"({"name": "a", "exclude": 3})",
      R"({"name": "a", "weights": []})",
      R"({"name": "a", "weights": [2]})",
      R"({"name": "a", "electrodes": [{"volume": "s.tif"}]})",
      R"({"name": "a", "electrodes": [{"name": "../e"}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": ""}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"bin": 2}}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "bin": 65}}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "axes": "zxy"}}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "voxel_size_um": [1, 2]}}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "crop": [[0, 1], [0, 2]]}}]})",
      R"({"name": "a", "electrodes": [{"name": "e", "volume": {"path": "s", "faces": ["z_low", "z_low"]}}]})",
  };
  for (const std::string& text : good) {
    INFO(text);
    CHECK(readable(text));
    CHECK(valid(schema, json::parse(text)));
  }
  for (const std::string& text : bad) {
    INFO(text);
    CHECK_FALSE(readable(text));
    CHECK_FALSE(valid(schema, json::parse(text)));
  }
}

TEST_CASE("every schema default is valid where it stands") {
  const json schema = json::parse(json_schema<Study>("Study"));
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["title"] == "Study");
  std::size_t defaults = 0;
  const std::function<void(const json&)> visit = [&](const json& part) {
    if (part.contains("default")) {
      ++defaults;
      INFO(part.dump());
      CHECK(valid(part, part["default"]));
    }
    if (part.contains("properties")) {
      CHECK(part["additionalProperties"] == false);
      for (const auto& [key, property] : part["properties"].items()) {
        CHECK(property.contains("description"));
        visit(property);
      }
    }
    if (part.contains("items")) visit(part["items"]);
    for (const auto& one : part.value("anyOf", json::array())) visit(one);
  };
  visit(schema);
  CHECK(defaults == 10 + 2 + 2 * (6 + 2));
}

TEST_CASE("the documentation has a row for each key, escaped") {
  const std::string page = configuration_markdown<Study>();
  const auto has = [&](const std::string& line) { return page.find(line + "\n") != std::string::npos; };
  CHECK(has("## Top level"));
  CHECK(has("## electrodes[]"));
  CHECK(has("## electrodes[].volume"));
  CHECK(has("## electrodes[].volume.levels"));
  CHECK(has("| `match` | true or false | `true` | compare at the &lt;coarser&gt; voxel |"));
  CHECK(has("| `axes` | one of zyx, xyz | `zyx` | order of the axes \\| slowest first |"));
  CHECK(has("| `name` | a text | required | name of the study |"));
  CHECK(has("| `electrodes` | a list of maps, see [electrodes[]](#electrodes) | `[]` | one entry for each tomogram |"));
  CHECK(has("| `volume` | a map, see [electrodes[].volume](#electrodesvolume), or null | `null` | the tomogram |"));
  CHECK(has("The value of `path` may also stand alone in place of the map."));
}
