#pragma once
/// Smoothed aggregation on scalar sparse matrices whose unknowns are grouped into nodes.

#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>

#include <cstdint>
#include <memory>
#include <vector>

namespace cathoscope::fem {

using SparseRows = Eigen::SparseMatrix<double, Eigen::RowMajor>;

/// A level: unknowns of node i are [first[i], first[i + 1]); nodes of different domains never share an aggregate.
struct AggregationInput {
  SparseRows a;
  std::vector<int> first;
  std::vector<int> domain;
  Eigen::MatrixXd modes;  ///< what costs no energy, a column each
};

/// V-cycle down to a direct solve.
class Aggregation {
 public:
  explicit Aggregation(AggregationInput input);
  void solve(const Eigen::VectorXd& r, Eigen::VectorXd& z) const { cycle(0, r, z); }
  [[nodiscard]] std::size_t levels() const { return levels_.size() + 1; }

 private:
  struct Level {
    SparseRows a;
    SparseRows prolong;
    Eigen::VectorXd inverse_diagonal;
    double bound = 0;  // of the spectrum of D^-1 A
  };
  void cycle(std::size_t level, const Eigen::VectorXd& r, Eigen::VectorXd& z) const;
  std::vector<Level> levels_;
  std::unique_ptr<Eigen::SimplicialLLT<Eigen::SparseMatrix<double>>> direct_;
};

}  // namespace cathoscope::fem
