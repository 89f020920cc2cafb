#include <cathoscope/chemomechanics/study.hpp>
#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/figures/figures.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/model_study.hpp>

#include <algorithm>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same configuration gives other outcomes than before.
constexpr int study_algorithm = 2;

MorrisDesign design_of(const ChemomechanicsConfig& base, const ModelStudyOptions& o) {
  if (o.study == "morris") return morris_design(base, o.trajectories, o.seed);
  if (o.study == "laws") return {law_comparison(base), {}, {}};
  if (o.study == "coverage") return {coverage_study(base), {}, {}};
  if (o.study == "parameters") return {parameter_study(base), {}, {}};
  fail(Exit::usage, "--study {}: allowed are laws, parameters, coverage and morris", o.study);
}

fs::path file_of(const fs::path& folder, const StudyRun& run, std::uint64_t seed) {
  const std::string key =
      sha256_of_text(fmt::format("algorithm {}\nseed {}\n{}", study_algorithm, seed, canonical_yaml(run.config)));
  return folder / "runs" / (key.substr(0, 32) + ".csv");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder / "runs", error);
  if (error) fail(Exit::cannot_create, "{}: cannot be created: {}", folder.string(), error.message());
}

void run_one(const StudyRun& run, const fs::path& file, std::uint64_t seed, const Context& context) {
  context.progress.check_stop();
  Progress quiet({[&](const std::string&, double) { context.progress.check_stop(); }, {}});  // a run may take an hour
  const StudyOutcome outcome = outcome_of(run.config, seed, {quiet, 1});
  write_atomically(file, csv_text(outcome_table({run}, {outcome})));
  context.progress.advance();
}

}  // namespace

ModelStudyResult study_model(const ChemomechanicsConfig& base, const ModelStudyOptions& options, const fs::path& folder,
                             const Context& context) {
  const MorrisDesign design = design_of(base, options);
  make_folder(folder);
  std::vector<fs::path> files;
  std::vector<std::size_t> mine;
  for (std::size_t r = 0; r < design.runs.size(); ++r) {
    files.push_back(file_of(folder, design.runs[r], options.seed));
    const bool of_shard = r % static_cast<std::size_t>(options.shards) == static_cast<std::size_t>(options.shard - 1);
    if (of_shard && !fs::exists(files[r])) mine.push_back(r);
  }
  context.progress.begin("runs", mine.size());
  parallel_for(static_cast<std::int64_t>(mine.size()), context.threads, [&](std::int64_t k) {
    const std::size_t r = mine[static_cast<std::size_t>(k)];
    run_one(design.runs[r], files[r], options.seed, context);
  });
  ModelStudyResult result{design.runs.size(), 0, folder / (options.study + ".csv"), {}};
  result.done = static_cast<std::size_t>(
      std::count_if(files.begin(), files.end(), [](const fs::path& f) { return fs::exists(f); }));
  if (result.done < result.runs) return result;
  std::vector<StudyOutcome> outcomes;
  for (const auto& file : files) outcomes.push_back(outcome_from(read_csv(file)));
  const bool morris = options.study == "morris";
  if (morris) result.table = folder / "morris_runs.csv";
  write_atomically(result.table, csv_text(outcome_table(design.runs, outcomes)));
  if (!morris) return result;
  result.morris = folder / "morris.csv";
  write_atomically(result.morris, csv_text(morris_table(design, outcomes, options.seed)));
  return result;
}

void draw_model_study(const std::string& study, const fs::path& folder, const Context& context) {
  const fs::path work = folder / "figures.work", target = folder / "figures";
  fs::remove_all(work);
  fs::create_directories(work);
  fs::create_directories(target);
  StudyResults results;
  results.folder = folder;
  results.settings.which = {study == "coverage" ? "model_synchrony" : "model_" + study};
  const DrawnFigures drawn = draw_figures(results, work, context);
  for (const auto& file : drawn.files) write_atomically(target / file, read_text(work / file));
  fs::remove_all(work);
}

}  // namespace cathoscope
