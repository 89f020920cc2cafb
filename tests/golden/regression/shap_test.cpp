#include "reference.hpp"

#include <cathoscope/regression/shap.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace cathoscope;

namespace {

const std::vector<std::string> cases{"particles10_mae", "particles10_mse", "diabetes_mae", "diabetes_mse",
                                     "diabetes_deep"};

reference::Data training_rows(const std::string& name, const Forest& forest, std::size_t count = SIZE_MAX) {
  auto index = forest.train_index;
  index.resize(std::min(count, index.size()));
  return reference::data(name.substr(0, name.find('_')), index);
}

double worst_difference(const std::vector<double>& found, const std::vector<std::vector<double>>& expected) {
  double worst = 0;
  std::size_t k = 0;
  for (const auto& row : expected)
    for (const double value : row) worst = std::max(worst, std::abs(found.at(k++) - value));
  CHECK(k == found.size());
  return worst;
}

void check_additive(const Explanation& e, std::size_t features) {
  for (std::size_t i = 0; i < e.prediction.size(); ++i) {
    const auto first = e.phi.begin() + static_cast<std::ptrdiff_t>(i * features);
    const double sum = std::accumulate(first, first + static_cast<std::ptrdiff_t>(features), e.expected_value);
    CHECK(std::abs(sum - e.prediction[i]) <= 1e-10 * std::max(1.0, std::abs(e.prediction[i])));
  }
}

}  // namespace

TEST_CASE("path-dependent values are shap's to 1e-12, from tables and by traversal") {
  for (const std::string& name : cases)
    for (const std::size_t bytes : {std::size_t{64} << 20, std::size_t{0}}) {
      INFO(name << ", table bytes " << bytes);
      const Forest forest = reference::forest(name);
      const auto d = training_rows(name, forest);
      ShapOptions options;
      options.table_bytes = bytes;
      const Explainer explainer(forest, options, 2);
      CHECK(explainer.trees_in_tables() == (bytes > 0 ? forest.trees.size() : 0));
      const Explanation e = explain(explainer, d.x, 2);
      CHECK(worst_difference(e.phi, reference::numbers(name + "_shap.csv").rows) <= 1e-12);
      CHECK(e.expected_value == Approx(reference::meta()[name]["expected_value"].get<double>()).epsilon(1e-13));
      check_additive(e, d.x.features);
    }
}

TEST_CASE("interaction values are shap's to 1e-12, from tables and by traversal") {
  for (const std::string& name : cases)
    for (const std::size_t bytes : {std::size_t{1} << 30, std::size_t{0}}) {
      INFO(name << ", table bytes " << bytes);
      const Forest forest = reference::forest(name);
      const auto expected = reference::numbers(name + "_shap_interactions_upper.csv");
      const auto d = training_rows(name, forest, expected.rows.size());
      ShapOptions options;
      options.interactions = true;
      options.table_bytes = bytes;
      const Explainer explainer(forest, options, 2);
      CHECK(worst_difference(explain_interactions(explainer, d.x, 2), expected.rows) <= 1e-12);
    }
}

TEST_CASE("interventional values are the exact ones to 1e-12, from tables and by traversal") {
  for (const std::string name : {"particles10_mae", "diabetes_mae", "diabetes_mse", "diabetes_deep"})
    for (const std::size_t bytes : {std::size_t{64} << 20, std::size_t{0}}) {
      INFO(name << ", table bytes " << bytes);
      const Forest forest = reference::forest(name);
      const auto meta = reference::meta()[name];
      const auto expected = reference::numbers(name + "_shap_interventional_exact.csv");
      const auto d = training_rows(name, forest, expected.rows.size());
      const auto background = training_rows(name, forest, meta["interventional_background_rows"].get<std::size_t>());
      ShapOptions options;
      options.background = &background.x;
      options.table_bytes = bytes;
      const Explanation e = explain(Explainer(forest, options, 2), d.x, 2);
      // rational arithmetic finds the diabetes_mse file itself off by up to 1.1e-12
      CHECK(worst_difference(e.phi, expected.rows) <= (name == "diabetes_mse" ? 2e-12 : 1e-12));
      CHECK(e.expected_value == Approx(meta["interventional_expected_value"].get<double>()).epsilon(1e-12));
      check_additive(e, d.x.features);
    }
}

TEST_CASE("mean absolute values over the training rows are the reference's") {
  for (const std::string& name : cases) {
    const Forest forest = reference::forest(name);
    const auto d = training_rows(name, forest);
    const Explanation e = explain(Explainer(forest, {}, 2), d.x, 2);
    const auto expected = reference::numbers(name + "_mean_abs_shap.csv");
    for (std::size_t f = 0; f < d.x.features; ++f) {
      double sum = 0;
      for (std::size_t i = 0; i < d.x.rows; ++i) sum += std::abs(e.phi[i * d.x.features + f]);
      CHECK(sum / static_cast<double>(d.x.rows) == Approx(expected.rows[0][f]).epsilon(1e-11));
    }
  }
}
