#pragma once
/// Preconditioner of elasticity: quadratic elements to the linear ones on the same corners (exact interpolation), from
/// there on smoothed aggregation with rigid-body modes (Vanek, Mandel, Brezina 1996, DOI 10.1007/BF02238511) down to a
/// direct solve. Chebyshev polynomials smooth, so nothing depends on the order in which rows are visited.

#include "block_matrix.hpp"

#include <cathoscope/chemomechanics/mesh.hpp>

#include <memory>

namespace cathoscope::fem {

class Multilevel {
 public:
  /// `all` and `some` are copied only on coarse levels: they must outlive this object and stay as they are.
  Multilevel(const Mesh& mesh, const BlockMatrix& all, const BlockMatrix& some, const FixedBits& fixed, int threads);
  ~Multilevel();
  Multilevel(Multilevel&&) noexcept;
  Multilevel& operator=(Multilevel&&) noexcept;
  /// z = M^-1 r; symmetric and positive definite.
  void apply(const Vector& r, Vector& z) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace cathoscope::fem
