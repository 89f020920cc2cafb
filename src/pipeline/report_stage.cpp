#include "report_stage.hpp"

#include "particle_tables.hpp"
#include "stage_record.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/version.hpp>
#include <cathoscope/report/report.hpp>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same results give another page than before; the page's own files count by their hash.
constexpr int report_algorithm = 1;

fs::path record_of(const SeenStage& seen, const Run& run) {
  return record_path(run.folder() / seen.electrode, seen.part.empty() ? seen.stage : seen.part);
}

bool is_report(const SeenStage& seen) { return seen.stage == "figures" && seen.part == "report"; }

std::vector<ReportStage> stages_of(const std::map<std::string, std::string>& unusable, const Run& run) {
  std::vector<ReportStage> stages;
  for (const auto& seen : run.seen()) {
    const fs::path record = record_of(seen, run);
    const bool counts = run.selected(seen.stage) || seen.status.state == StageState::finished;
    if (counts && fs::exists(record) && !is_report(seen))
      stages.push_back({seen.electrode, seen.stage, seen.part, record, {}});
  }
  for (const auto& [name, why] : unusable) {
    const auto slash = name.find('/');
    const bool whole_run = slash == std::string::npos;
    stages.push_back({whole_run ? "" : name.substr(0, slash), whole_run ? name : name.substr(slash + 1), {}, {}, why});
  }
  return stages;
}

ReportElectrode electrode_of(const Config& config, const ElectrodeConfig& e, const ElectrodeInputs& opened,
                             const std::map<std::string, std::string>& unusable, const Run& run) {
  ReportElectrode r;
  r.name = e.name;
  r.target = target_of(config, e);
  r.synthetic = synthetic_origin(e, opened);
  const fs::path folder = run.folder() / e.name;
  if (e.table)
    r.particles = e.table->path.resolved;
  else if (unusable.count(e.name + "/attributes") == 0)
    r.particles = folder / "attributes.csv";
  if (!r.particles.empty() && !e.table && fs::exists(folder / "attributes_matched.csv"))
    r.compared = folder / "attributes_matched.csv";
  return r;
}

ReportInputs report_inputs(const Config& config, const FigureSources& sources, const Run& run) {
  ReportInputs inputs;
  inputs.folder = run.folder();
  inputs.run = config.name;
  inputs.program = "cathoscope " + version_text();
  inputs.seed = config.seed;
  inputs.exclude = config.statistics.exclude;
  for (std::size_t i = 0; i < config.electrodes.size(); ++i)
    inputs.electrodes.push_back(
        electrode_of(config, config.electrodes[i], sources.inputs()[i], sources.unusable(), run));
  inputs.stages = stages_of(sources.unusable(), run);
  Config shown = config;
  shown.output = ".";
  inputs.config_yaml = canonical_yaml(shown, {.without = {"runtime"}, .paths = Paths::as_written});
  return inputs;
}

/// What a stage left, by the hashes in its record; no hash where a dry run only knows that it would run.
StageInput input_of(const SeenStage& seen, const Run& run) {
  StageInput input{seen.stage + (seen.part.empty() ? "" : " " + seen.part), {}, {}};
  if (!seen.electrode.empty()) input.name += " of " + seen.electrode;
  if (run.dry() && seen.status.state != StageState::finished) return input;
  const auto record = read_record(record_of(seen, run));
  if (!record) return input;
  std::string all;
  for (const auto& output : record->outputs) all += output.file + " " + output.sha256 + "\n";
  input.sha256 = sha256_of_text(all + record->spec.config);
  return input;
}

}  // namespace

void report_stage(const Config& config, const FigureSources& sources, Run& run) {
  if (!run.selected("figures")) return;
  const ReportInputs inputs = report_inputs(config, sources, run);
  StageSpec spec{"", "figures", report_algorithm, {}, {}, {"report.html"}, "report"};
  // The page shows paths as they were written; the key has them whole, as config.yaml of the run folder does.
  spec.config = canonical_yaml(config, {.without = {"runtime", "output"}, .paths = Paths::absolute}) +
                "page: " + report_page_hash() + "\n";
  for (const auto& e : inputs.electrodes) spec.config += e.name + ": " + e.target + ", origin: " + e.synthetic + "\n";
  for (const auto& [stage, why] : sources.unusable()) spec.config += "without " + stage + "\n";
  for (const auto& seen : run.seen()) spec.inputs.push_back(input_of(seen, run));
  for (const auto& e : config.electrodes)
    if (e.table) spec.inputs.push_back(run.input_of_files("particles of " + e.name, {e.table->path.resolved}));
  run.stage(spec, [&](const fs::path& folder, const Context& context) {
    write_report(inputs, partial_name(folder / "report.html"), context);
  });
}

}  // namespace cathoscope
