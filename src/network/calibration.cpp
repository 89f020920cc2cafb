#include <cathoscope/core/error.hpp>
#include <cathoscope/network/training.hpp>

#include <algorithm>

namespace cathoscope {

Network calibrated(const Network& network, const std::string& device, const ThresholdChoice& choice,
                   const TrainingSources& sources, const Context& context) {
  if (!sources.validation || sources.validation_samples == 0)
    fail(Exit::config, "cut-offs are chosen on validation samples, and there is none");
  const auto predict = predictor(network, {.device = resolve_device(device), .concurrency = context.threads});
  const Calibration found = choice(network, predict, sources, context);
  NetworkMetadata m = network.metadata();
  m.thresholds = found.thresholds;
  const auto old = [](const auto& score) { return score.first.rfind("calibration_", 0) == 0; };
  m.scores.erase(std::remove_if(m.scores.begin(), m.scores.end(), old), m.scores.end());
  m.scores.insert(m.scores.end(), found.scores.begin(), found.scores.end());
  return with_metadata(network, std::move(m));
}

}  // namespace cathoscope
