#pragma once
/// One function a figure; drawers.cpp lists them. Sources: *_figures.cpp.

#include <cathoscope/figures/figures.hpp>

namespace cathoscope {

FigureResult fig1b(const StudyResults& results);
FigureResult fig2a(const StudyResults& results);
FigureResult fig2b(const StudyResults& results);
FigureResult fig2c(const StudyResults& results);
FigureResult fig4a(const StudyResults& results);
FigureResult fig4b(const StudyResults& results);
FigureResult fig4c(const StudyResults& results);
FigureResult fig4c_paper(const StudyResults& results);
FigureResult figs7(const StudyResults& results);
FigureResult figs11(const StudyResults& results);
FigureResult figs12(const StudyResults& results);
FigureResult predicted(const StudyResults& results);
FigureResult shap_beeswarm(const StudyResults& results);
FigureResult shap_dependence(const StudyResults& results);
FigureResult damage_depth(const StudyResults& results);
FigureResult neighbour_share(const StudyResults& results);
FigureResult sham(const StudyResults& results);

}  // namespace cathoscope
