#pragma once
/// The network's route: working volume, fused fields, instances, labels at native resolution.

#include "grey.hpp"

#include <cathoscope/segmentation/fusion.hpp>
#include <cathoscope/segmentation/segmentation.hpp>

namespace cathoscope {

/// What the route found besides labels; written beside them.
struct NetworkFindings {
  FusedFields fields;
  double particle_diameter_um = 0;
  bool diameter_estimated = false;
  double noise = 0;
  double denoise_sigma = 0;
  double unresolved_fraction = 0;  ///< foreground without an accepted seed, of the field of view
  std::uint64_t cracked_pairs = 0;
  std::vector<double> view_weights;  ///< empty = all equal
  double foreground_threshold = 0;
};

struct NetworkParticles {
  ScratchGrid<std::uint32_t> labels;  ///< native, filled, dense 1..count by first voxel
  ScratchGrid<std::uint8_t> changed;  ///< free to be used again
  std::uint32_t count = 0;
  NetworkFindings findings;
};

NetworkParticles network_particles(const Workspace& native, const SegmentationConfig& config,
                                   const SegmentationInputs& inputs, const FieldOfView& inside);

}  // namespace cathoscope
