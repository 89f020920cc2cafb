#pragma once
/// Equilibrium of particles, binder and interface under an eigenstrain: Newton's method with the consistent tangent.

#include "elasticity.hpp"
#include "interface.hpp"
#include "multilevel.hpp"

#include <cathoscope/chemomechanics/laws.hpp>

#include <optional>

namespace cathoscope::fem {

struct NewtonReport {
  int iterations = 0;
  int linear_iterations = 0;
  double residual = 0;  ///< over the norm of the load
  bool converged = false;
  bool used_secant = false;  ///< the tangent was not positive definite somewhere on the way
  std::vector<double> residuals;
  std::int32_t worst_node = -1;  ///< where the residual is largest; -1 where it converged
};

/// One body: what stays the same from step to step.
class Mechanics {
 public:
  Mechanics(const Mesh& mesh, std::vector<Lame> lame, const CohesiveLaw& law, FixedBits fixed, int threads);

  [[nodiscard]] const Mesh& mesh() const { return mesh_; }
  [[nodiscard]] const FixedBits& fixed() const { return fixed_; }
  [[nodiscard]] const std::vector<Lame>& lame() const { return lame_; }
  [[nodiscard]] const CohesiveLaw& law() const { return law_; }
  /// Replaces the moduli: assembles anew.
  void set_materials(std::vector<Lame> lame);
  [[nodiscard]] Vector load_of(const Eigenstrain& eigenstrain) const;

  /// Builds the preconditioner for the interface with this damage (open, on its unloading line).
  void prepare(const Vector& damage);
  /// Solves K u + f_interface(u, damage) = load for u, whose prescribed components are kept. Damage is not changed:
  /// what it becomes follows from u. Converged when |residual| <= tolerance * |load|.
  NewtonReport solve(const Vector& load, const Vector& damage, double tolerance, Vector& u);
  /// K u + f_interface - load: reactions at prescribed components.
  [[nodiscard]] Vector residual(const Vector& load, const Vector& damage, const Vector& u);
  [[nodiscard]] std::size_t bytes() const;

 private:
  void evaluate(const Vector& load, const Vector& damage, const Vector& u, InterfaceStiffness kind, Vector& residual);

  const Mesh& mesh_;
  std::vector<Lame> lame_;
  CohesiveLaw law_;
  FixedBits fixed_;
  int threads_;
  Incidence incidence_;
  BlockMatrix bulk_;
  BlockMatrix interface_;
  std::optional<Multilevel> preconditioner_;
};

}  // namespace cathoscope::fem
