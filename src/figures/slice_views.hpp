#pragma once
/// Slices of an electrode at the size of a picture, read in strips: grey values, labels, cracks, and outlines of labels.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/io/png.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace cathoscope {

/// Grids of one electrode, open for reading.
struct ElectrodeGrids {
  GridSource<std::uint32_t> labels;  ///< dense, 0 = no particle
  GridSource<std::uint8_t> cracks;
  std::optional<GridSource<float>> grey;
  std::vector<std::uint64_t> label_ids;   ///< the user's id of label i + 1
  double low_grey = 0, high_grey = 1;     ///< black and white
  std::optional<double> depth_length_um;  ///< where Z counts from the high end: Z = this less the position along z
};

/// Opens segmentation.h5 and, where it is given, volume.h5. Throws Error{data} where their shapes differ.
ElectrodeGrids open_grids(const std::filesystem::path& segmentation,
                          const std::optional<std::filesystem::path>& volume);

/// A flat picture of a box one voxel thick. Rows and columns are axes 0 z, 1 y, 2 x; lengths in the frame of the file.
struct SliceView {
  int row_axis = 1, column_axis = 2;
  std::int64_t width = 0, height = 0;  ///< pixels
  double left_um = 0, top_um = 0;      ///< corner of the first pixel
  double pixel_width_um = 1, pixel_height_um = 1;
  std::vector<float> grey;            ///< mean over the voxels of a pixel; empty without a volume
  std::vector<std::uint32_t> labels;  ///< of the voxel in the middle of the pixel
  std::vector<float> cracks;          ///< share of the pixel's voxels that are crack
};

/// Axes (row, column) in which a slice across `axis` is shown: z: y, x. y: z, x. x: y, z.
std::array<int, 2> slice_axes(int axis);

/// The box, which is one voxel thick along `axis`, at no more than `limit` pixels a side: pixels are squares of k voxels.
SliceView read_slice(const ElectrodeGrids& grids, const Box& box, int axis, std::int64_t limit);

/// A closed line in pixels: (column, row) of corners of pixels and points between.
using Outline = std::vector<std::array<double, 2>>;

/// Outlines of the set of pixels where `inside` is set, simplified to `tolerance` pixels. Holes are outlines too.
std::vector<Outline> outlines(const std::vector<char>& inside, std::int64_t width, std::int64_t height,
                              double tolerance = 0.35);

/// Outlines of one label.
std::vector<Outline> outlines_of(const SliceView& view, std::uint32_t label, double tolerance = 0.35);

/// The labels of the view, ascending, without 0.
std::vector<std::uint32_t> labels_in(const SliceView& view);

/// Grey picture: low is black, high is white; without a volume particles are light grey on dark.
PngImage grey_picture(const SliceView& view, double low, double high);
/// Cracks as a transparent overlay of one colour.
PngImage crack_picture(const SliceView& view, std::array<std::uint8_t, 3> colour);

}  // namespace cathoscope
