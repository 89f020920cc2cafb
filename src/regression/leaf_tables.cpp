#include "leaf_tables.hpp"

#include "background_tree.hpp"
#include "quadrature.hpp"

#include <bit>
#include <cstdint>
#include <map>

namespace cathoscope {

namespace {

/// The rule for paths of d features, worked out once.
const Quadrature& rule_for(std::size_t d) {
  static const std::vector<Quadrature> rules = [] {
    std::vector<Quadrature> all;
    all.reserve(longest_pattern + 1);
    for (std::size_t k = 0; k <= longest_pattern; ++k) all.push_back(gauss_legendre((k + 1) / 2));
    return all;
  }();
  return rules[d];
}

/// Leaf values times integrals of products of t o + (1 - t) z, without the factor of one feature or of two.
class PathGame {
 public:
  explicit PathGame(LeafTable& table)
      : table_(table), path_(table.path.features), d_(path_.size()), rule_(rule_for(d_)) {}

  void fill() {
    if (d_ == 0) return;
    fill_values();
    if (table_.pairs.empty()) return;
    for (std::size_t pattern = 0; pattern < std::size_t{1} << d_; ++pattern) fill_pairs(pattern);
  }

 private:
  [[nodiscard]] double passes(std::size_t pattern, std::size_t k) const { return (pattern >> k) & 1U ? 1.0 : 0.0; }
  [[nodiscard]] double edge(std::size_t pattern, std::size_t k) const { return passes(pattern, k) - path_[k].share; }
  [[nodiscard]] double factor(double t, bool passed, std::size_t k) const {
    return (passed ? t : 0.0) + (1 - t) * path_[k].share;
  }
  /// All patterns at once. The integral that leaves out feature k depends on the bits below k through one product and
  /// on those above it through another; both are tabulated, so it takes one multiplication a node of the rule.
  void fill_values() {
    const std::size_t half = (std::size_t{1} << d_) / 2;
    std::vector<double> integrals(d_ * half, 0), below(half), above(half * 2);
    for (std::size_t q = 0; q < rule_.node.size(); ++q) {
      const double t = rule_.node[q];
      fill_above(t, above);
      below[0] = rule_.weight[q];
      for (std::size_t k = 0; k < d_; ++k) {
        const std::size_t n = std::size_t{1} << k, rest = half >> k;
        double* sum = integrals.data() + k * half;
        for (std::size_t high = 0; high < rest; ++high)
          for (std::size_t low = 0; low < n; ++low) sum[high * n + low] += below[low] * above[rest + high];
        if (k + 1 == d_) break;
        const double passed = factor(t, true, k), failed = factor(t, false, k);
        for (std::size_t low = 0; low < n; ++low) {
          below[n + low] = below[low] * passed;
          below[low] *= failed;
        }
      }
    }
    scale(integrals, half);
  }
  /// above[2^(d-1-k) + high]: the product of the factors after k, for every pattern of those features.
  void fill_above(double t, std::vector<double>& above) const {
    above[1] = 1;
    for (std::size_t k = d_; k-- > 1;) {
      const std::size_t n = std::size_t{1} << (d_ - 1 - k);
      const double passed = factor(t, true, k), failed = factor(t, false, k);
      for (std::size_t high = 0; high < n; ++high) {
        above[2 * n + 2 * high] = above[n + high] * failed;
        above[2 * n + 2 * high + 1] = above[n + high] * passed;
      }
    }
  }
  void scale(const std::vector<double>& integrals, std::size_t half) {
    for (std::size_t pattern = 0; pattern < 2 * half; ++pattern)
      for (std::size_t k = 0; k < d_; ++k) {
        const std::size_t low = pattern & ((std::size_t{1} << k) - 1), high = pattern >> (k + 1);
        table_.values[pattern * d_ + k] =
            table_.path.offset * edge(pattern, k) * integrals[k * half + (high << k) + low];
      }
  }
  /// Integral of the product of all factors but those of i and j.
  [[nodiscard]] double integral(std::size_t pattern, std::size_t i, std::size_t j) const {
    double sum = 0;
    for (std::size_t q = 0; q < rule_.node.size(); ++q) {
      const double t = rule_.node[q];
      double product = rule_.weight[q];
      for (std::size_t k = 0; k < d_; ++k)
        if (k != i && k != j) product *= factor(t, ((pattern >> k) & 1U) != 0, k);
      sum += product;
    }
    return sum;
  }
  void fill_pairs(std::size_t pattern) {
    std::size_t at = pattern * (d_ * (d_ - 1) / 2);
    for (std::size_t i = 0; i < d_; ++i)
      for (std::size_t j = i + 1; j < d_; ++j)
        table_.pairs[at++] = table_.path.offset / 2 * edge(pattern, i) * edge(pattern, j) * integral(pattern, i, j);
  }

