#pragma once
/// Where a particle's cracks are as they open.

#include "geometry.hpp"

#include <limits>

namespace cathoscope::phantom_detail {

/// A point of a particle, as its cracks see it.
struct CrackPoint {
  Float3 p{};                            ///< um from the centre
  float rho = 0;                         ///< 0 centre .. 1 surface
  float wavy_coarse = 0, wavy_fine = 0;  ///< waviness fields here, um
};

inline constexpr float never = std::numeric_limits<float>::infinity();
/// Openings end here; a power of two so that histogram bins have exact bounds.
inline constexpr double largest_opening = 64;

/// Draws the features of a particle in the order in which they open; sets natural_opening and severe.
void draw_cracks(const CrackConfig& config, Stream& draw, Particle& particle);

/// The least opening at which the point is crack; `never` where no feature reaches it.
float onset_at(const Particle& particle, const CrackPoint& point);

/// Share of a voxel of edge h_um around the point that is crack at the particle's opening, as if each crack were a
/// plane slit there.
float coverage_at(const Particle& particle, const CrackPoint& point, float h_um);

}  // namespace cathoscope::phantom_detail
