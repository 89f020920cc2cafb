#include "bundle_tree.hpp"

#include "leaf_tables.hpp"

#include <cathoscope/regression/shap.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace cathoscope {

namespace {

/// Bits up to which leaves are put together: tables of a few kilobytes, a handful a tree of 30 leaves.
constexpr std::size_t most_bits = 8;

struct Plan {
  std::size_t root = 0;
  std::vector<PathFeature> way;     ///< to the root of the bundle
  std::vector<std::size_t> splits;  ///< inner nodes of the bundle, in preorder
  std::vector<std::size_t> leaves;  ///< in preorder
  std::vector<std::uint32_t> features;

  [[nodiscard]] std::size_t bits() const { return way.size() + splits.size(); }
};

/// Inner nodes below and at each node. Children may come before their parents, so this goes by depth.
std::vector<std::size_t> inner_counts(const Tree& tree) {
  std::vector<std::size_t> order{0}, counts(tree.nodes(), 0);
  for (std::size_t i = 0; i < order.size(); ++i)
    if (const std::size_t node = order[i]; !tree.is_leaf(node)) {
      order.push_back(static_cast<std::size_t>(tree.left[node]));
      order.push_back(static_cast<std::size_t>(tree.right[node]));
    }
  for (std::size_t i = order.size(); i-- > 0;)
    if (const std::size_t node = order[i]; !tree.is_leaf(node))
      counts[node] =
          1 + counts[static_cast<std::size_t>(tree.left[node])] + counts[static_cast<std::size_t>(tree.right[node])];
  return counts;
}

/// The subtrees that make the bundles, from left to right; together they hold every leaf once.
std::vector<Plan> plans_of(const Tree& tree) {
  const std::vector<std::size_t> inner = inner_counts(tree);
  std::vector<Plan> plans;
  std::vector<char> inside(tree.nodes(), 0);
  for_each_path(tree, [&](std::size_t node, const std::vector<PathFeature>& path) {
    const bool starts = !inside[node] && (tree.is_leaf(node) || path.size() + inner[node] <= most_bits);
    if (starts) plans.push_back({node, path, {}, {}, {}});
    if (!starts && !inside[node]) return;
    if (tree.is_leaf(node)) return plans.back().leaves.push_back(node);
    plans.back().splits.push_back(node);
    inside[static_cast<std::size_t>(tree.left[node])] = inside[static_cast<std::size_t>(tree.right[node])] = 1;
  });
  for (Plan& plan : plans) {
    std::set<std::uint32_t> features;
    for (const PathFeature& p : plan.way) features.insert(static_cast<std::uint32_t>(p.feature));
    for (const std::size_t node : plan.splits) features.insert(static_cast<std::uint32_t>(tree.feature[node]));
    plan.features.assign(features.begin(), features.end());
  }
  return plans;
}

std::size_t pairs_of(std::size_t n) { return n > 1 ? n * (n - 1) / 2 : 0; }

/// Place of the pair i < j among the pairs of n.
std::size_t pair_place(std::size_t i, std::size_t j, std::size_t n) { return pair_index(i, j, n) - (i + 1); }

void add_bins(BundleTree& out, const Tree& tree, const std::vector<Plan>& plans) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::map<std::int32_t, std::set<float>> cuts;
  for (std::size_t node = 0; node < tree.nodes(); ++node)
    if (!tree.is_leaf(node)) cuts[tree.feature[node]].insert(float_at_most(tree.threshold[node]));
  for (const auto& [feature, cut] : cuts) {
    std::vector<float> tops(cut.begin(), cut.end());
    out.bins.push_back({feature, static_cast<std::uint32_t>(out.thresholds.size()),
                        static_cast<std::uint32_t>(tops.size()), out.bits.size()});
    out.thresholds.insert(out.thresholds.end(), tops.begin(), tops.end());
    tops.push_back(infinity);
    for (const float top : tops) {  // the bin of the x up to this and above the one before
      const std::size_t first = out.bits.size();
      out.bits.resize(first + out.stride, 0);
      for (std::size_t b = 0; b < plans.size(); ++b) {
        const Plan& plan = plans[b];
        unsigned bits = 0;
        for (std::size_t k = 0; k < plan.way.size(); ++k)
          if (const PathFeature& p = plan.way[k]; p.feature == feature)
            bits |= static_cast<unsigned>(top <= p.up_to && (p.above == -infinity || top > p.above)) << k;
        for (std::size_t s = 0; s < plan.splits.size(); ++s)
          if (tree.feature[plan.splits[s]] == feature)
            bits |= static_cast<unsigned>(top <= float_at_most(tree.threshold[plan.splits[s]]))
                    << (plan.way.size() + s);
        out.bits[first + b] = static_cast<std::uint16_t>(bits);
      }
    }
  }
}

