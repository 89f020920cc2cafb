#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/regression.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace cathoscope;

namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

Column column(const std::string& name, std::vector<double> numbers) {
  Column c;
  c.name = name;
  c.numbers = std::move(numbers);
  return c;
}

Table particles() {
  Table t;
  Column label;
  label.name = "label";
  label.ids = {11, 12, 13, 14, 15, 16};
  t.columns = {label,
               column("X", {1, 2, 3, 4, 5, 6}),
               column("Y", {0, 0, 0, 0, 0, 0}),
               column("Z", {1, 2, 3, 4, 5, 6}),
               column("Volume", {1, gap, 3, 4, 50, 6}),
               column("RoughInner", {gap, gap, gap, gap, gap, 2}),
               column("EDensity", {gap, gap, 1, 1, 1, 1}),
               column("Damage", {0.1, 0.2, 0.3, gap, 0.5, 0.6}),
               column("touches_border", {0, 0, 0, 0, 1, 0}),
               column("n_voxels", {1, 2, 3, 4, 5, 6})};
  return t;
}

Table free_table(std::size_t rows) {
  Stream random(1, {"fit test"});
  Table t;
  t.columns = {column("a", {}), column("b", {}), column("answer", {})};
  for (std::size_t i = 0; i < rows; ++i) {
    t.columns[0].numbers.push_back(random.normal());
    t.columns[1].numbers.push_back(random.normal());
    t.columns[2].numbers.push_back(t.columns[0].numbers[i] + 0.1 * random.normal());
  }
  return t;
}

}  // namespace

TEST_CASE("rows with flags and without target are left out, gaps are filled as said") {
  const ModelTable m = model_table(particles(), "Damage");
  CHECK(m.source_row == std::vector<std::int64_t>{0, 1, 2, 5});
  CHECK(m.label == std::vector<std::uint64_t>{11, 12, 13, 16});
  CHECK(m.rows_excluded == 1);
  CHECK(m.rows_without_target == 1);
  CHECK(m.features == std::vector<std::string>{"Z", "RoughInner"});  // Volume and EDensity: over 20 % gaps
  CHECK(m.left_out.size() == 2);
  CHECK(m.x.values == std::vector<float>{1, 1, 2, 1, 3, 1, 6, 2});
  CHECK(m.position[3] == std::array<double, 3>{6, 0, 6});
  CHECK(m.notes().size() == 4);
}

TEST_CASE("a gap below a fifth becomes the median") {
  Table t = free_table(10);
  t.columns[1].numbers = {1, 2, 3, 4, gap, 6, 7, 8, 9, 10};
  const ModelTable m = model_table(t, "answer");
  CHECK(m.x.values[4 * 2 + 1] == 6);
  CHECK(m.filled.size() == 1);
}

TEST_CASE("an unknown target is a configuration error with the list of columns") {
  try {
    model_table(free_table(5), "Damage");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::config);
    CHECK_THAT(e.what(), Catch::Contains("a, b, answer"));
  }
}

TEST_CASE("fit names rows of the table and reports its scores") {
  Table t = free_table(300);
  t.columns.push_back(column("touches_border", std::vector<double>(300, 0)));
  t.columns.back().numbers[0] = 1;
  RegressionConfig config;
  config.target = "answer";
  const FitResult fit = fit_forest(t, config, 0, 2);
  CHECK(fit.forest.feature_names == std::vector<std::string>{"a", "b"});
  CHECK(fit.forest.train_index.size() == 284);
  CHECK(fit.forest.test_index.size() == 15);
  for (const std::int64_t row : fit.forest.train_index) CHECK(row > 0);
  CHECK(fit.oob_r2 > 0.8);
  CHECK(fit.test_r2 > 0.5);
  CHECK(forest_json(fit.forest) == forest_json(fit_forest(t, config, 0, 1).forest));
}

TEST_CASE("max_features may be a word or a number") {
  const auto tried = [](std::string wanted, std::size_t features) {
    RegressionConfig config;
    config.max_features = std::move(wanted);
    return grow_options(config, features, 0).max_features;
  };
  CHECK(tried("sqrt", 21) == 4);
  CHECK(tried("log2", 21) == 4);
  CHECK(tried("all", 21) == 21);
  CHECK(tried("3", 2) == 2);
  CHECK_THROWS_WITH(tried("many", 21), Catch::Contains("'many'"));
}
