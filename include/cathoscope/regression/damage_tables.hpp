#pragma once
/// The statistics behind Figs. 1B, 2, S7, S11 and S12 of Li et al. (2022), DOI 10.1126/science.abm8962, as tables: what the
/// figures draw and what their captions say.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/regression/damage_statistics.hpp>
#include <cathoscope/regression/regression.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// One electrode's particles by one profile (definition of the attributes).
struct ParticleSample {
  std::string profile;
  std::vector<std::string> attribute;
  std::vector<std::vector<double>> values;  ///< [attribute][particle], NaN = missing
};

/// What the statistics need of one electrode. Rows are the particles that inference uses.
struct ElectrodeParticles {
  std::string electrode;
  DamagedParticles particles;  ///< `position` may be empty: then there are no spatial statistics
  std::vector<std::uint64_t> label;
  std::vector<ParticleSample> profiles;  ///< the first is what inference uses
};

/// Particles of a table without flag and with a target. Depth: the attribute Z; size: Volume. Errors as model_table.
ElectrodeParticles electrode_particles(const std::string& electrode, const ModelTable& model);
/// Adds the attributes (and any other numeric column of a table that has none) as `profile`, gaps left open.
void add_profile(ElectrodeParticles& electrode, const std::string& profile, const Table& table,
                 const ModelTable& model);

struct DamageTableOptions {
  double severe_quantile = 0.9;
  std::optional<double> severe_damage;
  int bootstraps = 1000;
  int permutations = 999;
  std::uint64_t seed = 0;
};

struct NamedTable {
  std::string name;  ///< fig1b, ...
  Table table;
};

/// Names of the tables, in their order.
const std::vector<std::string>& damage_table_names();
/// The tables. Electrodes are compared with the first; parts low_x and high_x of one electrode are the sham comparison.
std::vector<NamedTable> damage_tables(const std::vector<ElectrodeParticles>& electrodes,
                                      const DamageTableOptions& options, const Context& context);

}  // namespace cathoscope
