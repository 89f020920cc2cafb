#pragma once
/// Growing regression forests with the semantics of scikit-learn's RandomForestRegressor (Breiman 2001,
/// DOI 10.1023/A:1010933404324; Pedregosa et al. 2011), and with its draws where asked for.

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

enum class Criterion { squared_error, absolute_error };

/// Where draws come from.
enum class Draws {
  counter,  ///< counter-based streams, one a tree
  sklearn,  ///< the draws of scikit-learn: MT19937 for seeds and bootstrap, xorshift for features
};

struct GrowOptions {
  int trees = 40;
  int max_leaves = 30;  ///< best-first growth; 0: no limit, depth-first growth
  Criterion criterion = Criterion::absolute_error;
  std::size_t max_features = 0;  ///< candidates a node; 0: floor(sqrt(features)), at least 1
  double min_impurity_decrease = 1.02e-5;
  bool bootstrap = true;
  Draws draws = Draws::counter;
  std::uint64_t seed = 0;  ///< draws: sklearn takes it modulo 2^32, as RandomState does
};

/// A forest and which rows each of its trees has seen.
struct GrownForest {
  Forest forest;
  std::vector<std::vector<bool>> in_bag;  ///< [tree][row]
};

/// Grows a forest on `rows` and `target` (as many, all finite). Each node takes the best of `max_features` random
/// features, more until one is not constant; candidate thresholds lie between float32 values that differ by more than
/// 1e-7 (absolute). absolute_error uses the weighted median (as scikit-learn >= 1.8) and costs O(n) a node and feature
/// after the sort. The same forest for any number of threads.
/// Throws Error{data} where there are no rows, no features, or a target that is not finite.
GrownForest grow_forest(const FeatureRows& rows, const std::vector<double>& target,
                        const std::vector<std::string>& feature_names, const GrowOptions& options, int threads);

struct OutOfBag {
  std::vector<double>
      prediction;             ///< mean over the trees that did not see the row; 0 where all saw it, as scikit-learn
  std::vector<char> covered;  ///< rows that a tree did not see
  std::size_t uncovered = 0;  ///< rows that every tree saw
  double r2 = 0;
};

/// Out-of-bag predictions and their R2.
OutOfBag out_of_bag(const GrownForest& grown, const FeatureRows& rows, const std::vector<double>& target, int threads);

/// 1 - residual / total sum of squares. A constant target: 1 if it is met exactly, else 0 (scikit-learn's convention).
double r2_score(const std::vector<double>& target, const std::vector<double>& prediction);

/// A random order of 0..n-1; `draws: sklearn` gives RandomState(seed).permutation(n).
std::vector<std::int64_t> random_order(std::size_t n, Draws draws, std::uint64_t seed);

/// Training and test rows: the first ceil(fraction n) of random_order are the test rows, the rest the training rows, in
/// that order (train_test_split of scikit-learn). Throws Error{data} where no training row would be left.
struct RowSplit {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> test;
};
RowSplit split_rows(std::size_t n, double test_fraction, Draws draws, std::uint64_t seed);

}  // namespace cathoscope
