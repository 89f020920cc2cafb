#pragma once
/// Envelopes of particles whose labels are solid: closed by a ball, filled, other particles left alone.

#include "streaming.hpp"

#include <cathoscope/attributes/attributes.hpp>

namespace cathoscope::attributes {

/// The same inputs with labels F = fill(close(P, radius)) and cracks V = F without P, P = label without given cracks.
/// Where two envelopes claim a voxel, the smaller label has it. `boxes` by label - 1. Nothing is written: the added
/// voxels are kept as runs and laid over what is read.
AttributeInputs closed_envelopes(const AttributeInputs& inputs, const std::vector<Box>& boxes, double radius_um,
                                 const Context& context);

}  // namespace cathoscope::attributes
