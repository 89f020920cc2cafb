#pragma once
/// The linear part: standardised rows, correlations of columns, principal axes, groups of columns.

#include <cathoscope/latent/latent.hpp>

#include <vector>

namespace cathoscope::latent_detail {

/// A square matrix, row by row.
using SquareMatrix = DataMatrix;

/// Sum and sum of products of rows; added in blocks of fixed size, so that threads cannot show.
ColumnScale column_scale(const DataMatrix& values, int threads);

/// (value - mean) / sd of each column.
DataMatrix standardised(const DataMatrix& values, const ColumnScale& scale, int threads);

/// x'x / rows, over the rows in `index` (empty: all). Streamed: needs no copy of the rows.
SquareMatrix second_moments(const DataMatrix& x, const std::vector<std::int64_t>& index, int threads);

/// Mean of matrices.
SquareMatrix mean_of(const std::vector<SquareMatrix>& matrices);

/// The first `count` eigenvectors by falling eigenvalue, columns x count; the largest element of each is positive.
DataMatrix principal_axes(const SquareMatrix& moments, std::int64_t count);

/// Columns sorted into `count` groups that each have one common direction: starting from single columns, those two
/// groups are joined whose first eigenvalue falls least short of the sum of both (Vigneau and Qannari 2003,
/// DOI 10.1081/SAC-120023882), then columns move to the group whose direction they correlate with most, until none does.
struct ColumnGroups {
  std::vector<std::int64_t> group;  ///< [column]
  DataMatrix direction;             ///< columns x count: first eigenvector of each group, 0 elsewhere
};
ColumnGroups column_groups(const SquareMatrix& moments, std::int64_t count);

/// Least squares x ~ (x A) C: latents x columns, from the moments alone.
DataMatrix regression_on_codes(const SquareMatrix& moments, const DataMatrix& a);

/// The order of codes in which each next one adds most to what a linear map from them explains of the columns, from
/// the moments of codes (k x k) and their products with the columns (k x d).
struct ExplainedOrder {
  std::vector<std::int64_t> order;
  std::vector<double> explained;  ///< sum over columns of variance explained by the first 1, 2, ... of them
};
ExplainedOrder explained_order(const SquareMatrix& codes, const DataMatrix& products, bool keep_order);

}  // namespace cathoscope::latent_detail
