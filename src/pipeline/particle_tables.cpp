#include "particle_tables.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/given.hpp>

#include <algorithm>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

/// The profile that inference uses comes first.
std::vector<ParticleProfile> ordered(const Config& config, ParticleProfile leak_free, ParticleProfile paper) {
  if (config.attributes.profile == "paper") return {std::move(paper), std::move(leak_free)};
  return {std::move(leak_free), std::move(paper)};
}

bool is_crack_column(const std::string& name) { return contains_cracks(canonical_attribute_name(name)); }

}  // namespace

std::string target_of(const Config& config, const ElectrodeConfig& electrode) {
  if (electrode.table && electrode.table->target) return *electrode.table->target;
  return config.regression.target;
}

ModelColumns model_columns(const Config& config, const ElectrodeConfig& electrode) {
  ModelColumns columns;
  columns.exclude = config.statistics.exclude;
  if (!electrode.table) return columns;
  columns.features = electrode.table->features;
  columns.position = electrode.table->position;
  columns.position_required = electrode.table->position != TableConfig{}.position;
  if (electrode.table->label) columns.label = *electrode.table->label;
  columns.label_required = electrode.table->label.has_value();
  return columns;
}

ParticleTables measured_tables(const Config& config, const ElectrodeConfig& electrode, const Artifact& attributes,
                               bool matched) {
  const fs::path folder = attributes.path.parent_path();
  const std::string stem = matched ? "attributes_matched" : "attributes";
  const ModelColumns columns = model_columns(config, electrode);
  ParticleTables tables{electrode.name, target_of(config, electrode), {"attributes", attributes.sha256, {}}, {}, {}};
  tables.settings = matched ? "voxel sizes matched\n" : "";
  tables.profiles = ordered(config, {"leak_free", folder / (stem + "_leakfree.csv"), columns},
                            {"paper", folder / (stem + ".csv"), columns});
  return tables;
}

ParticleTables given_tables(const Config& config, const ElectrodeConfig& electrode, const Table& table,
                            const Run& run) {
  const TableConfig& given_table = given(electrode.table);
  const fs::path file = given_table.path.resolved;
  const ModelColumns columns = model_columns(config, electrode);
  ParticleTables tables{electrode.name, target_of(config, electrode), run.input_of_files("table", {file}), {}, {}};
  tables.settings = canonical_yaml(given_table, {.without = {}, .paths = Paths::left_out});
  std::vector<std::string> names = model_features(table, tables.target, columns);
  const bool leaks = canonical_attribute_name(tables.target) == "Damage" && columns.features.empty() &&
                     std::any_of(names.begin(), names.end(), is_crack_column);
  if (!leaks) {
    tables.profiles = {{"table", file, columns}};
    return tables;
  }
  ParticleProfile leak_free{"leak_free", file, columns};
  names.erase(std::remove_if(names.begin(), names.end(), is_crack_column), names.end());
  leak_free.columns.features = std::move(names);
  tables.profiles = ordered(config, std::move(leak_free), {"paper", file, columns});
  return tables;
}

}  // namespace cathoscope
