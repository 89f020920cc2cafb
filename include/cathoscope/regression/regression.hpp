#pragma once
/// From a table to a fitted forest, and from a forest and a CSV file to a CSV file of Shapley values.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/regression/grow.hpp>
#include <cathoscope/regression/shap.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `regression`. The defaults of the forest are those of Li et al. (2022), DOI 10.1126/science.abm8962.
struct RegressionConfig {
  std::string target = "Damage";
  std::int64_t trees = 40;
  std::int64_t max_leaves = 30;
  std::string criterion = "absolute_error";
  std::string max_features = "sqrt";
  double min_impurity_decrease = 1.02e-5;
  bool bootstrap = true;
  double test_fraction = 0.05;
  std::int64_t seeds = 10;
  std::int64_t subsets = 10;
  std::int64_t subset_size = 500;
  std::string rng = "cathoscope";
  std::int64_t half_samples = 100;
  std::int64_t permutations = 999;
  std::int64_t spatial_folds = 5;
  std::optional<InputPath> reliability;
};

template <class V>
void fields(V& v, RegressionConfig& c) {
  v("target", c.target, "column that the forest predicts");
  v("trees", c.trees, "trees of a forest", between(1, 100000));
  v("max_leaves", c.max_leaves, "leaves of a tree, grown best first; 0 = no limit, grown depth first",
    between(0, 1000000000));
  v("criterion", c.criterion, "what a split lowers: absolute_error (around the median) or squared_error",
    one_of({"absolute_error", "squared_error"}));
  v("max_features", c.max_features, "columns tried at a split: sqrt, log2, all, or a number",
    matching("sqrt|log2|all|[1-9][0-9]{0,8}"));
  v("min_impurity_decrease", c.min_impurity_decrease,
    "least weighted decrease of the criterion that a split must bring", at_least(0));
  v("bootstrap", c.bootstrap, "each tree sees a bootstrap sample of the rows");
  v("test_fraction", c.test_fraction, "share of the rows held out in each fit",
    Rule{.low = 0, .high = 1, .high_open = true});
  v("seeds", c.seeds, "runs on all particles, each with its own split, bootstrap and features", between(0, 10000));
  v("subsets", c.subsets, "runs on random subsets of the particles", between(0, 10000));
  v("subset_size", c.subset_size, "particles of a subset; more than 0.8 of all becomes 0.8 of all", at_least(2));
  v("rng", c.rng, "random numbers: cathoscope (counter-based), or sklearn (the draws of scikit-learn)",
    one_of({"cathoscope", "sklearn"}));
  v("half_samples", c.half_samples, "refits on random halves of the particles, for the intervals; 0 = none",
    between(0, 100000));
  v("permutations", c.permutations, "refits with one column permuted, for the floor; 0 = none; 999 or more can reject",
    between(0, 1000000));
  v("reliability", c.reliability,
    "CSV file with columns attribute and reliability (squared correlation of true and measured value), shown beside "
    "the "
    "scores");
  v("spatial_folds", c.spatial_folds, "blocks of the electrode held out in turn; 0 = none", between(0, 1000));
}

/// The options of one forest. `seed` is taken as it is with rng sklearn.
/// Throws Error{config} for a name that is none of the allowed ones.
GrowOptions grow_options(const RegressionConfig& config, std::size_t features, std::uint64_t seed);

/// Which columns and rows of a table go into a model.
struct ModelColumns {
  std::vector<std::string> features;  ///< empty: the attributes if the table has them, else every numeric column left
  std::string label = "label";        ///< whole numbers
  bool label_required = false;        ///< else it may be absent
  std::vector<std::string> position{"X", "Y", "Z"};  ///< none, two or three
  bool position_required = false;
  std::vector<std::string> exclude{"touches_border"};  ///< rows where one of these columns is not 0 are left out
};

/// A gap-free table, and what was done to make it so.
struct ModelTable {
  std::vector<std::string> features;
  FeatureRows x;
  std::vector<double> y;
  std::vector<std::int64_t> source_row;  ///< row of the table, from 0
  std::vector<std::uint64_t> label;      ///< empty where the table has none
  std::vector<std::array<double, 3>>
      position;                   ///< X, Y, Z, 0 for an axis without values; empty where the table has none
  std::vector<double> fill;       ///< [feature]: what stands for a gap
  std::size_t rows_excluded = 0;  ///< flagged
  std::size_t rows_without_target = 0;
  std::size_t rows_without_position = 0;                      ///< if there is one, no positions are used
  std::vector<std::pair<std::string, std::size_t>> filled;    ///< column, gaps filled by the median
  std::vector<std::pair<std::string, std::size_t>> left_out;  ///< column, gaps: more than 20 % of the rows
  std::vector<std::string> notes() const;                     ///< the same for people
};

/// Rows without flag and with a target. A gap of RoughInner becomes 1 (an intact particle has no inner surface), other
/// gaps the column's median; columns with more than 20 % gaps are left out.
/// Throws Error{config} for a target, feature or required column that is not there (with the list of columns),
/// Error{data} where nothing is left.
ModelTable model_table(const Table& table, const std::string& target, const ModelColumns& columns = {});

/// The columns that model_table would use: the attributes of attribute_list but X, Y and the target where the table has
/// at least three of them, else every numeric column but target, label, index, position and flags.
std::vector<std::string> model_features(const Table& table, const std::string& target,
                                        const ModelColumns& columns = {});

/// The rows `index` of a model table.
FeatureRows rows_at(const FeatureRows& rows, const std::vector<std::int64_t>& index);
std::vector<double> values_at(const std::vector<double>& values, const std::vector<std::int64_t>& index);

struct FitResult {
  Forest forest;  ///< train_index and test_index count the rows of the table
  ModelTable model;
  double oob_r2 = 0;
  double test_r2 = 0;  ///< NaN without test rows
  std::size_t rows_without_oob = 0;
};

/// `cathoscope fit`: one forest on 1 - test_fraction of the rows.
FitResult fit_forest(const Table& table, const RegressionConfig& config, std::uint64_t seed, int threads,
                     const ModelColumns& columns = {});

/// Shapley values as a table: `index` (a name and its values) or row numbers from 0, one column a feature,
/// expected_value, prediction.
Table explanation_table(const Forest& forest, const Explanation& explanation, const std::vector<std::uint64_t>& label);

struct ExplainFiles {
  std::filesystem::path forest;
  std::filesystem::path table;
  std::filesystem::path output;
  std::optional<std::filesystem::path> interactions;
  std::optional<std::filesystem::path> background;
};

struct ExplainReport {
  std::size_t rows = 0;
  double expected_value = 0;
  std::size_t trees_in_tables = 0;
  std::size_t rows_filled = 0;     ///< a missing value was replaced by the forest's own gap_fill
  std::size_t rows_with_gaps = 0;  ///< the forest has no gap_fill: the fields of such rows are left empty
  std::size_t first_gap_line = 0;
};

/// `cathoscope explain`: columns matched by name, cast to float32; rows in table order, in blocks, so that memory does
/// not grow with them. output: row (from 0), one column a feature, expected_value, prediction; interactions: row, then
/// the upper triangle row-major, header a:b. Gaps are filled as they were for the fit if the forest says how (those of
/// this program do); else the row's fields stay empty. Files are whole or absent. Throws Error{no_input}, Error{data} (column
/// missing, a field that is no number, with line and column), Error{write_error}.
ExplainReport explain_csv(const ExplainFiles& files, const Context& context);

}  // namespace cathoscope
