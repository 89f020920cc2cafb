#pragma once
/// Where a particle's cracks are as they open.

#include "geometry.hpp"

#include <limits>

namespace cathoscope::phantom_detail {

/// Points of one particle in a row along x, as its cracks see them. Worked on by rows so that compilers vectorise.
struct CrackRow {
  static constexpr std::int64_t longest = 256;
  float dz = 0, dy = 0;  ///< um from the centre
  const float* dx = nullptr;
  const float* rho = nullptr;          ///< 0 centre .. 1 surface
  const float* wavy_coarse = nullptr;  ///< waviness fields, um
  const float* wavy_fine = nullptr;
  std::int64_t count = 0;  ///< at most `longest`
};

/// Of the two waviness fields: standard deviation over `wobble_um` of the fine one, standard deviations of the Gaussians
/// that correlate them.
inline constexpr float fine_share = 0.4F;
inline constexpr float coarse_sigma_um = 0.7F, fine_sigma_um = 0.27F;
inline constexpr float never = std::numeric_limits<float>::infinity();
/// Openings end here; a power of two so that histogram bins have exact bounds.
inline constexpr double largest_opening = 64;

/// Draws the features of a particle in the order in which they open; sets natural_opening and severe.
void draw_cracks(const CrackConfig& config, Stream& draw, Particle& particle);

/// The least opening at which each point is crack; `never` where no feature reaches it.
void onsets_in(const Particle& particle, const CrackRow& row, float* onset);

/// At the particle's opening: whether each point is crack (onset < opening), and, unless `coverage` is null, the share
/// of a voxel of edge h_um around it that is, as if each crack were a plane slit there.
void cracks_at(const Particle& particle, const CrackRow& row, float h_um, std::uint8_t* hit, float* coverage);

}  // namespace cathoscope::phantom_detail
