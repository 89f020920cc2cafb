#pragma once
/// Rank 0 tells the others what a stage is about to work on. Nothing where it is alone.

#include "attribute_inputs.hpp"
#include "network_model.hpp"

#include <cathoscope/core/progress.hpp>

#include <string>

namespace cathoscope {

/// They open the same network; Error{version} where its weights, thresholds or device differ.
void share_network(const RunModel& model, const std::string& device, const Context& context);

/// They open the same files.
void share_electrode(const MeasuredFiles& files, const Context& context);

}  // namespace cathoscope
