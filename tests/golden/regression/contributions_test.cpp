#include "reference.hpp"

#include <cathoscope/regression/contributions.hpp>

using namespace cathoscope;

TEST_CASE("run 0 of the protocol with scikit-learn's draws is the reference's score") {
  for (const std::string name : {"particles10", "diabetes"}) {
    const auto d = reference::data(name);
    ModelTable table;
    table.features = d.names;
    table.x = d.x;
    table.y = d.y;
    RegressionConfig config;
    config.rng = "sklearn";
    config.criterion = "squared_error";
    config.seeds = 1;
    config.subsets = 0;
    Progress progress;
    const auto runs = contribution_runs(config, {table, name, "paper", 0, {}}, {progress, 1});
    const auto expected = reference::numbers(name + "_mse_mean_abs_shap.csv").rows[0];
    for (std::size_t f = 0; f < expected.size(); ++f)
      CHECK(runs.at(0).scores.attribute[f] == Approx(expected[f]).epsilon(1e-11));
  }
}
