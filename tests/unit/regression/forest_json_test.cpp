#include "small_trees.hpp"

#include <cathoscope/core/error.hpp>

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

using namespace cathoscope;

namespace {

nlohmann::json good() {
  Tree tree;
  small::add_leaf(tree, 2, 4);
  small::split(tree, 0, 0, 0.5, 1, 3, 5, 1);
  return nlohmann::json::parse(forest_json(small::forest_of(tree, 2)));
}

void check_refused(const nlohmann::json& json, const std::string& message) {
  try {
    forest_from_json(json.dump());
    FAIL("accepted, expected: " << message);
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::data);
    CHECK_THAT(e.what(), Catch::Contains(message));
  }
}

template <class Change>
void check_tree_refused(Change change, const std::string& message) {
  nlohmann::json json = good();
  change(json["trees"][0]);
  check_refused(json, message);
}

}  // namespace

TEST_CASE("a forest without the optional arrays is read") {
  const Forest forest = forest_from_json(good().dump());
  CHECK(forest.trees[0].impurity.empty());
  CHECK(forest.trees[0].threshold[0] == 0.5);
  const float row[] = {0.5F, 0};
  CHECK(predict(forest, row) == 1);
}

TEST_CASE("damaged forests are refused with tree and node") {
  using Json = nlohmann::json;
  check_tree_refused([](Json& t) { t["value"] = {1, 2}; }, "tree 0: 'value' has 2 entries, 'children_left' has 3");
  check_tree_refused([](Json& t) { t["children_left"][0] = 7; }, "child 7 is not in 0..2");
  check_tree_refused([](Json& t) { t["children_left"][0] = 0; }, "child 0 has another parent");
  check_tree_refused([](Json& t) { t["children_left"][0] = 2; }, "child 2 has another parent");
  check_tree_refused([](Json& t) { t["children_left"][0] = -1; }, "child -1 is not in 0..2");
  check_tree_refused([](Json& t) { t["children_left"][0] = t["children_right"][0] = -1; }, "cannot be reached");
  check_tree_refused([](Json& t) { t["feature"][0] = 2; }, "feature 2 is not in 0..1");
  check_tree_refused([](Json& t) { t["feature"][0] = 0.5; }, "not a whole number");
  check_tree_refused([](Json& t) { t["feature"][0] = 5e9; }, "node and feature numbers");
  check_tree_refused([](Json& t) { t["value"][1] = nullptr; }, "is null, not a number");
  check_tree_refused([](Json& t) { t["weighted_n_node_samples"][1] = -1; }, "must be finite and not negative");
  check_tree_refused([](Json& t) { t["weighted_n_node_samples"][0] = 0; }, "root must be positive");
  check_tree_refused([](Json& t) { t.erase("threshold"); }, "has no 'threshold'");
  check_tree_refused([](Json& t) { t["threshold"] = 3; }, "is not a list");
  check_tree_refused([](Json& t) { t = {{"children_left", Json::array()}}; }, "has no 'children_right'");
}

TEST_CASE("files that are no forest are refused") {
  nlohmann::json json = good();
  json["n_features"] = 3;
  check_refused(json, "'n_features' is 3, but there are 2 feature names");
  json = good();
  json["feature_names"] = {"a", "a"};
  check_refused(json, "two features are called 'a'");
  json = good();
  json["trees"] = nlohmann::json::array();
  check_refused(json, "no trees");
  check_refused(nlohmann::json::array(), "no JSON object");
  for (const std::string text : {"", "{", "{\"trees\": [NaN]}", "{\"feature_names\": [\"a\"], \"trees\": [1e999]}"})
    CHECK_THROWS_WITH(forest_from_json(text), Catch::Contains("not valid JSON"));
  const std::string deep = "{\"feature_names\": [" + std::string(100000, '[');  // printing it would recurse that deep
  CHECK_THROWS_WITH(forest_from_json(deep + std::string(100000, ']') + "]}"), Catch::Contains("lists in lists"));
}

TEST_CASE("columns are matched by name, with the other spellings, and cast to float32") {
  Table table;
  table.columns.push_back({"b", "", "", {0.1, 2}, {}, {}});
  table.columns.push_back({"Edensity", "", "", {3, 4}, {}, {}});
  table.columns.push_back({"label", "", "", {}, {7, 8}, {}});
  const FeatureRows rows = feature_rows(table, {"EDensity", "b", "label"});
  CHECK(rows.values == std::vector<float>{3, 0.1F, 7, 4, 2, 8});
}

TEST_CASE("columns that are missing, text, or have gaps are refused") {
  Table table;
  table.columns.push_back({"Volume", "", "", {1, std::nan("")}, {}, {}});
  table.columns.push_back({"source", "", "", {}, {}, {"grey", "grey"}});
  table.columns.push_back({"large", "", "", {1, 1e39}, {}, {}});
  CHECK_THROWS_WITH(feature_rows(table, {"volume"}),
                    Catch::Contains("no column 'volume'") && Catch::Contains("'Volume'"));
  CHECK_THROWS_WITH(feature_rows(table, {"source"}), Catch::Contains("not numeric") && Catch::Contains("grey"));
  CHECK_THROWS_WITH(feature_rows(table, {"Volume"}), Catch::Contains("row 2") && Catch::Contains("missing"));
  CHECK_THROWS_WITH(feature_rows(table, {"large"}), Catch::Contains("1e+39"));
}
