#pragma once
/// Random fields as functions of position: any voxel of any box gets the same value for any block size.

#include <cathoscope/core/box.hpp>

#include <cstdint>
#include <vector>

namespace cathoscope::phantom_detail {

/// Near-normal values (zero mean, unit variance) of four neighbouring lattice nodes (x = 4 quad .. 4 quad + 3): the sum
/// of the four bytes of each Philox word.
void node_quad(std::uint64_t key, std::int64_t z, std::int64_t y, std::int64_t quad, float* out);

/// A Gaussian random field of zero mean and unit variance: independent values at lattice nodes, blended by cubic
/// B-splines. The blend of node spacing s is close to a Gaussian of standard deviation s / sqrt(3).
class LatticeField {
 public:
  /// `sigma_um`: standard deviation of the Gaussian that the field looks filtered with, an axis (z, y, x).
  LatticeField(std::uint64_t key, const Vec3& sigma_um);

  /// The field at voxel centres of `box`, box.size() values. Nodes nearer than 0.7 voxels are drawn apart to that: the
  /// field is white at that voxel size either way.
  void fill(const Box& box, double voxel_um, float* out) const;
  /// The same with lattice planes that rise along x: the field is constant along z = integral of tan(angle(x)), angle
  /// going linearly from angles[0] at x = 0 to angles[1] at x = width_um (radians).
  void fill_sheared(const Box& box, double voxel_um, const std::array<double, 2>& angles, double width_um,
                    float* out) const;
  /// The field at one position (z, y, x).
  [[nodiscard]] double at(const Vec3& position_um) const;

 private:
  std::uint64_t key_;
  Vec3 spacing_um_;
};

/// Independent near-normal values a voxel, zero mean, unit variance, added to out with factor `sd`.
void add_white(std::uint64_t key, const Box& box, double sd, float* out);

}  // namespace cathoscope::phantom_detail
