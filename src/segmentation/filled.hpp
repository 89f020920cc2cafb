#pragma once
/// From a foreground mask to filled instances, however the foreground is split.

#include "grey.hpp"

#include <cathoscope/segmentation/segmentation.hpp>

#include <functional>
#include <vector>

namespace cathoscope {

/// Watershed ids with the label of each, labels 1..count or 0.
struct Watershed {
  ScratchGrid<std::uint32_t> ids;
  std::vector<std::uint32_t> label_of;
  std::uint32_t count = 0;
};

struct FilledLabels {
  ScratchGrid<std::uint32_t> labels;  ///< dense 1..count by first voxel
  ScratchGrid<std::uint8_t> changed;  ///< 1 where a pocket was filled at the end; free to be used again
  std::uint32_t count = 0;
};

/// Closing, holes, bridges; then `split` turns the mask (1 = particle) into basins; what the closing bridged and what
/// one label encloses is given to it. The mask's values: 0 background, 1 particle, 2 outside the field of view.
FilledLabels filled_instances(const Workspace& w, const WatershedConfig& config, const FieldOfView& inside,
                              ScratchGrid<std::uint8_t> mask,
                              const std::function<Watershed(const ScratchGrid<std::uint8_t>&)>& split);

/// Voxels that `um3` are, rounded up; in a plane um2. `otherwise` where none is given.
std::uint64_t least_voxels(const Workspace& w, const std::optional<double>& um3, std::uint64_t otherwise);

}  // namespace cathoscope