  LeafTable& table_;
  const std::vector<PathFeature>& path_;
  std::size_t d_;
  const Quadrature& rule_;
};

/// Adds, for one background pattern z, the values of every row pattern o that reaches the leaf together with it.
class BackgroundGame {
 public:
  explicit BackgroundGame(LeafTable& table) : table_(table), d_(static_cast<int>(table.path.features.size())) {}

  void add(std::uint32_t z, double share) {
    const std::uint32_t must = ((1U << d_) - 1) & ~z;
    for (std::uint32_t free = z;; free = (free - 1) & z) {  // every o that contains what z lacks
      add_pattern(must | free, z, share * table_.path.offset);
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
    const auto d = static_cast<std::size_t>(d_);
    double* values = table_.values.data() + o * d;
    for (int i = 0; i < d_; ++i)
      if (const int s = side(o, z, i); s != 0)
        values[i] += s > 0 ? value * factorial_weight(a - 1, b) : -value * factorial_weight(a, b - 1);
    if (table_.pairs.empty()) return;
    double* pair = table_.pairs.data() + o * (d * (d - 1) / 2);
    for (int i = 0; i < d_; ++i)
      for (int j = i + 1; j < d_; ++j, ++pair) {
        const int si = side(o, z, i), sj = side(o, z, j);
        if (si == 0 || sj == 0) continue;
        const int from_row = (si > 0) + (sj > 0);
        *pair += si * sj * value / 2 * factorial_weight(a - from_row, b - (2 - from_row));
      }
  }

  LeafTable& table_;
  int d_;
};

/// How often each pattern of the leaf occurs among the background rows.
std::map<std::uint32_t, double> pattern_shares(const LeafPath& path, const FeatureRows& background) {
  std::map<std::uint32_t, double> shares;
  for (std::size_t i = 0; i < background.rows; ++i) {
    std::uint32_t pattern = 0;
    for (std::size_t k = 0; k < path.features.size(); ++k) {
      const PathFeature& p = path.features[k];
      const float x = background.row(i)[p.feature];
      pattern |= static_cast<std::uint32_t>(x > p.above && x <= p.up_to) << k;
    }
    shares[pattern] += 1;
  }
  for (auto& [pattern, share] : shares) share /= static_cast<double>(background.rows);
  return shares;
}

}  // namespace

std::vector<LeafTable> leaf_tables(const Tree& tree, bool interactions, const FeatureRows* background) {
  std::vector<LeafTable> tables;
  for (LeafPath& path : leaf_paths(tree)) {
    const std::size_t d = path.features.size();
    LeafTable table;
    table.path = std::move(path);
    table.values.assign(d << d, 0);
    if (interactions && d > 1) table.pairs.assign((d * (d - 1) / 2) << d, 0);
    if (background == nullptr) {
      PathGame(table).fill();
    } else {
      BackgroundGame game(table);
      for (const auto& [pattern, share] : pattern_shares(table.path, *background)) game.add(pattern, share);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace cathoscope
