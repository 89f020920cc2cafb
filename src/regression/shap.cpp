#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/regression/shap.hpp>

#include "background_tree.hpp"
#include "bundle_tree.hpp"
#include "traversal_tree.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace cathoscope {

namespace {

/// One tree in whichever form explains it fastest. Against a background, trees too big for tables stay as they are.
struct PreparedTree {
  std::optional<BundleTree> tables;
  std::optional<TraversalTree> traversal;
  double expected = 0;
};

struct Scratch {
  std::vector<std::uint16_t> patterns;
  TraversalScratch traversal;
  BackgroundScratch background;
  std::vector<double> sum;
};

constexpr std::size_t rows_at_once = 128;  // keeps one tree's tables in the cache

}  // namespace

struct Explainer::Prepared {
  Forest forest;
  std::optional<FeatureRows> background;
  bool with_interactions = false;
  std::vector<PreparedTree> trees;
  double expected = 0;

  void add_values_of(std::size_t t, const float* row, Scratch& s, double* phi, double& prediction) const {
    const Tree& tree = forest.trees[t];
    const std::size_t m = forest.feature_names.size();
    if (trees[t].tables) {
      s.patterns.resize(std::max(s.patterns.size(), trees[t].tables->stride));
      prediction += add_values(*trees[t].tables, row, s.patterns.data(), phi);
      return;
    }
    prediction += tree.value[leaf_of(tree, row)];
    if (trees[t].traversal) {
      add_values(*trees[t].traversal, row, m, s.traversal, phi);
      return;
    }
    add_against_all(tree, row, s, phi, m, nullptr, 0);
  }

  void add_pairs_of(std::size_t t, const float* row, Scratch& s, double* upper) const {
    const std::size_t m = forest.feature_names.size();
    if (trees[t].tables) {
      s.patterns.resize(std::max(s.patterns.size(), trees[t].tables->stride));
      return add_pairs(*trees[t].tables, row, s.patterns.data(), m, upper);
    }
    if (trees[t].traversal) return add_pairs(*trees[t].traversal, row, m, s.traversal, upper);
    add_against_all(forest.trees[t], row, s, nullptr, 0, upper, m * (m + 1) / 2);
  }

  /// Means over the background, tree by tree: small sums round less than one big one.
  void add_against_all(const Tree& tree, const float* row, Scratch& s, double* phi, std::size_t values, double* upper,
                       std::size_t pairs) const {
    s.sum.assign(values + pairs, 0);
    for (std::size_t b = 0; b < background->rows; ++b)
      add_against(tree, row, background->row(b), forest.feature_names.size(), s.background,
                  values > 0 ? s.sum.data() : nullptr, pairs > 0 ? s.sum.data() : nullptr);
    double* out = values > 0 ? phi : upper;
    for (std::size_t k = 0; k < s.sum.size(); ++k) out[k] += s.sum[k] / static_cast<double>(background->rows);
  }
};

namespace {

double mean_prediction(const Tree& tree, const FeatureRows& rows) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) sum += tree.value[leaf_of(tree, rows.row(i))];
  return sum / static_cast<double>(rows.rows);
}

PreparedTree prepared_tree(const Tree& tree, const ShapOptions& options, double bytes) {
  PreparedTree result;
  const bool pairs_fit = !options.interactions || bundle_bytes(tree, true) <= bytes;
  if (bundle_bytes(tree, false) <= bytes && pairs_fit) {
    result.tables = bundle_tree(tree, options.interactions, options.background);
    result.expected = result.tables->expected;
  } else if (options.background == nullptr) {
    result.traversal = traversal_tree(tree);
    result.expected = result.traversal->expected;
  }
  if (options.background != nullptr) result.expected = mean_prediction(tree, *options.background);
  return result;
}

void require_background(const Forest& forest, const FeatureRows& background) {
  if (background.rows == 0) fail(Exit::data, "the background table has no rows; give at least one");
  if (background.features != forest.feature_names.size())
    fail(Exit::data, "the background has {} columns, the forest {}", background.features, forest.feature_names.size());
}

}  // namespace

Explainer::Explainer(const Forest& forest, const ShapOptions& options, int threads) {
  if (options.background != nullptr) require_background(forest, *options.background);
  auto prepared = std::make_shared<Prepared>();
  prepared->forest = forest;
  prepared->with_interactions = options.interactions;
  if (options.background != nullptr) prepared->background = *options.background;
  prepared->trees.resize(forest.trees.size());
  const double bytes = static_cast<double>(options.table_bytes) / static_cast<double>(forest.trees.size());
  parallel_for(static_cast<std::int64_t>(forest.trees.size()), threads, [&](std::int64_t t) {
    const auto i = static_cast<std::size_t>(t);
    prepared->trees[i] = prepared_tree(forest.trees[i], options, bytes);
  });
  for (const PreparedTree& tree : prepared->trees) prepared->expected += tree.expected;
  prepared->expected /= static_cast<double>(forest.trees.size());
  prepared_ = std::move(prepared);
}

std::size_t Explainer::features() const { return prepared_->forest.feature_names.size(); }
std::size_t Explainer::pairs() const { return features() * (features() + 1) / 2; }
double Explainer::expected_value() const { return prepared_->expected; }
std::size_t Explainer::trees_in_tables() const {
  return static_cast<std::size_t>(std::count_if(prepared_->trees.begin(), prepared_->trees.end(),
                                                [](const PreparedTree& t) { return t.tables.has_value(); }));
}

