#pragma once
/// Families of parallel planes through a grid of cubic voxels. Every voxel lies on exactly one plane of a family.

#include <cathoscope/core/box.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cathoscope {

/// A family, by the normal of its planes (z, y, x), each of -1, 0, 1: {1, 0, 0} are the xy slices.
struct PlaneFamily {
  std::string name;
  std::array<int, 3> normal{1, 0, 0};
};

/// xy: 1 family; axial3: xy, xz, yz; diagonal9: with the six {110} families; all13: with the four {111} families.
/// Throws Error{config} for another name.
std::vector<PlaneFamily> plane_families(const std::string& views);

/// Voxels of one plane that lie on a line, at image row `row`: voxel first + m step at column `column` + m column_step.
struct LatticeRow {
  double row = 0;
  double column = 0;
  std::int64_t first = 0;  ///< linear index in the grid
  std::int64_t step = 0;
  std::int64_t count = 0;
};

/// A plane as rows of voxels, and the image of unit pixels that it becomes. Rows ascend evenly; the image ends at the last
/// pixel that lies on the plane.
struct LatticePlane {
  std::vector<LatticeRow> rows;
  double row_step = 1;
  double column_step = 1;
  std::int64_t image_rows = 0;
  std::int64_t image_columns = 0;
};

std::int64_t plane_count(const PlaneFamily& family, const Index3& shape);
LatticePlane lattice_plane(const PlaneFamily& family, const Index3& shape, std::int64_t plane);

/// Linear interpolation on an axis of samples at 0, g, 2g, ...: value = (1 - fraction) s[index] + fraction s[index + 1].
/// Beyond the last sample the last two go on as a line (fraction > 1).
struct Between {
  std::int64_t index = 0;
  float fraction = 0;
};
Between between(double position, int grid, std::int64_t samples);

/// The image of a plane, row-major; `value` gives a voxel by its linear index. Only axes whose voxels are not one apart are
/// interpolated, linearly. Beyond the end of a shorter row stands its last value.
std::vector<float> sliced(const LatticePlane& plane, const std::function<float(std::int64_t)>& value);

/// Values on a grid of cells at pixels (grid i, grid j) of the image, at the voxels of one lattice row.
class RowGather {
 public:
  RowGather(const LatticePlane& plane, int grid, std::int64_t cell_rows, std::int64_t cell_columns);
  void operator()(const LatticeRow& row, const float* cells, std::vector<float>& out);

 private:
  int grid_;
  std::int64_t rows_, columns_;
  double column_step_;
  std::vector<float> line_;
};

/// Weight of the voxels of a row in fusion: 1 inside, falling as a cosine over the last 8 pixels before the image's or the
/// row's end, in steps of 1/4096, never 0.
void border_weights(const LatticePlane& plane, const LatticeRow& row, std::vector<float>& out);

/// Planes that are narrower than this, either way, say nothing: 32 pixels, or what the thinnest wide grid allows.
std::int64_t least_width(const Index3& shape, std::size_t families);

}  // namespace cathoscope
