#pragma once
/// The foreground of the classical chain: 0 = background, 1 = particle, 2 = outside the field of view, 3 = bridge, a
/// gap that the closing spans.

#include "grey.hpp"

#include <cathoscope/segmentation/segmentation.hpp>

namespace cathoscope {

/// Particles by grey value; `range` is needed only where the threshold is automatic. Where no threshold can be found (a
/// constant volume) the mask has no particle, with a warning.
ScratchGrid<std::uint8_t> threshold_mask(const Workspace& w, const WatershedConfig& config,
                                         const GridSource<float>& grey, const GreyRange& range,
                                         const FieldOfView& inside);

/// Particles by phase value.
ScratchGrid<std::uint8_t> phase_mask(const Workspace& w, std::int64_t active_phase, const GridSource<float>& phases,
                                     const FieldOfView& inside);

/// Closing by a ball of `radius_um`; what it adds becomes bridge. What lies outside the grid counts as background for
/// the dilation and is dilated with it, so that a particle cut by the border closes as if it went on as background: the
/// border gains no caps.
ScratchGrid<std::uint8_t> closed_mask(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, double radius_um);

/// Bridges become particle where they lie deeper than 2 radius_um below the closed surface. A gap that the closing
/// spans is at most that wide: what is deeper is a crack that runs into a particle; what is not may as well be the
/// wedge between two particles that touch, which would hide the neck between them.
ScratchGrid<std::uint8_t> deep_bridges_filled(const Workspace& w, const ScratchGrid<std::uint8_t>& mask,
                                              double radius_um);

struct NumberedLabels {
  ScratchGrid<std::uint32_t> labels;
  std::vector<std::uint32_t> number;  ///< of each label in order of first voxel; 0 -> 0
};

/// Labels of watershed ids (label_of[id] in 0..count), and the remaining bridges given to the one label within
/// 2 radius_um along the axes; between two labels they stay background.
NumberedLabels bridges_labelled(const Workspace& w, const ScratchGrid<std::uint32_t>& ids,
                                const std::vector<std::uint32_t>& label_of, std::uint32_t count,
                                const ScratchGrid<std::uint8_t>& mask, double radius_um);

}  // namespace cathoscope
