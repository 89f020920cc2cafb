#pragma once
/// The trained network of a run: where its weights are, what goes into the stage's key, what it will cost.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/network/network.hpp>
#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/pipeline.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace cathoscope {

/// builtin and builtin-ci: the first of $CATHOSCOPE_DATA/models, <program>/../share/cathoscope/models and the source
/// tree's data/models that holds default.h5, or ci.h5. Else the path itself.
/// Throws Error{no_input} naming the places where there is none.
std::filesystem::path model_path(const ModelConfig& config);

struct RunModel {
  Network network;
  ComputeDevice device;

  /// What of it decides results: the weights' hash, thresholds, device and precision.
  [[nodiscard]] std::string key_text() const;
};

/// Throws as model_path and load_network; Error{version} where the weights are not those of config.sha256;
/// Error{unavailable} where the device does not exist.
RunModel open_model(const ModelConfig& config, const std::string& device);

NetworkInputs network_inputs(const RunModel& model, const NormaliseConfig& normalise, const Context& context);

}  // namespace cathoscope
