#include "latent_stage.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/latent/latent.hpp>

#include <algorithm>
#include <fstream>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same inputs and settings give other results than before.
constexpr int latent_algorithm = 1;

void write_output(const fs::path& path, const std::string& text) {
  std::ofstream out(partial_name(path), std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", path.string());
  out << text;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write {} bytes (is the disk full?)", path.string(), text.size());
}

ModelTable used_rows(const ParticleTables& tables, const Context& context) {
  const auto& profile = tables.profiles.front();
  ModelTable model = model_table(read_csv(profile.file), tables.target, profile.columns);
  if (!model.filled.empty() || !model.left_out.empty() || model.rows_excluded > 0)
    for (const auto& note : model.notes()) context.progress.warn(fmt::format("{}: {}", tables.electrode, note));
  return model;
}

std::size_t feature_index(const ModelTable& model, const std::string& name) {
  const auto same = [&](const std::string& f) { return canonical_attribute_name(f) == name; };
  return static_cast<std::size_t>(std::find_if(model.features.begin(), model.features.end(), same) -
                                  model.features.begin());
}

/// Columns that every electrode has, in the order of the first.
std::vector<std::string> common_features(const std::vector<ModelTable>& models,
                                         const std::vector<ParticleTables>& electrodes, const Context& context) {
  std::vector<std::string> common;
  for (const auto& feature : models.front().features) {
    const std::string name = canonical_attribute_name(feature);
    const auto without = std::find_if(models.begin(), models.end(),
                                      [&](const ModelTable& m) { return feature_index(m, name) == m.features.size(); });
    if (without == models.end())
      common.push_back(name);
    else
      context.progress.warn(fmt::format("latent: column '{}' is left out: electrode '{}' has no usable one", name,
                                        electrodes[static_cast<std::size_t>(without - models.begin())].electrode));
  }
  return common;
}

LatentElectrode electrode_of(const std::string& name, const ModelTable& model, const std::vector<std::string>& features,
                             bool with_target) {
  const std::size_t d = features.size() + (with_target ? 1 : 0);
  LatentElectrode e{
      name, model.label, DataMatrix(static_cast<std::int64_t>(model.y.size()), static_cast<std::int64_t>(d)), {}};
  std::vector<std::size_t> from;
  for (const auto& f : features) from.push_back(feature_index(model, f));
  for (std::size_t i = 0; i < model.y.size(); ++i) {
    double* row = e.values.row(static_cast<std::int64_t>(i));
    for (std::size_t c = 0; c < from.size(); ++c) row[c] = static_cast<double>(model.x.row(i)[from[c]]);
    if (with_target) row[d - 1] = model.y[i];
  }
  if (e.label.empty()) e.label.assign(model.source_row.begin(), model.source_row.end());
  for (const auto& p : model.position) e.position.push_back(p[0]);
  return e;
}

struct LatentTask {
  LatentConfig config;
  LatentInput input;
};

/// The data decide which columns are usable, in images only a third of them: fewer columns than the dimensions that were
/// asked for are no mistake of the configuration then, and the run goes on with as many dimensions as there are columns.
LatentConfig with_usable_dimensions(LatentConfig config, const std::vector<ModelTable>& models,
                                    const LatentInput& input, const Context& context) {
  const auto columns = static_cast<std::int64_t>(input.columns.size());
  const bool some_left_out =
      std::any_of(models.begin(), models.end(), [](const ModelTable& m) { return !m.left_out.empty(); });
  if (!some_left_out || columns == 0 || config.dimensions <= columns) return config;
  context.progress.warn(fmt::format("latent.dimensions is {}, and the electrodes have {} usable columns: {} are used",
                                    config.dimensions, columns, columns));
  config.dimensions = columns;
  return config;
}

LatentTask latent_task(const Config& config, const std::vector<ParticleTables>& electrodes, const Context& context) {
  std::vector<ModelTable> models;
  for (const auto& e : electrodes) models.push_back(used_rows(e, context));
  LatentInput input;
  const auto features = common_features(models, electrodes, context);
  input.columns = features;
  if (config.latent.include_damage) input.columns.push_back(canonical_attribute_name(electrodes.front().target));
  for (std::size_t e = 0; e < electrodes.size(); ++e)
    input.electrodes.push_back(
        electrode_of(electrodes[e].electrode, models[e], features, config.latent.include_damage));
  auto usable = with_usable_dimensions(config.latent, models, input, context);
  return {std::move(usable), std::move(input)};
}

StageSpec latent_spec(const Config& config, const std::vector<ParticleTables>& electrodes) {
  StageSpec spec{"", "latent", latent_algorithm, canonical_yaml(config.latent), {}, {"latent.h5"}};
  spec.config += fmt::format("seed: {}\n", config.seed);
  for (const auto& flag : config.statistics.exclude) spec.config += "exclude: " + flag + "\n";
  for (const auto& e : electrodes) {
    spec.config += fmt::format("{}: {}, target {}\n", e.electrode, e.profiles.front().name, e.target) + e.settings;
    StageInput source = e.source;
    source.name += " of " + e.electrode;
    spec.inputs.push_back(std::move(source));
  }
  spec.outputs.insert(spec.outputs.end(), {"latent_links.csv", "latent_summary.json"});
  if (electrodes.size() > 1) spec.outputs.emplace_back("latent_differences.csv");
  for (const auto& e : electrodes) spec.outputs.push_back(e.electrode + "/latent.csv");
  return spec;
}

}  // namespace

void latent_stage(const Config& config, const std::vector<ParticleTables>& electrodes, Run& run) {
  if (electrodes.empty()) return;
  run.stage(latent_spec(config, electrodes), [&](const fs::path& folder, const Context& context) {
    if (config.latent.mode == "separate")
      context.progress.warn(
          "latent.mode separate: encoders trained apart make links that differ between two halves of one electrode; "
          "what they show is exploratory");
    const auto task = latent_task(config, electrodes, context);
    const auto result = latent_analysis(task.config, task.input, config.seed, context);
    write_latent_model(result, partial_name(folder / "latent.h5"));
    write_output(folder / "latent_links.csv", csv_text(latent_links_table(result)));
    write_output(folder / "latent_summary.json", latent_summary_json(result));
    if (electrodes.size() > 1)
      write_output(folder / "latent_differences.csv", csv_text(latent_differences_table(result)));
    for (const auto& e : result.electrodes)
      write_output(folder / e.name / "latent.csv", csv_text(latent_codes_table(e)));
  });
}

}  // namespace cathoscope
