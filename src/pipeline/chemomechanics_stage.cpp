#include "chemomechanics_stage.hpp"

#include "element_stage.hpp"

#include <cathoscope/chemomechanics/results.hpp>
#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/measured_network.hpp>

#include <algorithm>
#include <fstream>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same inputs and settings give other results than before.
constexpr int chemomechanics_algorithm = 1;

const char* const work_name = "chemomechanics.work";

bool named(const Config& config) {
  return std::find(config.stages.begin(), config.stages.end(), "chemomechanics") != config.stages.end();
}

bool wanted(const Config& config, const Run& run) {
  return (run.selected("chemomechanics") || run.selected("figures")) && (config.chemomechanics || named(config));
}

void write_output(const fs::path& path, const std::string& text) {
  std::ofstream out(partial_name(path), std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", path.string());
  out << text;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write {} bytes (is the disk full?)", path.string(), text.size());
}

/// The electrode's table as an input; without a hash where a dry run comes before it.
StageInput table_input(const fs::path& csv, const Run& run) {
  if (fs::exists(csv)) return run.input_of_files("particles", {csv});
  if (run.dry()) return {"particles", "", {}};
  fail(Exit::config, "chemomechanics.geometry.particles_from: {} is not there: the stage attributes must run before",
       csv.string());
}

/// The table that an electrode brings, or the one that the stage `attributes` makes of it.
fs::path particles_file(const Config& config, const std::string& electrode, const Run& run) {
  for (const auto& e : config.electrodes)
    if (e.name == electrode && e.table) return e.table->path.resolved;
  return run.folder() / electrode / "attributes.csv";
}

StageSpec spec_of(const Config& config, const ChemomechanicsConfig& settings, const fs::path& csv, const Run& run) {
  StageSpec spec{{}, "chemomechanics", chemomechanics_algorithm, canonical_yaml(settings), {}, {}};
  spec.outputs = {"chemomechanics.h5", "chemomechanics.csv", "chemomechanics_cycles.csv"};
  const bool measured = settings.geometry.particles_from.has_value();
  if (measured || settings.geometry.coverage.distribution != "list")
    spec.config += fmt::format("seed: {}\n", config.seed);
  if (measured) {
    spec.inputs.push_back(table_input(csv, run));
    spec.outputs.insert(spec.outputs.end(), {"chemomechanics_measured.csv", "chemomechanics_measured.json"});
  }
  if (settings.model == "finite_elements" && settings.mesh.file)
    spec.inputs.push_back(run.input_of_files("mesh", {settings.mesh.file->resolved}));
  return spec;
}

std::string groups_text(const NetworkModel& model) {
  std::string text = "dimensionless groups:";
  for (const auto& g : dimensionless_groups(model)) text += fmt::format(" {} {:.4g}", g.name, g.value);
  return text;
}

/// What the tables will take on the disk, for networks where that matters.
void announce_size(const NetworkModel& model, const Run& run) {
  const auto& p = model.protocol;
  const double moved = p.x_initial - p.x_end;
  const double steps =
      static_cast<double>(p.cycles) * moved * (1 / model.time.dtau_charge + 1 / model.time.dtau_discharge);
  const double rows =
      steps / static_cast<double>(model.time.output_every) * static_cast<double>(model.particles.size());
  if (rows > 1e6)
    run.events().info(
        fmt::format("chemomechanics: about {:.0f} million rows, {} on the disk; time.output_every makes it "
                    "less",
                    rows / 1e6, bytes_text(rows * 170)));
}

void warn_if_unstable(const NetworkModel& model, const Context& context) {
  for (const auto& g : dimensionless_groups(model))
    if (g.name == "Pi_st" && g.value >= 1)
      context.progress.warn(fmt::format(
          "chemomechanics: Pi_st is {:.3g}: from 1 on an interface snaps open instead of softening, and damage jumps",
          g.value));
}

void compare_with_measured(const Config& config, const ChemomechanicsConfig& settings, const std::string& key,
                           const MeasuredParticles& measured, const NetworkState& state, const fs::path& folder,
                           const Context& context) {
  const auto plain =
      run_network_in(folder / work_name / "radius_only", key, radius_only_network(settings, measured), context);
  write_output(folder / "chemomechanics_measured.csv", csv_text(measured_table(measured, state.damage, plain.damage)));
  write_output(folder / "chemomechanics_measured.json",
               measured_json(*settings.geometry.particles_from, settings.geometry, measured, state.damage, plain.damage,
                             config.seed));
}

void warn_left_out(const MeasuredParticles& m, const Context& context) {
  if (m.without_shape + m.without_coverage > 0)
    context.progress.warn(
        fmt::format("chemomechanics: {} particles without volume or position and {} without a value of the proxy are "
                    "not in the network",
                    m.without_shape, m.without_coverage));
}

}  // namespace

std::string measured_electrode(const Config& config, const Run& run) {
  if (!config.chemomechanics || !wanted(config, run)) return {};
  return config.chemomechanics->geometry.particles_from.value_or("");
}

void chemomechanics_stage(const Config& config, Run& run) {
  if (!wanted(config, run)) return;
  const ChemomechanicsConfig settings = config.chemomechanics.value_or(ChemomechanicsConfig{});
  const bool from_table = settings.geometry.particles_from.has_value();
  const fs::path csv = from_table ? particles_file(config, *settings.geometry.particles_from, run) : fs::path();
  const StageSpec spec = spec_of(config, settings, csv, run);
  run.stage(spec, [&](const fs::path& folder, const Context& context) {
    if (settings.model == "finite_elements")
      return run_element_stage(settings, config.seed, stage_key(spec), folder, run, context);
    MeasuredParticles measured;
    if (from_table) measured = measured_particles(read_csv(csv), settings.geometry);
    const NetworkModel model = from_table ? measured_network(settings, measured) : network_of(settings, config.seed);
    warn_left_out(measured, context);
    run.events().info(groups_text(model));
    warn_if_unstable(model, context);
    announce_size(model, run);
    const fs::path work = folder / work_name;
    const std::string key = stage_key(spec);
    const NetworkState state = run_network_in(work, key, model, context);
    if (from_table) compare_with_measured(config, settings, key, measured, state, folder, context);
    write_network_results(
        work, model, state,
        {partial_name(folder / "chemomechanics.csv"), partial_name(folder / "chemomechanics_cycles.csv"),
         partial_name(folder / "chemomechanics.h5")},
        dimensionless_groups(model));
    fs::remove_all(work);
  });
}

}  // namespace cathoscope
