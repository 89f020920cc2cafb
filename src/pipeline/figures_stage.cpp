#include "figures_stage.hpp"

#include "run_folder.hpp"
#include "stage_record.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/figures/figures.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>
#include <array>
#include <fstream>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same inputs and settings give other pictures than before.
constexpr int figures_algorithm = 5;

const char* const work_name = "figures.work";
constexpr std::array<const char*, 3> electrode_stages{"volume", "segmentation", "attributes"};

}  // namespace

FigureSources::FigureSources(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Run& run)
    : config_(config), inputs_(inputs), run_(run) {
  if (config.electrodes.empty()) without_particles_ = "the run has no electrode";
  const auto& stages = config.stages;
  if (!config.chemomechanics && std::find(stages.begin(), stages.end(), "chemomechanics") == stages.end())
    unusable_["chemomechanics"] = "the configuration has no block `chemomechanics`";
}

bool FigureSources::wanted(const std::string& stage) const { return run_.selected(stage) || run_.selected("figures"); }

/// Does `work`. True, with the reason, where it needs a stage that may not run and nothing but the figures asked for it.
bool FigureSources::only_for_figures(const std::function<void()>& work, bool needed, std::string& why) const {
  try {
    work();
    return false;
  } catch (const Error& error) {
    const bool refused =
        error.exit() == Exit::config && !run_.seen().empty() && !run_.selected(run_.seen().back().stage);
    if (needed || !refused || !run_.selected("figures")) throw;
    why = error.what();
    return true;
  }
}

void FigureSources::attempt_electrode(const std::string& electrode, const std::function<void()>& stages) {
  bool needed = run_.selected("attributes") || run_.selected("latent") || run_.selected("regression");
  const auto& network = config_.chemomechanics;
  needed = needed || (run_.selected("chemomechanics") && network && network->geometry.particles_from == electrode);
  std::string why;
  if (!only_for_figures(stages, needed, why)) return;
  if (without_particles_.empty()) without_particles_ = electrode + ": " + why;
  bool from_here = false;
  for (const char* stage : electrode_stages) {
    from_here = from_here || run_.seen().back().stage == stage;
    if (from_here) unusable_[electrode + "/" + stage] = why;
  }
}

void FigureSources::attempt_all(const std::string& stage, const std::function<void()>& work) {
  if (!wanted(stage)) return;
  if (!without_particles_.empty())
    unusable_[stage] = without_particles_;
  else
    attempt(stage, [&] { measured_or_skipped(stage, work); });
}

void FigureSources::measured_or_skipped(const std::string& stage, const std::function<void()>& work) {
  const bool measured =
      std::none_of(config_.electrodes.begin(), config_.electrodes.end(), [](const auto& e) { return e.table; });
  try {
    work();
  } catch (const Error& e) {
    if (e.exit() != Exit::data || !measured || config_.stages != std::vector<std::string>{"all"}) throw;
    unusable_[stage] = e.what();
    run_.events().progress.on_warning(fmt::format("{}: skipped: {}", stage, e.what()));
  }
}

void FigureSources::attempt(const std::string& stage, const std::function<void()>& work) {
  std::string why;
  if (only_for_figures(work, run_.selected(stage), why)) unusable_[stage] = why;
}

std::string synthetic_origin(const ElectrodeConfig& config, const ElectrodeInputs& inputs) {
  for (const auto* file : {&inputs.volume, &inputs.labels, &inputs.cracks})
    if (*file && !(*file)->synthetic.empty()) return (*file)->synthetic;
  if (!config.table) return {};
  const fs::path truth = fs::path(config.table->path.resolved).parent_path() / "truth.yaml";
  if (!fs::exists(truth)) return {};
  const std::string text = read_text(truth);
  const bool ours = text.find("\nsynthetic: true\n") != std::string::npos;
  return ours ? "synthetic: a truth.yaml of cathoscope phantom is beside the table" : "";
}

