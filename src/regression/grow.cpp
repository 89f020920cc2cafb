#include "splitter.hpp"
#include "training_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/grow.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cathoscope {

namespace {

/// One node whose children are not made yet.
struct OpenNode {
  std::int32_t node = 0;
  std::size_t begin = 0;  ///< its rows
  std::size_t end = 0;
  NodeStats stats;
  Split split;  ///< best-first only
  double decrease = 0;
  std::size_t known_constant = 0;

  bool operator<(const OpenNode& other) const { return decrease < other.decrease; }
};

class TreeGrower {
 public:
  TreeGrower(const TrainingData& data, const std::vector<std::uint32_t>& weights, const GrowOptions& options,
             std::size_t max_features, NodeRandom random)
      : options_(options), splitter_(data, weights, options.criterion, max_features, random) {
    for (const std::uint32_t row : data.target_order)
      if (weights[row] > 0) rows_.push_back(row);
  }

  Tree grow() {
    const NodeStats root = splitter_.stats(rows_);
    total_weight_ = root.weight;
    if (options_.max_leaves > 0)
      grow_best_first(root);
    else
      grow_depth_first(root);
    return std::move(tree_);
  }

 private:
  /// Adds the node as a leaf.
  std::int32_t add_node(std::size_t rows, const NodeStats& stats) {
    const auto id = static_cast<std::int32_t>(tree_.nodes());
    tree_.left.push_back(-1);
    tree_.right.push_back(-1);
    tree_.feature.push_back(-2);
    tree_.threshold.push_back(-2);
    tree_.value.push_back(stats.value);
    tree_.impurity.push_back(stats.impurity);
    tree_.samples.push_back(static_cast<std::int64_t>(rows));
    tree_.cover.push_back(stats.weight);
    return id;
  }

  void make_inner(const OpenNode& open, std::int32_t left, std::int32_t right) {
    const auto node = static_cast<std::size_t>(open.node);
    tree_.feature[node] = open.split.feature;
    tree_.threshold[node] = open.split.threshold;
    tree_.left[node] = left;
    tree_.right[node] = right;
  }

  /// Finds the node's split; false where it stays a leaf.
  bool find_split(OpenNode& open) {
    constexpr double eps = std::numeric_limits<double>::epsilon();
    if (open.end - open.begin < 2 || open.stats.impurity <= eps) return false;
    open.split = splitter_.best_split(std::span(rows_).subspan(open.begin, open.end - open.begin), open.known_constant);
    if (open.split.feature < 0) return false;
    const Split& s = open.split;
    const double weight = open.stats.weight;
    open.decrease =
        weight / total_weight_ *
        (open.stats.impurity - s.right.weight / weight * s.right.impurity - s.left.weight / weight * s.left.impurity);
    return open.decrease + eps >= options_.min_impurity_decrease;
  }

  /// The node exists at once, its split is computed at once: draws follow the order of creation.
  void open_best_first(std::size_t begin, std::size_t end, const NodeStats& stats) {
    OpenNode open{add_node(end - begin, stats), begin, end, stats, {}, 0, 0};
    if (!find_split(open)) open.decrease = 0, open.split = {};
    pending_.push_back(open);
  }

  void grow_best_first(const NodeStats& root) {
    std::vector<OpenNode> heap;
    const auto push_pending = [&] {
      for (const OpenNode& open : pending_) {
        heap.push_back(open);
        std::push_heap(heap.begin(), heap.end());
      }
      pending_.clear();
    };
    open_best_first(0, rows_.size(), root);
    push_pending();
    for (int splits = options_.max_leaves - 1; splits > 0 && !heap.empty();) {
      std::pop_heap(heap.begin(), heap.end());
      const OpenNode open = heap.back();
      heap.pop_back();
      if (open.split.feature < 0) continue;
      --splits;
      const auto left = static_cast<std::int32_t>(tree_.nodes());
      open_best_first(open.begin, open.begin + open.split.left_rows, open.split.left);
      open_best_first(open.begin + open.split.left_rows, open.end, open.split.right);
      make_inner(open, left, left + 1);
      push_pending();
    }
  }

  void grow_depth_first(const NodeStats& root) {
    struct Todo {
      std::int32_t parent;
      bool is_left;
      std::size_t begin, end;
      NodeStats stats;
      std::size_t known_constant;
    };
    std::vector<Todo> stack{{-1, false, 0, rows_.size(), root, 0}};
    while (!stack.empty()) {
      const Todo todo = stack.back();
      stack.pop_back();
      OpenNode open{
          add_node(todo.end - todo.begin, todo.stats), todo.begin, todo.end, todo.stats, {}, 0, todo.known_constant};
      if (todo.parent >= 0)
        (todo.is_left ? tree_.left : tree_.right)[static_cast<std::size_t>(todo.parent)] = open.node;
      if (!find_split(open)) continue;
      make_inner(open, -1, -1);
      const std::size_t middle = open.begin + open.split.left_rows;
      stack.push_back({open.node, false, middle, open.end, open.split.right, open.known_constant});
      stack.push_back({open.node, true, open.begin, middle, open.split.left, open.known_constant});
    }
  }

