#pragma once
/// Surface area from intersection counts along 13 directions (Crofton), on voxels of any proportions.
/// Lehmann and Legland, Insight Journal 2012, hdl 10380/3342; Legland, Kieu and Devaux, Image Anal. Stereol. 26
/// (2007) 83.

#include <cathoscope/core/box.hpp>

#include <array>
#include <cstdint>

namespace cathoscope::attributes {

struct Direction {
  int dz, dy, dx;
};

/// One of each pair of opposite directions to the 26 neighbours. Three per neighbouring row, dx = -1, 0, 1.
inline constexpr std::array<Direction, 13> directions{{{0, 0, 1},
                                                       {0, 1, -1},
                                                       {0, 1, 0},
                                                       {0, 1, 1},
                                                       {1, -1, -1},
                                                       {1, -1, 0},
                                                       {1, -1, 1},
                                                       {1, 0, -1},
                                                       {1, 0, 0},
                                                       {1, 0, 1},
                                                       {1, 1, -1},
                                                       {1, 1, 0},
                                                       {1, 1, 1}}};

using PairCounts = std::array<std::int64_t, 13>;

/// What one label change along each direction contributes to an area (to a length, in a plane).
struct CroftonWeights {
  std::array<double, 13> share{};        ///< part of all directions that lies nearest to this one, sum 1
  std::array<double, 13> per_pair{};     ///< um^2: S = sum per_pair[k] N[k]
  std::array<std::int64_t, 13> fixed{};  ///< the same in `unit`: sums of these are exact and do not depend on order
  double unit = 1;                       ///< um^2; the rounding to it is below 4e-9 of a weight
};

/// Weights from the spherical Voronoi cells of the 26 directions on voxels of this size (z, y, x):
/// S = 2 v sum_k c_k N_k / |d_k|.
CroftonWeights crofton_weights(const Vec3& voxel_size_um);

/// The same in a single plane, 4 directions: L = (pi / 2) a sum_k c_k N_k / |d_k|. Directions that leave it weigh 0.
CroftonWeights crofton_weights_in_plane(const Vec3& voxel_size_um);

double area_of(const PairCounts& counts, const CroftonWeights& weights);

}  // namespace cathoscope::attributes
