#pragma once
/// The tables of neighbouring leaves added up, so that a row needs a few look-ups a tree.
/// A bundle is a subtree. Its pattern has one bit for each different feature on the way to it (passed or not) and one
/// for each split inside it (left or not).

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cathoscope {

struct BundleTree {
  struct Bundle {
    std::uint32_t length = 0;         ///< features
    std::uint32_t first_feature = 0;  ///< into `features`
    std::size_t values = 0;           ///< into `values`: [pattern][length + 1], the last one is the prediction
    std::size_t pairs = 0;            ///< into `pairs`: [pattern][length (length - 1) / 2]
  };
  /// One feature's thresholds cut the line into bins; each bin gives every bundle its bits.
  struct Bins {
    std::int32_t feature = 0;
    std::uint32_t first_threshold = 0;
    std::uint32_t thresholds = 0;
    std::size_t first_bits = 0;
  };

  double expected = 0;     ///< path-dependent; 0 with a background
  std::size_t stride = 0;  ///< bundles, rounded up to a multiple of 8
  std::vector<Bundle> bundles;
  std::vector<std::uint32_t> features;  ///< of the bundles, ascending in each
  std::vector<Bins> bins;
  std::vector<float> thresholds;    ///< ascending within a feature
  std::vector<std::uint16_t> bits;  ///< [bin][bundle]
  std::vector<double> values;
  std::vector<double> pairs;
};

/// Bytes of the tables of a tree; infinite where a path is longer than longest_pattern.
double bundle_bytes(const Tree& tree, bool interactions);
BundleTree bundle_tree(const Tree& tree, bool interactions, const FeatureRows* background);

/// phi[feature] += the tree's values; returns its prediction. `patterns` holds tree.stride entries.
double add_values(const BundleTree& tree, const float* row, std::uint16_t* patterns, double* phi);
/// upper[pair_index(a, b)] += interaction of a != b; the diagonal is left alone.
void add_pairs(const BundleTree& tree, const float* row, std::uint16_t* patterns, std::size_t features, double* upper);

}  // namespace cathoscope
