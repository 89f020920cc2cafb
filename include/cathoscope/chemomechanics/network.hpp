#pragma once
/// Mean-field network: particles in parallel at one potential of the collector, each a sphere resolved in shells, each
/// with one damage variable of its interface. Equations, reference values and limits: docs/chemomechanics.md.

#include <cathoscope/chemomechanics/config.hpp>
#include <cathoscope/chemomechanics/laws.hpp>
#include <cathoscope/core/progress.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cathoscope {

struct NetworkParticle {
  double radius = 0;    ///< m
  double coverage = 0;  ///< share of the surface on highly conductive binder
  double depth = 0;     ///< m from the collector; counts where the model has a depth potential
};

/// Potential along the depth of an electrode whose reaction is uniform: phi(z) = V - j (z - z^2/(2 L)) / sigma.
struct DepthPotential {
  double thickness = 0;      ///< L, m
  double conductivity = 0;   ///< sigma, S/m
  double cross_section = 0;  ///< m^2, for j = I / cross_section; 0 = every particle sees V
};

/// Everything that does not change in time.
struct NetworkModel {
  std::vector<NetworkParticle> particles;
  InterfaceKinetics kinetics;
  double rho_high = 0;  ///< ohmic resistance of the path through each binder, ohm m^2 of interface
  double rho_low = 0;
  VolumeStrain strain;
  Diffusivity diffusivity;
  ParticleModulus modulus;
  double particle_nu = 0.3;
  double binder_modulus = 2e9;
  double binder_nu = 0.3;
  CohesiveLaw cohesive;
  double c_max = 49000;
  DepthPotential depth;
  ProtocolConfig protocol;
  TimeConfig time;
  int cells = 40;

  [[nodiscard]] double volume() const;  ///< of all particles, m^3
  [[nodiscard]] double area() const;    ///< of all interfaces, m^2
  /// A, positive on charge: C F c_max volume / 3600 s.
  [[nodiscard]] double current(double c_rate) const;
};

/// The network that a configuration describes, without measured particles. `seed` draws coverages, if they are drawn.
NetworkModel network_of(const ChemomechanicsConfig& config, std::uint64_t seed);

/// Dimensionless groups that decide the behaviour (docs/chemomechanics.md), for the mean radius.
struct DimensionlessGroup {
  std::string name;
  double value = 0;
  std::string meaning;
};
std::vector<DimensionlessGroup> dimensionless_groups(const NetworkModel& model);

enum class HalfCycle : std::int64_t { charge = 0, rest_charged = 1, discharge = 2, rest_discharged = 3 };
/// "charge", "rest", "discharge".
const char* name_of(HalfCycle half);

/// What is known at the end of a half-cycle; standard deviations are those of the population.
struct HalfCycleSummary {
  std::int64_t cycle = 0;
  HalfCycle half = HalfCycle::charge;
  double time_s = 0;
  double voltage = 0;
  double x_mean = 0;  ///< mean over particles, each counting once
  double x_std = 0;
  double x_range = 0;
  double x_std_peak = 0;  ///< largest within the half-cycle
  double damage_mean = 0;
  double damage_std = 0;
  double damage_std_peak = 0;
  double damage_variation = 0;  ///< std / mean of -ln(1 - D); NaN while the mean is 0, or where a D reached 1
  double damage_mean_70 = 0;    ///< mean damage when 70 % of the lithium that the protocol plans had moved
  double lithium_error = 0;     ///< |lithium lost - charge passed / F| since the start, over c_max volume
  std::int64_t steps = 0;
  std::vector<double> x;  ///< by particle
  std::vector<double> damage;
};

/// Everything that changes in time, and all that is needed to go on with identical bits.
struct NetworkState {
  std::int64_t cycle = 1;
  HalfCycle half = HalfCycle::charge;
  bool finished = false;
  double time_s = 0;
  double half_time_s = 0;
  double half_start_content = 0;  ///< mean content when the half-cycle began
  double step_scale = 1;          ///< of the longest step
  std::int64_t half_steps = 0;
  double voltage = 0;
  double charge_passed = 0;     ///< integral of I dt, C
  double initial_content = 0;   ///< mean content at the start, by volume
  std::vector<double> content;  ///< x by particle and shell, centre first
  std::vector<double> surface;  ///< x at the surface
  std::vector<double> current;  ///< A/m^2
  std::vector<double> damage;
  std::vector<double> opening;  ///< m
  HalfCycleSummary running;     ///< of the half-cycle under way
  std::vector<HalfCycleSummary> summaries;
};

NetworkState initial_state(const NetworkModel& model);

/// An accepted step. The state may already stand at the start of the next half-cycle.
struct StepFacts {
  HalfCycle half = HalfCycle::charge;
  std::int64_t cycle = 1;
  double time_s = 0;
  double tau = 0;         ///< time in the half-cycle times C / 3600; on rest in hours
  double current_A = 0;   ///< of the whole model, positive on charge
  std::int64_t step = 0;  ///< of the half-cycle, from 1
  bool last_of_half = false;
};
using NetworkObserver = std::function<void(const NetworkState& state, const StepFacts& step)>;

/// Advances `state` to the end of the protocol, step by step; it always is the state after the last accepted step.
/// Throws Error{not_converged} with a report (where, worst particle, residuals, what to change) where even the shortest
/// step fails; Error{interrupted} between steps. Bits do not depend on context.threads.
void run_network(const NetworkModel& model, NetworkState& state, const NetworkObserver& observer,
                 const Context& context);

/// Values a row of the results has for each particle.
struct ParticleRows {
  std::vector<double> content;  ///< volume mean of x
  std::vector<double> damage;
  std::vector<double> hoop_MPa;    ///< largest tangential stress of the free sphere with its profile of lithium
  std::vector<double> resistance;  ///< area mean of R T / (F i0) + series resistance, ohm m^2
};
ParticleRows particle_rows(const NetworkModel& model, const NetworkState& state);

/// Largest tangential stress (Pa) in a free sphere with volume strain `strain` in `shells` of equal thickness and `at_surface`
/// on its surface: E/(9 (1 - nu)) (2 av(R) + av(r) - 3 eV(r)), av(r) the mean within r (Zhang et al. (2007), DOI
/// 10.1149/1.2759840, for any strain).
double largest_hoop_stress(const std::vector<double>& strain, double at_surface, double modulus, double nu);

/// Diffusion in one sphere over one backward-Euler step, linear in the current density i through its surface:
/// x = g - i h in the shells, surface = surface_g - i surface_h. Diffusivity is taken at the start of the step.
struct RadialStep {
  std::vector<double> g, h;
  double surface_g = 0;
  double surface_h = 0;
};
void radial_step(const double* content, int cells, double radius, double c_max, const Diffusivity& diffusivity,
                 double dt, RadialStep& out);

/// Mean over a sphere of values in shells of equal thickness.
double shell_mean(const double* values, int cells);

}  // namespace cathoscope
