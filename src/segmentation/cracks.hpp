#pragma once
/// Cracks and pores inside particles, from grey values.

#include "grey.hpp"

#include <cstdint>
#include <vector>

namespace cathoscope {

/// Grey levels of one particle. Depths are relative: 0 = solid, 1 = void, (solid - grey) / (solid - void_level).
struct ParticleLevels {
  double solid = 0;       ///< mode over the particle without its outermost two layers
  double matrix = 0;      ///< median of the surroundings, 2.5 to 8 voxels away
  double void_level = 0;  ///< solid - 1.27 (solid - matrix)
  double noise = 0;       ///< standard deviation of the solid, as a depth
  bool usable = false;    ///< solid and matrix differ by more than the noise

  [[nodiscard]] double depth(double grey) const { return (solid - grey) / (solid - void_level); }
  [[nodiscard]] double weak() const;            ///< depth above which a voxel may belong to a crack
  [[nodiscard]] double strong() const;          ///< depth that a crack must reach somewhere
  [[nodiscard]] double partial_volume() const;  ///< depth above which a voxel counts as partly void
};

struct Cracks {
  ScratchGrid<std::uint8_t> mask;             ///< 1 = crack
  std::vector<double> damage_partial_volume;  ///< of labels 1..n; NaN where no levels could be found
  std::uint64_t without_levels = 0;
  double edge_blur = 0;  ///< as edge_blur(); 0 where it cannot be told
};

/// Grey values smoothed by 0.7 voxels, once, in 65536 steps between the 0.0001 and 0.9999 quantiles of the volume.
class SmoothGrey {
 public:
  SmoothGrey(const Workspace& w, const GridSource<float>& grey, const GreyRange& range, const FieldOfView& inside);

  [[nodiscard]] bool empty() const { return !(high_ > low_); }  ///< all values are equal
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] Array3<std::uint16_t> codes(const Box& box) const { return codes_.padded(box, 0); }
  [[nodiscard]] double value(std::uint16_t code) const { return low_ + code * (high_ - low_) / 65535; }

 private:
  double low_ = 0;
  double high_ = 0;
  ScratchGrid<std::uint16_t> codes_;
};

/// Levels of labels 1..n. Particles with too few voxels of their own get the levels of all.
std::vector<ParticleLevels> particle_levels(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                                            const ScratchGrid<std::uint32_t>& labels, std::uint32_t count);

/// Standard deviation, in voxels, of the Gaussian that the outlines of particles are blurred by, with the smoothing of
/// SmoothGrey: an edge of contrast c blurred by sigma is c / (sqrt(2 pi) sigma) steep. The lower quartile over the outlines:
/// roughness and debris make an edge seem less steep than the scan made it. 0 where there is no outline.
double edge_blur(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                 const ScratchGrid<std::uint32_t>& labels, const std::vector<ParticleLevels>& levels);

/// A slit whose depth falls to one half of the full contrast: erf(width / (2 sqrt(2) sigma)) = 1/2.
inline double half_depth_width(double sigma) { return 1.348979500392163 * sigma; }

/// A crack is a connected set of at least 12 voxels of one particle, deeper than weak() and somewhere deeper than
/// strong(), below the two outermost layers of the particle; and the voxels of those two layers deeper than weak()
/// within three voxels of it (the mouth). What is only in the two layers is the blurred surface, not damage.
/// A shallow voxel beside a deep one is that one's blurred flank and left out, so that a wide crack keeps its width.
Cracks find_cracks(const Workspace& w, const GridSource<float>& grey, const GreyRange& range, const FieldOfView& inside,
                   const ScratchGrid<std::uint32_t>& labels, std::uint32_t count);

}  // namespace cathoscope
