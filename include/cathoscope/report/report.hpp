#pragma once
/// OUT/report.html: the whole study on one page that opens from disk, asks the network for nothing and fits into a mail.
/// See docs/report.md.

#include <cathoscope/core/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

/// An electrode as the report finds it in the run folder.
struct ReportElectrode {
  std::string name;                   ///< of the electrode and of its folder
  std::string target = "Damage";      ///< the column that stands for damage
  std::string synthetic{};            ///< how it was made where it is no measurement; empty: as its summary.json says
  std::filesystem::path particles{};  ///< CSV whose rows are listed and picked: attributes.csv, or the given table
  std::filesystem::path compared{};   ///< CSV that inference used, where that is another one (matched resolution)
};

/// A stage of the run, finished or not. Only what a finished stage left is looked at: a run folder may hold older files.
struct ReportStage {
  std::string electrode{};         ///< empty: of the whole run
  std::string name{};              ///< "volume", ...
  std::string part{};              ///< of a stage in several parts
  std::filesystem::path record{};  ///< its `<stage>.json`; empty where it did not run
  std::string why_missing{};       ///< where it did not run
};

struct ReportInputs {
  std::filesystem::path folder;  ///< the run folder
  std::string run;               ///< its name
  std::string program;           ///< name and version
  std::uint64_t seed = 0;
  std::vector<std::string> exclude;  ///< flags: rows where one of these columns is above 0 were left out of inference
  std::vector<ReportElectrode> electrodes;
  std::vector<ReportStage> stages;  ///< in the order of the run
  std::string config_yaml;          ///< the resolved configuration, shown as the method's parameters
};

/// What a report may weigh at most, in bytes, whatever the size of the study.
inline constexpr std::size_t report_bytes_at_most = 5'000'000;

/// SHA-256 of the page without a study: another page must be written anew.
std::string report_page_hash();

/// Writes the page to `path` (in place: give it a partial name where it must be whole or absent). Reads tables and JSON
/// of the run folder; volumes and labels box by box, about 100 MiB at once. The bytes depend on the results alone, but
/// for the one block between `<!-- provenance -->` and `<!-- end of provenance -->`. A file that is absent is named on
/// the page; one that is damaged throws Error{data}. Throws Error{cannot_create} or Error{write_error} for the page.
void write_report(const ReportInputs& inputs, const std::filesystem::path& path, const Context& context);

}  // namespace cathoscope
