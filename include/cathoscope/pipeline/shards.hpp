#pragma once
/// A study shared by several processes, perhaps on several machines (`run --shard i/n`). Electrodes are measured in run
/// folders of their own beside that of the study and brought together (`merge`); only whole shards are merged. The forests
/// of the regression, which takes the particles of all, are shared in the run folder itself; what is there is used.

#include <cathoscope/core/shard.hpp>
#include <cathoscope/pipeline/pipeline.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// "2/8". Throws Error{usage}.
Shard shard_from(const std::string& text);

/// OUT.shard-2-of-8 for the run folder OUT.
std::filesystem::path shard_folder(const std::filesystem::path& output, const Shard& shard);

/// The shard whose run folder this is, by its name; nothing for the folder of a whole study.
std::optional<Shard> shard_of(const std::filesystem::path& folder);

/// Those of the selected stages that are shared: volume, segmentation, attributes where there is an electrode to measure,
/// else regression alone. Throws Error{usage} where none is left.
std::vector<std::string> shard_stages(const std::vector<std::string>& selected, const Config& config);
/// Whether the shard is one of the regression.
bool shares_regression(const std::vector<std::string>& shard_stages);

/// Runs the selected stages of the shard's electrodes, as run_study would, and notes in the run folder that the shard is
/// whole; before that the note of an earlier run is taken away.
void run_shard(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Shard& shard, Run& run);
/// The same for the note alone.
void mark_shard(const std::filesystem::path& folder, const Shard& shard);
void unmark_shard(const std::filesystem::path& folder);
/// The shard's part of the regression, in the run folder of the study, which `run` has open as `shared`. The attributes of
/// all electrodes must be there: throws Error{config} as run_study does.
void run_regression_shard(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Shard& shard,
                          Run& run);

struct MergeReport {
  std::filesystem::path output;
  std::size_t shards = 0;
  std::size_t stages = 0;  ///< finished stages that are now in the run folder
};

/// Puts the finished stages of all shards of a study into its run folder `output` (empty: the shards' common name without
/// .shard-i-of-n), linked where they are on one file system, copied elsewhere; the shards stay as they are. A `run` of
/// the study then goes on from there. Stages that are already there with the same content are left alone.
/// Throws Error{no_input} naming the shard that is absent or not whole, Error{data} where shards are of different
/// studies or numbers or a file is not as recorded, and what Run throws.
MergeReport merge_shards(const std::vector<std::filesystem::path>& folders, std::filesystem::path output);

}  // namespace cathoscope
