#pragma once
/// Regression forests: their trees as plain arrays, checked once, and what they predict.

#include <cathoscope/core/table.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

/// One binary regression tree, one entry a node, the root first. A row goes left where x <= threshold.
struct Tree {
  std::vector<std::int32_t> left;     ///< -1 in a leaf
  std::vector<std::int32_t> right;    ///< -1 in a leaf
  std::vector<std::int32_t> feature;  ///< -2 in a leaf
  std::vector<double> threshold;      ///< -2 in a leaf
  std::vector<double> value;          ///< mean or median of the target; the prediction in a leaf
  std::vector<double> impurity;
  std::vector<std::int64_t> samples;  ///< different training rows
  std::vector<double> cover;          ///< training rows counted as often as they were drawn
  std::int64_t random_state = 0;

  [[nodiscard]] std::size_t nodes() const { return left.size(); }
  [[nodiscard]] bool is_leaf(std::size_t node) const { return left[node] < 0; }
};

/// Predicts the mean of its trees.
struct Forest {
  std::vector<std::string> feature_names;
  std::vector<Tree> trees;
  std::vector<std::int64_t> train_index;  ///< rows of the table it was trained on; may be empty
  std::vector<std::int64_t> test_index;   ///< rows held out; may be empty
  std::vector<double> gap_fill;           ///< [feature]: what a missing value is taken as; empty: not known
};

/// Rows of features as a forest sees them: float32, one row after the other.
struct FeatureRows {
  std::size_t rows = 0;
  std::size_t features = 0;
  std::vector<float> values;

  [[nodiscard]] const float* row(std::size_t i) const { return values.data() + i * features; }
};

/// Throws Error{data} naming tree and node: arrays of unequal length, children out of range, a node with two parents or
/// none (cycles), unknown features, numbers that are not finite, negative cover, a root without cover.
void validate(const Forest& forest);

/// The columns called `names`, in that order, cast to float32. Names match exactly, else by canonical_attribute_name.
/// Throws Error{data} for a column that is missing or not numeric, and for a missing or too large value.
FeatureRows feature_rows(const Table& table, const std::vector<std::string>& names);

/// The spelling of attribute_list for the spellings used elsewhere (Edensity, Vsratio, DisNearest, locVolume, locOri,
/// locElongation, locSphericity); other names come back as they are.
std::string canonical_attribute_name(const std::string& name);

/// The leaf of a row.
std::size_t leaf_of(const Tree& tree, const float* row);
/// Mean over the trees.
double predict(const Forest& forest, const float* row);
/// One prediction a row; the same bits for any number of threads.
std::vector<double> predict(const Forest& forest, const FeatureRows& rows, int threads);

/// Number of edges from the root to the deepest leaf. Trees of any depth; no recursion.
std::size_t depth_of(const Tree& tree);

/// Share of a node's training rows that went to its left child; 1/2 where no row reached either child.
double left_share(const Tree& tree, std::size_t node);
/// Mean over the trees of the cover-weighted mean of the leaves: the base value of path-dependent Shapley values.
/// With absolute_error it differs from the mean of the root medians.
double expected_value(const Forest& forest);

/// A forest in the JSON layout of scikit-learn's arrays (docs/regression.md). Throws Error{data} as `validate` does,
/// and for text that is not that layout.
Forest forest_from_json(const std::string& text);
std::string forest_json(const Forest& forest);

}  // namespace cathoscope
