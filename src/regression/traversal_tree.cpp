#include "traversal_tree.hpp"

#include "quadrature.hpp"
#include "tree_paths.hpp"

#include <cathoscope/regression/shap.hpp>

#include <algorithm>

// The same source for wider vector units. No contraction (-ffp-contract=off) and no reassociation: the same bits, which
// tests/unit/regression/same_bits_test.cpp checks by compiling this file without.
#if !defined(CATHOSCOPE_WIDER_TOO) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CATHOSCOPE_WIDER_TOO __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#elif !defined(CATHOSCOPE_WIDER_TOO)
#define CATHOSCOPE_WIDER_TOO
#endif

namespace cathoscope {

namespace {

/// Compiles one tree: preorder with an explicit stack, the shares of the features on the way beside it.
class Compiler {
 public:
  Compiler(const Tree& tree, TraversalTree& out) : tree_(tree), out_(out) {
    const std::int32_t features = *std::max_element(tree.feature.begin(), tree.feature.end()) + 1;
    share_.assign(static_cast<std::size_t>(std::max(features, 1)), -1);
  }

  void compile() {
    if (tree_.is_leaf(0)) {
      out_.expected = tree_.value[0];
      return;
    }
    push_children(0, 1);
    while (!open_.empty()) {
      const Edge edge = open_.back();
      open_.pop_back();
      while (undo_.size() >= edge.depth) leave();
      enter(edge);
    }
  }

 private:
  struct Edge {
    std::size_t parent;
    std::uint32_t depth;
    bool to_left;
  };
  struct Undo {
    std::size_t feature;
    double share;
    double reach;
  };

  void push_children(std::size_t node, std::uint32_t depth) {
    open_.push_back({node, depth, false});
    open_.push_back({node, depth, true});
  }
  void leave() {
    share_[undo_.back().feature] = undo_.back().share;
    reach_ = undo_.back().reach;
    undo_.pop_back();
  }
  void enter(const Edge& edge) {
    const auto node = static_cast<std::size_t>(edge.to_left ? tree_.left[edge.parent] : tree_.right[edge.parent]);
    const auto feature = static_cast<std::size_t>(tree_.feature[edge.parent]);
    const double left = left_share(tree_, edge.parent), edge_share = edge.to_left ? left : 1 - left;
    const double before = share_[feature];
    const bool repeated = before >= 0;
    undo_.push_back({feature, before, reach_});
    share_[feature] = repeated ? before * edge_share : edge_share;
    reach_ *= edge_share;
    out_.steps.push_back({float_at_most(tree_.threshold[edge.parent]), static_cast<std::int32_t>(feature), edge.depth,
                          edge.to_left, repeated, tree_.is_leaf(node), tree_.value[node] - tree_.value[0],
                          out_.factors.size()});
    append_factors(repeated ? before : 1, share_[feature], repeated);
    if (tree_.is_leaf(node))
      out_.expected += reach_ * tree_.value[node];
    else
      push_children(node, edge.depth + 1);
  }

  /// For each change of the row's pass bit o: the ratio of the factors, and the change of (o - z) / factor.
  void append_factors(double old_share, double share, bool repeated) {
    const auto factor = [](double t, double o, double z) { return t * o + (1 - t) * z; };
    const auto earned = [&](double t, double o, double z) { return o > 0 ? (1 - z) / factor(t, 1, z) : -1 / (1 - t); };
    const auto append = [&](double o_old, double o) {
      for (const double t : out_.point) {
        const double old = factor(t, o_old, old_share);
        out_.factors.push_back(old > 0 ? factor(t, o, share) / old : 0);  // 0 where no training row came by: stays 0
      }
      for (const double t : out_.point)
        out_.factors.push_back(earned(t, o, share) - (repeated ? earned(t, o_old, old_share) : 0));
    };
    append(1, 1);
    append(1, 0);
    if (repeated) append(0, 0);
  }

