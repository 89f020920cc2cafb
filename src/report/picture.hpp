#pragma once
/// A still picture of the particles, for paper and for browsers without WebGL.

#include "encode.hpp"

#include <cathoscope/core/grid.hpp>

#include <vector>

namespace cathoscope::report {

/// Viridis at `share` of its range, 0 to 1 (Smith, van der Walt 2015; CC0).
Colour viridis(double share);

/// The labelled particles seen from above one corner (parallel projection), shaded by their surface. `value[label]` in
/// 0..1 gives the colour, NaN grey. `width` pixels wide, as high as the grid asks for.
Picture still_picture(const Grid<std::uint32_t>& labels, const std::vector<double>& value, int width);

}  // namespace cathoscope::report
