/// From a configuration to a network; its dimensionless groups; what a row of the results says.
#include <cathoscope/chemomechanics/network.hpp>

#include "network_step.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>

namespace cathoscope {

namespace {

Feedback feedback_of(const std::string& name) {
  if (name == "none") return Feedback::none;
  if (name == "scale_all") return Feedback::scale_all;
  if (name == "multiply") return Feedback::multiply;
  if (name == "film") return Feedback::film;
  return Feedback::reversion;
}

CohesiveLaw cohesive_of(const CohesiveConfig& c) {
  return {c.strength_MPa * 1e6, c.toughness_J_m2, c.stiffness_Pa_m, c.S, c.C_f, c.p, c.cyclic};
}

std::vector<NetworkParticle> particles_of(const ChemomechanicsGeometryConfig& g, std::uint64_t seed) {
  std::vector<NetworkParticle> particles;
  for (std::int64_t k = 0; k < g.particles; ++k) {
    NetworkParticle p{g.radius_um * 1e-6, 0, 0};
    if (g.coverage.distribution == "list")
      p.coverage = g.coverage.values.at(static_cast<std::size_t>(k));
    else
      p.coverage = Stream(seed, {"chemomechanics", "coverage"}, static_cast<std::uint64_t>(k))
                       .uniform(g.coverage.low, g.coverage.high);
    particles.push_back(p);
  }
  return particles;
}

}  // namespace

NetworkModel network_of(const ChemomechanicsConfig& c, std::uint64_t seed) {
  const auto& m = c.materials;
  NetworkModel model;
  if (!c.geometry.particles_from) model.particles = particles_of(c.geometry, seed);
  model.kinetics.charge_transfer = {c.kinetics.i00_A_m2, c.kinetics.temperature_K};
  model.kinetics.feedback = {feedback_of(c.kinetics.feedback), c.kinetics.chi, c.kinetics.film_ohm_m2};
  model.rho_high = c.geometry.ohmic_path_um * 1e-6 / m.sigma_high_S_m;
  model.rho_low = c.geometry.ohmic_path_um * 1e-6 / m.sigma_low_S_m;
  model.strain = {m.a1, m.a2, m.xs, m.ws, c.protocol.x_initial};
  model.diffusivity = {m.diffusivity_m2_s, m.diffusivity_law == "oregan2022"};
  model.modulus = {m.particle_GPa * 1e9, m.particle_modulus_slope, c.protocol.x_initial};
  model.particle_nu = m.particle_nu;
  model.binder_modulus = m.binder_GPa * 1e9;
  model.binder_nu = m.binder_nu;
  model.cohesive = cohesive_of(c.cohesive);
  model.c_max = m.c_max_mol_m3;
  model.protocol = c.protocol;
  model.time = c.time;
  model.cells = static_cast<int>(c.radial_cells);
  return model;
}

std::vector<DimensionlessGroup> dimensionless_groups(const NetworkModel& model) {
  const double radius = 3 * model.volume() / model.area();  // mean by area
  const double t_full = 3600 / model.protocol.charge_C;
  const double i = model.current(model.protocol.charge_C) / model.area();
  const double v = model.kinetics.charge_transfer.thermal_voltage();
  const double k_s = misfit_stiffness(model.modulus.at_start, model.particle_nu, model.binder_modulus, model.binder_nu);
  const auto& law = model.cohesive;
  const double e_end = std::abs(model.strain(model.protocol.x_end)) / 3;
  const double slope = std::abs(model.kinetics.open_circuit.derivative(0.5));
  return {
      {"Pi_D", radius * radius / (3 * model.diffusivity.constant * t_full),
       "diffusion: twice the difference of x between surface and centre"},
      {"Pi_ct", i / model.kinetics.charge_transfer.i00, "load on the charge transfer, i / i00"},
      {"chi", model.kinetics.feedback.chi, "exchange current of the poor contact over the good one"},
      {"Pi_U", slope / (2 * v), "F |U'(1/2)| / 2RT: how hard the open-circuit voltage holds contents together"},
      {"Pi_s_high", i * model.rho_high / v, "ohmic drop in the good binder over RT/F"},
      {"Pi_s_low", i * model.rho_low / v, "ohmic drop in the poor binder over RT/F"},
      {"Pi_e", k_s * e_end / law.strength, "overload of the bonded interface at the end of charge"},
      {"Pi_st", law.strength / (law.failure() - law.onset()) / (k_s / radius),
       "steepness of softening over stiffness around it; from 1 on debonding snaps"},
      {"E_p/E_m", model.modulus.at_start / model.binder_modulus, "stiffness of particle over binder"},
      {"S", law.S, "cyclic law: accumulated opening to failure"},
      {"C_f", law.C_f, "cyclic law: endurance"},
  };
}

ParticleRows particle_rows(const NetworkModel& model, const NetworkState& state) {
  ParticleRows rows;
  const auto cells = static_cast<std::size_t>(model.cells);
  std::vector<double> strain(cells);
  for (std::size_t k = 0; k < model.particles.size(); ++k) {
    const double* x = state.content.data() + k * cells;
    for (std::size_t j = 0; j < cells; ++j) strain[j] = model.strain(x[j]);
    const double mean = shell_mean(x, model.cells), surface = state.surface[k], w = state.damage[k];
    const double f = model.particles[k].coverage;
    rows.content.push_back(mean);
    rows.damage.push_back(w);
    rows.hoop_MPa.push_back(largest_hoop_stress(strain, model.strain(surface), model.modulus(mean), model.particle_nu) *
                            1e-6);
    rows.resistance.push_back(f * model.kinetics.resistance(surface, w, Contact::high, model.rho_high) +
                              (1 - f) * model.kinetics.resistance(surface, w, Contact::low, model.rho_low));
  }
  return rows;
}

}  // namespace cathoscope
