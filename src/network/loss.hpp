#pragma once
/// How far a network's output is from its targets.

#include "training_patch.hpp"
#include "unet.hpp"

#include <array>

namespace cathoscope {

/// Some patches as tensors; cells at the network's output grid.
struct MicroBatch {
  torch::Tensor image;        ///< (n, 1, patch, patch), channels last
  torch::Tensor probability;  ///< (n, 1, cells, cells)
  torch::Tensor distances;    ///< (n, rays, cells, cells)
  torch::Tensor foreground;
  torch::Tensor known;
};
MicroBatch micro_batch(const TrainingPatch* patches, std::int64_t n, std::int64_t patch, const NetworkShape& shape,
                       const torch::Device& device);

/// By what the sums of a micro-batch are divided, over the whole batch: so gradients of its parts simply add up.
struct BatchNorm {
  double cells = 0;   ///< of all patches
  double weight = 0;  ///< sum of the probability targets that are known
};
BatchNorm batch_norm(const std::vector<TrainingPatch>& patches);

/// Terms of the loss: cross entropy of the probability, mean absolute error of the distances in pixels weighted by the
/// probability, mean absolute distance predicted in the background, cross entropy of the foreground.
struct LossTerms {
  torch::Tensor probability, distance, background, foreground;
};
LossTerms loss_terms(const torch::Tensor& output, const MicroBatch& batch, const BatchNorm& norm,
                     const NetworkShape& shape);
torch::Tensor total_loss(const LossTerms& terms, const TrainingSettings& settings);

/// The terms as numbers, in the order probability, distance, background, foreground.
std::array<double, 4> values_of(const LossTerms& terms);

}  // namespace cathoscope
