#include "network_step.hpp"

#include <cathoscope/core/parallel.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace cathoscope::chemo {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Current density and its slope by the potential.
struct Balance {
  double i = 0;
  double by_potential = 0;
};

/// One particle at potential phi: current i with x_s = a - b i on its surface.
struct SurfaceProblem {
  const NetworkModel& model;
  double coverage;
  double w;
  double a, b;
};

/// Newton with a bracket for an increasing function. `f` gives value and slope; NaN where it does not converge.
template <class F>
double increasing_root(double start, double scale, const F& f) {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  double i = start, last_step = std::numeric_limits<double>::infinity();
  for (int k = 0; k < 200; ++k) {
    const ValueAndSlope at = f(i);
    if (at.value == 0) return i;
    (at.value < 0 ? low : high) = i;
    const bool bracketed = std::isfinite(low) && std::isfinite(high);
    double next = i - at.value / at.slope;
    // The clip of i0 is a kink that Newton may hop across: halve the bracket where steps do not shrink.
    const bool lost = !(at.slope > 0) || next < low || next > high || std::abs(next - i) > 0.5 * last_step;
    if (lost && bracketed) next = 0.5 * (low + high);
    if (lost && !bracketed && !(at.slope > 0)) next = at.value < 0 ? i + scale : i - scale;
    if (!std::isfinite(next)) return not_a_number;
    last_step = std::abs(next - i);
    // The next error is of the order of this step squared: rounding.
    if (last_step <= 1e-9 * (std::abs(i) + 1e-3 * scale)) return next;
    i = next;
  }
  return not_a_number;
}

/// Both contacts without series resistance act like one with the mean activity, and the equation in asinh form is nearly
/// linear: 2 v asinh(i / (2 i0 M)) + U(x_s) = phi.
Balance solve_plain(const SurfaceProblem& p, double phi, double start) {
  const auto& kinetics = p.model.kinetics;
  const double v = kinetics.charge_transfer.thermal_voltage();
  const double activity =
      p.coverage * kinetics.feedback.m(Contact::high, p.w) + (1 - p.coverage) * kinetics.feedback.m(Contact::low, p.w);
  const auto f = [&](double i) {
    const double x = p.a - p.b * i;
    const auto u = kinetics.open_circuit.at(x);
    const auto i0 = kinetics.charge_transfer.exchange(x);
    const double s = i / (2 * i0.value * activity);
    const double s_slope = 1 / (2 * i0.value * activity) + s * i0.slope / i0.value * p.b;
    return ValueAndSlope{2 * v * std::asinh(s) + u.value - phi, 2 * v * s_slope / std::sqrt(1 + s * s) - p.b * u.slope};
  };
  const double i = increasing_root(start, kinetics.charge_transfer.i00, f);
  return {i, 1 / f(i).slope};
}

/// Currents through both contacts, each behind its own resistance.
InterfaceCurrent both_contacts(const SurfaceProblem& p, double phi, double x) {
  const auto& kinetics = p.model.kinetics;
  const auto high = kinetics(phi, x, p.w, Contact::high, p.model.rho_high);
  const auto low = kinetics(phi, x, p.w, Contact::low, p.model.rho_low);
  const double f = p.coverage;
  return {f * high.i + (1 - f) * low.i, f * high.by_potential + (1 - f) * low.by_potential,
          f * high.by_content + (1 - f) * low.by_content};
}

Balance solve_resistive(const SurfaceProblem& p, double phi, double start) {
  const double scale = p.model.kinetics.charge_transfer.i00;
  const auto f = [&](double i) {
    const auto through = both_contacts(p, phi, p.a - p.b * i);
    const double s = i / (2 * scale), t = through.i / (2 * scale);
    return ValueAndSlope{std::asinh(s) - std::asinh(t),
                         (1 / std::sqrt(1 + s * s) + through.by_content * p.b / std::sqrt(1 + t * t)) / (2 * scale)};
  };
  const double i = increasing_root(start, scale, f);
  const auto through = both_contacts(p, phi, p.a - p.b * i);
  return {i, through.by_potential / (1 + p.b * through.by_content)};
}

