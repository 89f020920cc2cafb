#pragma once
/// Particles as star-shaped polyhedra: the rays of all views from one voxel, and non-maximum suppression.

#include "fused_instances.hpp"

#include <cathoscope/segmentation/fusion.hpp>

namespace cathoscope {

/// A point, and how far the particle around it reaches.
struct StarPolyhedron {
  Index3 centre{0, 0, 0};
  float probability = 0;
  std::vector<float> reach;  ///< voxels, on the directions of DirectionMap

  [[nodiscard]] double farthest() const;
};

/// Directions in space on the faces of a cube, 24 x 24 a face.
class DirectionMap {
 public:
  static constexpr int edge = 24;
  static constexpr std::size_t size = 6 * edge * edge;
  /// The cell of a direction other than 0.
  static std::size_t cell_of(double z, double y, double x);
  /// Middle of a cell, of length 1.
  static Vec3 direction(std::size_t cell);
};

/// Reach on the map from rays: mean of the three nearest rays, weighted by the inverse of their angle.
std::vector<float> reach_of(const std::vector<Vec3>& rays, const std::vector<float>& distances);

/// Whether a voxel belongs to it.
bool contains(const StarPolyhedron& p, const Index3& voxel);

/// Predicts the planes through the peaks of `probability` once more, for distances; the most probable first, a polyhedron
/// goes if its overlap with one that stays, over the smaller of both, is above `suppression`. Memory: a byte map of 14 kB a
/// peak. Labels 1..n where no earlier polyhedron stands, by first voxel; fewer than `least_voxels` are dropped.
Watershed polyhedra_instances(const Workspace& w, const WorkingVolume& volume, const StarPredictor& predict,
                              const std::string& views, const Array3<float>& probability,
                              const ScratchGrid<std::uint8_t>& mask, double suppression, std::uint64_t least_voxels);

}  // namespace cathoscope
