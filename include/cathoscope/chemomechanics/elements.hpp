#pragma once
/// The damage model in three dimensions: finite elements for lithium, electrons and displacement, an interface that
/// debonds. The same laws, protocol and results as the network (network.hpp).

#include <cathoscope/chemomechanics/mesh.hpp>
#include <cathoscope/chemomechanics/network.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

/// Everything that does not change in time. `laws` has a particle for each of the mesh: its effective radius (3 volume /
/// interface area) and the share of its interface at y < 0, where the binder conducts well.
struct ElementModel {
  fem::Mesh mesh;
  NetworkModel laws;
  double sigma_high = 10, sigma_low = 0.1;  ///< S/m
  std::string mechanical = "all_rollers";
  double stack_pressure = 0;  ///< Pa, on the face y high where it is free
  /// Of displacement, over the load; and of the currents, over that of 1 C.
  double mechanical_tolerance = 1e-6;
  double current_tolerance = 1e-8;
};

/// The model that a configuration describes: spheres in a row, or the mesh of a file. Throws Error{config}, Error{data}.
ElementModel elements_of(const ChemomechanicsConfig& config, std::uint64_t seed);
/// With a mesh of one's own.
ElementModel elements_on(fem::Mesh mesh, const ChemomechanicsConfig& config);

/// Everything that changes in time, and all that is needed to go on with identical bits from a step whose number in its
/// half-cycle is a multiple of `refresh_steps`, where the solver starts afresh.
struct ElementState {
  NetworkState progress;             ///< where in the protocol; its fields by particle are empty
  std::vector<double> unknowns;      ///< contents and potentials
  std::vector<double> displacement;  ///< m, by node
  std::vector<double> damage;        ///< of each interface point
  std::vector<double> opening;       ///< m, of each interface point, where mechanics was last solved in this charge
  bool mechanics_known = false;      ///< displacement belongs to the present content
};
inline constexpr std::int64_t refresh_steps = 16;

ElementState initial_state(const ElementModel& model);

/// Fields at the nodes of the mesh, for ParaView: x, potential_V, displacement_um, damage; by cell: hydrostatic_MPa.
struct ElementFields {
  std::vector<fem::NamedField> nodes;
  std::vector<fem::NamedField> cells;
};
ElementFields fields_of(const ElementModel& model, const ElementState& state);

/// What a run tells while it goes on.
struct ElementObserver {
  /// After each accepted step.
  std::function<void(const ElementState& state, const StepFacts& step, const ParticleRows& rows)> step;
  /// At the end of each half-cycle, before the next begins.
  std::function<void(const ElementState& state, const StepFacts& step)> half_over;
  /// Where the solver starts afresh: a run may go on from this state and gives the same bits.
  std::function<void(const ElementState& state)> refresh;
};

/// Advances `state` to the end of the protocol. Throws as run_network does; the report of a failure says where Newton's
/// method failed, its residuals, the worst place and a likely cause. Bits do not depend on context.threads.
/// hoop_MPa of the rows is the largest principal stress at the middle of an element of the particle; NaN where the step
/// needed no mechanics.
void run_elements(const ElementModel& model, ElementState& state, const ElementObserver& observer,
                  const Context& context);

/// Runs in `work`, going on from what an earlier run with the same key left there; the files of the result have the same
/// bits as those of an uninterrupted run. Saves as run_network_in does. Fields at the end of each half-cycle of the first
/// and last cycle go to `work`/fields as .vtu.
ElementState run_elements_in(const std::filesystem::path& work, const std::string& key, const ElementModel& model,
                             const Context& context, double save_every_s = 60);

}  // namespace cathoscope
