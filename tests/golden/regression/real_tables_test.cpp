#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/contributions.hpp>

#include "test_data.hpp"

#include <cmath>

using namespace cathoscope;

namespace {

RegressionConfig short_config(const std::string& target) {
  RegressionConfig config;
  config.target = target;
  config.trees = 20;
  config.min_impurity_decrease = 0;
  config.seeds = 2;
  config.subsets = 2;
  config.subset_size = 150;
  config.half_samples = 10;
  config.permutations = 0;
  return config;
}

}  // namespace

TEST_CASE("wheat kernels: the size of a kernel is explained by its other measures") {
  const Table table = read_csv(test::data_file("particle_tables/seeds_dataset.tsv"));
  const ModelTable model = model_table(table, "Length_of_kernel");
  CHECK(model.features == std::vector<std::string>{"Area", "Perimeter", "Compactness", "Width_of_kernel",
                                                   "Asymmetry_coefficient", "Length_of_kernel_groove", "Class"});
  Progress progress;
  const Contributions c =
      contributions(short_config("Length_of_kernel"), {model, "seeds", "free", 0, {}}, {progress, 2});
  CHECK(c.oob_r2 > 0.9);
  CHECK(c.subset_size == 150);
  CHECK(std::isnan(c.spatial_cv_r2));  // no positions
  double area = 0, asymmetry = 0;
  for (const AttributeContribution& a : c.attributes) {
    CHECK(a.group.empty());
    if (a.attribute == "Area" || a.attribute == "Perimeter") area += a.mean_abs_shap.value;
    if (a.attribute == "Asymmetry_coefficient") asymmetry = a.mean_abs_shap.value;
  }
  CHECK(area > 10 * asymmetry);
}

TEST_CASE("dry beans: a table of 13,611 rows is fitted and explained from files") {
  const Table table = read_csv(test::data_file("particle_tables/Dry_Bean_Dataset.csv"));
  RegressionConfig config = short_config("roundness");
  const FitResult fit = fit_forest(table, config, 0, 2);
  CHECK(fit.forest.feature_names.size() == 16);
  CHECK(fit.test_r2 > 0.8);
  const test::ScratchDir folder;
  write_atomically(folder / "forest.json", forest_json(fit.forest));
  Progress progress;
  const ExplainReport report = explain_csv(
      {folder / "forest.json", test::data_file("particle_tables/Dry_Bean_Dataset.csv"), folder / "shap.csv", {}, {}},
      {progress, 2});
  CHECK(report.rows == 13611);
  CHECK(report.rows_filled > 0);  // this copy of the table has gaps
  CHECK(report.rows_filled < 2000);
  CHECK(report.rows_with_gaps == 0);
  const Table shap = read_csv(folder / "shap.csv");
  for (std::size_t i = 0; i < shap.rows(); i += 100) {
    double sum = shap.numbers("expected_value")[i];
    for (const std::string& name : fit.forest.feature_names) sum += shap.numbers(name)[i];
    CHECK(sum == Approx(shap.numbers("prediction")[i]).epsilon(1e-10));
  }
}
