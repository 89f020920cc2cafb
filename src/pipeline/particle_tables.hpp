#pragma once
/// The particles of one electrode as the stages after `attributes` take them: measured by this run, or given as a table.

#include <cathoscope/core/table.hpp>
#include <cathoscope/pipeline/pipeline.hpp>
#include <cathoscope/pipeline/run.hpp>
#include <cathoscope/regression/regression.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

/// One way to describe an electrode's particles: `leak_free` and `paper` where the run measured them (or a given table has
/// both), `table` for other tables.
struct ParticleProfile {
  std::string name;
  std::filesystem::path file;  ///< CSV
  ModelColumns columns;
};

struct ParticleTables {
  std::string electrode;
  std::string target;
  StageInput source;                      ///< what a key depends on; its hash is empty in a dry run before it is there
  std::string settings;                   ///< of the table, for a key
  std::vector<ParticleProfile> profiles;  ///< the first is what inference uses
};

/// The column that a model of this electrode predicts.
std::string target_of(const Config& config, const ElectrodeConfig& electrode);
/// Features, label, position and flags of this electrode's table.
ModelColumns model_columns(const Config& config, const ElectrodeConfig& electrode);

/// After the stage `attributes`, whose artifact is given. Electrodes that were matched to a coarser voxel are taken as
/// matched: later stages compare electrodes.
ParticleTables measured_tables(const Config& config, const ElectrodeConfig& electrode, const Artifact& attributes,
                               bool matched);
/// From `electrodes[].table`. A table of attributes that also has columns which contain the cracks by definition
/// (crack_attributes) has two profiles: leak_free without them, paper with them.
ParticleTables given_tables(const Config& config, const ElectrodeConfig& electrode, const Table& table, const Run& run);

}  // namespace cathoscope
