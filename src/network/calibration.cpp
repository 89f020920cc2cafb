#include "calibration.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

std::vector<NetworkThresholds> candidate_thresholds() {
  std::vector<NetworkThresholds> all;
  for (int p = 2; p <= 16; ++p)
    for (int s = 2; s <= 5; ++s) all.push_back({.probability = p / 20.0, .suppression = s / 10.0});
  const NetworkThresholds usual;
  const auto distance = [&](const NetworkThresholds& t) {
    return std::abs(t.probability - usual.probability) + std::abs(t.suppression - usual.suppression);
  };
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  return all;
}

}  // namespace

Calibration calibrate(const Network& network, const ComputeDevice& device, const ThresholdScore& score,
                      const TrainingSources& sources, const Context& context) {
  const auto candidates = candidate_thresholds();
  const auto predict = predictor(network, {.device = device, .concurrency = context.threads});
  std::vector<std::vector<double>> scores(sources.validation_samples);
  context.progress.begin("calibration", sources.validation_samples);
  parallel_for(static_cast<std::int64_t>(scores.size()), context.threads, [&](std::int64_t i) {
    const TrainingSample sample = sources.validation(static_cast<std::uint64_t>(i));
    auto& row = scores[static_cast<std::size_t>(i)];
    row = score(predict(sample.image, true), sample, candidates);
    if (row.size() != candidates.size())
      fail(Exit::internal, "a score of {} cut-offs came back as {}", candidates.size(), row.size());
    context.progress.advance();
  });
  Calibration best;
  best.score = -1;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    double sum = 0;
    for (const auto& row : scores) sum += row[c];
    const double mean = sum / static_cast<double>(std::max<std::size_t>(1, scores.size()));
    if (mean > best.score) best = {candidates[c], mean};
  }
  return best;
}

}  // namespace cathoscope
