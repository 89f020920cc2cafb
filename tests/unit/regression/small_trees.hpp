#pragma once
/// Small forests for tests, and Shapley values by their definition.

#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/shap.hpp>

#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <functional>
#include <vector>

namespace small {

using namespace cathoscope;

inline Forest forest_of(Tree tree, std::size_t features) {
  Forest forest;
  for (std::size_t f = 0; f < features; ++f) forest.feature_names.push_back(fmt::format("f{}", f));
  forest.trees.push_back(std::move(tree));
  return forest;
}

inline std::size_t add_leaf(Tree& tree, double value, double cover) {
  tree.left.push_back(-1);
  tree.right.push_back(-1);
  tree.feature.push_back(-2);
  tree.threshold.push_back(-2);
  tree.value.push_back(value);
  tree.cover.push_back(cover);
  return tree.nodes() - 1;
}

/// Makes a leaf an inner node; its children get the covers.
inline void split(Tree& tree, std::size_t node, int feature, double threshold, double left_value, double left_cover,
                  double right_value, double right_cover) {
  tree.feature[node] = feature;
  tree.threshold[node] = threshold;
  tree.left[node] = static_cast<std::int32_t>(add_leaf(tree, left_value, left_cover));
  tree.right[node] = static_cast<std::int32_t>(add_leaf(tree, right_value, right_cover));
}

/// A random tree over `features` features on a grid of thresholds 0..9: features and thresholds repeat.
inline Tree random_tree(Stream& random, std::size_t features, int splits, double zero_cover_chance = 0) {
  Tree tree;
  add_leaf(tree, random.normal(), 1000);
  std::vector<std::size_t> leaves{0};
  for (int s = 0; s < splits; ++s) {
    const auto at = static_cast<std::size_t>(random.below(leaves.size()));
    const std::size_t node = leaves[at];
    double left = std::floor(tree.cover[node] * random.uniform(0.1, 0.9));
    if (random.uniform() < zero_cover_chance) left = 0;
    split(tree, node, static_cast<int>(random.below(features)), static_cast<double>(random.below(10)), random.normal(),
          left, random.normal(), tree.cover[node] - left);
    leaves[at] = static_cast<std::size_t>(tree.left[node]);
    leaves.push_back(static_cast<std::size_t>(tree.right[node]));
  }
  return tree;
}

inline std::vector<float> random_row(Stream& random, std::size_t features) {
  std::vector<float> row;
  for (std::size_t f = 0; f < features; ++f) row.push_back(static_cast<float>(random.below(20)) / 2);
  return row;
}

inline FeatureRows rows_of(const std::vector<std::vector<float>>& rows) {
  FeatureRows result{rows.size(), rows.empty() ? 0 : rows.front().size(), {}};
  for (const auto& row : rows) result.values.insert(result.values.end(), row.begin(), row.end());
  return result;
}

/// What the tree is expected to say where only the features of `known` are known (a bit a feature).
inline double path_dependent_game(const Tree& tree, const std::vector<float>& row, unsigned known,
                                  std::size_t node = 0) {
  if (tree.is_leaf(node)) return tree.value[node];
  const auto l = static_cast<std::size_t>(tree.left[node]), r = static_cast<std::size_t>(tree.right[node]);
  const auto f = static_cast<std::size_t>(tree.feature[node]);
  if ((known >> f) & 1U) return path_dependent_game(tree, row, known, row[f] <= tree.threshold[node] ? l : r);
  const double share = left_share(tree, node);
  return share * path_dependent_game(tree, row, known, l) + (1 - share) * path_dependent_game(tree, row, known, r);
}

using Game = std::function<double(unsigned known)>;

inline double factorial(std::size_t n) { return std::tgamma(static_cast<double>(n) + 1); }

inline std::vector<double> shapley_values(const Game& game, std::size_t m) {
  std::vector<double> v, phi(m, 0);
  for (unsigned s = 0; s < 1U << m; ++s) v.push_back(game(s));
  for (std::size_t i = 0; i < m; ++i)
    for (unsigned s = 0; s < 1U << m; ++s) {
      if ((s >> i) & 1U) continue;
      const auto size = static_cast<std::size_t>(std::popcount(s));
      phi[i] += factorial(size) * factorial(m - size - 1) / factorial(m) * (v[s | 1U << i] - v[s]);
    }
  return phi;
}

/// Half of the Shapley interaction index of a and b.
inline double shapley_pair(const Game& game, std::size_t m, std::size_t a, std::size_t b) {
  double sum = 0;
  for (unsigned s = 0; s < 1U << m; ++s) {
    if (((s >> a) & 1U) || ((s >> b) & 1U)) continue;
    const auto size = static_cast<std::size_t>(std::popcount(s));
    const double gain = game(s | 1U << a | 1U << b) - game(s | 1U << a) - game(s | 1U << b) + game(s);
    sum += factorial(size) * factorial(m - size - 2) / factorial(m - 1) * gain;
  }
  return sum / 2;
}

}  // namespace small
