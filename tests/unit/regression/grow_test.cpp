#include "small_trees.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/regression/grow.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace cathoscope;

namespace {

struct Sample {
  FeatureRows x;
  std::vector<double> y;
  std::vector<std::string> names;
};

Sample sample(std::size_t rows, std::size_t features, std::uint64_t seed) {
  Stream random(seed, {"grow test"});
  Sample s{{rows, features, {}}, {}, {}};
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t f = 0; f < features; ++f) s.x.values.push_back(static_cast<float>(random.normal()));
    s.y.push_back(s.x.row(i)[0] + 0.5 * std::pow(s.x.row(i)[features - 1], 2) + 0.3 * random.normal());
  }
  for (std::size_t f = 0; f < features; ++f) s.names.push_back(fmt::format("f{}", f));
  return s;
}

GrowOptions options_of(Criterion criterion, int trees = 10) {
  GrowOptions options;
  options.trees = trees;
  options.criterion = criterion;
  options.seed = 3;
  return options;
}

GrownForest grown(const Sample& s, const GrowOptions& options, int threads = 1) {
  return grow_forest(s.x, s.y, s.names, options, threads);
}

bool same(const Forest& a, const Forest& b) { return forest_json(a) == forest_json(b); }

double cost(std::vector<double> y, Criterion criterion) {
  std::sort(y.begin(), y.end());
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(y.size());
  const double middle = (y[(y.size() - 1) / 2] + y[y.size() / 2]) / 2;
  double sum = 0;
  for (const double v : y)
    sum += criterion == Criterion::squared_error ? (v - mean) * (v - mean) : std::abs(v - middle);
  return sum;
}

/// The least cost of any single split of all rows.
double best_cost(const Sample& s, Criterion criterion) {
  double best = 1e300;
  for (std::size_t f = 0; f < s.x.features; ++f)
    for (std::size_t cut = 0; cut < s.x.rows; ++cut) {
      std::vector<double> left, right;
      for (std::size_t i = 0; i < s.x.rows; ++i) (s.x.row(i)[f] <= s.x.row(cut)[f] ? left : right).push_back(s.y[i]);
      if (!right.empty()) best = std::min(best, cost(left, criterion) + cost(right, criterion));
    }
  return best;
}

}  // namespace

TEST_CASE("a stump takes the split that an exhaustive search takes") {
  for (const Criterion criterion : {Criterion::squared_error, Criterion::absolute_error})
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const Sample s = sample(41 + seed, 3, seed);
      GrowOptions options = options_of(criterion, 1);
      options.max_leaves = 2;
      options.max_features = 3;
      options.bootstrap = false;
      const Tree tree = grown(s, options).forest.trees[0];
      CHECK(tree.nodes() == 3);
      CHECK(tree.impurity[1] * tree.cover[1] + tree.impurity[2] * tree.cover[2] ==
            Approx(best_cost(s, criterion)).epsilon(1e-12));
    }
}

TEST_CASE("the default draws give the same forest for any number of threads") {
  const Sample s = sample(300, 6, 1);
  for (const Criterion criterion : {Criterion::squared_error, Criterion::absolute_error}) {
    const GrownForest one = grown(s, options_of(criterion), 1), four = grown(s, options_of(criterion), 4);
    CHECK(same(one.forest, four.forest));
    CHECK(one.in_bag == four.in_bag);
    GrowOptions other = options_of(criterion);
    other.seed = 4;
    CHECK_FALSE(same(one.forest, grown(s, other).forest));
  }
}

TEST_CASE("node values, covers and counts are those of the rows that reach the node") {
  const Sample s = sample(200, 4, 2);
  for (const Criterion criterion : {Criterion::squared_error, Criterion::absolute_error}) {
    GrowOptions options = options_of(criterion, 1);
    options.bootstrap = false;
    const Tree tree = grown(s, options).forest.trees[0];
    for (std::size_t leaf = 0; leaf < tree.nodes(); ++leaf) {
      if (!tree.is_leaf(leaf)) continue;
      std::vector<double> y;
      for (std::size_t i = 0; i < s.x.rows; ++i)
        if (leaf_of(tree, s.x.row(i)) == leaf) y.push_back(s.y[i]);
      CHECK(static_cast<std::size_t>(tree.samples[leaf]) == y.size());
      CHECK(tree.cover[leaf] == static_cast<double>(y.size()));
      CHECK(tree.impurity[leaf] * tree.cover[leaf] == Approx(cost(y, criterion)).epsilon(1e-10).margin(1e-12));
    }
  }
}

TEST_CASE("limits are kept: leaves, impurity decrease") {
  const Sample s = sample(400, 4, 3);
  GrowOptions options = options_of(Criterion::absolute_error, 5);
  options.max_leaves = 7;
  for (const Tree& tree : grown(s, options).forest.trees) CHECK(tree.nodes() == 13);
  options.min_impurity_decrease = 1e9;
  for (const Tree& tree : grown(s, options).forest.trees) CHECK(tree.nodes() == 1);
}

