#pragma once
/// The foreground of the classical chain: 0 = background, 1 = particle, 2 = outside the field of view.

#include "grey.hpp"

#include <cathoscope/segmentation/segmentation.hpp>

namespace cathoscope {

/// Particles by grey value. Where no threshold can be found (a constant volume) the mask has no particle, with a
/// warning.
ScratchGrid<std::uint8_t> threshold_mask(const Workspace& w, const WatershedConfig& config,
                                         const GridSource<float>& grey, const FieldOfView& inside);

/// Particles by phase value.
ScratchGrid<std::uint8_t> phase_mask(const Workspace& w, std::int64_t active_phase, const GridSource<float>& phases,
                                     const FieldOfView& inside);

/// Closing by a ball of `radius_um`. What lies outside the grid counts as background for the dilation and is dilated
/// with it, so that a particle cut by the border closes as if it went on as background: the border gains no caps.
ScratchGrid<std::uint8_t> closed_mask(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, double radius_um);

}  // namespace cathoscope
