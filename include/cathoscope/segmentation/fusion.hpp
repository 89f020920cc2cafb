#pragma once
/// Predictions on planes through the working volume, brought together at its voxels.

#include <cathoscope/core/star_fields.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <string>
#include <vector>

namespace cathoscope {

struct LatticePlane;

struct FusionSettings {
  std::string views = "diagonal9";
  std::vector<double> view_weights;  ///< one a family, above 0; empty = all equal
  bool mean_distances = false;       ///< for the k-means instances: 4 more bytes a voxel
};

/// At working voxels; 0 outside the field of view.
struct FusedFields {
  WorkingGrid grid;
  Array3<float> probability;    ///< weighted mean over the views
  Array3<float> foreground;     ///< weighted mean over the views; of the probability where the network has no such head
  Array3<float> disagreement;   ///< standard deviation of the probability over the views
  Array3<float> mean_distance;  ///< sum over the axial views of the mean of the 32 distances; else empty
};

/// Predicts every plane of every family and keeps sums only: 14 bytes a working voxel (the grey values' 2 are given up at
/// the end) and one image with its fields a thread. Every voxel is on one plane of a family, and families follow each other
/// in a fixed order: same bits for any number of threads. Throws Error{no_memory} where the memory of the context does not
/// hold it, Error{internal} where the predictor returns something else than it promised.
FusedFields fused_fields(WorkingVolume volume, const StarPredictor& predict, const FusionSettings& settings,
                         const Context& context);

/// Prediction of one plane: plane k of a family.
StarImage plane_image(const WorkingVolume& volume, const LatticePlane& plane);

}  // namespace cathoscope
