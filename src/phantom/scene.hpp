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
};

Bodies bodies_in(const Phantom& phantom, const View& view);

inline std::uint32_t label_of(const Bodies& bodies, std::size_t i) { return bodies.rho[i] <= 1 ? bodies.owner[i] : 0; }

/// Share of the voxel inside its particle.
inline float coverage_of(const Phantom& phantom, const Bodies& bodies, std::size_t i, double voxel_um) {
  if (bodies.owner[i] == 0) return 0;
  if (phantom.given_bodies) return 1;
  const auto radius = static_cast<float>(phantom.particles[bodies.owner[i] - 1].radius_um);
  return std::clamp(0.5F + (1 - bodies.rho[i]) * radius / static_cast<float>(voxel_um), 0.0F, 1.0F);
}

/// Waviness of cracks, um.
struct Waviness {
  std::vector<float> coarse, fine;
};
Waviness waviness_in(const Phantom& phantom, const View& view);

/// 1 where a voxel's centre is in a crack of its own particle.
void crack_mask(const Phantom& phantom, const View& view, const Bodies& bodies, std::uint8_t* out);
/// Share of each voxel that is crack, as slits; 0 where no particle is.
std::vector<float> crack_coverage(const Phantom& phantom, const View& view, const Bodies& bodies);
/// Onsets of the voxels of one particle, in order; `never` for other voxels is not written: f(onset) is called for the
/// particle's own voxels only.
void each_onset(const Phantom& phantom, const View& view, const Bodies& bodies, std::uint32_t label,
                const std::function<void(float)>& f);

/// Grey values of the scene, noise-free and sharp. `cracked` false: the bodies are whole.
std::vector<float> scene_grey(const Phantom& phantom, const View& view, const Bodies& bodies, bool cracked);

}  // namespace cathoscope::phantom_detail
