#pragma once
/// The study as one straight-line function of memoised stages.

#include <cathoscope/config/problems.hpp>
#include <cathoscope/io/volume_file.hpp>
#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/run.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// The files of one electrode, opened and checked before any work.
struct ElectrodeInputs {
  std::optional<VolumeFile> volume;
  std::optional<VolumeFile> labels;
  std::optional<VolumeFile> cracks;
  std::optional<Table> table;  ///< then there is nothing else
  Index3 shape{0, 0, 0};       ///< after axes, crop and bin
  Vec3 voxel_size_um{};        ///< of the file, axes in order, before binning
  Vec3 binned_um{};            ///< after binning
  std::string voxel_size_from;
  bool two_dimensional = false;
};

/// Opens what the configuration names, in the order of config.electrodes. Throws Error{config} with every problem that the
/// user's file must answer (no voxel size, neither volume nor labels, ...), Error{data} where a file is bad.
std::vector<ElectrodeInputs> open_inputs(const Config& config, Problems& problems);

/// What a stage will hold in memory at its peak, the program included.
struct StageMemory {
  std::string stage;
  double bytes = 0;
};

/// What a run will need, at most.
struct Estimate {
  double disk_bytes = 0;            ///< what the electrodes leave, and the largest one's scratch files
  double memory_bytes = 0;          ///< the largest stage's
  std::vector<StageMemory> stages;  ///< the largest electrode's, of stages whose need grows with the voxels
};
/// `stages`: those that the run may make; the others need no disk.
Estimate estimate(const Config& config, const std::vector<ElectrodeInputs>& inputs,
                  const std::vector<std::string>& stages, std::uint64_t memory_budget, int threads);

/// For method network: the working volume, the planes through it and the memory, as a line of text.
std::string network_estimate_text(const Config& config, const ElectrodeInputs& inputs);

/// Opens the network where the configuration needs one for an electrode, so that a path that leads nowhere is told before
/// an hour of other stages and not after it; a line of text about it, empty where none is needed. Throws as load_network.
std::string checked_network_text(const Config& config);

/// Names of the stages that may run: config.stages cut by --from, --until, --only (empty = not given).
/// Throws Error{usage} on an unknown name or an empty range.
std::vector<std::string> selected_stages(const Config& config, const std::string& from, const std::string& until,
                                         const std::string& only);

/// Whether `stage` is among `stages`.
inline bool has_stage(const std::vector<std::string>& stages, std::string_view stage) {
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

/// Runs the study. Stages that are up to date are used as they are; with a dry Run nothing is computed and run.seen() tells
/// what would be.
void run_study(const Config& config, const std::vector<ElectrodeInputs>& inputs, Run& run);

}  // namespace cathoscope
