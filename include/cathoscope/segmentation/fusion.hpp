#pragma once
/// Predictions on planes through the working volume, brought together at its voxels.

#include <cathoscope/core/star_fields.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <cstdint>
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

/// Weights of the views for FusionSettings, and the threshold of the weighted mean foreground that goes with them.
struct ViewWeights {
  std::vector<double> weights;  ///< one a family; the largest is 1, none is below 0.05
  double foreground_threshold = 0.5;
};

/// Logistic regression of the truth (1 = inside a particle with its cracks; one value a working voxel) on the foregrounds
/// that the views give one by one: one scalar a family and a bias (Perslev et al. 2019, arXiv 1911.01764, fuse planes so).
/// A view that the fit would count negatively gets the least weight. Looks at some 200,000 evenly spread voxels that all
/// families see well. Same bits for any number of threads. Throws Error{data} where the volume is too small, or its truth
/// has only one value there.
ViewWeights fitted_view_weights(const WorkingVolume& volume, const std::vector<std::uint8_t>& truth,
                                const StarPredictor& predict, const std::string& views, const Context& context);

/// Prediction of one plane: plane k of a family.
StarImage plane_image(const WorkingVolume& volume, const LatticePlane& plane);

}  // namespace cathoscope
