#include "small_trees.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

using namespace cathoscope;

namespace {

constexpr std::size_t in_tables = std::size_t{64} << 20, traversed = 0;

Explanation explained(const Forest& forest, const FeatureRows& rows, std::size_t bytes,
                      const FeatureRows* background = nullptr) {
  ShapOptions options;
  options.table_bytes = bytes;
  options.background = background;
  return explain(Explainer(forest, options, 1), rows, 1);
}

double additivity_error(const Explanation& e, std::size_t row, std::size_t features) {
  const auto first = e.phi.begin() + static_cast<std::ptrdiff_t>(row * features);
  const double sum = std::accumulate(first, first + static_cast<std::ptrdiff_t>(features), e.expected_value);
  return std::abs(sum - e.prediction[row]) / std::max(1.0, std::abs(e.prediction[row]));
}

void check_additive(const Explanation& e, std::size_t features) {
  for (std::size_t i = 0; i < e.prediction.size(); ++i) CHECK(additivity_error(e, i, features) <= 1e-10);
}

/// A chain: node k asks feature k % features whether x <= k + 1/2 and ends there, or goes on to the right.
Tree chain(int length, std::size_t features) {
  Tree tree;
  std::size_t node = small::add_leaf(tree, 0, length + 1);
  for (int k = 0; k < length; ++k) {
    small::split(tree, node, k % static_cast<int>(features), k + 0.5, std::sin(k), 1, 0.3, length - k);
    node = static_cast<std::size_t>(tree.right[node]);
  }
  return tree;
}

}  // namespace

TEST_CASE("values are Shapley values by definition on random trees") {
  Stream random(1, {"brute force"});
  constexpr std::size_t m = 7;
  for (int round = 0; round < 40; ++round) {
    // a third of the trees has branches that no training row reached
    const Forest forest = small::forest_of(small::random_tree(random, m, 3 + round / 2, round % 3 == 0 ? 0.3 : 0), m);
    validate(forest);
    const auto row = small::random_row(random, m);
    const auto expected = small::shapley_values(
        [&](unsigned known) { return small::path_dependent_game(forest.trees[0], row, known); }, m);
    for (const std::size_t bytes : {in_tables, traversed}) {
      const Explanation e = explained(forest, small::rows_of({row}), bytes);
      for (std::size_t f = 0; f < m; ++f) CHECK(e.phi[f] == Approx(expected[f]).margin(1e-13));
      CHECK(e.expected_value == Approx(small::path_dependent_game(forest.trees[0], row, 0)).margin(1e-13));
      CHECK(e.prediction[0] == Approx(predict(forest, row.data())));
    }
  }
}

TEST_CASE("interventional values are Shapley values by definition") {
  Stream random(2, {"brute force"});
  constexpr std::size_t m = 6;
  for (int round = 0; round < 20; ++round) {
    const Forest forest = small::forest_of(small::random_tree(random, m, 4 + round), m);
    const auto row = small::random_row(random, m);
    std::vector<std::vector<float>> background;
    for (int b = 0; b < 5; ++b) background.push_back(small::random_row(random, m));
    const auto game = [&](unsigned known) {
      double sum = 0;
      for (auto mixed : background) {
        for (std::size_t f = 0; f < m; ++f)
          if ((known >> f) & 1U) mixed[f] = row[f];
        sum += predict(forest, mixed.data());
      }
      return sum / 5;
    };
    const auto expected = small::shapley_values(game, m);
    const FeatureRows rows = small::rows_of({row}), others = small::rows_of(background);
    for (const std::size_t bytes : {in_tables, traversed}) {
      ShapOptions options{true, &others, bytes};
      const Explainer explainer(forest, options, 1);
      const Explanation e = explain(explainer, rows, 1);
      for (std::size_t f = 0; f < m; ++f) CHECK(e.phi[f] == Approx(expected[f]).margin(1e-13));
      CHECK(e.expected_value == Approx(game(0)).margin(1e-13));
      const auto upper = explain_interactions(explainer, rows, 1);
      for (std::size_t a = 0; a < m; ++a)
        for (std::size_t b = a + 1; b < m; ++b)
          CHECK(upper[pair_index(a, b, m)] == Approx(small::shapley_pair(game, m, a, b)).margin(1e-13));
    }
  }
}

