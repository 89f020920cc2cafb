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
  const auto& s = solver.state();
  const auto& p = model.laws.protocol;
  if (is_rest(s.half)) return p.rest_s > 0 ? s.half_time_s / p.rest_s : 1;
  const double whole = std::abs(s.half_start_content - (s.half == HalfCycle::charge ? p.x_end : p.x_initial));
  return whole > 0 ? 1 - std::abs(solver.remaining()) / whole : 1;
}

void update_running(NetworkState& s, const ParticleRows& rows, double share) {
  auto& r = s.running;
  const auto d = moments_of(rows.damage);
  r.x_std_peak = std::max(r.x_std_peak, moments_of(rows.content).std);
  r.damage_std_peak = std::max(r.damage_std_peak, d.std);
  if (share <= 0.7 + 1e-9) r.damage_mean_70 = d.mean;
}

void summarise(NetworkState& s, const ParticleRows& rows, double lithium_error) {
  HalfCycleSummary r = s.running;
  r.cycle = s.cycle;
  r.half = s.half;
  r.time_s = s.time_s;
  r.voltage = s.voltage;
  r.x = rows.content;
  r.damage = rows.damage;
  const auto x = moments_of(r.x), d = moments_of(r.damage);
  r.x_mean = x.mean, r.x_std = x.std, r.x_range = x.range;
  r.damage_mean = d.mean, r.damage_std = d.std;
  r.damage_variation = variation_of_damage(r.damage);
  r.steps = s.half_steps;
  r.lithium_error = lithium_error;
  s.summaries.push_back(std::move(r));
}

void next_half(const ElementModel& model, const ElementSolver& solver, ElementState& state) {
  auto& s = state.progress;
  to_next_half(model.laws.protocol, s);
  s.half_time_s = 0;
  s.half_steps = 0;
  s.half_start_content = solver.mean_content();
  s.step_scale = model.laws.time.adaptive ? 0.1 : 1;
  s.running = {};
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
    if (stepped) update_running(s, rows, share_done(model, solver));
    const double rate = c_rate_of(model.laws.protocol, s.half) > 0 ? c_rate_of(model.laws.protocol, s.half) : 1;
    const StepFacts facts{
        s.half,       s.cycle, s.time_s, s.half_time_s * rate / 3600, whole_model(solver.total_current()),
        s.half_steps, over};
    if (over) {
      summarise(s, rows, solver.lithium_error());
      if (stepped && observer.step) observer.step(state, facts, rows);
      if (observer.half_over) observer.half_over(state, facts);
      next_half(model, solver, state);
      continue;
    }
    if (observer.step) observer.step(state, facts, rows);
  }
}

}  // namespace cathoscope
