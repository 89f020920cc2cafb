#pragma once
/// Stage `regression`: contributions of each electrode, their differences, the statistics behind the figures.

#include "particle_tables.hpp"

#include <vector>

namespace cathoscope {

/// Three parts, each with its own record: `contributions` of every electrode, `regression` (runs of all electrodes and
/// differences from the first) and `statistics`.
void regression_stage(const Config& config, const std::vector<ParticleTables>& electrodes, Run& run);

}  // namespace cathoscope