TEST_CASE("interactions are Shapley interaction values by definition, and add up") {
  Stream random(3, {"brute force"});
  constexpr std::size_t m = 6;
  for (int round = 0; round < 20; ++round) {
    const Forest forest = small::forest_of(small::random_tree(random, m, 4 + round), m);
    const auto row = small::random_row(random, m);
    const auto game = [&](unsigned known) { return small::path_dependent_game(forest.trees[0], row, known); };
    for (const std::size_t bytes : {in_tables, traversed}) {
      const Explainer explainer(forest, {true, nullptr, bytes}, 1);
      const auto upper = explain_interactions(explainer, small::rows_of({row}), 1);
      double sum = explainer.expected_value();
      for (std::size_t a = 0; a < m; ++a)
        for (std::size_t b = a; b < m; ++b) {
          if (a != b) CHECK(upper[pair_index(a, b, m)] == Approx(small::shapley_pair(game, m, a, b)).margin(1e-13));
          sum += (a == b ? 1 : 2) * upper[pair_index(a, b, m)];
        }
      CHECK(sum == Approx(predict(forest, row.data())).margin(1e-12));
    }
  }
}

TEST_CASE("a tree of one leaf explains nothing and predicts its value") {
  Tree tree;
  small::add_leaf(tree, 3.25, 10);
  const Forest forest = small::forest_of(tree, 2);
  const FeatureRows rows = small::rows_of({{1, 2}});
  for (const std::size_t bytes : {in_tables, traversed})
    for (const FeatureRows* background : {static_cast<const FeatureRows*>(nullptr), &rows}) {
      const Explanation e = explained(forest, rows, bytes, background);
      CHECK(e.phi == std::vector<double>{0, 0});
      CHECK(e.expected_value == 3.25);
      CHECK(e.prediction[0] == 3.25);
    }
}

TEST_CASE("a chain of depth 200 with four features is additive and equals the definition") {
  constexpr std::size_t m = 4;
  const Forest forest = small::forest_of(chain(200, m), m);
  CHECK(depth_of(forest.trees[0]) == 200);
  for (const float x : {0.F, 37.F, 150.F, 400.F}) {
    const std::vector<float> row{x, 2 * x, 300, x};
    const auto expected = small::shapley_values(
        [&](unsigned known) { return small::path_dependent_game(forest.trees[0], row, known); }, m);
    for (const std::size_t bytes : {in_tables, traversed}) {
      const Explanation e = explained(forest, small::rows_of({row}), bytes);
      for (std::size_t f = 0; f < m; ++f) CHECK(e.phi[f] == Approx(expected[f]).margin(1e-12));
      check_additive(e, m);
    }
  }
}

// For a chain of AND: f = 1 where all d features pass, one training row in two passes each. By symmetry each feature of
// a row that passes all earns (1 - 2^-d) / d.
TEST_CASE("two hundred different features on one path are right") {
  constexpr std::size_t d = 200;
  Tree tree;
  std::size_t node = small::add_leaf(tree, 0, 1024);
  double cover = 1024;
  for (int k = 0; k < static_cast<int>(d); ++k, cover /= 2) {
    small::split(tree, node, k, 0, 0, cover / 2, k + 1 == static_cast<int>(d) ? 1 : 0, cover / 2);
    node = static_cast<std::size_t>(tree.right[node]);
  }
  const Forest forest = small::forest_of(tree, d);
  const FeatureRows row = small::rows_of({std::vector<float>(d, 1)});
  const Explanation e = explained(forest, row, in_tables);  // too long for tables: traversed
  for (std::size_t f = 0; f < d; ++f) CHECK(e.phi[f] == Approx(1.0 / d).epsilon(1e-11));
  check_additive(e, d);
}

TEST_CASE("a tree of 40,000 nodes is additive, both ways of the game") {
  Stream random(4, {"big"});
  constexpr std::size_t m = 12;
  Tree big = small::random_tree(random, m, 20000);
  for (double& t : big.threshold) t += random.uniform();
  const Forest forest = small::forest_of(big, m);
  CHECK(big.nodes() == 40001);
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 3; ++i) rows.push_back(small::random_row(random, m));
  const FeatureRows x = small::rows_of(rows);
  check_additive(explained(forest, x, traversed), m);
  check_additive(explained(forest, x, traversed, &x), m);
}

