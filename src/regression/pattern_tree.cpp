#include "pattern_tree.hpp"

#include "background_tree.hpp"
#include "quadrature.hpp"

#include <cathoscope/regression/shap.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace cathoscope {

namespace {

void add_bins(PatternTree& tree, const std::vector<LeafPath>& paths) {
  std::map<std::int32_t, std::set<float>> cuts;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const LeafPath& leaf : paths)
    for (const PathFeature& p : leaf.features) {
      auto& cut = cuts[p.feature];
      if (p.above != -infinity) cut.insert(p.above);
      if (p.up_to != infinity) cut.insert(p.up_to);
    }
  for (const auto& [feature, cut] : cuts) {
    PatternTree::Bins bins{feature, static_cast<std::uint32_t>(tree.thresholds.size()),
                           static_cast<std::uint32_t>(cut.size()), tree.bits.size()};
    std::vector<float> tops(cut.begin(), cut.end());
    tree.thresholds.insert(tree.thresholds.end(), tops.begin(), tops.end());
    tops.push_back(infinity);
    tree.bits.resize(tree.bits.size() + tops.size() * tree.stride, 0);
    for (std::size_t b = 0; b < tops.size(); ++b)  // bin b holds the x with tops[b - 1] < x <= tops[b]
      for (std::size_t l = 0; l < paths.size(); ++l)
        for (std::size_t k = 0; k < paths[l].features.size(); ++k) {
          const PathFeature& p = paths[l].features[k];
          if (p.feature == feature && tops[b] <= p.up_to && (p.above == -infinity || tops[b] > p.above))
            tree.bits[bins.first_bits + b * tree.stride + l] |= static_cast<std::uint16_t>(1U << k);
        }
    tree.bins.push_back(bins);
  }
}

/// Leaf values times integrals of products of (t o + (1 - t) z) without one factor, or without two.
class PathGame {
 public:
  PathGame(const LeafPath& path, bool interactions, PatternTree& tree, const PatternTree::Leaf& leaf)
      : path_(path), d_(path.features.size()), tree_(tree), leaf_(leaf), rule_(gauss_legendre((d_ + 1) / 2)) {
    for (std::size_t pattern = 0; pattern < std::size_t{1} << d_; ++pattern) {
      values(pattern);
      if (interactions) pairs(pattern);
    }
  }

 private:
  [[nodiscard]] double passes(std::size_t pattern, std::size_t k) const { return (pattern >> k) & 1U ? 1.0 : 0.0; }
  [[nodiscard]] double edge(std::size_t pattern, std::size_t k) const {
    return passes(pattern, k) - path_.features[k].share;
  }
  /// Integral of the product of all factors but those of i and j.
  [[nodiscard]] double integral(std::size_t pattern, std::size_t i, std::size_t j) const {
    double sum = 0;
    for (std::size_t q = 0; q < rule_.node.size(); ++q) {
      const double t = rule_.node[q];
      double product = rule_.weight[q];
      for (std::size_t k = 0; k < d_; ++k)
        if (k != i && k != j) product *= t * passes(pattern, k) + (1 - t) * path_.features[k].share;
      sum += product;
    }
    return sum;
  }
  void values(std::size_t pattern) {
    for (std::size_t i = 0; i < d_; ++i)
      tree_.values[leaf_.values + pattern * d_ + i] = path_.offset * edge(pattern, i) * integral(pattern, i, i);
  }
  void pairs(std::size_t pattern) {
    std::size_t at = leaf_.pairs + pattern * (d_ * (d_ - 1) / 2);
    for (std::size_t i = 0; i < d_; ++i)
      for (std::size_t j = i + 1; j < d_; ++j)
        tree_.pairs[at++] = path_.offset / 2 * edge(pattern, i) * edge(pattern, j) * integral(pattern, i, j);
  }

  const LeafPath& path_;
  std::size_t d_;
  PatternTree& tree_;
  const PatternTree::Leaf& leaf_;
  Quadrature rule_;
};

void find_patterns(const PatternTree& tree, const float* row, std::uint16_t* patterns) {
  std::fill_n(patterns, tree.stride, std::uint16_t{0});
  for (const PatternTree::Bins& bins : tree.bins) {
    const float x = row[bins.feature];
    const float* cut = tree.thresholds.data() + bins.first_threshold;
    std::size_t bin = 0;
    for (std::uint32_t i = 0; i < bins.thresholds; ++i) bin += x > cut[i];
    const std::uint16_t* bits = tree.bits.data() + bins.first_bits + bin * tree.stride;
    for (std::size_t l = 0; l < tree.stride; ++l) patterns[l] = static_cast<std::uint16_t>(patterns[l] | bits[l]);
  }
}

/// How often each pattern of a leaf occurs among the background rows.
std::vector<std::map<std::uint16_t, double>> background_patterns(const PatternTree& tree,
                                                                 const FeatureRows& background) {
  std::vector<std::map<std::uint16_t, double>> shares(tree.leaves.size());
  std::vector<std::uint16_t> patterns(tree.stride);
  for (std::size_t i = 0; i < background.rows; ++i) {
    find_patterns(tree, background.row(i), patterns.data());
    for (std::size_t l = 0; l < tree.leaves.size(); ++l) shares[l][patterns[l]] += 1;
  }
  for (auto& leaf : shares)
    for (auto& [pattern, share] : leaf) share /= static_cast<double>(background.rows);
  return shares;
}

/// Adds, for one background pattern z, the values of every row pattern o that reaches the leaf together with it.
class BackgroundGame {
 public:
  BackgroundGame(PatternTree& tree, const PatternTree::Leaf& leaf, bool interactions)
      : tree_(tree), leaf_(leaf), d_(static_cast<int>(leaf.length)), interactions_(interactions) {}

