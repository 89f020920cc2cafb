#pragma once
/// Adam (Kingma, Ba 2015, arXiv:1412.6980) with a warm-up, a cosine to zero and a limit on the gradient's norm.

#include "unet.hpp"

#include <cathoscope/network/training.hpp>

#include <vector>

namespace cathoscope {

/// What of a training changes with every step: all that a checkpoint keeps.
struct TrainingState {
  std::int64_t iteration = 0;  ///< steps taken
  std::vector<torch::Tensor> parameters, first_moment, second_moment;
};

/// Learning rate of the step after `iteration` steps.
double learning_rate(const TrainingSettings& settings, std::int64_t iteration);

/// One step. `gradients` may be changed. Throws Error{not_converged} where the gradient is not finite.
void take_step(TrainingState& state, std::vector<torch::Tensor>& gradients, const TrainingSettings& settings);

}  // namespace cathoscope
