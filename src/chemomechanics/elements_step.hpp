#pragma once
/// One step of the finite elements: electrochemistry at frozen damage, then mechanics at the new content, then damage.

#include "electrochemistry.hpp"
#include "mechanics.hpp"
#include "protocol.hpp"

#include <cathoscope/chemomechanics/elements.hpp>

#include <optional>

namespace cathoscope::fem {

/// What a solver has done so far.
struct SolverWork {
  std::int64_t tries = 0;                                   ///< steps, taken or not
  std::int64_t chemistry_newton = 0, chemistry_linear = 0;  ///< iterations
  std::int64_t mechanics = 0;                               ///< tries that needed the displacement
  std::int64_t mechanics_newton = 0, mechanics_linear = 0;
  double chemistry_s = 0, mechanics_s = 0;  ///< processor time of the whole program meanwhile
};

/// Solver of a model, as HalfCycleSteps wants it. Holds nothing between steps that the state at the last refresh does
/// not determine.
class ElementSolver {
 public:
  ElementSolver(const ElementModel& model, ElementState& state, int threads);

  [[nodiscard]] NetworkState& state() { return state_.progress; }
  [[nodiscard]] const NetworkState& state() const { return state_.progress; }
  [[nodiscard]] const TimeConfig& time() const { return model_.laws.time; }
  [[nodiscard]] double remaining() const;
  [[nodiscard]] double longest() const;
  [[nodiscard]] double seconds(double step) const;
  bool try_step(double dt);
  [[nodiscard]] double damage_step() const { return trial_.damage_step; }
  [[nodiscard]] double surface_step() const { return trial_.surface_step; }
  [[nodiscard]] double beyond() const;
  [[nodiscard]] double beyond_now() const;
  [[nodiscard]] static double limit_tolerance() { return 1e-8; }
  void commit(double dt);
  [[noreturn]] void report() const;

  /// Drops what earlier steps left in the solver; due before a step whose number is a multiple of refresh_steps.
  void refresh();
  [[nodiscard]] double total_current() const;  ///< A of the mesh
  [[nodiscard]] double mean_content() const;
  [[nodiscard]] double lithium_error() const;
  [[nodiscard]] ParticleRows rows() const;
  [[nodiscard]] const SolverWork& work() const { return work_; }

 private:
  struct Trial {
    Unknowns z;
    Vector displacement, damage, opening;
    bool mechanics = false;
    double damage_step = 0, surface_step = 0;
    std::string failed;
    std::vector<double> residuals;
    std::int32_t worst_node = -1;
  };
  [[nodiscard]] bool may_open(const Unknowns& z) const;
  bool ran_out();
  template <class Report>
  bool accept(std::string_view what, const Report& report);
  bool step_mechanics();
  [[nodiscard]] const char* likely_cause() const;
  void soften_particles(const Unknowns& z);

  const ElementModel& model_;
  ElementState& state_;
  ElectrochemicalSystem chemistry_;
  Mechanics mechanics_;
  Vector pressure_;
  double misfit_stiffness_ = 0;
  Vector reference_damage_;
  bool prepared_ = false;
  Trial trial_;
  SolverWork work_;
};

Unknowns unknowns_of(const ElementState& state);

/// Linear eigenstrain of the particles by their content; holds references to all three.
Eigenstrain eigenstrain_of(const ElementModel& model, const ElectrochemicalSystem& chemistry, const Unknowns& z);
/// Moduli of every element; those of particles follow their content where they depend on it.
std::vector<Lame> materials_at(const ElementModel& model, const ElectrochemicalSystem& chemistry, const Unknowns& z);

}  // namespace cathoscope::fem
