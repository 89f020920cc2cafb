#pragma once
/// The parts of the page that are plain HTML.

#include "findings.hpp"

#include <cathoscope/report/report.hpp>

#include <string>
#include <vector>

namespace cathoscope::report {

/// What a reader should know after a minute.
std::string summary_section(const Findings& findings, const ReportInputs& inputs);

/// The figures of OUT/figures/figures.json, those that are missing, and why. At most `bytes` long: what is left over is
/// named with its file.
std::string figures_section(const std::filesystem::path& figures_folder, std::size_t bytes);

/// Contributions, their differences, and links between latent dimensions, as tables that page.js sorts and searches.
std::string result_tables(const Findings& findings, const ReportInputs& inputs);

/// How it was done: the method in words, with the parameters that count, and the whole configuration.
std::string method_section(const ReportInputs& inputs);

/// Warnings, stages, versions, host, log: the block that is left out of comparisons of bytes.
std::string provenance_section(const ReportInputs& inputs);

}  // namespace cathoscope::report
