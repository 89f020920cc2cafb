#pragma once
/// Fitting an autoencoder by L-BFGS.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/latent/autoencoder.hpp>

#include <vector>

namespace cathoscope::latent_detail {

/// Rows to learn from; `weight` has mean 1.
struct TrainingRows {
  DataMatrix x;
  std::vector<double> weight;
};

struct TrainingPlan {
  bool nested = false;              ///< mean of the losses of the decoders that see the first 1, 2, ... latents
  double decorrelation = 0;         ///< times the mean squared correlation of two latents
  double weight_penalty = 3e-4;     ///< times the sum of squares of W1, W2, W3, W4
  std::vector<std::int64_t> group;  ///< [input] the only latent that it feeds; empty: all
  std::int64_t iterations = 500;
};

struct Trained {
  Autoencoder network;
  double loss = 0;  ///< on all rows
  std::vector<double> curve;
  std::vector<double> holdout_curve;
};

/// Small random nonlinear weights, N(0, spread^2), no linear part.
Autoencoder random_network(std::int64_t inputs, std::int64_t latents, std::int64_t hidden, double spread,
                           Stream& stream);

/// The weights in one list, in the order of the struct, and back.
std::vector<double> flat(const Autoencoder& network);
Autoencoder unflattened(const Autoencoder& shape, const std::vector<double>& values);

/// Loss on all rows; with `gradient`, its derivative by the weights in the order of flat() (0 where a group forbids).
double training_loss(const Autoencoder& network, const TrainingRows& rows, const TrainingPlan& plan,
                     std::vector<double>* gradient = nullptr);

/// Full-batch L-BFGS (20 pairs, strong Wolfe) from `start` on rows where `held_out` is 0; the others decide when to stop
/// and which step is kept. One thread: the same bits wherever and beside whatever it runs.
/// Throws Error{not_converged} where the loss is no number.
Trained train(const Autoencoder& start, const TrainingRows& rows, const std::vector<std::uint8_t>& held_out,
              const TrainingPlan& plan, Progress& progress);

}  // namespace cathoscope::latent_detail