  const GrowOptions& options_;
  Splitter splitter_;
  std::vector<std::uint32_t> rows_;
  std::vector<OpenNode> pending_;
  double total_weight_ = 0;
  Tree tree_;
};

std::vector<std::uint32_t> tree_seeds(const GrowOptions& options) {
  sklearn::RandomState random(static_cast<std::uint32_t>(options.seed));
  std::vector<std::uint32_t> seeds(static_cast<std::size_t>(options.trees));
  for (std::uint32_t& seed : seeds) seed = random.below(0x7FFFFFFF);
  return seeds;
}

template <class Below>
std::vector<std::uint32_t> bootstrap_counts(std::size_t n, bool bootstrap, Below below) {
  if (!bootstrap) return std::vector<std::uint32_t>(n, 1);
  std::vector<std::uint32_t> counts(n, 0);
  for (std::size_t i = 0; i < n; ++i) ++counts[below()];
  return counts;
}

Tree grow_tree(const TrainingData& data, const GrowOptions& options, std::size_t max_features, std::uint32_t seed,
               std::size_t index, std::vector<bool>& in_bag) {
  const std::size_t n = data.rows;
  std::vector<std::uint32_t> counts;
  NodeRandom nodes{Stream(options.seed, {"regression", "features"}, index)};
  if (options.draws == Draws::sklearn) {
    sklearn::RandomState bag(seed);
    counts = bootstrap_counts(n, options.bootstrap, [&] { return bag.below(static_cast<std::uint32_t>(n)); });
    nodes = NodeRandom{sklearn::SplitterRandom(sklearn::RandomState(seed).below(0x7FFFFFFF))};
  } else {
    Stream bag(options.seed, {"regression", "bootstrap"}, index);
    counts = bootstrap_counts(n, options.bootstrap, [&] { return bag.below(n); });
  }
  in_bag.resize(n);
  for (std::size_t i = 0; i < n; ++i) in_bag[i] = counts[i] > 0;
  Tree tree = TreeGrower(data, counts, options, max_features, nodes).grow();
  tree.random_state =
      options.draws == Draws::sklearn ? static_cast<std::int64_t>(seed) : static_cast<std::int64_t>(index);
  return tree;
}

}  // namespace

GrownForest grow_forest(const FeatureRows& rows, const std::vector<double>& target,
                        const std::vector<std::string>& feature_names, const GrowOptions& options, int threads) {
  const TrainingData data = training_data(rows, target, threads);
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(rows.features)));
  const std::size_t wanted = options.max_features > 0 ? options.max_features : root;
  const std::size_t max_features = std::clamp<std::size_t>(wanted, 1, rows.features);
  const std::vector<std::uint32_t> seeds = tree_seeds(options);
  GrownForest grown;
  grown.forest.feature_names = feature_names;
  grown.forest.trees.resize(seeds.size());
  grown.in_bag.resize(seeds.size());
  parallel_for(options.trees, threads, [&](std::int64_t t) {
    const auto i = static_cast<std::size_t>(t);
    grown.forest.trees[i] = grow_tree(data, options, max_features, seeds[i], i, grown.in_bag[i]);
  });
  return grown;
}

double r2_score(const std::vector<double>& target, const std::vector<double>& prediction) {
  const double mean = std::accumulate(target.begin(), target.end(), 0.0) / static_cast<double>(target.size());
  double residual = 0, total = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    residual += (target[i] - prediction[i]) * (target[i] - prediction[i]);
    total += (target[i] - mean) * (target[i] - mean);
  }
  if (total == 0) return residual == 0 ? 1 : 0;
  return 1 - residual / total;
}

OutOfBag out_of_bag(const GrownForest& grown, const FeatureRows& rows, const std::vector<double>& target, int threads) {
  OutOfBag result;
  result.prediction.resize(rows.rows);
  std::vector<char>& covered = result.covered;
  covered.resize(rows.rows, 0);
  parallel_for(static_cast<std::int64_t>(rows.rows), threads, [&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    double sum = 0;
    int trees = 0;
    for (std::size_t t = 0; t < grown.forest.trees.size(); ++t) {
      if (grown.in_bag[t][i]) continue;
      const Tree& tree = grown.forest.trees[t];
      sum += tree.value[leaf_of(tree, rows.row(i))];
      ++trees;
    }
    covered[i] = trees > 0;
    result.prediction[i] = trees > 0 ? sum / trees : 0;
  });
  result.uncovered = static_cast<std::size_t>(std::count(covered.begin(), covered.end(), 0));
  result.r2 = r2_score(target, result.prediction);
  return result;
}

std::vector<std::int64_t> random_order(std::size_t n, Draws draws, std::uint64_t seed) {
  if (draws == Draws::sklearn) return sklearn::RandomState(static_cast<std::uint32_t>(seed)).permutation(n);
  std::vector<std::int64_t> order(n);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Stream(seed, {"regression", "order"}).shuffle(order.begin(), order.end());
  return order;
}

RowSplit split_rows(std::size_t n, double test_fraction, Draws draws, std::uint64_t seed) {
  const auto test = static_cast<std::size_t>(std::ceil(test_fraction * static_cast<double>(n)));
  if (test >= n)
    fail(Exit::data, "test_fraction {} of {} rows leaves no row to train on; a table needs more rows", test_fraction,
         n);
  const std::vector<std::int64_t> order = random_order(n, draws, seed);
  const auto cut = order.begin() + static_cast<std::ptrdiff_t>(test);
  return {{cut, order.end()}, {order.begin(), cut}};
}

}  // namespace cathoscope
