#include "elements_step.hpp"

#include <cathoscope/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

ElectrochemicalModel chemistry_of(const ElementModel& m) {
  ElectrochemicalModel e;
  e.kinetics = [kinetics = m.laws.kinetics](double phi, double x, double w, Contact contact) {
    return kinetics(phi, x, w, contact);
  };
  e.diffusivity = m.laws.diffusivity;
  e.c_max = m.laws.c_max;
  e.sigma_high = m.sigma_high;
  e.sigma_low = m.sigma_low;
  return e;
}

double processor_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<Lame> lame_at_start(const ElementModel& m) {
  return materials_of(m.mesh, lame_of(m.laws.modulus.at_start, m.laws.particle_nu),
                      lame_of(m.laws.binder_modulus, m.laws.binder_nu));
}

/// Largest eigenvalue of a symmetric 3x3 matrix, by the angle of its deviator (Smith 1961, DOI 10.1145/355578.366316).
double largest_principal(const std::array<double, 6>& s) {
  const double mean = (s[0] + s[1] + s[2]) / 3, a = s[0] - mean, b = s[1] - mean, c = s[2] - mean;
  const double shear = s[3] * s[3] + s[4] * s[4] + s[5] * s[5];
  const double p = std::sqrt((a * a + b * b + c * c + 2 * shear) / 6);
  if (p == 0) return mean;
  const double det = a * (b * c - s[3] * s[3]) - s[5] * (s[5] * c - s[3] * s[4]) + s[4] * (s[5] * s[3] - b * s[4]);
  return mean + 2 * p * std::cos(std::acos(std::clamp(det / (2 * p * p * p), -1.0, 1.0)) / 3);
}

}  // namespace

Eigenstrain eigenstrain_of(const ElementModel& model, const ElectrochemicalSystem& chemistry, const Unknowns& z) {
  return [&](std::size_t tet, const Barycentric& l) {
    if (model.mesh.domain[tet] == binder) return 0.0;
    const auto shape = tet_shape(model.mesh.order, l);
    double x = 0;
    for (int a = 0; a < model.mesh.nodes_per_tet(); ++a)
      x += shape[at(a)] * z[chemistry.unknown_of(model.mesh.tets[tet][at(a)])];
    return model.laws.strain(x) / 3;
  };
}

std::vector<Lame> materials_at(const ElementModel& model, const ElectrochemicalSystem& chemistry, const Unknowns& z) {
  auto lame = lame_at_start(model);
  if (model.laws.modulus.slope == 0) return lame;
  for (std::size_t t = 0; t < lame.size(); ++t) {
    if (model.mesh.domain[t] == binder) continue;
    double x = 0;
    for (std::size_t i = 0; i < 4; ++i) x += z[chemistry.unknown_of(model.mesh.tets[t][i])] / 4;
    lame[t] = lame_of(model.laws.modulus(x), model.laws.particle_nu);
  }
  return lame;
}

Unknowns unknowns_of(const ElementState& state) {
  return Eigen::Map<const Unknowns>(state.unknowns.data(), static_cast<Eigen::Index>(state.unknowns.size()));
}

ElementSolver::ElementSolver(const ElementModel& model, ElementState& state, int threads)
    : model_(model),
      state_(state),
      chemistry_(model.mesh, chemistry_of(model)),
      mechanics_(model.mesh, lame_at_start(model), model.laws.cohesive, box_conditions(model.mesh, model.mechanical),
                 threads),
      pressure_(pressure_force(model.mesh, model.stack_pressure)),
      misfit_stiffness_(misfit_stiffness(model.laws.modulus.at_start, model.laws.particle_nu, model.laws.binder_modulus,
                                         model.laws.binder_nu)) {
  refresh();
}

void ElementSolver::refresh() {
  chemistry_.forget();
  reference_damage_ = state_.damage;
  prepared_ = false;
}

double ElementSolver::mean_content() const {
  return chemistry_.total_content(unknowns_of(state_)) / chemistry_.particle_volume();
}

double ElementSolver::remaining() const {
  const auto& p = state_.progress;
  return chemo::remaining_of(model_.laws.protocol, p.half, mean_content(), p.half_time_s);
}

double ElementSolver::longest() const {
  return chemo::longest_step_of(model_.laws.protocol, model_.laws.time, state_.progress.half);
}

double ElementSolver::seconds(double step) const {
  return chemo::seconds_of_step(model_.laws.protocol, state_.progress.half, step);
}

double ElementSolver::total_current() const {
  const auto half = state_.progress.half;
  const double rate = chemo::c_rate_of(model_.laws.protocol, half);
  const double sign = half == HalfCycle::charge ? 1 : -1;
  return rate > 0 ? sign * rate * faraday * model_.laws.c_max * chemistry_.particle_volume() / 3600 : 0;
}