  const Tree& tree_;
  TraversalTree& out_;
  std::vector<Edge> open_;
  std::vector<Undo> undo_;
  std::vector<double> share_;  ///< [feature], -1: not on the way
  double reach_ = 1;
};

/// Vector operations over the quadrature points, with the number of points known to the compiler (0: not known).
template <std::size_t Lanes>
struct Points {
  std::size_t n;
  [[nodiscard]] std::size_t count() const { return Lanes > 0 ? Lanes : n; }
  void product(const double* a, const double* b, double* __restrict out) const {
    for (std::size_t q = 0; q < count(); ++q) out[q] = a[q] * b[q];
  }
  void add(const double* a, double* __restrict out) const {
    for (std::size_t q = 0; q < count(); ++q) out[q] += a[q];
  }
  void add_product(const double* a, const double* b, double* __restrict out) const {
    for (std::size_t q = 0; q < count(); ++q) out[q] += a[q] * b[q];
  }
  /// A leaf's edge down and up again: `factors` holds the ratios, after them the changes.
  void leaf(const double* product_above, const double* factors, double value, bool earns,
            double* __restrict below_above, double* __restrict lanes) const {
    for (std::size_t q = 0; q < count(); ++q) {
      const double here = product_above[q] * factors[q] * value;
      below_above[q] += here;
      if (earns) lanes[q] += factors[count() + q] * here;
    }
  }
  void clear(double* out) const {
    for (std::size_t q = 0; q < count(); ++q) out[q] = 0;
  }
};

struct Walk {
  const TraversalTree& tree;
  const float* row;
  TraversalScratch& s;

  /// Offset of the factors for this row's change of pass bit; sets the bit.
  std::size_t pass(const TraversalTree::Step& step, std::size_t lanes) const {
    std::uint8_t& bit = s.passes[static_cast<std::size_t>(step.feature)];
    const bool goes = (row[step.feature] <= step.threshold) == step.to_left;
    const std::size_t change = bit != 0 ? (goes ? 0 : 1) : 2;
    s.saved[step.depth] = bit;
    bit = static_cast<std::uint8_t>(bit & static_cast<std::uint8_t>(goes));
    return step.factors + change * 2 * lanes;
  }
};

template <std::size_t Lanes>
[[gnu::always_inline]] inline void walk_values(const TraversalTree& tree, const float* row, TraversalScratch& s) {
  const Points<Lanes> points{tree.lanes};
  const std::size_t n = points.count();
  const Walk walk{tree, row, s};
  std::size_t level = 0;
  const auto leave = [&] {
    const TraversalTree::Step& step = tree.steps[s.open[level]];
    const auto feature = static_cast<std::size_t>(step.feature);
    const std::size_t change = s.saved[level] != 0 ? (s.passes[feature] != 0 ? 0 : 1) : 2;
    if (change < 2)
      points.add_product(&tree.factors[step.factors + (2 * change + 1) * n], &s.below[level * n],
                         &s.lanes[feature * n]);
    points.add(&s.below[level * n], &s.below[(level - 1) * n]);
    s.passes[feature] = s.saved[level];
    --level;
  };
  for (std::size_t i = 0; i < tree.steps.size(); ++i) {
    const TraversalTree::Step& step = tree.steps[i];
    while (level >= step.depth) leave();
    const double* factors = &tree.factors[walk.pass(step, n)];
    const auto feature = static_cast<std::size_t>(step.feature);
    if (step.is_leaf) {
      points.leaf(&s.product[level * n], factors, step.value, s.saved[step.depth] != 0, &s.below[level * n],
                  &s.lanes[feature * n]);
      s.passes[feature] = s.saved[step.depth];
      continue;
    }
    level = step.depth;
    s.open[level] = static_cast<std::uint32_t>(i);
    points.product(&s.product[(level - 1) * n], factors, &s.product[level * n]);
    points.clear(&s.below[level * n]);
  }
  while (level > 0) leave();
}

CATHOSCOPE_WIDER_TOO void walk_values_4(const TraversalTree& t, const float* row, TraversalScratch& s) {
  walk_values<4>(t, row, s);
}
CATHOSCOPE_WIDER_TOO void walk_values_8(const TraversalTree& t, const float* row, TraversalScratch& s) {
  walk_values<8>(t, row, s);
}
CATHOSCOPE_WIDER_TOO void walk_values_12(const TraversalTree& t, const float* row, TraversalScratch& s) {
  walk_values<12>(t, row, s);
}
CATHOSCOPE_WIDER_TOO void walk_values_16(const TraversalTree& t, const float* row, TraversalScratch& s) {
  walk_values<16>(t, row, s);
}
CATHOSCOPE_WIDER_TOO void walk_values_any(const TraversalTree& t, const float* row, TraversalScratch& s) {
  walk_values<0>(t, row, s);
}

void prepare(const TraversalTree& tree, std::size_t features, TraversalScratch& s) {
  const std::size_t n = tree.lanes;
  s.product.resize((tree.depth + 1) * n);
  s.below.assign((tree.depth + 1) * n, 0);
  std::copy(tree.weight.begin(), tree.weight.end(), s.product.begin());
  s.lanes.assign(features * n, 0);
  s.passes.assign(features, 1);
  s.saved.resize(tree.depth + 1);
  s.open.resize(tree.depth + 1);
}

/// Pairs: the edge's change times what each other feature on the way has earned, times the leaves below.
class PairWalk {
 public:
  PairWalk(const TraversalTree& tree, const float* row, std::size_t features, TraversalScratch& s, double* upper)
      : tree_(tree), walk_{tree, row, s}, s_(s), features_(features), n_(tree.lanes), upper_(upper) {
    s_.active.assign((tree.depth + 1) * n_ + features * n_, 0);
    s_.on_path.clear();
  }

