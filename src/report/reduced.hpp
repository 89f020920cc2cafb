#pragma once
/// Volumes of any size at the few million voxels that a page can carry.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>

#include <string>
#include <vector>

namespace cathoscope::report {

/// Shape of at most `voxels` voxels, as near to cubes as the grid allows, no axis finer than it is, none above 1024.
Index3 reduced_shape(const Index3& shape, const Vec3& voxel_size_um, double voxels);

/// The labels at the centres of the voxels of a coarser grid. Reads blocks of 64 MiB.
Grid<std::uint32_t> sampled(const GridSource<std::uint32_t>& labels, const Index3& shape, const Context& context);

/// The mean of the grey values in each voxel of a coarser grid. Reads blocks of 64 MiB; the order of sums is fixed.
Grid<float> averaged(const GridSource<float>& grey, const Index3& shape, const Context& context);

/// A grid as the page has it: `bytes` is a zlib stream, base64.
struct PackedGrid {
  Index3 shape{0, 0, 0};
  Vec3 voxel_size_um{};
  Vec3 origin_um{};
  std::string base64;
  double low = 0;   ///< grey value of code 0
  double high = 0;  ///< and of the highest code
};

/// Labels of at most 65,535 as uint16, each XORed with the voxel before it along y, low bytes first, then high bytes.
/// Made coarser until it takes at most `bytes` and its surfaces have no more triangles than a browser draws with ease.
PackedGrid packed_labels(Grid<std::uint32_t> labels, std::size_t bytes);

/// Grey values between `low` and `high` in 64 steps, each as its difference (modulo 256) to the voxel before it along x.
/// Made coarser until it takes at most `bytes`.
PackedGrid packed_grey(Grid<float> grey, double low, double high, std::size_t bytes);

}  // namespace cathoscope::report
