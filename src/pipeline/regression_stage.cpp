#include "regression_stage.hpp"

#include "stage_journal.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/contributions.hpp>
#include <cathoscope/regression/damage_tables.hpp>

#include <algorithm>
#include <fstream>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same inputs and settings give other results than before.
constexpr int regression_algorithm = 2;
// The same for the statistics of damage.
constexpr int statistics_algorithm = 3;

void write_output(const fs::path& path, const std::string& text) {
  std::ofstream out(partial_name(path), std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", path.string());
  out << text;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write {} bytes (is the disk full?)", path.string(), text.size());
}

std::string list_text(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return "[" + text + "]";
}

/// What every part's key holds: which rows and columns, and the seed.
std::string common_settings(const Config& config, const ParticleTables& tables) {
  return fmt::format("seed: {}\ntarget: {}\nexclude: {}\nprofile: {}\n", config.seed, tables.target,
                     list_text(config.statistics.exclude), tables.profiles.front().name) +
         tables.settings;
}

/// The paper's table beside that of inference; none where a table was given that has one definition only.
const ParticleProfile* paper_profile(const ParticleTables& tables) {
  for (const auto& p : tables.profiles)
    if (p.name == "paper") return &p;
  return nullptr;
}

std::map<std::string, double> reliability_of(const RegressionConfig& config) {
  std::map<std::string, double> result;
  if (!config.reliability) return result;
  const Table table = read_csv(config.reliability->resolved);
  const Column *names = table.find("attribute"), *values = table.find("reliability");
  if (names == nullptr || names->texts.empty() || values == nullptr || values->numbers.empty())
    fail(Exit::data, "{}: regression.reliability needs the columns attribute and reliability (numbers)",
         config.reliability->text);
  for (std::size_t i = 0; i < table.rows(); ++i) result[canonical_attribute_name(names->texts[i])] = values->numbers[i];
  return result;
}

struct Fitted {
  Contributions contributions;
  std::vector<ContributionDifference> sham;
};

ModelTable model_of(const ParticleTables& tables, const ParticleProfile& profile) {
  return model_table(read_csv(profile.file), tables.target, profile.columns);
}

ContributionInputs contribution_inputs(const Config& config, const ParticleTables& tables,
                                       const ParticleProfile& profile, const ModelTable& model,
                                       const FinishedPieces& pieces) {
  return {model, tables.electrode, profile.name, config.seed, reliability_of(config.regression), &pieces};
}

/// Only the profile of inference is compared with what chance would give.
bool has_sham(const ParticleTables& tables, const ParticleProfile& profile) {
  return &profile == &tables.profiles.front();
}

Fitted fitted(const Config& config, const ParticleTables& tables, const ParticleProfile& profile,
              const FinishedPieces& pieces, const Context& context) {
  const ModelTable model = model_of(tables, profile);
  for (const auto& note : model.notes())
    if (!model.filled.empty() || !model.left_out.empty() || model.rows_without_position > 0)
      context.progress.warn(fmt::format("{}, {}: {}", tables.electrode, profile.name, note));
  const ContributionInputs inputs = contribution_inputs(config, tables, profile, model, pieces);
  Fitted result{contributions(config.regression, inputs, context), {}};
  if (has_sham(tables, profile)) result.sham = sham_differences(config.regression, inputs, context);
  return result;
}

void warn_of_definitions(const ParticleTables& tables, const Context& context) {
  if (tables.profiles.front().name == "paper")
    context.progress.warn(
        tables.electrode +
        ": the paper's profile is used for inference; its Sphericity, VSratio, EDensity, Homogeneity, "
        "SurfInner and RoughInner contain the cracks that define Damage");
}

std::vector<std::string> contribution_outputs(const ParticleTables& tables) {
  // The samples come first: all that the comparison of electrodes reads, so that their hash stands for it.
  std::vector<std::string> outputs{
      "contribution_samples.csv", "contributions.csv", "regression.json", "forest.json", "shap.csv", "predictions.csv"};
  if (paper_profile(tables) != nullptr) outputs.emplace_back("contributions_paper.csv");
  return outputs;
}

void write_contributions(const Config& config, const ParticleTables& tables, const fs::path& folder,
                         const FinishedPieces& pieces, const Context& context) {
  warn_of_definitions(tables, context);
  std::vector<Fitted> results;
  results.reserve(tables.profiles.size());
  for (const auto& profile : tables.profiles) results.push_back(fitted(config, tables, profile, pieces, context));
  std::vector<const Contributions*> all;
  all.reserve(results.size());
  for (const auto& r : results) all.push_back(&r.contributions);
  const Contributions& used = results.front().contributions;
  write_output(folder / "contribution_samples.csv", csv_text(contribution_samples_table(all)));
  write_output(folder / "contributions.csv", csv_text(contributions_table(used)));
  write_output(folder / "regression.json", regression_json(used, results.front().sham));
  write_output(folder / "forest.json", forest_json(used.forest));
  write_output(folder / "shap.csv", csv_text(explanation_table(used.forest, used.explanation, used.training_label)));
  write_output(folder / "predictions.csv", csv_text(predictions_table(used)));
  for (const auto* c : all)
    if (c->profile == "paper") write_output(folder / "contributions_paper.csv", csv_text(contributions_table(*c)));
}

StageSpec contributions_spec(const Config& config, const ParticleTables& tables, const Run& run) {
  StageSpec spec{tables.electrode, "regression", regression_algorithm, {}, {tables.source}, {}, "contributions"};
  RegressionConfig settings = config.regression;
  settings.target = tables.target;
  spec.config = canonical_yaml(settings, {.without = {}, .paths = Paths::left_out}) + common_settings(config, tables);
  if (config.regression.reliability)
    spec.inputs.push_back(run.input_of_files("reliability", {config.regression.reliability->resolved}));
  spec.outputs = contribution_outputs(tables);
  return spec;
}

const std::string journal_stem = "contributions";

void tell_of(const StageJournal& journal, const ParticleTables& tables, const Run& run) {
  const auto tell = [&](const std::string& text) { run.events().info(tables.electrode + "/regression: " + text); };
  if (journal.not_used() > 0)
    tell(fmt::format("{} journals of another configuration or table are not used", journal.not_used()));
  if (journal.found() > 0) tell(fmt::format("{} forests that were finished before are used", journal.found()));
}

Artifact contributions_part(const Config& config, const ParticleTables& tables, Run& run) {
  const StageSpec spec = contributions_spec(config, tables, run);
  const fs::path place = run.folder_of(spec);
  Artifact result = run.stage(spec, [&](const fs::path& folder, const Context& context) {
    const StageJournal journal(journal_file(place, journal_stem), stage_key(spec), journal_files(place, journal_stem),
                               {});
    tell_of(journal, tables, run);
    write_contributions(config, tables, folder, journal.pieces(), context);
  });
  std::error_code none;
  if (!run.dry())
    for (const fs::path& file : journal_files(place, journal_stem)) fs::remove(file, none);
  return result;
}

/// A shard's forests of one electrode, left in a journal for the run that comes after.
void contributions_share(const Config& config, const ParticleTables& tables, const Shard& shard, Run& run) {
  const StageSpec spec = contributions_spec(config, tables, run);
  run.share(spec, [&](const fs::path& folder, const Context& context) {
    const StageJournal journal(journal_file(folder, journal_stem, shard), stage_key(spec),
                               journal_files(folder, journal_stem), shard);
    tell_of(journal, tables, run);
    for (const auto& profile : tables.profiles) {
      const ModelTable model = model_of(tables, profile);
      const ContributionInputs inputs = contribution_inputs(config, tables, profile, model, journal.pieces());
      contribution_pieces(config.regression, inputs, context);
      if (has_sham(tables, profile)) sham_pieces(config.regression, inputs, context);
    }
    run.events().info(fmt::format("{}/regression: shard {} of {} has finished {} forests", tables.electrode,
                                  shard.index, shard.count, journal.kept()));
  });
}

/// The electrodes' scores as they were written, one profile after the other.
std::vector<Contributions> written_contributions(const std::vector<ParticleTables>& electrodes,
                                                 const std::vector<Artifact>& samples) {
  std::vector<Contributions> all;
  for (std::size_t e = 0; e < electrodes.size(); ++e) {
    const Table table = read_csv(samples[e].path);
    for (const auto& profile : electrodes[e].profiles)
      all.push_back(contributions_from_samples(table, electrodes[e].electrode, profile.name));
  }
  return all;
}

/// Second against first by the profile of inference, then by the paper's where both have it.
std::vector<NamedDifferences> compared(const std::vector<ParticleTables>& electrodes,
                                       const std::vector<Contributions>& all) {
  const auto find = [&](const ParticleTables& t, const ParticleProfile* profile) -> const Contributions* {
    for (const auto& c : all)
      if (profile != nullptr && c.electrode == t.electrode && c.profile == profile->name) return &c;
    return nullptr;
  };
  std::vector<NamedDifferences> result;
  const ParticleTables& first = electrodes.front();
  const auto add = [&](const Contributions* a, const Contributions* b) {
    if (a == nullptr || b == nullptr) return;
    const std::string profile = a->profile == b->profile ? a->profile : a->profile + "/" + b->profile;
    result.push_back({a->electrode, b->electrode, profile, contribution_differences(*a, *b)});
  };
  for (std::size_t e = 1; e < electrodes.size(); ++e) {
    add(find(first, &first.profiles.front()), find(electrodes[e], &electrodes[e].profiles.front()));
    if (first.profiles.front().name != "paper")
      add(find(first, paper_profile(first)), find(electrodes[e], paper_profile(electrodes[e])));
  }
  return result;
}

void comparison_part(const std::vector<ParticleTables>& electrodes, const std::vector<Artifact>& samples, Run& run) {
  StageSpec spec{"", "regression", regression_algorithm, {}, {}, {"contribution_runs.csv"}};
  if (electrodes.size() > 1) spec.outputs.emplace_back("contribution_differences.csv");
  for (std::size_t e = 0; e < electrodes.size(); ++e) {
    spec.inputs.push_back({"contributions of " + electrodes[e].electrode, samples[e].sha256, {}});
    spec.config += electrodes[e].electrode + ": " + electrodes[e].profiles.front().name + "\n";
  }
  run.stage(spec, [&](const fs::path& folder, const Context&) {
    const auto all = written_contributions(electrodes, samples);
    std::vector<const Contributions*> pointers;
    pointers.reserve(all.size());
    for (const auto& c : all) pointers.push_back(&c);
    write_output(folder / "contribution_runs.csv", csv_text(contribution_runs_table(pointers)));
    if (electrodes.size() > 1)
      write_output(folder / "contribution_differences.csv",
                   csv_text(contribution_differences_table(compared(electrodes, all))));
  });
}

ElectrodeParticles particles_of(const ParticleTables& tables) {
  std::optional<ElectrodeParticles> result;
  for (const auto& profile : tables.profiles) {
    const Table table = read_csv(profile.file);
    const ModelTable model = model_table(table, tables.target, profile.columns);
    if (!result) result = electrode_particles(tables.electrode, model);
    add_profile(*result, profile.name, table, model);
  }
  return std::move(*result);
}

DamageTableOptions table_options(const Config& config) {
  DamageTableOptions options;
  options.severe_quantile = config.figures.severe_quantile;
  options.severe_damage = config.figures.severe_damage;
  options.bootstraps = static_cast<int>(config.statistics.bootstraps);
  options.permutations = static_cast<int>(config.statistics.permutations);
  options.seed = config.seed;
  return options;
}

void statistics_part(const Config& config, const std::vector<ParticleTables>& electrodes, Run& run) {
  StageSpec spec{"", "regression", statistics_algorithm, {}, {}, {}, "statistics"};
  spec.config = canonical_yaml(config.statistics) +
                canonical_yaml(config.figures, {.without = {"formats", "which", "published_scores"}});
  for (const auto& e : electrodes) {
    spec.config += e.electrode + ":\n" + common_settings(config, e);
    spec.inputs.push_back({"particles of " + e.electrode, e.source.sha256, e.source.files});
  }
  for (const auto& name : damage_table_names()) spec.outputs.push_back("statistics/" + name + ".csv");
  run.stage(spec, [&](const fs::path& folder, const Context& context) {
    std::vector<ElectrodeParticles> particles;
    for (const auto& e : electrodes) {
      particles.push_back(particles_of(e));
      if (particles.back().particles.position.empty())
        context.progress.warn(e.electrode + ": no positions, so no spatial statistics");
    }
    for (const auto& named : damage_tables(particles, table_options(config), context))
      write_output(folder / "statistics" / (named.name + ".csv"), csv_text(named.table));
  });
}

}  // namespace

void regression_stage(const Config& config, const std::vector<ParticleTables>& electrodes, Run& run) {
  if (electrodes.empty()) return;
  std::vector<Artifact> samples;
  samples.reserve(electrodes.size());
  for (const auto& e : electrodes) samples.push_back(contributions_part(config, e, run));
  comparison_part(electrodes, samples, run);
  statistics_part(config, electrodes, run);
}

void regression_share(const Config& config, const std::vector<ParticleTables>& electrodes, const Shard& shard,
                      Run& run) {
  for (const auto& e : electrodes) contributions_share(config, e, shard, run);
}

}  // namespace cathoscope
