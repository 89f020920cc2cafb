#pragma once
/// An electrode seen from outside: labels at reduced size, drawn ray by ray.

#include "slice_views.hpp"

#include <cathoscope/io/png.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace cathoscope {

/// Labels of every k-th voxel, cracks taken out (0); cells are k voxels an axis.
struct ReducedLabels {
  Array3<std::uint32_t> labels;
  Vec3 cell_um{1, 1, 1};
};

/// Block by block; k is the smallest for which there are no more than `limit` cells.
ReducedLabels reduced_labels(const ElectrodeGrids& grids, std::int64_t limit);

/// Parallel projection of the box of an electrode, the depth axis pointing down. Lengths in um, from the box's middle.
struct Projection {
  Vec3 right, up, into;  ///< unit vectors, z y x
  [[nodiscard]] std::array<double, 2> of(const Vec3& point) const;
};
Projection view_from_above(double azimuth_degree, double elevation_degree);

/// Colours of particles: RGB of label i at i.
using LabelColours = std::vector<std::array<std::uint8_t, 3>>;

/// The picture and its place in the plane of projection.
struct RenderedView {
  PngImage image;  ///< RGB and opacity
  double left_um = 0, bottom_um = 0, pixel_um = 1;
};

/// What the eye meets first along each ray: light from the upper left, outlines where a particle ends, darker where it lies
/// behind its surroundings. `pixels` across the longer side; each is the mean of four rays.
RenderedView render_labels(const ReducedLabels& grid, const Projection& projection, const LabelColours& colours,
                           std::int64_t pixels);

}  // namespace cathoscope
