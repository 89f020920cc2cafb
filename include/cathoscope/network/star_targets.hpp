#pragma once
/// What a network should say of a labelled image: the exact targets of StarDist (Schmidt et al. 2018,
/// DOI 10.1007/978-3-030-00934-2_30) on its output grid.

#include <cathoscope/core/star_fields.hpp>

#include <cstdint>
#include <vector>

namespace cathoscope {

/// Labels of an image, row-major; 0 = background.
struct LabelView {
  std::int64_t rows = 0, columns = 0;
  const std::uint32_t* values = nullptr;
};

/// Of each cell (every `grid`-th pixel): distance to the nearest cell of another label (centre to centre, Euclidean)
/// over the largest such distance of its label, so in (0, 1]; 0 in the background. Cells beyond the image do not count
/// as another label; a label that fills the whole image is 1 everywhere.
std::vector<float> edge_probability(const LabelView& labels, int grid);

/// Of each cell in a particle: pixels to its outline along ray k (angle 2 pi k / rays from the column axis towards
/// growing rows), by unit steps until the rounded position has another label or lies outside the image, corrected by the
/// overshoot of half a pixel along the larger direction cosine; 0 in the background. rays planes, each rows x columns.
std::vector<float> ray_distances(const LabelView& labels, int grid, int rays);

}  // namespace cathoscope
