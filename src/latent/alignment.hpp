#pragma once
/// Which latent of one code is which of another.

#include <cathoscope/latent/autoencoder.hpp>

#include <vector>

namespace cathoscope::latent_detail {

/// The assignment of columns to rows of a square gain matrix with the largest sum (Hungarian method, Kuhn 1955,
/// DOI 10.1002/nav.3800020109; shortest augmenting paths). result[row] = column.
std::vector<std::int64_t> best_assignment(const DataMatrix& gain);

/// Correlations of the columns of two matrices of equal rows. 0 where a column does not vary.
DataMatrix cross_correlations(const DataMatrix& a, const DataMatrix& b);

/// For each column of `a` the column of `b` that it is matched with by |correlation|, all different.
struct Matching {
  std::vector<std::int64_t> column;
  std::vector<double> correlation;  ///< signed
};
Matching matched_columns(const DataMatrix& a, const DataMatrix& b);

}  // namespace cathoscope::latent_detail
