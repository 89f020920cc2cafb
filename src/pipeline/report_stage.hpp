#pragma once
/// The last part of stage `figures`: report.html, the study on one page.

#include "figures_stage.hpp"

namespace cathoscope {

/// Writes OUT/report.html from what the stages left, where `figures` may run. Call it last: it tells of every stage that the
/// run came by.
void report_stage(const Config& config, const FigureSources& sources, Run& run);

}  // namespace cathoscope
