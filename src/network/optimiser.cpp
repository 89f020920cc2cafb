#include "optimiser.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope {

double learning_rate(const TrainingSettings& s, std::int64_t iteration) {
  const double rising = std::max(1.0, std::round(s.warm_up * static_cast<double>(s.iterations)));
  const double step = static_cast<double>(iteration) + 1;
  if (step <= rising) return s.learning_rate * step / rising;
  const double falling = static_cast<double>(s.iterations) - rising;
  return s.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * (step - rising) / std::max(1.0, falling)));
}

namespace {

double norm_of(const std::vector<torch::Tensor>& gradients) {
  double squared = 0;
  for (const auto& g : gradients) squared += g.to(torch::kDouble).square().sum().item<double>();
  return std::sqrt(squared);
}

}  // namespace

void take_step(TrainingState& state, std::vector<torch::Tensor>& gradients, const TrainingSettings& s) {
  constexpr double keep_first = 0.9, keep_second = 0.999, tiny = 1e-8;
  const torch::NoGradGuard no_grad;
  const double norm = norm_of(gradients);
  if (!std::isfinite(norm))
    fail(Exit::not_converged, "the gradient of step {} is {}; lower training.learning_rate (now {})",
         state.iteration + 1, text_of(norm), text_of(s.learning_rate));
  const double scale = std::min(1.0, s.clip / std::max(norm, 1e-30));
  const double rate = learning_rate(s, state.iteration);
  ++state.iteration;
  const auto steps = static_cast<double>(state.iteration);
  const double first_bias = 1 - std::pow(keep_first, steps), second_bias = 1 - std::pow(keep_second, steps);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const auto g = gradients[i].mul_(scale);
    state.first_moment[i].mul_(keep_first).add_(g, 1 - keep_first);
    state.second_moment[i].mul_(keep_second).addcmul_(g, g, 1 - keep_second);
    const auto spread = (state.second_moment[i] / second_bias).sqrt_().add_(tiny);
    state.parameters[i].addcdiv_(state.first_moment[i], spread, -rate / first_bias);
  }
}

}  // namespace cathoscope