void Explainer::explain(const float* rows, std::size_t count, double* phi, double* prediction) const {
  const std::size_t m = features();
  const auto trees = static_cast<double>(prepared_->trees.size());
  std::fill_n(phi, count * m, 0.0);
  std::fill_n(prediction, count, 0.0);
  Scratch scratch;
  for (std::size_t first = 0; first < count; first += rows_at_once)
    for (std::size_t t = 0; t < prepared_->trees.size(); ++t)
      for (std::size_t i = first; i < std::min(first + rows_at_once, count); ++i)
        prepared_->add_values_of(t, rows + i * m, scratch, phi + i * m, prediction[i]);
  for (std::size_t k = 0; k < count * m; ++k) phi[k] /= trees;
  for (std::size_t i = 0; i < count; ++i) prediction[i] /= trees;
}

void Explainer::interactions(const float* rows, std::size_t count, double* upper) const {
  if (!prepared_->with_interactions) fail(Exit::internal, "this explainer was made without interactions");
  const std::size_t m = features(), row_pairs = pairs();
  const auto trees = static_cast<double>(prepared_->trees.size());
  std::vector<double> phi(rows_at_once * m), prediction(rows_at_once);
  std::fill_n(upper, count * row_pairs, 0.0);
  Scratch scratch;
  for (std::size_t first = 0; first < count; first += rows_at_once) {
    const std::size_t n = std::min(rows_at_once, count - first);
    explain(rows + first * m, n, phi.data(), prediction.data());
    for (std::size_t t = 0; t < prepared_->trees.size(); ++t)
      for (std::size_t i = first; i < first + n; ++i)
        prepared_->add_pairs_of(t, rows + i * m, scratch, upper + i * row_pairs);
    for (std::size_t i = 0; i < n; ++i) {
      double* row = upper + (first + i) * row_pairs;
      for (std::size_t k = 0; k < row_pairs; ++k) row[k] /= trees;
      for (std::size_t a = 0; a < m; ++a) {
        double rest = phi[i * m + a];
        for (std::size_t b = 0; b < m; ++b)
          if (b != a) rest -= row[pair_index(std::min(a, b), std::max(a, b), m)];
        row[pair_index(a, a, m)] = rest;
      }
    }
  }
}

void Explainer::explain_out_of_bag(const float* rows, std::size_t count, const std::vector<std::vector<bool>>& in_bag,
                                   std::size_t first_row, double* phi, double* prediction, double* expected) const {
  const std::size_t m = features();
  std::fill_n(phi, count * m, 0.0);
  std::fill_n(prediction, count, 0.0);
  std::fill_n(expected, count, 0.0);
  std::vector<double> used(count, 0);
  Scratch scratch;
  for (std::size_t t = 0; t < prepared_->trees.size(); ++t)
    for (std::size_t i = 0; i < count; ++i) {
      if (in_bag[t][first_row + i]) continue;
      prepared_->add_values_of(t, rows + i * m, scratch, phi + i * m, prediction[i]);
      expected[i] += prepared_->trees[t].expected;
      used[i] += 1;
    }
  for (std::size_t i = 0; i < count; ++i) {
    const double scale = used[i] > 0 ? 1 / used[i] : std::numeric_limits<double>::quiet_NaN();
    for (std::size_t f = 0; f < m; ++f) phi[i * m + f] *= scale;
    prediction[i] *= scale;
    expected[i] *= scale;
  }
}

namespace {

/// f(first, count) for blocks of rows, in parallel.
template <class F>
void for_row_blocks(std::size_t rows, int threads, F f) {
  parallel_for(static_cast<std::int64_t>((rows + rows_at_once - 1) / rows_at_once), threads, [&](std::int64_t b) {
    const std::size_t first = static_cast<std::size_t>(b) * rows_at_once;
    f(first, std::min(rows_at_once, rows - first));
  });
}

}  // namespace

Explanation explain(const Explainer& explainer, const FeatureRows& rows, int threads) {
  const std::size_t m = explainer.features();
  Explanation result{explainer.expected_value(), std::vector<double>(rows.rows * m), std::vector<double>(rows.rows)};
  for_row_blocks(rows.rows, threads, [&](std::size_t first, std::size_t count) {
    explainer.explain(rows.row(first), count, result.phi.data() + first * m, result.prediction.data() + first);
  });
  return result;
}

std::vector<double> explain_interactions(const Explainer& explainer, const FeatureRows& rows, int threads) {
  std::vector<double> result(rows.rows * explainer.pairs());
  for_row_blocks(rows.rows, threads, [&](std::size_t first, std::size_t count) {
    explainer.interactions(rows.row(first), count, result.data() + first * explainer.pairs());
  });
  return result;
}

Explanation explain_out_of_bag(const Explainer& explainer, const FeatureRows& rows,
                               const std::vector<std::vector<bool>>& in_bag, int threads) {
  const std::size_t m = explainer.features();
  Explanation result{explainer.expected_value(), std::vector<double>(rows.rows * m), std::vector<double>(rows.rows)};
  std::vector<double> expected(rows.rows);
  for_row_blocks(rows.rows, threads, [&](std::size_t first, std::size_t count) {
    explainer.explain_out_of_bag(rows.row(first), count, in_bag, first, result.phi.data() + first * m,
                                 result.prediction.data() + first, expected.data() + first);
  });
  return result;
}

}  // namespace cathoscope
