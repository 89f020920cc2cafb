#pragma once
/// Drawers of the chemomechanical model: figures 3 and S4, and what `cathoscope explore` finds.

#include <cathoscope/figures/figures.hpp>

namespace cathoscope {

FigureResult fig3a(const StudyResults& results);
FigureResult fig3b(const StudyResults& results);
FigureResult fig3c(const StudyResults& results);
FigureResult fig3d(const StudyResults& results);
FigureResult fig3e(const StudyResults& results);
FigureResult figs4(const StudyResults& results);
FigureResult model_stress(const StudyResults& results);
FigureResult model_synchrony(const StudyResults& results);
FigureResult model_laws(const StudyResults& results);
FigureResult model_parameters(const StudyResults& results);
FigureResult model_morris(const StudyResults& results);

}  // namespace cathoscope
