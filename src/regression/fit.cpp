#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/regression/regression.hpp>

#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

std::size_t feature_count(const std::string& wanted, std::size_t features) {
  const auto m = static_cast<double>(features);
  if (wanted == "sqrt") return static_cast<std::size_t>(std::sqrt(m));
  if (wanted == "log2") return static_cast<std::size_t>(std::log2(m));
  if (wanted == "all") return features;
  const auto number = number_from(wanted);
  if (!number || *number < 1 || *number != std::floor(*number))
    fail(Exit::config, "regression.max_features is '{}'; it may be sqrt, log2, all, or a whole number", wanted);
  return static_cast<std::size_t>(std::min(*number, m));
}

Criterion criterion_of(const std::string& name) {
  if (name == "absolute_error") return Criterion::absolute_error;
  if (name == "squared_error") return Criterion::squared_error;
  fail(Exit::config, "regression.criterion is '{}'; it may be absolute_error or squared_error", name);
}

Draws draws_of(const std::string& name) {
  if (name == "cathoscope") return Draws::counter;
  if (name == "sklearn") return Draws::sklearn;
  fail(Exit::config, "regression.rng is '{}'; it may be cathoscope or sklearn", name);
}

}  // namespace

GrowOptions grow_options(const RegressionConfig& config, std::size_t features, std::uint64_t seed) {
  GrowOptions options;
  options.trees = static_cast<int>(config.trees);
  options.max_leaves = static_cast<int>(config.max_leaves);
  options.criterion = criterion_of(config.criterion);
  options.max_features = std::max<std::size_t>(1, feature_count(config.max_features, features));
  options.min_impurity_decrease = config.min_impurity_decrease;
  options.bootstrap = config.bootstrap;
  options.draws = draws_of(config.rng);
  options.seed = seed;
  return options;
}

FitResult fit_forest(const Table& table, const RegressionConfig& config, std::uint64_t seed, int threads,
                     const ModelColumns& columns) {
  FitResult result;
  result.model = model_table(table, config.target, columns);
  const ModelTable& model = result.model;
  const GrowOptions options = grow_options(config, model.features.size(), seed);
  const RowSplit split = split_rows(model.y.size(), config.test_fraction, options.draws, seed);
  const FeatureRows x = rows_at(model.x, split.train);
  const std::vector<double> y = values_at(model.y, split.train);
  GrownForest grown = grow_forest(x, y, model.features, options, threads);
  const OutOfBag oob = out_of_bag(grown, x, y, threads);
  result.oob_r2 = oob.r2;
  result.rows_without_oob = oob.uncovered;
  result.test_r2 = split.test.empty() ? std::numeric_limits<double>::quiet_NaN()
                                      : r2_score(values_at(model.y, split.test),
                                                 predict(grown.forest, rows_at(model.x, split.test), threads));
  result.forest = std::move(grown.forest);
  result.forest.gap_fill = model.fill;
  for (const std::int64_t i : split.train)
    result.forest.train_index.push_back(model.source_row[static_cast<std::size_t>(i)]);
  for (const std::int64_t i : split.test)
    result.forest.test_index.push_back(model.source_row[static_cast<std::size_t>(i)]);
  return result;
}

Table explanation_table(const Forest& forest, const Explanation& explanation, const std::vector<std::uint64_t>& label) {
  const std::size_t n = explanation.prediction.size(), m = forest.feature_names.size();
  Table table;
  Column index;
  index.name = label.empty() ? "row" : "label";
  index.ids = label;
  for (std::size_t i = label.size(); i < n; ++i) index.ids.push_back(i);
  table.columns.push_back(std::move(index));
  for (std::size_t f = 0; f < m; ++f) {
    Column column;
    column.name = forest.feature_names[f];
    for (std::size_t i = 0; i < n; ++i) column.numbers.push_back(explanation.phi[i * m + f]);
    table.columns.push_back(std::move(column));
  }
  Column expected, prediction;
  expected.name = "expected_value";
  expected.numbers.assign(n, explanation.expected_value);
  prediction.name = "prediction";
  prediction.numbers = explanation.prediction;
  table.columns.push_back(std::move(expected));
  table.columns.push_back(std::move(prediction));
  return table;
}

}  // namespace cathoscope
