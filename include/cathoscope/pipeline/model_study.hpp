#pragma once
/// Studies of the chemomechanical network: many runs, each kept, in shards where wanted.

#include <cathoscope/chemomechanics/config.hpp>
#include <cathoscope/core/progress.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace cathoscope {

struct ModelStudyOptions {
  std::string study = "laws";  ///< laws, parameters, coverage or morris
  int trajectories = 20;       ///< of morris
  std::uint64_t seed = 7;
  int shard = 1;  ///< 1..shards: every `shards`-th run
  int shards = 1;
};

struct ModelStudyResult {
  std::size_t runs = 0;
  std::size_t done = 0;          ///< of all shards
  std::filesystem::path table;   ///< written once all are done
  std::filesystem::path morris;  ///< of morris, beside it
};

/// Runs what is not there yet. Each run leaves a file in folder/runs, named by the hash of its configuration, so that
/// stopping loses only what is under way and shards may share the folder. Throws Error{usage} on an unknown study,
/// Error{interrupted} when stopped.
ModelStudyResult study_model(const ChemomechanicsConfig& base, const ModelStudyOptions& options,
                             const std::filesystem::path& folder, const Context& context);

/// Draws the figure of a finished study into folder/figures: what `run` draws of the same tables in OUT/explore.
/// Throws what draw_figures throws; Error{unavailable} where gnuplot is not installed.
void draw_model_study(const std::string& study, const std::filesystem::path& folder, const Context& context);

}  // namespace cathoscope