Balance solve_surface(const SurfaceProblem& p, double phi, double start) {
  const bool plain = p.model.rho_high == 0 && p.model.rho_low == 0 && p.model.kinetics.feedback.film(p.w) == 0;
  return plain ? solve_plain(p, phi, start) : solve_resistive(p, phi, start);
}

/// phi - V at a depth, for total current I.
double depth_drop(const DepthPotential& d, double depth, double total) {
  if (d.cross_section <= 0) return 0;
  const double z = std::clamp(depth, 0.0, d.thickness);
  return -total / d.cross_section * (z - z * z / (2 * d.thickness)) / d.conductivity;
}

/// Largest |current| that numbers are compared with: 1C, or what flows.
double current_scale(const NetworkModel& model, double total) { return std::max(std::abs(total), model.current(1)); }

struct Sums {
  double current = 0;
  double slope = 0;
};

/// Sums over particles in a fixed order: blocks of 64, then the blocks.
Sums summed(const NetworkModel& model, const Trial& trial, const StepSpace& space) {
  Sums all;
  const std::size_t n = model.particles.size();
  for (std::size_t first = 0; first < n; first += 64) {
    Sums block;
    for (std::size_t k = first; k < std::min(n, first + 64); ++k) {
      const double area = 12.566370614359172 * model.particles[k].radius * model.particles[k].radius;
      block.current += area * trial.current[k];
      block.slope += area * space.slope[k];
    }
    all.current += block.current;
    all.slope += block.slope;
  }
  return all;
}

std::size_t first_bad(const std::vector<double>& values) {
  const auto it = std::find_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
  return static_cast<std::size_t>(it - values.begin());
}

/// Newton for the potential at which the currents add up to `total`.
bool balance_currents(const NetworkModel& model, const NetworkState& state, double total, int threads, StepSpace& space,
                      Trial& trial) {
  const std::size_t n = model.particles.size();
  const double scale = current_scale(model, total);
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  double v = state.voltage, shift = 0;
  trial.residuals.clear();
  for (int iteration = 0; iteration < 100; ++iteration) {
    for_particles(n, threads, [&](std::size_t k) {
      const auto& particle = model.particles[k];
      const auto& radial = space.radial[k];
      const SurfaceProblem p{model, particle.coverage, state.damage[k], radial.surface_g, radial.surface_h};
      const auto b = solve_surface(p, v + depth_drop(model.depth, particle.depth, total),
                                   trial.current[k] + space.slope[k] * shift);
      trial.current[k] = b.i;
      space.slope[k] = b.by_potential;
    });
    const Sums sums = summed(model, trial, space);
    const double residual = sums.current - total;
    trial.residuals.push_back(std::abs(residual) / scale);
    trial.voltage = v;
    if (!std::isfinite(residual)) {
      trial.worst = first_bad(trial.current);
      trial.failed = "the current through a particle's surface has no solution";
      return false;
    }
    if (std::abs(residual) <= 1e-12 * scale) return true;
    (residual < 0 ? low : high) = v;
    double next = v - std::clamp(residual / sums.slope, -0.1, 0.1);
    if (next <= low || next >= high) next = 0.5 * (low + high);
    shift = next - v;
    if (std::abs(shift) <= 4e-16 * std::abs(v)) return trial.residuals.back() < 1e-9;
    v = next;
  }
  trial.failed = "the common potential did not converge";
  return false;
}

/// Strain, opening and damage of one interface after the step.
void damage_particle(const NetworkModel& model, const NetworkState& state, std::size_t k, Trial& trial) {
  const int cells = model.cells;
  const double* x = trial.content.data() + k * static_cast<std::size_t>(cells);
  double strain = 0;
  for (int j = 0; j < cells; ++j) {
    const double r0 = j, r1 = j + 1;
    strain += model.strain(x[j]) * (r1 * r1 * r1 - r0 * r0 * r0);
  }
  strain /= static_cast<double>(cells) * cells * cells;
  const double e = std::max(0.0, -strain) / 3;  // shrinking opens the interface
  const double modulus = model.modulus.slope == 0 ? model.modulus.at_start : model.modulus(shell_mean(x, cells));
  const double k_s = misfit_stiffness(modulus, model.particle_nu, model.binder_modulus, model.binder_nu);
  const double radius = model.particles[k].radius;
  const double w = state.damage[k];
  const double opening = misfit_opening(model.cohesive, k_s, radius, e, w);
  const double grown = model.cohesive.static_growth(w, opening);
  trial.damage[k] = model.cohesive.cyclic_growth(grown, state.opening[k], opening);
  trial.opening[k] = opening;
}

