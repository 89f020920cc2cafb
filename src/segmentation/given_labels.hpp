#pragma once
/// Labels that the user brings: any ids, made dense.

#include "grey.hpp"

#include <cathoscope/segmentation/segmentation.hpp>

namespace cathoscope {

struct GivenLabels {
  ScratchGrid<std::uint32_t> labels;  ///< dense 1..n by first voxel
  std::vector<std::uint64_t> ids;     ///< the user's, in that order
  std::uint64_t dropped = 0;          ///< smaller than least_voxels
};

/// Throws Error{data} where there are more than 2^32 - 2 labels. Memory grows with the number of labels, not the ids.
GivenLabels dense_labels(const Workspace& w, const GridSource<std::uint64_t>& given, const FieldOfView& inside,
                         const std::vector<std::uint64_t>& excluded, std::uint64_t least_voxels);

/// Throws Error{data} naming the limit.
void check_label_count(std::uint64_t count);

}  // namespace cathoscope
