#pragma once
/// The way from the root to each leaf, one entry a different feature.

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace cathoscope {

/// All that a leaf asks of one feature, its splits taken together: above < x <= up_to.
struct PathFeature {
  std::int32_t feature = 0;
  float above = 0;
  float up_to = 0;
  double share = 1;  ///< of the training rows that pass, product over the splits
};

struct LeafPath {
  double value = 0;
  double offset = 0;  ///< value minus that of the root: games add up the same, and round less where values are large
  std::vector<PathFeature> features;
};

/// Calls at(node, path) for every node, parents before children, left before right. No recursion.
void for_each_path(const Tree& tree, const std::function<void(std::size_t, const std::vector<PathFeature>&)>& at);

/// Different features on the way to each leaf, leaves from left to right. No recursion.
std::vector<std::size_t> path_lengths(const Tree& tree);
std::vector<LeafPath> leaf_paths(const Tree& tree);

/// The largest float32 that is <= threshold: x <= threshold means x <= this for every float32 x.
float float_at_most(double threshold);

}  // namespace cathoscope
