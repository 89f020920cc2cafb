#pragma once
/// Stage `chemomechanics`: the damage model on invented particles, or on those of a measured electrode.

#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/run.hpp>

#include <string>

namespace cathoscope {

/// The electrode whose particles the model takes; empty where it takes none, or the stage does not run.
std::string measured_electrode(const Config& config, const Run& run);

/// Does nothing where the configuration has no block `chemomechanics` and does not name the stage. Measured particles come
/// from the electrode's attributes.csv, which must be there.
void chemomechanics_stage(const Config& config, Run& run);

}  // namespace cathoscope
