#pragma once
/// Drawers of pictures: slices with outlines, single particles, and the electrode as a whole.

#include <cathoscope/figures/figures.hpp>

namespace cathoscope {

FigureResult fig1a(const StudyResults& results);
FigureResult segmentation_figure(const StudyResults& results);
FigureResult particles_figure(const StudyResults& results);

}  // namespace cathoscope
