#pragma once
/// The last part of stage `figures`: report.html, the study on one page.

#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/run.hpp>

#include <map>
#include <string>

namespace cathoscope {

/// Writes OUT/report.html from what the stages left, where `figures` may run. `unusable`: stage, or electrode/stage, and why
/// there is no result of it. `synthetic`: how an electrode was made where it is no measurement.
void report_stage(const Config& config, const std::map<std::string, std::string>& unusable,
                  const std::map<std::string, std::string>& synthetic, Run& run);

}  // namespace cathoscope
