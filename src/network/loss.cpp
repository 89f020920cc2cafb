#include "loss.hpp"

#include <algorithm>

namespace cathoscope {

namespace {

/// One field of every patch, stacked.
torch::Tensor stacked(const TrainingPatch* patches, std::int64_t n, std::vector<float> TrainingPatch::*field,
                      const std::array<std::int64_t, 3>& shape, const torch::Device& device) {
  torch::Tensor t = torch::empty({n, shape[0], shape[1], shape[2]});
  for (std::int64_t i = 0; i < n; ++i) {
    const auto& values = patches[i].*field;
    std::copy(values.begin(), values.end(), t.data_ptr<float>() + i * t.stride(0));
  }
  return t.contiguous(torch::MemoryFormat::ChannelsLast).to(device);
}

/// Sum over cells of the weighted cross entropy of a logit.
torch::Tensor cross_entropy(const torch::Tensor& logit, const torch::Tensor& target, const torch::Tensor& weight) {
  return torch::binary_cross_entropy_with_logits(logit, target, weight, {}, torch::Reduction::Sum);
}

}  // namespace

MicroBatch micro_batch(const TrainingPatch* patches, std::int64_t n, std::int64_t patch, const NetworkShape& shape,
                       const torch::Device& device) {
  const std::int64_t cells = patch / shape.grid;
  return {stacked(patches, n, &TrainingPatch::image, {1, patch, patch}, device),
          stacked(patches, n, &TrainingPatch::probability, {1, cells, cells}, device),
          stacked(patches, n, &TrainingPatch::distances, {shape.rays, cells, cells}, device),
          stacked(patches, n, &TrainingPatch::foreground, {1, cells, cells}, device),
          stacked(patches, n, &TrainingPatch::known, {1, cells, cells}, device)};
}

BatchNorm batch_norm(const std::vector<TrainingPatch>& patches) {
  BatchNorm norm;
  for (const auto& p : patches) {
    norm.cells += static_cast<double>(p.known.size());
    for (std::size_t i = 0; i < p.known.size(); ++i) norm.weight += double{p.known[i]} * double{p.probability[i]};
  }
  norm.weight = std::max(norm.weight, 1.0);
  return norm;
}

LossTerms loss_terms(const torch::Tensor& output, const MicroBatch& batch, const BatchNorm& norm,
                     const NetworkShape& shape) {
  const auto logit = output.slice(1, 0, 1), distances = output.slice(1, 1, 1 + shape.rays);
  const auto inner = batch.probability * batch.known;
  const auto outer = (1 - batch.probability) * batch.known;
  const auto missing = (distances - batch.distances).abs() * (batch.distances >= 0);
  LossTerms t;
  t.probability = cross_entropy(logit, batch.probability, batch.known) / norm.cells;
  t.distance = (missing.mean(1, true) * inner).sum() / norm.weight;
  t.background = (distances.abs().mean(1, true) * outer).sum() / norm.cells;
  t.foreground = shape.foreground
                     ? cross_entropy(output.slice(1, 1 + shape.rays), batch.foreground, batch.known) / norm.cells
                     : torch::zeros_like(t.probability);
  return t;
}

torch::Tensor total_loss(const LossTerms& t, const TrainingSettings& s) {
  return t.probability + s.distance_weight * t.distance + s.background_weight * t.background +
         s.foreground_weight * t.foreground;
}

std::array<double, 4> values_of(const LossTerms& t) {
  return {t.probability.item<double>(), t.distance.item<double>(), t.background.item<double>(),
          t.foreground.item<double>()};
}

}  // namespace cathoscope
