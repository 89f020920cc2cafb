#pragma once
/// One training under way: what all of its steps share.

#include "checkpoint.hpp"
#include "loss.hpp"

#include <cathoscope/network/training.hpp>

#include <chrono>
#include <vector>

namespace cathoscope {

class TrainingSession {
 public:
  /// Takes up the checkpoint if there is one, else begins. Computes the validation patches. The device is a resolved one.
  TrainingSession(const TrainingRequest& request, const TrainingSources& sources, const Context& context,
                  const std::string& key, const torch::Device& device);

  /// All steps that are left, with a checkpoint now and then, and one before a wish to stop is passed on.
  void run();

  [[nodiscard]] const std::vector<CurvePoint>& curve() const { return state_.curve; }
  [[nodiscard]] std::vector<Layer> layers() const;  ///< on the CPU
  [[nodiscard]] double seconds() const;

 private:
  struct MicroResult {
    std::vector<torch::Tensor> gradients;
    std::array<double, 4> terms{};
  };

  std::vector<torch::Tensor> start_tensors() const;
  void make_validation_patches();
  TrainingPatch patch_of(std::uint64_t index) const;
  MicroResult gradients_of(const TrainingPatch* patches, std::int64_t n, const BatchNorm& norm) const;
  void step();
  std::array<double, 4> validation_terms() const;
  void add_curve_point();
  void save();

  const TrainingRequest& request_;
  const TrainingSources& sources_;
  const Context& context_;
  const TrainingSettings& settings_;
  NetworkShape shape_;
  torch::Device device_;
  Checkpoint state_;
  std::vector<Layer> layers_;         ///< views of the state's parameters
  std::vector<TrainingPatch> batch_;  ///< of the next step
  std::vector<TrainingPatch> validation_;
  std::int64_t last_point_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Paths of what lies beside the weights file: NAME.checkpoint.h5 and so on.
std::filesystem::path beside(const std::filesystem::path& output, const std::string& ending);

}  // namespace cathoscope
