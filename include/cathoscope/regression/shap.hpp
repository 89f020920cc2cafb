#pragma once
/// Shapley values of a forest's predictions, exact and in double precision (Lundberg et al. 2020,
/// DOI 10.1038/s42256-019-0138-9, for the two games; Gauss-Legendre quadrature for the sums: Wettenstein, Mitchell, Yu,
/// arXiv:2605.04497).

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace cathoscope {

struct ShapOptions {
  bool interactions = false;  ///< prepare interaction values too
  /// Absent features: nullptr = follow the training rows' shares at each split (path-dependent); else take their values
  /// from these rows, all in turn (interventional). Must have the forest's features; at least one row.
  const FeatureRows* background = nullptr;
  /// Most bytes for pattern tables (values; as much again for interactions). Trees that do not fit are traversed row by
  /// row. Results of the two agree to rounding. 0: traverse every tree.
  std::size_t table_bytes = std::size_t{64} << 20;
};

/// A forest prepared for explanation. Cheap to copy; const functions may be called from several threads.
class Explainer {
 public:
  /// `forest` must have passed validate(). Throws Error{data} for a background without rows or of other features.
  Explainer(const Forest& forest, const ShapOptions& options, int threads);

  [[nodiscard]] std::size_t features() const;
  /// Length of a row of interactions: features (features + 1) / 2.
  [[nodiscard]] std::size_t pairs() const;
  [[nodiscard]] std::size_t trees_in_tables() const;
  /// What a row of which nothing is known is expected to be: expected_value + sum of its values = prediction.
  [[nodiscard]] double expected_value() const;

  /// `count` rows of features() float32 -> phi[count * features()], prediction[count].
  void explain(const float* rows, std::size_t count, double* phi, double* prediction) const;
  /// -> upper[count * pairs()]: upper triangle, row-major. Entry a:b (a != b) is half of the Shapley interaction index,
  /// as in shap; entry a:a is what is left of a's value. The full symmetric matrix sums to prediction - expected value.
  void interactions(const float* rows, std::size_t count, double* upper) const;

  /// As explain, but by the trees that have not seen the row: row i of the call is row first_row + i of `in_bag`.
  /// Rows that every tree has seen get NaN. Additive against the expected value of the same trees, which is written
  /// too.
  void explain_out_of_bag(const float* rows, std::size_t count, const std::vector<std::vector<bool>>& in_bag,
                          std::size_t first_row, double* phi, double* prediction, double* expected) const;

  struct Prepared;  ///< private to the implementation

 private:
  std::shared_ptr<const Prepared> prepared_;
};

struct Explanation {
  double expected_value = 0;
  std::vector<double> phi;         ///< [row][feature]
  std::vector<double> prediction;  ///< [row]
};

/// All rows, in parallel blocks; the same bits for any number of threads.
Explanation explain(const Explainer& explainer, const FeatureRows& rows, int threads);
/// [row][pair]
std::vector<double> explain_interactions(const Explainer& explainer, const FeatureRows& rows, int threads);
/// Out-of-bag values of the training rows.
Explanation explain_out_of_bag(const Explainer& explainer, const FeatureRows& rows,
                               const std::vector<std::vector<bool>>& in_bag, int threads);

/// Place of the pair (a, b), a <= b, in the upper triangle.
constexpr std::size_t pair_index(std::size_t a, std::size_t b, std::size_t features) {
  return a * features - a * (a + 1) / 2 + b;
}

}  // namespace cathoscope