  void add(std::uint32_t z, double share) {
    const std::uint32_t all = (1U << d_) - 1, must = all & ~z;
    for (std::uint32_t free = z;; free = (free - 1) & z) {  // every o that contains what z lacks
      add_pattern(must | free, z, share * leaf_.offset);
      if (free == 0) break;
    }
  }

 private:
  /// +1 where only the row passes, -1 where only the background does, 0 where both do.
  static int side(std::uint32_t o, std::uint32_t z, int k) {
    return static_cast<int>((o >> k) & 1U) - static_cast<int>((z >> k) & 1U);
  }
  void add_pattern(std::uint32_t o, std::uint32_t z, double value) {
    const int a = std::popcount(o & ~z), b = std::popcount(z & ~o);
    double* values = tree_.values.data() + leaf_.values + o * leaf_.length;
    for (int i = 0; i < d_; ++i)
      if (const int s = side(o, z, i); s != 0)
        values[i] += s > 0 ? value * factorial_weight(a - 1, b) : -value * factorial_weight(a, b - 1);
    if (!interactions_) return;
    double* pair = tree_.pairs.data() + leaf_.pairs + o * (leaf_.length * (leaf_.length - 1) / 2);
    for (int i = 0; i < d_; ++i)
      for (int j = i + 1; j < d_; ++j, ++pair) {
        const int si = side(o, z, i), sj = side(o, z, j);
        if (si == 0 || sj == 0) continue;
        const int row_sides = (si > 0) + (sj > 0);
        *pair += si * sj * value / 2 * factorial_weight(a - row_sides, b - (2 - row_sides));
      }
  }

  PatternTree& tree_;
  const PatternTree::Leaf& leaf_;
  int d_;
  bool interactions_;
};

void fill_from_background(PatternTree& tree, bool interactions, const FeatureRows& background) {
  const auto shares = background_patterns(tree, background);
  for (std::size_t l = 0; l < tree.leaves.size(); ++l) {
    const PatternTree::Leaf& leaf = tree.leaves[l];
    const std::uint32_t all = (1U << leaf.length) - 1;
    BackgroundGame game(tree, leaf, interactions);
    for (const auto& [pattern, share] : shares[l]) {
      game.add(pattern, share);
      if (pattern == all) tree.expected += share * leaf.value;
    }
  }
}

void fill_from_paths(PatternTree& tree, bool interactions, const std::vector<LeafPath>& paths) {
  for (std::size_t l = 0; l < paths.size(); ++l) {
    PathGame(paths[l], interactions, tree, tree.leaves[l]);
    double share = 1;
    for (const PathFeature& p : paths[l].features) share *= p.share;
    tree.expected += share * paths[l].value;
  }
}

}  // namespace

double pattern_bytes(const std::vector<std::size_t>& lengths, bool interactions) {
  double entries = 0;
  for (const std::size_t d : lengths) {
    if (d > longest_pattern) return std::numeric_limits<double>::infinity();
    entries += std::ldexp(static_cast<double>(interactions ? d * (d - 1) / 2 : d), static_cast<int>(d));
  }
  return entries * sizeof(double);
}

PatternTree pattern_tree(const Tree& source, bool interactions, const FeatureRows* background) {
  const std::vector<LeafPath> paths = leaf_paths(source);
  PatternTree tree;
  tree.stride = (paths.size() + 7) / 8 * 8;
  std::size_t values = 0, pairs = 0;
  for (const LeafPath& path : paths) {
    const std::size_t d = path.features.size();
    tree.leaves.push_back({static_cast<std::uint32_t>(d), static_cast<std::uint32_t>(tree.features.size()), values,
                           pairs, path.value, path.offset});
    for (const PathFeature& p : path.features) tree.features.push_back(static_cast<std::uint32_t>(p.feature));
    values += d << d;
    pairs += d > 0 ? (d * (d - 1) / 2) << d : 0;
  }
  tree.values.assign(values, 0);
  if (interactions) tree.pairs.assign(pairs, 0);
  add_bins(tree, paths);
  if (background != nullptr)
    fill_from_background(tree, interactions, *background);
  else
    fill_from_paths(tree, interactions, paths);
  return tree;
}

double add_values(const PatternTree& tree, const float* row, std::uint16_t* patterns, double* phi) {
  find_patterns(tree, row, patterns);
  double prediction = 0;
  for (std::size_t l = 0; l < tree.leaves.size(); ++l) {
    const PatternTree::Leaf& leaf = tree.leaves[l];
    const std::uint32_t pattern = patterns[l];
    const double* values = tree.values.data() + leaf.values + pattern * leaf.length;
    const std::uint32_t* features = tree.features.data() + leaf.first_feature;
    for (std::uint32_t k = 0; k < leaf.length; ++k) phi[features[k]] += values[k];
    if (pattern + 1 == 1U << leaf.length) prediction = leaf.value;
  }
  return prediction;
}

void add_pairs(const PatternTree& tree, const float* row, std::uint16_t* patterns, std::size_t features,
               double* upper) {
  find_patterns(tree, row, patterns);
  for (std::size_t l = 0; l < tree.leaves.size(); ++l) {
    const PatternTree::Leaf& leaf = tree.leaves[l];
    const std::uint32_t* used = tree.features.data() + leaf.first_feature;
    const std::size_t pairs = leaf.length > 0 ? leaf.length * (leaf.length - 1) / 2 : 0;
    const double* value = tree.pairs.data() + leaf.pairs + patterns[l] * pairs;
    for (std::uint32_t i = 0; i < leaf.length; ++i)
      for (std::uint32_t j = i + 1; j < leaf.length; ++j)
        upper[pair_index(std::min(used[i], used[j]), std::max(used[i], used[j]), features)] += *value++;
  }
}

}  // namespace cathoscope