TEST_CASE("unlimited trees fit their rows exactly") {
  const Sample s = sample(150, 4, 4);
  for (const Criterion criterion : {Criterion::squared_error, Criterion::absolute_error}) {
    GrowOptions options = options_of(criterion, 3);
    options.max_leaves = 0;
    options.min_impurity_decrease = 0;
    options.bootstrap = false;
    const GrownForest g = grown(s, options);
    validate(g.forest);
    CHECK(r2_score(s.y, predict(g.forest, s.x, 1)) == Approx(1));
  }
}

TEST_CASE("constant columns are never used, all-constant tables give single leaves") {
  Sample s = sample(100, 3, 5);
  for (std::size_t i = 0; i < 100; ++i) s.x.values[3 * i + 2] = 4;
  GrowOptions options = options_of(Criterion::absolute_error);
  options.max_features = 1;
  for (const Tree& tree : grown(s, options).forest.trees) {
    CHECK(std::count(tree.feature.begin(), tree.feature.end(), 2) == 0);
    CHECK(tree.nodes() > 1);  // a constant draw does not end the search
  }
  std::fill(s.x.values.begin(), s.x.values.end(), 1.F);
  for (const Tree& tree : grown(s, options).forest.trees) CHECK(tree.nodes() == 1);
}

TEST_CASE("values nearer than 1e-7 count as equal") {
  Sample s = sample(4, 1, 0);
  s.x.values = {0, 5e-8F, 1e-7F, 9e-8F};
  s.y = {0, 1, 2, 3};
  GrowOptions options = options_of(Criterion::squared_error, 1);
  options.bootstrap = false;
  CHECK(grown(s, options).forest.trees[0].nodes() == 1);
}

TEST_CASE("duplicate columns split the same rows") {
  Sample s = sample(120, 1, 6);
  Sample twin = sample(120, 2, 6);
  twin.y = s.y;
  twin.x.values.clear();
  for (const float v : s.x.values) twin.x.values.insert(twin.x.values.end(), {v, v});
  GrowOptions options = options_of(Criterion::squared_error, 4);
  options.bootstrap = false;
  const auto a = predict(grown(s, options).forest, s.x, 1), b = predict(grown(twin, options).forest, twin.x, 1);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-12));
}

TEST_CASE("one row, and a constant target, give single leaves") {
  Sample one = sample(1, 2, 0);
  one.y = {5};
  for (const Criterion criterion : {Criterion::squared_error, Criterion::absolute_error}) {
    const GrownForest g = grown(one, options_of(criterion, 2));
    CHECK(g.forest.trees[0].nodes() == 1);
    CHECK(predict(g.forest, one.x.row(0)) == 5);
    const OutOfBag oob = out_of_bag(g, one.x, one.y, 1);
    CHECK(oob.uncovered == 1);
    CHECK(oob.prediction[0] == 0);
    Sample flat = sample(50, 2, 7);
    std::fill(flat.y.begin(), flat.y.end(), 1e6 + 0.1);
    for (const Tree& tree : grown(flat, options_of(criterion, 2)).forest.trees) CHECK(tree.nodes() == 1);
  }
}

TEST_CASE("scaling and shifting the target does the same to the predictions") {
  const Sample s = sample(200, 3, 8);
  for (const Criterion criterion : {Criterion::squared_error, Criterion::absolute_error}) {
    Sample scaled = s;
    for (double& y : scaled.y) y *= 4;  // exact
    GrowOptions options = options_of(criterion, 3);
    options.min_impurity_decrease = 0;
    const auto a = predict(grown(s, options).forest, s.x, 1), b = predict(grown(scaled, options).forest, s.x, 1);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(4 * a[i] == Approx(b[i]).epsilon(1e-13));
  }
}

TEST_CASE("pure noise has no out-of-bag R2, a rule has") {
  Stream random(9, {"noise"});
  Sample s = sample(1000, 5, 9);
  CHECK(out_of_bag(grown(s, options_of(Criterion::absolute_error, 40)), s.x, s.y, 2).r2 > 0.5);
  for (double& y : s.y) y = random.normal();
  CHECK(out_of_bag(grown(s, options_of(Criterion::absolute_error, 40)), s.x, s.y, 2).r2 < 0.05);
}

TEST_CASE("tables that cannot be fitted are refused") {
  const GrowOptions options;
  CHECK_THROWS_AS(grow_forest({0, 2, {}}, {}, {"a", "b"}, options, 1), Error);
  CHECK_THROWS_AS(grow_forest({1, 0, {}}, {1}, {}, options, 1), Error);
  CHECK_THROWS_WITH(grow_forest({2, 1, {1, 2}}, {1, std::nan("")}, {"a"}, options, 1), Catch::Contains("row 2"));
  CHECK_THROWS_WITH(split_rows(1, 0.05, Draws::counter, 0), Catch::Contains("no row to train on"));
}
