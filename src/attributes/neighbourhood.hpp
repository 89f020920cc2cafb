#pragma once
/// Pass 3: what surrounds a particle at a distance: packing, nearest particles, the border of the volume.

#include "streaming.hpp"

#include <cathoscope/attributes/attributes.hpp>

#include <cstdint>
#include <vector>

namespace cathoscope::attributes {

/// Particle volume in a cube, and the part of the cube in the field of view, both over the cube's volume.
struct CubeFilling {
  double particles = 0;
  double inside = 0;

  /// PDensity; NaN where nothing of the cube is inside.
  [[nodiscard]] double density() const;
};

/// Filling of cubes around the centroids (voxel units, z, y, x) for each edge, [edge][particle]. Exact for cube faces
/// at 1/256 of a voxel. Streams the volume once more.
std::vector<std::vector<CubeFilling>> cube_fillings(const AttributeInputs& inputs, const std::vector<Vec3>& centroids,
                                                    const std::vector<double>& edges_um, const Context& context);

/// The k nearest others of every point, nearest first, ties by index; fewer where there are fewer others.
struct Neighbour {
  std::size_t index;
  double distance;
};
std::vector<std::vector<Neighbour>> nearest_neighbours(const std::vector<Vec3>& points_um, std::size_t k, int threads);

/// Distance in um from each point to the border of what was seen: faces of the volume that are cuts, and the rim of
/// the field of view (voxel units). Infinite where there is no border.
std::vector<double> border_distances(const std::vector<Vec3>& points_um, const Vec3& extent_um, const Faces& physical,
                                     bool two_dimensional, const std::vector<Vec3>& rim_points_um);

}  // namespace cathoscope::attributes
