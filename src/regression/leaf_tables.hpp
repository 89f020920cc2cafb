#pragma once
/// Shapley values by lookup: for a leaf with d different features on its path there are only 2^d answers, one for each
/// set of features that the row passes (a pattern: bit k is the k-th feature of the path).

#include "tree_paths.hpp"

#include <cstddef>
#include <vector>

namespace cathoscope {

/// Longest path for which patterns are tabulated.
inline constexpr std::size_t longest_pattern = 12;

struct LeafTable {
  LeafPath path;
  std::vector<double> values;  ///< [pattern][d]
  std::vector<double> pairs;   ///< [pattern][d (d - 1) / 2]; empty without interactions
};

/// The tables of the path-dependent game, or, with a background, of the interventional one; leaves from left to right,
/// each with at most longest_pattern features.
std::vector<LeafTable> leaf_tables(const Tree& tree, bool interactions, const FeatureRows* background);

}  // namespace cathoscope
