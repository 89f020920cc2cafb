#pragma once
/// Labels of the working grid on the native one.

#include "grey.hpp"

#include <cathoscope/segmentation/working.hpp>

namespace cathoscope {

struct NativeLabels {
  ScratchGrid<std::uint32_t> labels;
  std::vector<std::uint32_t> number;  ///< of each label in order of first voxel; 0 -> 0, and for labels that vanished
  std::uint32_t count = 0;
};

/// A native voxel is particle where the foreground, interpolated between working voxels, is above one half (labelled
/// working voxels count as at least one half, the others as at most); it takes the label with the greatest part in that.
/// Voxels outside the field of view are 0. Streams blocks of `native`.
NativeLabels native_labels(const Workspace& native, const WorkingGrid& grid, const ScratchGrid<std::uint32_t>& labels,
                           std::uint32_t count, const Array3<float>& foreground, double foreground_threshold,
                           const FieldOfView& inside);

}  // namespace cathoscope