/// How a leaf's pattern follows from its bundle's.
struct LeafInBundle {
  std::size_t leaf = 0;
  std::vector<std::uint32_t> must_set, must_clear;  ///< [feature of the leaf's path]: bits of the bundle
  std::vector<std::size_t> place;                   ///< of the leaf's features among the bundle's

  [[nodiscard]] std::size_t pattern(std::uint32_t bundle) const {
    std::size_t pattern = 0;
    for (std::size_t k = 0; k < place.size(); ++k)
      if ((bundle & must_set[k]) == must_set[k] && (bundle & must_clear[k]) == 0) pattern |= std::size_t{1} << k;
    return pattern;
  }
};

LeafInBundle leaf_in_bundle(const Tree& tree, const Plan& plan, std::size_t leaf, const LeafPath& path) {
  LeafInBundle result;
  result.leaf = leaf;
  const std::size_t d = path.features.size();
  result.must_set.assign(d, 0);
  result.must_clear.assign(d, 0);
  const auto of_path = [&](std::int32_t feature) {
    std::size_t k = 0;
    while (path.features[k].feature != feature) ++k;
    return k;
  };
  for (std::size_t k = 0; k < plan.way.size(); ++k) result.must_set[of_path(plan.way[k].feature)] |= 1U << k;
  std::size_t child = leaf;
  for (std::size_t s = plan.splits.size(); s-- > 0;) {  // preorder backwards: from the leaf up
    const std::size_t node = plan.splits[s];
    const bool left = static_cast<std::size_t>(tree.left[node]) == child;
    if (!left && static_cast<std::size_t>(tree.right[node]) != child) continue;
    (left ? result.must_set : result.must_clear)[of_path(tree.feature[node])] |= 1U << (plan.way.size() + s);
    child = node;
  }
  for (const PathFeature& p : path.features)
    result.place.push_back(static_cast<std::size_t>(
        std::lower_bound(plan.features.begin(), plan.features.end(), static_cast<std::uint32_t>(p.feature)) -
        plan.features.begin()));
  return result;
}

void add_leaf(BundleTree& out, const BundleTree::Bundle& bundle, std::size_t bits, const LeafInBundle& leaf,
              const LeafTable& table) {
  const std::size_t d = leaf.place.size(), n = bundle.length, all = (std::size_t{1} << d) - 1;
  for (std::uint32_t pattern = 0; pattern < 1U << bits; ++pattern) {
    const std::size_t of_leaf = leaf.pattern(pattern);
    double* values = out.values.data() + bundle.values + pattern * (n + 1);
    for (std::size_t k = 0; k < d; ++k) values[leaf.place[k]] += table.values[of_leaf * d + k];
    if (of_leaf == all) values[n] = table.path.value;
    if (table.pairs.empty()) continue;
    double* pairs = out.pairs.data() + bundle.pairs + pattern * pairs_of(n);
    const double* pair = table.pairs.data() + of_leaf * pairs_of(d);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = i + 1; j < d; ++j)
        pairs[pair_place(std::min(leaf.place[i], leaf.place[j]), std::max(leaf.place[i], leaf.place[j]), n)] += *pair++;
  }
}