double ElementSolver::beyond() const {
  const auto content = chemistry_.content_at_points(trial_.z);
  return chemo::beyond_limit_of(model_.laws.protocol, state_.progress.half, chemistry_.voltage(trial_.z),
                                *std::max_element(content.begin(), content.end()));
}

double ElementSolver::beyond_now() const {
  const auto content = chemistry_.content_at_points(unknowns_of(state_));
  return chemo::beyond_limit_of(model_.laws.protocol, state_.progress.half, state_.progress.voltage,
                                *std::max_element(content.begin(), content.end()));
}

/// Whether some point of an interface could come near to where it takes damage: by the sphere in an infinite matrix,
/// times 2 for the box around, and half of the opening at which growth begins.
bool ElementSolver::may_open(const Unknowns& z) const {
  const auto mean = chemistry_.mean_content(z), surface = chemistry_.surface_content(z);
  const std::size_t per_facet = points_per_facet(model_.mesh);
  const auto& law = model_.laws.cohesive;
  for (std::size_t i = 0; i < state_.damage.size(); ++i) {
    const auto p = at(model_.mesh.interface[i / per_facet].particle);
    const double e = std::max(std::abs(model_.laws.strain(mean[p])), std::abs(model_.laws.strain(surface[p]))) / 3;
    const double w = state_.damage[i], yielding = misfit_stiffness_ / model_.laws.particles[p].radius;
    if (2 * misfit_stiffness_ * e / (law.secant(w) + yielding) >= 0.5 * law.kappa(w)) return true;
  }
  return false;
}

void ElementSolver::soften_particles(const Unknowns& z) {
  if (model_.laws.modulus.slope == 0) return;
  mechanics_.set_materials(materials_at(model_, chemistry_, z));
  prepared_ = false;
}

/// What did not converge is kept for the report of the failure.
template <class Report>
bool ElementSolver::accept(std::string_view what, const Report& report) {
  if (report.converged) return true;
  trial_.failed = fmt::format("{} did not converge in {} iterations", what, report.iterations);
  trial_.residuals = report.residuals;
  trial_.worst_node = report.worst_node;
  return false;
}

bool ElementSolver::step_mechanics() {
  soften_particles(trial_.z);
  if (!prepared_) mechanics_.prepare(reference_damage_);
  prepared_ = true;
  Vector load = mechanics_.load_of(eigenstrain_of(model_, chemistry_, trial_.z));
  add_scaled(load, 1, pressure_, 1);
  const auto report = mechanics_.solve(load, state_.damage, model_.mechanical_tolerance, trial_.displacement);
  ++work_.mechanics;
  work_.mechanics_newton += report.iterations;
  work_.mechanics_linear += report.linear_iterations;
  if (!accept("the displacement", report)) return false;
  const auto& law = model_.laws.cohesive;
  trial_.opening = openings_of(model_.mesh, trial_.displacement);
  trial_.damage = static_damage(law, state_.damage, trial_.opening);
  for (std::size_t i = 0; i < trial_.damage.size(); ++i)
    trial_.damage[i] = law.cyclic_growth(trial_.damage[i], state_.opening[i], trial_.opening[i]);
  const auto before = particle_means(model_.mesh, state_.damage), after = particle_means(model_.mesh, trial_.damage);
  for (std::size_t p = 0; p < after.size(); ++p)
    trial_.damage_step = std::max(trial_.damage_step, after[p] - before[p]);
  trial_.mechanics = true;
  return true;
}

/// Below 0 the laws mean nothing, though they can be evaluated.
bool ElementSolver::ran_out() {
  const auto content = chemistry_.content_at_points(trial_.z);
  const auto least = std::min_element(content.begin(), content.end());
  if (*least > 0) return false;
  const auto facet = static_cast<std::size_t>(least - content.begin()) / points_per_facet(model_.mesh);
  trial_.failed = "the surface of a particle ran out of lithium";
  trial_.worst_node = model_.mesh.interface[facet].inner[0];
  return true;
}

bool ElementSolver::try_step(double dt) {
  trial_ = {};
  trial_.z = unknowns_of(state_);
  trial_.displacement = state_.displacement;
  trial_.damage = state_.damage;
  trial_.opening = state_.opening;
  const double one_c = faraday * model_.laws.c_max * chemistry_.particle_volume() / 3600;
  const auto started = processor_s();
  const auto report =
      chemistry_.step(dt, {true, total_current()}, state_.damage, model_.current_tolerance, one_c, trial_.z);
  work_.chemistry_s += processor_s() - started;
  ++work_.tries;
  work_.chemistry_newton += report.iterations;
  work_.chemistry_linear += report.linear_iterations;
  if (!accept("content and potential", report)) return false;
  if (ran_out()) return false;
  const auto before = chemistry_.surface_content(unknowns_of(state_)), after = chemistry_.surface_content(trial_.z);
  for (std::size_t p = 0; p < after.size(); ++p)
    trial_.surface_step = std::max(trial_.surface_step, std::abs(after[p] - before[p]));
  // Opening grows on charge alone: particles shrink as they lose lithium.
  if (state_.progress.half != HalfCycle::charge || !may_open(trial_.z)) return true;
  const auto before_mechanics = processor_s();
  const bool solved = step_mechanics();
  work_.mechanics_s += processor_s() - before_mechanics;
  return solved;
}

