#pragma once
/// One encoder: from standardised rows of one or more electrodes to trained latents.

#include "linear.hpp"

#include <cathoscope/latent/latent.hpp>

#include <string>
#include <vector>

namespace cathoscope::latent_detail {

/// What a model learns from; electrodes count alike, however many rows they have.
struct ModelJob {
  std::string name;                        ///< of its random draws
  std::vector<const DataMatrix*> members;  ///< standardised rows of the electrodes
  bool ordered = false;                    ///< nested decoders and decorrelated latents
  bool grouped = false;                    ///< one latent a group of columns
  bool random_start = false;               ///< not from principal axes
};

LatentModel fit_model(const LatentConfig& config, const ModelJob& job, std::uint64_t seed, const Context& context);

/// Latents of standardised rows.
DataMatrix latents_of(const LatentModel& model, const DataMatrix& x, int threads);

/// Reorders and flips the latents of `model` to match `reference` on the rows `x`.
void align_model(LatentModel& model, const LatentModel& reference, const DataMatrix& x, int threads);

/// Means over the members of products of latents with each other and with the columns.
struct CodeProducts {
  SquareMatrix codes;
  DataMatrix columns;
};
CodeProducts code_products(const std::vector<const DataMatrix*>& codes, const std::vector<const DataMatrix*>& rows,
                           int threads);

}  // namespace cathoscope::latent_detail
