#pragma once
/// Stage `latent`: latent dimensions of the attributes of all electrodes, their links and differences.

#include "particle_tables.hpp"

#include <vector>

namespace cathoscope {

/// One record of the whole run; codes go to the electrodes' folders.
void latent_stage(const Config& config, const std::vector<ParticleTables>& electrodes, Run& run);

}  // namespace cathoscope