namespace {

StudyResults study_results(const Config& config, const std::vector<ParticleTables>& tables,
                           const FigureSources& sources, const fs::path& folder) {
  StudyResults results{folder, {}, sources.unusable(), config.figures};
  for (std::size_t i = 0; i < config.electrodes.size(); ++i) {
    const ElectrodeConfig& e = config.electrodes[i];
    ElectrodeResults r{e.name,
                       folder / e.name,
                       synthetic_origin(e, sources.inputs()[i]),
                       sources.inputs()[i].two_dimensional,
                       e.table.has_value(),
                       target_of(config, e),
                       {}};
    for (const auto& t : tables)
      if (t.electrode == e.name) r.table = t.profiles.front().file;
    results.electrodes.push_back(std::move(r));
  }
  return results;
}

/// What a stage left, by the hashes in its record; no hash where a dry run only knows that it would run.
StageInput input_of(const SeenStage& seen, const Run& run) {
  StageInput input{seen.stage + (seen.part.empty() ? "" : " " + seen.part), {}, {}};
  if (!seen.electrode.empty()) input.name += " of " + seen.electrode;
  if (run.dry() && seen.status.state != StageState::finished) return input;
  const auto record =
      read_record(record_path(run.folder() / seen.electrode, seen.part.empty() ? seen.stage : seen.part));
  if (!record) return input;
  std::string all;
  for (const auto& output : record->outputs) all += output.file + " " + output.sha256 + "\n";
  input.sha256 = sha256_of_text(all);
  return input;
}

StageSpec spec_of(const Config& config, const std::vector<ParticleTables>& tables, const StudyResults& results,
                  const Run& run) {
  StageSpec spec{"", "figures", figures_algorithm, {}, {}, {"figures/figures.json"}};
  spec.config = canonical_yaml(config.figures, {.without = {}, .paths = Paths::left_out});
  spec.config += "figures of this program:";  // a new one is drawn in old run folders, too
  for (const auto& name : figure_names()) spec.config += " " + name;
  spec.config += "\n";
  for (const auto& e : results.electrodes) spec.config += e.name + ": " + e.target + ", origin: " + e.synthetic + "\n";
  for (const auto& [stage, why] : results.unusable) spec.config += "without " + stage + "\n";
  for (const auto& seen : run.seen())
    if (run.selected(seen.stage) || seen.status.state == StageState::finished)
      spec.inputs.push_back(input_of(seen, run));
  for (const auto& t : tables)
    if (!t.source.files.empty())
      spec.inputs.push_back({"particles of " + t.electrode, t.source.sha256, t.source.files});
  for (const char* study : {"laws", "parameters", "coverage", "morris"})
    if (const fs::path table = run.folder() / "explore" / (std::string(study) + ".csv"); fs::exists(table))
      spec.inputs.push_back(run.input_of_files(std::string("explore ") + study, {table}));
  if (config.figures.published_scores)
    spec.inputs.push_back(run.input_of_files("published scores", {config.figures.published_scores->resolved}));
  return spec;
}

/// Once a reason, with the figures that it leaves out.
void tell_missing(const std::vector<MissingFigure>& missing, const Run& run) {
  std::map<std::string, std::string> by_reason;
  for (const auto& m : missing) by_reason[m.why] += (by_reason[m.why].empty() ? "" : ", ") + m.name;
  for (const auto& [why, names] : by_reason) run.events().info(fmt::format("not drawn: {} ({})", names, why));
}

/// A folder to draw in that goes with its owner, whatever happens.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~WorkFolder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Moves what was drawn to where it is read; figures.json stays partial until the stage publishes it.
void move_drawn(const DrawnFigures& drawn, const fs::path& work, const fs::path& folder, Run& run) {
  std::vector<std::string> names;
  for (const auto& file : drawn.files) {
    const fs::path target = folder / "figures" / file;
    std::error_code error;
    fs::rename(work / file, partial_name(target), error);
    if (error) fail(Exit::write_error, "{} cannot be written: {}", target.string(), error.message());
    publish(target);
    names.push_back("figures/" + file);
  }
  run.also_wrote(names);
  const fs::path list = partial_name(folder / "figures/figures.json");
  std::ofstream out(list, std::ios::binary);
  out << drawn.json;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write (is the disk full?)", list.string());
}

}  // namespace

void figures_stage(const Config& config, const std::vector<ParticleTables>& tables, const FigureSources& sources,
                   Run& run) {
  if (!run.selected("figures")) return;
  const StudyResults results = study_results(config, tables, sources, run.folder());
  run.stage(spec_of(config, tables, results, run), [&](const fs::path& folder, const Context& context) {
    const WorkFolder work(folder / work_name);
    const DrawnFigures drawn = draw_figures(results, work.path(), context);
    for (const auto& note : drawn.notes) run.events().info("gnuplot, " + note);
    tell_missing(drawn.missing, run);
    move_drawn(drawn, work.path(), folder, run);
  });
}

}  // namespace cathoscope
