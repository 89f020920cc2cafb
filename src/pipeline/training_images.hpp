#pragma once
/// Images and volumes that a user labelled, as the training takes them.

#include "labelled_volume.hpp"

#include <cathoscope/core/grid.hpp>
#include <cathoscope/pipeline/training_samples.hpp>

namespace cathoscope::training_detail {

/// Diameter, in units of the voxel size, that half of the labelled voxels lie below: of the ball (one plane: the disc)
/// of equal size. Bodies cut by the sides count only where all are. Throws Error{data} where there is no label.
double labelled_diameter(const GridSource<std::uint64_t>& labels);

/// Reads image, labels and ignored voxels, scales them to working resolution and normalises, all as at inference.
/// Throws Error{data} where shapes differ, ids are negative, beyond 32 bits or absent.
LabelledVolume labelled_image(const TrainingImageConfig& config, const Context& context);

}  // namespace cathoscope::training_detail
