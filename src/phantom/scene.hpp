#pragma once
/// What is where in a box of the electrode, before any optics.

#include "geometry.hpp"
#include "noise.hpp"

#include <vector>

namespace cathoscope::phantom_detail {

/// The fine roughness is cut at this many standard deviations.
inline constexpr float roughness_limit = 3;

/// Box and voxel size of something that is being rendered.
struct View {
  Box box;
  double voxel_um = 1;

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(box.size()); }
  /// Centre of voxel i along an axis, um.
  [[nodiscard]] double centre(std::int64_t i) const { return (static_cast<double>(i) + 0.5) * voxel_um; }
};

/// The voxels that can be a particle's, cut to the volume.
Box box_of(const Particle& particle, double voxel_um, const Index3& shape);

/// The particle that owns each voxel: the one with the smallest normalised radius.
struct Bodies {
  std::vector<std::uint32_t> owner;  ///< particle index + 1; also set where the surface is within half a voxel outside
  std::vector<float> rho;            ///< normalised radius in it: 1 = surface
  std::vector<float> next_rho;       ///< normalised radius in the particle second to it
};

Bodies bodies_in(const Phantom& phantom, const View& view);

inline std::uint32_t label_of(const Bodies& bodies, std::size_t i) { return bodies.rho[i] <= 1 ? bodies.owner[i] : 0; }

/// Share of the voxel inside its particle.
float inside_of(const Phantom& phantom, const Bodies& bodies, std::size_t i, double voxel_um);
/// The same; the seam to a touching one is outside.
float coverage_of(const Phantom& phantom, const Bodies& bodies, std::size_t i, double voxel_um);

/// Waviness of cracks, um.
struct Waviness {
  std::vector<float> coarse, fine;
};
Waviness waviness_in(const Phantom& phantom, const View& view);

/// Cracks of the particles that own the voxels of a view.
struct CrackField {
  std::vector<std::uint8_t> hit;  ///< 1 where the voxel's centre is in a particle and in a crack of it
  std::vector<float> coverage;    ///< share of the voxel that is crack; empty where not asked for
};
CrackField cracks_in(const Phantom& phantom, const View& view, const Bodies& bodies, bool with_coverage);
/// Calls f(onsets, n) for the voxels of one particle, row by row; other voxels are left out.
void each_onset(const Phantom& phantom, const View& view, const Bodies& bodies, std::uint32_t label,
                const std::function<void(const float*, std::int64_t)>& f);

/// Grey values of the scene, noise-free and sharp. `crack_coverage` empty: the bodies are whole.
std::vector<float> scene_grey(const Phantom& phantom, const View& view, const Bodies& bodies,
                              const std::vector<float>& crack_coverage);

}  // namespace cathoscope::phantom_detail