TEST_CASE("thresholds between adjacent float32 and beyond float32 are honoured") {
  const float low = 1.0F, high = std::nextafterf(low, 2);
  const double between = (static_cast<double>(low) + high) / 2;
  Tree tree;
  small::add_leaf(tree, 0, 4);
  small::split(tree, 0, 0, between, 1, 2, 2, 2);
  small::split(tree, 2, 0, 1e300, 3, 1, 4, 1);
  small::split(tree, 4, 0, -1e300, 5, 1, 6, 0);
  const Forest forest = small::forest_of(tree, 1);
  for (const std::size_t bytes : {in_tables, traversed}) {
    const Explanation e = explained(forest, small::rows_of({{low}, {high}, {3e38F}}), bytes);
    CHECK(e.prediction == std::vector<double>{1, 3, 3});
    check_additive(e, 1);
  }
}

TEST_CASE("results do not depend on threads or on the rows explained together") {
  Stream random(5, {"blocks"});
  constexpr std::size_t m = 5;
  Forest forest = small::forest_of(small::random_tree(random, m, 20), m);
  for (int t = 0; t < 5; ++t) forest.trees.push_back(small::random_tree(random, m, 30));
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 700; ++i) rows.push_back(small::random_row(random, m));
  const FeatureRows x = small::rows_of(rows);
  const Explainer explainer(forest, {}, 3);
  const Explanation all = explain(explainer, x, 1), threaded = explain(explainer, x, 4);
  CHECK(all.phi == threaded.phi);
  for (const std::size_t i : {std::size_t{0}, std::size_t{129}, std::size_t{699}}) {
    std::vector<double> phi(m);
    double prediction = 0;
    explainer.explain(x.row(i), 1, phi.data(), &prediction);
    CHECK(std::equal(phi.begin(), phi.end(), all.phi.begin() + static_cast<std::ptrdiff_t>(i * m)));
    CHECK(prediction == all.prediction[i]);
  }
}

TEST_CASE("twins share what one would get alone only in a forest that uses both; unused features get nothing") {
  Tree tree;
  small::add_leaf(tree, 0, 8);
  small::split(tree, 0, 0, 0.5, 1, 4, 3, 4);
  const Forest forest = small::forest_of(tree, 3);
  const Explanation e = explained(forest, small::rows_of({{1, 1, 1}}), in_tables);
  CHECK(e.phi[0] == Approx(1));
  CHECK(e.phi[1] == 0);
  CHECK(e.phi[2] == 0);
}

TEST_CASE("out-of-bag values use the trees that have not seen the row") {
  Tree first, second;
  small::add_leaf(first, 0, 2);
  small::split(first, 0, 0, 0.5, 1, 1, 3, 1);
  small::add_leaf(second, 0, 2);
  small::split(second, 0, 1, 0.5, 10, 1, 30, 1);
  Forest forest = small::forest_of(first, 2);
  forest.trees.push_back(second);
  const FeatureRows rows = small::rows_of({{1, 1}, {1, 1}, {1, 1}, {1, 1}});
  const std::vector<std::vector<bool>> in_bag{{true, false, false, true}, {false, true, false, true}};
  const Explanation e = explain_out_of_bag(Explainer(forest, {}, 1), rows, in_bag, 2);
  CHECK(e.prediction[0] == 30);
  CHECK(e.phi[1] == 10);
  CHECK(e.prediction[1] == 3);
  CHECK(e.phi[2] == 1);
  CHECK(e.prediction[2] == 16.5);
  CHECK(std::isnan(e.prediction[3]));
  CHECK(std::isnan(e.phi[6]));
}

TEST_CASE("a background without rows or of other columns is refused") {
  Tree tree;
  small::add_leaf(tree, 1, 1);
  const Forest forest = small::forest_of(tree, 2);
  const FeatureRows none{0, 2, {}}, narrow = small::rows_of({{1}});
  CHECK_THROWS_WITH(Explainer(forest, {false, &none}, 1), Catch::Contains("no rows"));
  CHECK_THROWS_WITH(Explainer(forest, {false, &narrow}, 1), Catch::Contains("has 1 columns, the forest 2"));
}
