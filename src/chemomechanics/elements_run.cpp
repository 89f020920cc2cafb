/// The finite elements through the protocol.
#include "elements_step.hpp"

#include <cathoscope/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope {

using namespace chemo;
using fem::ElementSolver;

namespace {

double whole_model(double of_mesh) { return 2 * of_mesh; }  // z = 0 is a mirror plane

double share_done(const ElementModel& model, const ElementSolver& solver) {
  return share_done_of(model.laws.protocol, solver.state(), solver.mean_content());
}

void next_half(const ElementModel& model, const ElementSolver& solver, ElementState& state) {
  auto& s = state.progress;
  begin_next_half(model.laws.protocol, model.laws.time, solver.mean_content(), s);
  // A charge begins from closed interfaces: what was open before is no guess for it, and growth counts from zero.
  if (s.half != HalfCycle::charge) return;
  std::fill(state.displacement.begin(), state.displacement.end(), 0.0);
  std::fill(state.opening.begin(), state.opening.end(), 0.0);
}

}  // namespace

ElementModel elements_on(fem::Mesh mesh, const ChemomechanicsConfig& config) {
  ElementModel m;
  m.mesh = std::move(mesh);
  if (m.mesh.particles == 0 || m.mesh.interface.empty())
    fail(Exit::data, "mesh: there is no interface between a particle and the binder");
  auto plain = config;
  plain.geometry.particles_from.reset();
  plain.geometry.coverage.distribution = "list";
  plain.geometry.coverage.values.assign(static_cast<std::size_t>(plain.geometry.particles), 0.5);
  m.laws = network_of(plain, 0);
  m.laws.cells = 1;
  m.laws.particles.clear();
  const auto q = fem::mesh_quality(m.mesh);
  for (std::size_t p = 0; p < q.particle_volume.size(); ++p) {
    if (!(q.particle_area[p] > 0)) fail(Exit::data, "mesh: particle {} touches no binder", p + 1);
    m.laws.particles.push_back({3 * q.particle_volume[p] / q.particle_area[p], q.low_side_share[p], 0});
  }
  m.sigma_high = config.materials.sigma_high_S_m;
  m.sigma_low = config.materials.sigma_low_S_m;
  m.mechanical = config.boundary.mechanical;
  m.stack_pressure = config.boundary.stack_pressure_MPa * 1e6;
  return m;
}

ElementModel elements_of(const ChemomechanicsConfig& config, std::uint64_t seed) {
  const auto order = static_cast<int>(config.mesh.order);
  if (config.mesh.file)
    return elements_on(fem::make_mesh(fem::read_msh(std::filesystem::path(config.mesh.file->resolved)), order), config);
  std::vector<double> coverage;
  for (const auto& p : network_of(config, seed).particles) coverage.push_back(p.coverage);
  return elements_on(fem::sphere_mesh(fem::sphere_row(config.geometry.radius_um * 1e-6, config.geometry.spacing,
                                                      coverage, config.mesh.h_over_R, order)),
                     config);
}

std::vector<DimensionlessGroup> dimensionless_groups(const ElementModel& model) {
  auto groups = dimensionless_groups(model.laws);
  const auto& laws = model.laws;
  const double drop = laws.current(laws.protocol.charge_C) / laws.area() * 3 * laws.volume() / laws.area() /
                      laws.kinetics.charge_transfer.thermal_voltage();
  double volume = 0;
  for (std::size_t t = 0; t < model.mesh.tets.size(); ++t) volume += model.mesh.volume(t);
  // A cube of the lattice is cut into six tetrahedra.
  const double h = std::cbrt(6 * volume / static_cast<double>(model.mesh.tets.size()));
  for (auto& g : groups) {
    if (g.name == "Pi_s_high") g.value = drop / model.sigma_high;
    if (g.name == "Pi_s_low") g.value = drop / model.sigma_low;
    if (g.name.starts_with("Pi_s_")) g.meaning += ", for a path of one radius";
  }
  groups.push_back({"K0 h/E_p", laws.cohesive.stiffness * h / laws.modulus.at_start,
                    "stiffness of the bonded interface over that of an element of the particle"});
  return groups;
}

ElementState initial_state(const ElementModel& model) {
  ElementState s;
  const double x0 = model.laws.protocol.x_initial;
  const fem::ElectrochemicalSystem chemistry(model.mesh, {});
  const double voltage = model.laws.kinetics.open_circuit(x0);
  const auto z = chemistry.uniform(x0, voltage);
  s.unknowns.assign(z.data(), z.data() + z.size());
  s.displacement.assign(3 * model.mesh.nodes.size(), 0);
  s.damage.assign(fem::interface_points(model.mesh), 0);
  s.opening.assign(s.damage.size(), 0);
  s.progress.voltage = voltage;
  s.progress.initial_content = s.progress.half_start_content = x0;
  s.progress.step_scale = model.laws.time.adaptive ? 0.1 : 1;
  return s;
}

void run_elements(const ElementModel& model, ElementState& state, const ElementObserver& observer,
                  const Context& context) {
  auto& s = state.progress;
  context.progress.begin("finite elements", 1000 * static_cast<std::uint64_t>(model.laws.protocol.cycles));
  ElementSolver solver(model, state, context.threads);
  std::uint64_t shown = 0;
  while (!s.finished) {
    const double done =
        static_cast<double>(s.cycle - 1) + 0.5 * (share_done(model, solver) + (s.half >= HalfCycle::discharge ? 1 : 0));
    const auto now = static_cast<std::uint64_t>(1000 * std::max(0.0, done));
    if (now > shown) context.progress.advance(now - shown);
    shown = std::max(shown, now);
    context.progress.check_stop();
    if (s.half_steps % refresh_steps == 0) {
      solver.refresh();
      if (observer.refresh) observer.refresh(state);
    }
    const auto steps = s.half_steps;
    HalfCycleSteps<ElementSolver> half(solver);
    const bool over = half.advance();
    const bool stepped = s.half_steps > steps;
    const auto rows = solver.rows();
    if (stepped) follow_peaks(s, rows.content, rows.damage, share_done(model, solver));
    const StepFacts facts{
        s.half,       s.cycle, s.time_s, tau_of(model.laws.protocol, s), whole_model(solver.total_current()),
        s.half_steps, over};
    if (over) {
      summarise(s, rows.content, rows.damage, solver.lithium_error());
      if (stepped && observer.step) observer.step(state, facts, rows);
      next_half(model, solver, state);
      continue;
    }
    if (observer.step) observer.step(state, facts, rows);
  }
}

}  // namespace cathoscope