void ElementSolver::commit(double dt) {
  state_.unknowns.assign(trial_.z.data(), trial_.z.data() + trial_.z.size());
  state_.displacement.swap(trial_.displacement);
  state_.damage.swap(trial_.damage);
  state_.opening.swap(trial_.opening);
  state_.mechanics_known = trial_.mechanics;
  auto& p = state_.progress;
  p.voltage = chemistry_.voltage(trial_.z);
  p.time_s += dt;
  p.half_time_s += dt;
  p.charge_passed += total_current() * dt;
  ++p.half_steps;
}

double ElementSolver::lithium_error() const {
  const double lost = (state_.progress.initial_content - mean_content()) * chemistry_.particle_volume();
  return std::abs(lost - state_.progress.charge_passed / (faraday * model_.laws.c_max)) / chemistry_.particle_volume();
}

ParticleRows ElementSolver::rows() const {
  ParticleRows rows;
  const auto z = unknowns_of(state_);
  rows.content = chemistry_.mean_content(z);
  rows.damage = particle_means(model_.mesh, state_.damage);
  const auto content = chemistry_.content_at_points(z);
  Vector resistance(content.size());
  for (std::size_t i = 0; i < content.size(); ++i)
    resistance[i] = model_.laws.kinetics.resistance(content[i], state_.damage[i], chemistry_.contacts()[i]);
  rows.resistance = particle_means(model_.mesh, resistance);
  const double none = -std::numeric_limits<double>::infinity();
  rows.hoop_MPa.assign(rows.content.size(), state_.mechanics_known ? none : std::nan(""));
  const Barycentric middle{0.25, 0.25, 0.25, 0.25};
  const auto eigenstrain = eigenstrain_of(model_, chemistry_, z);
  for (std::size_t t = 0; t < model_.mesh.tets.size() && state_.mechanics_known; ++t) {
    if (model_.mesh.domain[t] == binder) continue;
    const auto stress =
        stress_at(model_.mesh, mechanics_.lame(), state_.displacement, t, middle, eigenstrain(t, middle));
    auto& largest = rows.hoop_MPa[at(model_.mesh.domain[t])];
    largest = std::max(largest, largest_principal(stress) * 1e-6);
  }
  return rows;
}

const char* ElementSolver::likely_cause() const {
  if (trial_.failed.find("ran out") != std::string::npos)
    return "protocol.charge_C is too high or protocol.x_end too low for materials.diffusivity_m2_s and "
           "geometry.radius_um; or set protocol.V_max so that the charge ends before";
  if (trial_.failed.find("potential") != std::string::npos)
    return "protocol.charge_C is too high for materials.diffusivity_m2_s, or kinetics.i00_A_m2 or kinetics.chi far "
           "from "
           "the rate of charge";
  return "the interface snaps open (cohesive.toughness_J_m2 too small for cohesive.strength_MPa, or "
         "materials.binder_GPa too low), or boundary.mechanical does not hold the body";
}

void ElementSolver::report() const {
  const auto& s = state_.progress;
  std::string residuals;
  for (const double r : trial_.residuals) residuals += fmt::format(" {:.1e}", r);
  std::string where;
  if (trial_.worst_node >= 0) {
    const Point& p = model_.mesh.nodes[at(trial_.worst_node)];
    where = fmt::format(" Worst at ({:.3g}, {:.3g}, {:.3g}) um, in {}.", p.x * 1e6, p.y * 1e6, p.z * 1e6,
                        model_.mesh.domain_of_node[at(trial_.worst_node)] == binder
                            ? std::string("the binder")
                            : fmt::format("particle {}", model_.mesh.domain_of_node[at(trial_.worst_node)] + 1));
  }
  fail(Exit::not_converged,
       "chemomechanics: no step succeeds in cycle {}, {}, at {:.6g} s ({:.6g} s into it), although it was shortened to "
       "{:.0e} "
       "of the longest: {}.{} Voltage {:.4f} V. Residuals:{}. Likely: {}.",
       s.cycle, name_of(s.half), s.time_s, s.half_time_s, s.step_scale,
       trial_.failed.empty() ? fmt::format("damage would grow by {:.3g} and a surface content by {:.3g} in a step",
                                           trial_.damage_step, trial_.surface_step)
                             : trial_.failed,
       where, s.voltage, residuals.empty() ? " none" : residuals, likely_cause());
}

}  // namespace cathoscope::fem
