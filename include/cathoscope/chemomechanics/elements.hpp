#pragma once
/// The damage model in three dimensions: finite elements for lithium, electrons and displacement, an interface that
/// debonds. The same laws, protocol and results as the network (network.hpp).

#include <cathoscope/chemomechanics/mesh.hpp>
#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/io/h5.hpp>

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

/// Those of the network, with the ohmic drops of this geometry and K0 h/E_p, which should not pass 1 (a stiffer interface
/// makes tractions oscillate).
std::vector<DimensionlessGroup> dimensionless_groups(const ElementModel& model);

/// What a run tells while it goes on.
struct ElementObserver {
  /// After each accepted step, before the next half-cycle begins.
  std::function<void(const ElementState& state, const StepFacts& step, const ParticleRows& rows)> step;
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
/// bits as those of an uninterrupted run. Saves as run_network_in does. Fields are kept in `work`/fields at the end of each
/// half-cycle and at each tenth of the first and last charge.
ElementState run_elements_in(const std::filesystem::path& work, const std::string& key, const ElementModel& model,
                             const Context& context, double save_every_s = 60);

/// Adds the mesh (/mesh) and the kept fields (/frames: moments x nodes, or x cells; single precision) to a file of results.
/// Displacement and stress are NaN where the step needed no mechanics.
void write_element_results(const std::filesystem::path& fields_folder, const ElementModel& model, H5File& out);

/// For ParaView: chemomechanics_NNNN.vtu for each moment of a file of results, and chemomechanics.pvd with their times.
/// Returns how many. Throws Error{no_input} where the file is of a network, Error{data}.
std::size_t write_frames_vtk(const std::filesystem::path& h5, const std::filesystem::path& folder, Progress& progress);

}  // namespace cathoscope