void find_patterns(const BundleTree& tree, const float* row, std::uint16_t* patterns) {
  std::fill_n(patterns, tree.stride, std::uint16_t{0});
  for (const BundleTree::Bins& bins : tree.bins) {
    const float x = row[bins.feature];
    const float* cut = tree.thresholds.data() + bins.first_threshold;
    std::size_t bin = 0;
    for (std::uint32_t i = 0; i < bins.thresholds; ++i) bin += x > cut[i];
    const std::uint16_t* bits = tree.bits.data() + bins.first_bits + bin * tree.stride;
    for (std::size_t b = 0; b < tree.stride; b += 8)
      for (std::size_t k = 0; k < 8; ++k) patterns[b + k] = static_cast<std::uint16_t>(patterns[b + k] | bits[b + k]);
  }
}

}  // namespace

double bundle_bytes(const Tree& tree, bool interactions) {
  double entries = 0;
  for (const Plan& plan : plans_of(tree)) {
    if (plan.bits() > longest_pattern) return std::numeric_limits<double>::infinity();
    const std::size_t n = plan.features.size();
    entries += std::ldexp(static_cast<double>(interactions ? pairs_of(n) : n + 1), static_cast<int>(plan.bits()));
  }
  return entries * sizeof(double);
}

BundleTree bundle_tree(const Tree& tree, bool interactions, const FeatureRows* background) {
  const std::vector<Plan> plans = plans_of(tree);
  const std::vector<LeafTable> tables = leaf_tables(tree, interactions, background);
  BundleTree out;
  out.stride = (plans.size() + 7) / 8 * 8;
  std::size_t next_table = 0;
  for (const Plan& plan : plans) {
    const std::size_t n = plan.features.size();
    const BundleTree::Bundle bundle{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(out.features.size()),
                                    out.values.size(), out.pairs.size()};
    out.features.insert(out.features.end(), plan.features.begin(), plan.features.end());
    out.values.resize(out.values.size() + ((n + 1) << plan.bits()), 0);
    if (interactions) out.pairs.resize(out.pairs.size() + (pairs_of(n) << plan.bits()), 0);
    for (const std::size_t leaf : plan.leaves) {
      const LeafTable& table = tables[next_table++];
      add_leaf(out, bundle, plan.bits(), leaf_in_bundle(tree, plan, leaf, table.path), table);
      double share = table.path.value;
      for (const PathFeature& p : table.path.features) share *= p.share;
      out.expected += share;
    }
    out.bundles.push_back(bundle);
  }
  add_bins(out, tree, plans);
  return out;
}

double add_values(const BundleTree& tree, const float* row, std::uint16_t* patterns, double* phi) {
  find_patterns(tree, row, patterns);
  double prediction = 0;
  for (std::size_t b = 0; b < tree.bundles.size(); ++b) {
    const BundleTree::Bundle& bundle = tree.bundles[b];
    const double* values = tree.values.data() + bundle.values + patterns[b] * (bundle.length + std::size_t{1});
    const std::uint32_t* features = tree.features.data() + bundle.first_feature;
    for (std::uint32_t k = 0; k < bundle.length; ++k) phi[features[k]] += values[k];
    prediction += values[bundle.length];
  }
  return prediction;
}

void add_pairs(const BundleTree& tree, const float* row, std::uint16_t* patterns, std::size_t features, double* upper) {
  find_patterns(tree, row, patterns);
  for (std::size_t b = 0; b < tree.bundles.size(); ++b) {
    const BundleTree::Bundle& bundle = tree.bundles[b];
    const std::uint32_t* used = tree.features.data() + bundle.first_feature;
    const double* value = tree.pairs.data() + bundle.pairs + patterns[b] * pairs_of(bundle.length);
    for (std::uint32_t i = 0; i < bundle.length; ++i) {
      double* of_i = upper + pair_index(used[i], used[i], features) - used[i];
      for (std::uint32_t j = i + 1; j < bundle.length; ++j) of_i[used[j]] += *value++;
    }
  }
}

}  // namespace cathoscope
