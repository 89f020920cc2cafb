#pragma once
/// Path-dependent Shapley values by one walk over the tree for each row, for trees too deep for pattern tables.

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cathoscope {

/// A walk in preorder. Along it the product of all factors t o + (1 - t) z is kept at Q quadrature points t; each edge
/// changes one factor. An edge's feature earns the change of (o - z) / factor times the sum over the leaves below.
struct TraversalTree {
  struct Step {  ///< one edge, to the node that preorder meets next
    float threshold = 0;
    std::int32_t feature = 0;
    std::uint32_t depth = 0;  ///< of the node that the edge leads to
    bool to_left = false;
    bool repeated = false;  ///< the feature is already on the way
    bool is_leaf = false;
    double value = 0;  ///< of a leaf, minus that of the root: the game adds up the same and rounds less
    std::size_t factors =
        0;  ///< into `factors`: for o: 1 -> 1, 1 -> 0 (and 0 -> 0 where repeated): ratio[Q], change[Q]
  };
  std::size_t lanes = 0;  ///< Q, rounded up to a multiple of 4 with points of weight 0
  std::size_t depth = 0;
  double expected = 0;
  std::vector<double> weight;  ///< of the points
  std::vector<double> point;
  std::vector<Step> steps;
  std::vector<double> factors;
};

TraversalTree traversal_tree(const Tree& tree);

/// What a walk needs beside the tree; one a thread.
struct TraversalScratch {
  std::vector<double> product, below, lanes, active;
  std::vector<std::uint8_t> passes, saved;
  std::vector<std::uint32_t> open;    ///< step of each level
  std::vector<std::int32_t> on_path;  ///< features on the way (interactions)
};

/// phi[feature] += the tree's values.
void add_values(const TraversalTree& tree, const float* row, std::size_t features, TraversalScratch& scratch,
                double* phi);
/// upper[pair_index(a, b)] += interaction of a != b.
void add_pairs(const TraversalTree& tree, const float* row, std::size_t features, TraversalScratch& scratch,
               double* upper);

}  // namespace cathoscope
