#pragma once
/// One implicit step of the network: diffusion, balance of currents, interface damage. Nothing is committed here.

#include <cathoscope/chemomechanics/network.hpp>

#include <string>
#include <vector>

namespace cathoscope::chemo {

/// What a step leads to. Where `failed` says something, nothing else counts.
struct Trial {
  std::string failed;             ///< why the step was not solved; empty: it was
  std::size_t worst = 0;          ///< particle that failed, or moved most
  std::vector<double> residuals;  ///< |sum of currents - I| over the scale, by iteration of the potential
  double voltage = 0;
  double fullest = 0;              ///< largest content at a surface
  double largest_damage_step = 0;  ///< of interfaces that can soften; those that snap jump whatever the step
  double largest_surface_step = 0;
  std::vector<double> content, surface, current, damage, opening;
};

/// Buffers that steps share.
struct StepSpace {
  std::vector<RadialStep> radial;
  std::vector<double> slope;  ///< d current / d potential by particle
};

/// A step of `dt` seconds at total current `total` (A).
void try_step(const NetworkModel& model, const NetworkState& state, double dt, double total, int threads,
              StepSpace& space, Trial& trial);

/// f(i) for each particle, in blocks; small networks stay on the calling thread. Sets no order: f writes to item i alone.
void for_particles(std::size_t count, int threads, const std::function<void(std::size_t)>& f);

}  // namespace cathoscope::chemo
