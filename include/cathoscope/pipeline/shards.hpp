#pragma once
/// Electrodes of one study measured by several processes, perhaps on several machines (`run --shard i/n`), and brought
/// together (`merge`). A shard is a run folder of its own beside that of the study; only whole shards are merged.

#include <cathoscope/pipeline/pipeline.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// The i-th of n shares of the electrodes, counted from 1.
struct Shard {
  int index = 1;
  int count = 1;
  [[nodiscard]] bool has(std::size_t electrode) const {
    return electrode % static_cast<std::size_t>(count) + 1 == static_cast<std::size_t>(index);
  }
};

/// "2/8". Throws Error{usage}.
Shard shard_from(const std::string& text);

/// OUT.shard-2-of-8 for the run folder OUT.
std::filesystem::path shard_folder(const std::filesystem::path& output, const Shard& shard);

/// The shard whose run folder this is, by its name; nothing for the folder of a whole study.
std::optional<Shard> shard_of(const std::filesystem::path& folder);

/// Those of the selected stages that belong to one electrode: volume, segmentation, attributes. Throws Error{usage} where
/// none is left.
std::vector<std::string> shard_stages(const std::vector<std::string>& selected);

/// Runs the selected stages of the shard's electrodes, as run_study would, and notes in the run folder that the shard is
/// whole; before that the note of an earlier run is taken away.
void run_shard(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Shard& shard, Run& run);
/// The same for the note alone.
void mark_shard(const std::filesystem::path& folder, const Shard& shard);
void unmark_shard(const std::filesystem::path& folder);

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
