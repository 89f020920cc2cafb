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

/// The part of an image whose targets are wanted, in pixels; what lies around it is looked at as well.
/// Its cells are the pixels (row + grid i, column + grid j): ceil(rows / grid) x ceil(columns / grid).
struct TargetWindow {
  std::int64_t row = 0, column = 0;
  std::int64_t rows = 0, columns = 0;
};
inline TargetWindow whole_window(const LabelView& labels) { return {0, 0, labels.rows, labels.columns}; }

/// Of each cell: distance to the nearest cell of another label (centre to centre, Euclidean, in the image reduced to
/// cells) over the largest such distance of its label, so in (0, 1]; 0 in the background. What lies beyond the image
/// does not count as another label; a label that fills the whole image is 1 everywhere.
std::vector<float> edge_probability(const LabelView& labels, const TargetWindow& window, int grid);

/// What a ray says that reaches the border of the image before it reaches the outline.
enum class RayAtBorder {
  ends,     ///< the border is an outline, as in StarDist
  unknown,  ///< -1: the outline is not in the image
};

/// Of each cell in a particle: pixels to its outline along ray k (angle 2 pi k / rays from the column axis towards
/// growing rows): unit steps until the rounded position has another label or lies outside the image, less the overshoot
/// 1 - 0.5 / max(|cos|, |sin|). 0 in the background. Planes one after the other, each in the order of the cells.
std::vector<float> ray_distances(const LabelView& labels, const TargetWindow& window, int grid, int rays,
                                 RayAtBorder border);

}  // namespace cathoscope
