#pragma once
/// Drawings that explain the method, after figures S1, S2, S5, S6 and S8 of Li et al. (2022) as far as the paper's text
/// says what they show; and those of which nobody outside its supplement knows the content.

#include <cathoscope/figures/figures.hpp>

namespace cathoscope {

FigureResult figs1(const StudyResults& results);
FigureResult figs2(const StudyResults& results);
FigureResult figs3(const StudyResults& results);
FigureResult figs5(const StudyResults& results);
FigureResult figs6(const StudyResults& results);
FigureResult figs8(const StudyResults& results);
FigureResult figs9(const StudyResults& results);
FigureResult figs10(const StudyResults& results);

}  // namespace cathoscope
