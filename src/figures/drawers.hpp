#pragma once
/// One function a figure, `FigureResult fig1b(const StudyResults& results);`; drawers.cpp lists them. Sources: *_figures.cpp.

#include <cathoscope/figures/figures.hpp>

namespace cathoscope {}  // namespace cathoscope
