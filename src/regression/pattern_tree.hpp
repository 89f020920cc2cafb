#pragma once
/// Shapley values by lookup: for a leaf with d different features on its path there are only 2^d answers, one for each
/// set of features that the row passes.

#include "tree_paths.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cathoscope {

struct PatternTree {
  struct Leaf {
    std::uint32_t length = 0;         ///< d
    std::uint32_t first_feature = 0;  ///< into `features`
    std::size_t values = 0;           ///< into `values`: [pattern][d]
    std::size_t pairs = 0;            ///< into `pairs`: [pattern][d (d - 1) / 2]
    double value = 0;
    double offset = 0;  ///< value minus the root's
  };
  /// One feature's thresholds cut the line into bins; each bin gives every leaf its bit.
  struct Bins {
    std::int32_t feature = 0;
    std::uint32_t first_threshold = 0;
    std::uint32_t thresholds = 0;
    std::size_t first_bits = 0;
  };

  double expected = 0;
  std::size_t stride = 0;  ///< leaves, rounded up to a multiple of 8
  std::vector<Leaf> leaves;
  std::vector<std::uint32_t> features;  ///< of the leaves, one after the other
  std::vector<Bins> bins;
  std::vector<float> thresholds;    ///< ascending within a feature
  std::vector<std::uint16_t> bits;  ///< [bin][leaf]
  std::vector<double> values;
  std::vector<double> pairs;
};

/// Longest path for which patterns are tabulated.
inline constexpr std::size_t longest_pattern = 12;
/// Bytes of the tables of a tree; beyond any budget where a path is longer than longest_pattern.
double pattern_bytes(const std::vector<std::size_t>& lengths, bool interactions);

/// Tables of the path-dependent game, or, with a background, of the interventional one.
PatternTree pattern_tree(const Tree& tree, bool interactions, const FeatureRows* background);

/// phi[feature] += the tree's values; returns its prediction. `patterns` holds tree.stride entries.
double add_values(const PatternTree& tree, const float* row, std::uint16_t* patterns, double* phi);
/// upper[pair_index(a, b)] += interaction of a != b; the diagonal is left alone.
void add_pairs(const PatternTree& tree, const float* row, std::uint16_t* patterns, std::size_t features, double* upper);

}  // namespace cathoscope
