#include <cathoscope/core/error.hpp>
#include <cathoscope/core/json_text.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/regression/forest.hpp>

#include <nlohmann/json.hpp>

#include <limits>

namespace cathoscope {

namespace {

using Json = nlohmann::json;

const Json& member(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) fail(Exit::data, "forest: {} has no '{}'", where, key);
  return *found;
}

double as_number(const Json& value, const std::string& where) {
  if (!value.is_number()) fail(Exit::data, "forest: {} is {}, not a number", where, value.dump());
  return value.get<double>();
}

/// Whole numbers may be written as 3 or 3.0.
std::int64_t as_integer(const Json& value, const std::string& where) {
  const double number = as_number(value, where);
  if (number != static_cast<double>(static_cast<std::int64_t>(std::clamp(number, -9e15, 9e15))))
    fail(Exit::data, "forest: {} is {}, not a whole number", where, value.dump());
  return static_cast<std::int64_t>(number);
}

std::int32_t as_id(const Json& value, const std::string& where) {
  const std::int64_t number = as_integer(value, where);
  if (number < -2 || number > std::numeric_limits<std::int32_t>::max())
    fail(Exit::data, "forest: {} is {}; node and feature numbers are in -2..2^31 - 1", where, value.dump());
  return static_cast<std::int32_t>(number);
}

template <class T, class Convert>
std::vector<T> list_of(const Json& object, const char* key, const std::string& where, Convert convert) {
  const Json& list = member(object, key, where);
  const std::string name = where + ", '" + key + "'";
  if (!list.is_array()) fail(Exit::data, "forest: {} is not a list", name);
  std::vector<T> result;
  result.reserve(list.size());
  for (const Json& value : list) result.push_back(convert(value, name));
  return result;
}

Tree tree_from(const Json& json, const std::string& where) {
  if (!json.is_object()) fail(Exit::data, "forest: {} is not an object", where);
  Tree tree;
  tree.left = list_of<std::int32_t>(json, "children_left", where, as_id);
  tree.right = list_of<std::int32_t>(json, "children_right", where, as_id);
  tree.feature = list_of<std::int32_t>(json, "feature", where, as_id);
  tree.threshold = list_of<double>(json, "threshold", where, as_number);
  tree.value = list_of<double>(json, "value", where, as_number);
  tree.cover = list_of<double>(json, "weighted_n_node_samples", where, as_number);
  if (json.contains("impurity")) tree.impurity = list_of<double>(json, "impurity", where, as_number);
  if (json.contains("n_node_samples")) tree.samples = list_of<std::int64_t>(json, "n_node_samples", where, as_integer);
  if (json.contains("random_state") && !json["random_state"].is_null())
    tree.random_state = as_integer(json["random_state"], where + ", 'random_state'");
  return tree;
}

std::string as_name(const Json& value, const std::string& where) {
  if (!value.is_string()) fail(Exit::data, "forest: {}: {} is not a text", where, value.dump());
  return value.get<std::string>();
}

Json parsed(const std::string& text) {
  if (json_nesting(text) > deepest_json) fail(Exit::data, "forest: lists in lists, deeper than any forest has them");
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    fail(Exit::data, "forest: not valid JSON (NaN and Infinity are not JSON): {}", e.what());
  }
}

template <class T>
void append_list(std::string& out, const char* key, const std::vector<T>& values) {
  out += fmt::format("\"{}\": [", key);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    if constexpr (std::is_floating_point_v<T>)
      out += text_of(values[i]);
    else
      out += std::to_string(values[i]);
  }
  out += "]";
}

void append_tree(std::string& out, const Tree& tree) {
  out += "{";
  append_list(out, "children_left", tree.left);
  append_list(out += ", ", "children_right", tree.right);
  append_list(out += ", ", "feature", tree.feature);
  append_list(out += ", ", "threshold", tree.threshold);
  append_list(out += ", ", "value", tree.value);
  if (!tree.impurity.empty()) append_list(out += ", ", "impurity", tree.impurity);
  if (!tree.samples.empty()) append_list(out += ", ", "n_node_samples", tree.samples);
  append_list(out += ", ", "weighted_n_node_samples", tree.cover);
  out += fmt::format(", \"max_depth\": {}, \"random_state\": {}}}", depth_of(tree), tree.random_state);
}

}  // namespace

Forest forest_from_json(const std::string& text) {
  const Json json = parsed(text);
  if (!json.is_object()) fail(Exit::data, "forest: the file holds no JSON object");
  Forest forest;
  forest.feature_names = list_of<std::string>(json, "feature_names", "the file", as_name);
  if (json.contains("n_features") &&
      as_integer(json["n_features"], "'n_features'") != static_cast<std::int64_t>(forest.feature_names.size()))
    fail(Exit::data, "forest: 'n_features' is {}, but there are {} feature names", json["n_features"].dump(),
         forest.feature_names.size());
  const Json& trees = member(json, "trees", "the file");
  if (!trees.is_array()) fail(Exit::data, "forest: 'trees' is not a list");
  for (std::size_t t = 0; t < trees.size(); ++t) forest.trees.push_back(tree_from(trees[t], fmt::format("tree {}", t)));
  if (json.contains("train_index"))
    forest.train_index = list_of<std::int64_t>(json, "train_index", "the file", as_integer);
  if (json.contains("test_index"))
    forest.test_index = list_of<std::int64_t>(json, "test_index", "the file", as_integer);
  if (json.contains("gap_fill")) forest.gap_fill = list_of<double>(json, "gap_fill", "the file", as_number);
  validate(forest);
  return forest;
}

std::string forest_json(const Forest& forest) {
  std::string out =
      fmt::format("{{\"n_features\": {},\n\"feature_names\": {},\n\"expected_value\": {},\n",
                  forest.feature_names.size(), Json(forest.feature_names).dump(), text_of(expected_value(forest)));
  append_list(out, "train_index", forest.train_index);
  append_list(out += ",\n", "test_index", forest.test_index);
  if (!forest.gap_fill.empty()) append_list(out += ",\n", "gap_fill", forest.gap_fill);
  out += ",\n\"trees\": [\n";
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    append_tree(out, forest.trees[t]);
    out += t + 1 < forest.trees.size() ? ",\n" : "\n";
  }
  return out + "]}\n";
}

}  // namespace cathoscope
