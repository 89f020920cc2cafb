#include "reference.hpp"

#include <cathoscope/regression/grow.hpp>

#include <algorithm>
#include <cmath>

using namespace cathoscope;

namespace {

GrownForest regrown(const std::string& table, const Forest& expected, Criterion criterion, int max_leaves = 30,
                    double min_decrease = 1.02e-5) {
  const auto d = reference::data(table, expected.train_index);
  GrowOptions options;
  options.trees = static_cast<int>(expected.trees.size());
  options.max_leaves = max_leaves;
  options.criterion = criterion;
  options.min_impurity_decrease = min_decrease;
  options.draws = Draws::sklearn;
  return grow_forest(d.x, d.y, d.names, options, 2);
}

bool same_tree(const Tree& a, const Tree& b) {
  return a.left == b.left && a.right == b.right && a.feature == b.feature && a.threshold == b.threshold &&
         a.samples == b.samples && a.cover == b.cover;
}

int same_trees(const Forest& a, const Forest& b) {
  int same = 0;
  for (std::size_t t = 0; t < a.trees.size(); ++t) same += same_tree(a.trees[t], b.trees[t]);
  return same;
}

/// Weighted impurity decrease of an inner node; 0 for a leaf.
double decrease(const Tree& t, std::size_t node) {
  if (t.is_leaf(node)) return 0;
  const auto l = static_cast<std::size_t>(t.left[node]), r = static_cast<std::size_t>(t.right[node]);
  return t.cover[node] * t.impurity[node] - t.cover[l] * t.impurity[l] - t.cover[r] * t.impurity[r];
}

bool same_node(const Tree& a, const Tree& b, std::size_t k) {
  return a.feature[k] == b.feature[k] && a.threshold[k] == b.threshold[k] && a.left[k] == b.left[k];
}

void check_values(const Forest& expected, const Forest& found, double tolerance) {
  for (std::size_t t = 0; t < expected.trees.size(); ++t)
    for (std::size_t k = 0; k < expected.trees[t].nodes(); ++k) {
      CHECK(found.trees[t].value[k] == Approx(expected.trees[t].value[k]).epsilon(tolerance));
      // variances are differences of sums in scikit-learn: 1e-16 of the mean square
      CHECK(found.trees[t].impurity[k] == Approx(expected.trees[t].impurity[k]).epsilon(1e-9).margin(1e-10));
    }
}

}  // namespace

TEST_CASE("train_test_split and tree seeds are scikit-learn's") {
  const Forest particles = reference::forest("particles10_mse"), diabetes = reference::forest("diabetes_mse");
  const RowSplit split = split_rows(2000, 0.05, Draws::sklearn, 0);
  CHECK(split.train == particles.train_index);
  CHECK(split.test == particles.test_index);
  CHECK(split_rows(442, 0.05, Draws::sklearn, 0).train == diabetes.train_index);
}

TEST_CASE("squared_error forests are scikit-learn's node for node") {
  for (const std::string table : {"particles10", "diabetes"}) {
    const Forest expected = reference::forest(table + "_mse");
    const GrownForest grown = regrown(table, expected, Criterion::squared_error);
    for (std::size_t t = 0; t < expected.trees.size(); ++t) {
      CHECK(grown.forest.trees[t].random_state == expected.trees[t].random_state);
      CHECK(same_tree(grown.forest.trees[t], expected.trees[t]));
    }
    check_values(expected, grown.forest, 1e-12);
  }
}

TEST_CASE("unlimited forests grow depth first, node for node") {
  const Forest expected = reference::forest("diabetes_deep");
  const GrownForest grown = regrown("diabetes", expected, Criterion::squared_error, 0, 0);
  CHECK(same_trees(expected, grown.forest) == 8);
  check_values(expected, grown.forest, 1e-12);
}

TEST_CASE("out-of-bag predictions and score are scikit-learn's") {
  for (const std::string table : {"particles10", "diabetes"}) {
    const Forest expected = reference::forest(table + "_mse");
    const auto d = reference::data(table, expected.train_index);
    const OutOfBag oob = out_of_bag(regrown(table, expected, Criterion::squared_error), d.x, d.y, 2);
    const auto prediction = reference::numbers(table + "_mse_oob.csv");
    for (std::size_t i = 0; i < d.y.size(); ++i)
      CHECK(oob.prediction[i] == Approx(prediction.rows[i][0]).epsilon(1e-12));
    CHECK(oob.uncovered == 0);
    CHECK(oob.r2 == Approx(reference::meta()[table + "_mse"]["oob_score"].get<double>()).epsilon(1e-12));
  }
}

// Sums of absolute deviations tie often (a row beside the median may go to either side at no cost), and a tie is
// decided by rounding. So: equal up to the first node where they differ, and there both splits are equally good.
TEST_CASE("absolute_error forests are those of the exact criterion in value") {
  for (const std::string table : {"particles10", "diabetes"}) {
    const Forest expected = reference::forest(table + "_maeexact");
    const Forest found = regrown(table, expected, Criterion::absolute_error).forest;
    CHECK(same_trees(expected, found) >= 20);
    for (std::size_t t = 0; t < expected.trees.size(); ++t) {
      const Tree &a = expected.trees[t], &b = found.trees[t];
      REQUIRE(a.nodes() == b.nodes());
      std::size_t k = 0;
      while (k < a.nodes() && same_node(a, b, k)) {
        CHECK(a.value[k] == Approx(b.value[k]).epsilon(1e-12));
        CHECK(a.impurity[k] == Approx(b.impurity[k]).epsilon(1e-10).margin(1e-12));
        ++k;
      }
      INFO(table << " tree " << t << " node " << k);
      if (k == a.nodes() || a.is_leaf(k) != b.is_leaf(k)) continue;  // a tie between nodes, for the last leaves
      CHECK(decrease(a, k) == Approx(decrease(b, k)).epsilon(1e-10));
    }
  }
}

TEST_CASE("absolute_error forests contribute as the exact ones do") {
  // ties change which of two equal splits is taken, not what the forest says
  const Forest expected = reference::forest("particles10_maeexact");
  const GrownForest grown = regrown("particles10", expected, Criterion::absolute_error);
  const auto d = reference::data("particles10", expected.train_index);
  const std::vector<double> a = predict(expected, d.x, 1), b = predict(grown.forest, d.x, 1);
  CHECK(r2_score(a, b) > 0.998);
}

TEST_CASE("predictions are scikit-learn's") {
  for (const std::string name :
       {"particles10_mae", "particles10_mse", "diabetes_mae", "diabetes_mse", "diabetes_deep"}) {
    const Forest forest = reference::forest(name);
    const auto d = reference::data(name.substr(0, name.find('_')));
    const auto expected = reference::numbers(name + "_pred.csv");
    const std::vector<double> found = predict(forest, d.x, 2);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected.rows[i][0]).epsilon(1e-13));
    CHECK(expected_value(forest) == Approx(reference::meta()[name]["expected_value"].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("a forest survives its JSON text") {
  const Forest forest = reference::forest("diabetes_deep");
  const Forest again = forest_from_json(forest_json(forest));
  CHECK(again.feature_names == forest.feature_names);
  CHECK(again.train_index == forest.train_index);
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    CHECK(same_tree(forest.trees[t], again.trees[t]));
    CHECK(forest.trees[t].value == again.trees[t].value);
    CHECK(forest.trees[t].impurity == again.trees[t].impurity);
  }
}
