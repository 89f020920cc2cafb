#pragma once
/// Stage `regression`: contributions of each electrode, their differences, the statistics behind the figures.

#include "particle_tables.hpp"

#include <cathoscope/core/shard.hpp>

#include <vector>

namespace cathoscope {

/// Three parts, each with its own record: `contributions` of every electrode, `regression` (runs of all electrodes and
/// differences from the first) and `statistics`.
void regression_stage(const Config& config, const std::vector<ParticleTables>& electrodes, Run& run);

/// A shard of `contributions`, which is nearly all of the stage: forests that regression_stage() then finds finished.
void regression_share(const Config& config, const std::vector<ParticleTables>& electrodes, const Shard& shard,
                      Run& run);

}  // namespace cathoscope