  void run() {
    for (std::size_t i = 0; i < tree_.steps.size(); ++i) {
      while (level_ >= tree_.steps[i].depth) leave();
      enter(i);
    }
    while (level_ > 0) leave();
  }

 private:
  /// What the feature has earned so far on the way.
  double* earned(std::int32_t feature) {
    return &s_.active[(tree_.depth + 1) * n_ + static_cast<std::size_t>(feature) * n_];
  }

  void enter(std::size_t i) {
    const TraversalTree::Step& step = tree_.steps[i];
    const double* factors = &tree_.factors[walk_.pass(step, n_)];
    const bool unchanged = s_.saved[step.depth] == 0;
    level_ = step.depth;
    s_.open[level_] = static_cast<std::uint32_t>(i);
    double* change = &s_.active[level_ * n_];
    double* feature = earned(step.feature);
    if (!step.repeated) s_.on_path.push_back(step.feature);
    for (std::size_t q = 0; q < n_; ++q) {
      s_.product[level_ * n_ + q] = s_.product[(level_ - 1) * n_ + q] * factors[q];
      change[q] = unchanged ? 0 : factors[n_ + q];
      feature[q] += change[q];
      s_.below[level_ * n_ + q] = step.is_leaf ? s_.product[level_ * n_ + q] * step.value : 0;
    }
  }

  void leave() {
    const TraversalTree::Step& step = tree_.steps[s_.open[level_]];
    double* change = &s_.active[level_ * n_];
    double* below = &s_.below[level_ * n_];
    if (s_.saved[level_] != 0) add_to_pairs(step.feature, change, below);
    double* feature = earned(step.feature);
    for (std::size_t q = 0; q < n_; ++q) {
      feature[q] = step.repeated ? feature[q] - change[q] : 0;
      s_.below[(level_ - 1) * n_ + q] += below[q];
    }
    if (!step.repeated) s_.on_path.pop_back();
    s_.passes[static_cast<std::size_t>(step.feature)] = s_.saved[level_];
    --level_;
  }

  void add_to_pairs(std::int32_t feature, const double* change, const double* below) {
    for (const std::int32_t other : s_.on_path) {
      if (other == feature) continue;
      const double* more = earned(other);
      double sum = 0;
      for (std::size_t q = 0; q < n_; ++q) sum += change[q] * more[q] * below[q];
      const auto [a, b] = std::minmax({static_cast<std::size_t>(feature), static_cast<std::size_t>(other)});
      upper_[pair_index(a, b, features_)] += sum / 2;
    }
  }

  const TraversalTree& tree_;
  Walk walk_;
  TraversalScratch& s_;
  std::size_t features_, n_;
  double* upper_;
  std::size_t level_ = 0;
};

}  // namespace

TraversalTree traversal_tree(const Tree& tree) {
  TraversalTree out;
  const std::vector<std::size_t> lengths = path_lengths(tree);
  const std::size_t longest = std::max<std::size_t>(1, *std::max_element(lengths.begin(), lengths.end()));
  const Quadrature rule = gauss_legendre((longest + 1) / 2);
  out.lanes = (rule.node.size() + 3) / 4 * 4;
  out.point = rule.node;
  out.weight = rule.weight;
  out.point.resize(out.lanes, 0.5);
  out.weight.resize(out.lanes, 0);
  out.depth = depth_of(tree);
  Compiler(tree, out).compile();
  return out;
}

void add_values(const TraversalTree& tree, const float* row, std::size_t features, TraversalScratch& s, double* phi) {
  prepare(tree, features, s);
  switch (tree.lanes) {
    case 4: walk_values_4(tree, row, s); break;
    case 8: walk_values_8(tree, row, s); break;
    case 12: walk_values_12(tree, row, s); break;
    case 16: walk_values_16(tree, row, s); break;
    default: walk_values_any(tree, row, s);
  }
  for (std::size_t f = 0; f < features; ++f)
    for (std::size_t q = 0; q < tree.lanes; ++q) phi[f] += s.lanes[f * tree.lanes + q];
}

void add_pairs(const TraversalTree& tree, const float* row, std::size_t features, TraversalScratch& s, double* upper) {
  prepare(tree, features, s);
  PairWalk(tree, row, features, s, upper).run();
}

}  // namespace cathoscope