/// Whether the interface of a particle snaps open: softening steeper than what is around it. No step resolves a jump.
bool snaps(const NetworkModel& model, std::size_t k) {
  const auto& law = model.cohesive;
  const double k_s = misfit_stiffness(model.modulus.at_start, model.particle_nu, model.binder_modulus, model.binder_nu);
  return law.strength / (law.failure() - law.onset()) >= k_s / model.particles[k].radius;
}

void finish_step(const NetworkModel& model, const NetworkState& state, int threads, const StepSpace& space,
                 Trial& trial) {
  const std::size_t n = model.particles.size(), cells = static_cast<std::size_t>(model.cells);
  for_particles(n, threads, [&](std::size_t k) {
    const auto& radial = space.radial[k];
    for (std::size_t j = 0; j < cells; ++j) trial.content[k * cells + j] = radial.g[j] - trial.current[k] * radial.h[j];
    trial.surface[k] = radial.surface_g - trial.current[k] * radial.surface_h;
    damage_particle(model, state, k, trial);
  });
  trial.largest_damage_step = trial.largest_surface_step = trial.fullest = 0;
  for (std::size_t k = 0; k < n; ++k) {
    if (!(trial.surface[k] > 0)) {
      trial.failed = "the surface of a particle ran out of lithium";
      trial.worst = k;
      return;
    }
    trial.fullest = std::max(trial.fullest, trial.surface[k]);
    if (!snaps(model, k)) {
      trial.largest_damage_step = std::max(trial.largest_damage_step, trial.damage[k] - state.damage[k]);
    }
    const double moved = std::abs(trial.surface[k] - state.surface[k]);
    if (moved > trial.largest_surface_step) {
      trial.largest_surface_step = moved;
      trial.worst = k;
    }
  }
}

}  // namespace

void for_particles(std::size_t count, int threads, const std::function<void(std::size_t)>& f) {
  constexpr std::size_t block = 1024;  // half a millisecond: less would be eaten by starting threads
  const std::size_t blocks = (count + block - 1) / block;
  const auto run_block = [&](std::int64_t b) {
    const auto first = static_cast<std::size_t>(b) * block;
    for (std::size_t k = first; k < std::min(count, first + block); ++k) f(k);
  };
  if (threads <= 1 || blocks < 2) {
    for (std::size_t b = 0; b < blocks; ++b) run_block(static_cast<std::int64_t>(b));
    return;
  }
  parallel_for(static_cast<std::int64_t>(blocks), threads, run_block);
}

void try_step(const NetworkModel& model, const NetworkState& state, double dt, double total, int threads,
              StepSpace& space, Trial& trial) {
  const std::size_t n = model.particles.size(), cells = static_cast<std::size_t>(model.cells);
  space.radial.resize(n);
  space.slope.assign(n, 0);
  trial.failed.clear();
  trial.current = state.current;
  trial.content.resize(n * cells);
  trial.surface.resize(n);
  trial.damage.resize(n);
  trial.opening.resize(n);
  for_particles(n, threads, [&](std::size_t k) {
    radial_step(state.content.data() + k * cells, model.cells, model.particles[k].radius, model.c_max,
                model.diffusivity, dt, space.radial[k]);
  });
  if (!balance_currents(model, state, total, threads, space, trial)) {
    if (trial.failed.empty()) trial.failed = "the common potential did not converge";
    return;
  }
  finish_step(model, state, threads, space, trial);
}

}  // namespace cathoscope::chemo
