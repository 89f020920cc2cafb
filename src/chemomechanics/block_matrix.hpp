#pragma once
/// Sparse matrices of 3x3 blocks, one row a node, and the vectors they act on. Every result has the same bits for any
/// number of threads: rows are independent, and sums go over blocks of fixed length in their order.

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace cathoscope::fem {

using Vector = std::vector<double>;
using Block = std::array<double, 9>;  ///< row-major

/// Rows are all nodes, or those in `row_node`. Columns ascend within a row.
struct BlockMatrix {
  std::vector<std::int32_t> row_node{};  ///< empty: row i belongs to node i
  std::vector<std::int64_t> start{0};
  std::vector<std::int32_t> column{};
  std::vector<Block> value{};

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(start.size()) - 1; }
  [[nodiscard]] std::int32_t node_of(std::int64_t row) const {
    return row_node.empty() ? static_cast<std::int32_t>(row) : row_node[static_cast<std::size_t>(row)];
  }
  /// Block (row, column of `node`); must exist.
  [[nodiscard]] Block& at(std::int64_t row, std::int32_t node);
};

/// Calls f(begin, end) for ranges that tile [0, count), on several threads where that pays.
void over_ranges(std::int64_t count, int threads, const std::function<void(std::int64_t, std::int64_t)>& f);

double dot(const Vector& a, const Vector& b, int threads);
double norm(const Vector& a, int threads);
/// y += s x
void add_scaled(Vector& y, double s, const Vector& x, int threads);

/// Bits 1, 2, 4 of a node: displacement along x, y, z is prescribed.
using FixedBits = std::vector<std::uint8_t>;
void clear_fixed(Vector& v, const FixedBits& fixed, int threads);

/// Sum of a matrix over all nodes and one over some of them (may be empty); rows of prescribed components give 0.
struct BlockOperator {
  const BlockMatrix* all = nullptr;
  const BlockMatrix* some = nullptr;
  const FixedBits* fixed = nullptr;
  int threads = 1;
  [[nodiscard]] std::size_t size() const { return fixed->size() * 3; }
  /// y = A x
  void apply(const Vector& x, Vector& y) const;
};

/// Rows of `matrix` by node; -1 where a node has none.
std::vector<std::int32_t> row_of_node(const BlockMatrix& matrix, std::size_t nodes);

struct SolveReport {
  int iterations = 0;
  double residual = 0;  ///< over `reference`
  bool converged = false;
  bool indefinite = false;  ///< a direction of negative curvature was met; x is what was reached before
};

/// Preconditioned conjugate gradients from the given x until |r| <= tolerance * reference.
SolveReport conjugate_gradients(const BlockOperator& a, const std::function<void(const Vector&, Vector&)>& precondition,
                                const Vector& b, Vector& x, double tolerance, double reference, int max_iterations);

}  // namespace cathoscope::fem
