#include "filled.hpp"

#include "mask.hpp"

#include <cathoscope/segmentation/components.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

/// Voxels of the largest hole that is filled.
std::uint64_t largest_hole(const Workspace& w, const Auto<double>& across_um) {
  constexpr double across_in_plane_um = 3;
  if (!across_um.value && w.shape[0] > 1) return std::numeric_limits<std::uint64_t>::max();
  const double d = across_um.value.value_or(across_in_plane_um);
  const double pi = 3.14159265358979323846;
  const double voxel = (w.shape[0] > 1 ? w.voxel_um[0] : 1.0) * w.voxel_um[1] * w.voxel_um[2];
  return static_cast<std::uint64_t>((w.shape[0] > 1 ? pi / 6 * d : pi / 4) * d * d / voxel);
}

}  // namespace

std::uint64_t least_voxels(const Workspace& w, const std::optional<double>& um3, std::uint64_t otherwise) {
  if (!um3) return otherwise;
  const double voxel = (w.shape[0] > 1 ? w.voxel_um[0] : 1.0) * w.voxel_um[1] * w.voxel_um[2];
  return static_cast<std::uint64_t>(std::min(std::ceil(*um3 / voxel), 1e18));
}

FilledLabels filled_instances(const Workspace& w, const WatershedConfig& config, const FieldOfView& inside,
                              ScratchGrid<std::uint8_t> mask,
                              const std::function<Watershed(const ScratchGrid<std::uint8_t>&)>& split) {
  mask = closed_mask(w, mask, config.closing_um);
  fill_holes(w, mask, largest_hole(w, config.largest_hole_um));
  mask = deep_bridges_filled(w, mask, config.closing_um);
  Watershed basins = split(mask);
  const NumberedLabels numbered =
      bridges_labelled(w, basins.ids, basins.label_of, basins.count, mask, config.closing_um);
  basins.ids.release();
  fill_labels(w, numbered.labels, inside, mask, numbered.number);
  return {numbered.labels, mask, basins.count};
}

}  // namespace cathoscope
