#pragma once
/// What a scan does to the scene: blur, fringes, noise, streaks, rings, lost contrast, padding, lossy compression.

#include "scene.hpp"

namespace cathoscope::phantom_detail {

/// Voxels beyond a box that its blurred values depend on.
std::int64_t optics_halo(const Phantom& phantom, double voxel_um);

/// `scene` covers `outer`, which is `inner` grown by the halo; gives the values on `inner`.
std::vector<float> through_optics(const Phantom& phantom, double voxel_um, const Box& outer, const Box& inner,
                                  const std::vector<float>& scene);

/// Adds everything that comes after the optics, in place.
void add_scan_effects(const Phantom& phantom, const View& view, std::vector<float>& grey);

/// Constant grey outside the round field of view.
void pad_outside(const Phantom& phantom, const View& view, float* grey);

/// Box that holds whole 8 x 8 tiles of z and x around `box`.
Box whole_tiles(const Box& box);
/// 8 x 8 cosine quantisation of every (z, x) slice with libjpeg's luminance table; the view holds whole tiles.
void quantise_tiles(double quality, const View& view, std::vector<float>& grey);

}  // namespace cathoscope::phantom_detail
