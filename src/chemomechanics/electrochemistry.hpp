#pragma once
/// Lithium in the particles, electrons in the binder, charge transfer between: one backward-Euler step by Newton's method
/// on everything at once. Unknowns: x = c / c_max at the nodes of the particles, the potential at the nodes of the
/// binder, and the potential of the collector, whose nodes share one unknown; its equation is the current, so that
/// equations of the potential add up to conservation of charge.

#include "block_matrix.hpp"

#include <cathoscope/chemomechanics/laws.hpp>
#include <cathoscope/chemomechanics/mesh.hpp>

#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace cathoscope::fem {

/// Current density and slopes at a point of the interface (InterfaceKinetics is one).
using Kinetics = std::function<InterfaceCurrent(double phi, double x, double w, Contact contact)>;

struct ElectrochemicalModel {
  Kinetics kinetics;
  Diffusivity diffusivity;
  double c_max = 49000;
  double sigma_high = 10, sigma_low = 0.1;  ///< S/m, at y < 0 and y > 0
  unsigned collector = y_low;               ///< bits of Face
};

/// What is imposed on the collector during a step.
struct Control {
  bool galvanostatic = true;
  double value = 0;  ///< A of the mesh (positive: charge), or V
};

struct ElectrochemicalReport {
  int iterations = 0;
  int linear_iterations = 0;
  double residual = 0;  ///< sum of the sizes of the equations over the reference current
  bool converged = false;
  std::int32_t worst_node = -1;  ///< of the mesh, where the residual is largest; -1: the collector
  std::vector<double> residuals;
};

/// Contents x, then potentials against the collector (which keep their digits where the drop is millivolts), then the
/// potential of the collector, V. See ElectrochemicalSystem for the numbering.
using Unknowns = Eigen::VectorXd;

class ElectrochemicalSystem {
 public:
  ElectrochemicalSystem(const Mesh& mesh, ElectrochemicalModel model);

  [[nodiscard]] Unknowns uniform(double x, double potential) const;
  [[nodiscard]] std::int64_t unknown_of(std::int32_t node) const { return unknown_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] double voltage(const Unknowns& z) const { return z[size_ - 1]; }
  /// Potential at a node of the binder, V.
  [[nodiscard]] double potential(const Unknowns& z, std::int32_t node) const {
    return voltage(z) + drop(z, unknown_of(node));
  }
  /// z moved by `length` times a change of contents and potentials, as derivatives() takes it.
  [[nodiscard]] Unknowns moved(const Unknowns& z, const Unknowns& change, double length) const;
  [[nodiscard]] std::int64_t size() const { return size_; }

  /// Advances z by dt (s). `damage` at the interface points stays as it is. z is left as it was unless converged.
  /// Converged when the sum of the sizes of all equations is within `tolerance` of the reference current (A).
  ElectrochemicalReport step(double dt, const Control& control, const Vector& damage, double tolerance,
                             double reference_current, Unknowns& z);
  /// Forgets factors of earlier steps: what follows depends on the arguments of step() alone.
  void forget();

  [[nodiscard]] Vector mean_content(const Unknowns& z) const;     ///< volume mean of each particle
  [[nodiscard]] Vector surface_content(const Unknowns& z) const;  ///< area mean of each particle
  [[nodiscard]] double total_content(const Unknowns& z) const;    ///< integral of x over all particles, m^3
  /// Integral of the current density over the interface, A; and by particle.
  [[nodiscard]] double interface_current(const Unknowns& z, const Vector& damage) const;
  /// Current that enters at the collector by the reactions of the potential, A.
  [[nodiscard]] double collector_current(const Unknowns& z) const;
  [[nodiscard]] double particle_volume() const { return volume_; }
  [[nodiscard]] const std::vector<Contact>& contacts() const { return contact_; }
  /// x at the interface points.
  [[nodiscard]] Vector content_at_points(const Unknowns& z) const;

  /// Equations at z after a step from z_old, and their derivatives by contents and potentials: for checks.
  [[nodiscard]] Unknowns equations(double dt, const Control& control, const Vector& damage, const Unknowns& z_old,
                                   const Unknowns& z);
  [[nodiscard]] Eigen::SparseMatrix<double, Eigen::RowMajor> derivatives(double dt, const Control& control,
                                                                         const Vector& damage, const Unknowns& z_old,
                                                                         const Unknowns& z);

 private:
  using Rows = Eigen::SparseMatrix<double, Eigen::RowMajor>;
  struct Preconditioner;

  [[nodiscard]] double drop(const Unknowns& z, std::int64_t unknown) const {
    return unknown == size_ - 1 ? 0 : z[unknown];
  }
  void number_unknowns();
  void make_pattern();
  void assemble_constant();
  void assemble_diffusion(const Unknowns& z);
  void combine(double dt);
  [[nodiscard]] InterfaceCurrent current_at(const Facet& facet, const std::array<double, 6>& shape, const Unknowns& z,
                                            double damage, Contact contact) const;
  /// Adds the interface to the equations, and to the Jacobian and its symmetric neighbour where asked.
  void add_interface(const Vector& damage, const Unknowns& z, Unknowns& equations, Rows* jacobian, Rows* symmetric,
                     const Vector& slope_of_particle) const;
  void evaluate(double dt, const Control& control, const Vector& damage, const Unknowns& z_old, const Unknowns& z,
                Unknowns& equations, Rows* jacobian) const;
  void build_preconditioner(const Control& control, const Vector& damage, const Unknowns& z);
  Vector slopes_of_particles(const Vector& damage, const Unknowns& z) const;

  const Mesh& mesh_;
  ElectrochemicalModel model_;
  std::vector<std::int64_t> unknown_;      // of each node
  std::vector<std::int32_t> particle_of_;  // of each unknown of content
  std::int64_t contents_ = 0;
  std::int64_t size_ = 0;
  double volume_ = 0;
  std::vector<Contact> contact_;
  Rows pattern_, mass_, diffusion_, conduction_, linear_;
  std::vector<Eigen::Index> interface_entry_;  // of pattern_, by facet, row and column
  double dt_ = 0;                              // that linear_ was combined for
  std::shared_ptr<Preconditioner> preconditioner_;
};

/// Biconjugate gradients, stabilised, from x = 0. Returns the number of iterations, or -1 where it broke down.
int bicgstab(const std::function<Unknowns(const Unknowns&)>& a,
             const std::function<Unknowns(const Unknowns&)>& precondition, const Unknowns& b, Unknowns& x,
             double tolerance, int max_iterations);

}  // namespace cathoscope::fem
