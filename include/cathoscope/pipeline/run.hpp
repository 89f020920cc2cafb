#pragma once
/// A run folder: memoised stages with atomic artifacts, provenance and a lock.
///
/// A stage is finished if and only if its `<stage>.json` exists, names the same key and its files are as recorded.
/// The key is the SHA-256 of the stage's name, algorithm number, canonical configuration and the hashes of its inputs.

#include <cathoscope/core/progress.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cathoscope {

/// Who is at work in a run folder: "process 12 on node3 since ..."; nothing where nobody is.
std::optional<std::string> holder_of(const std::filesystem::path& folder);

/// A source file whose hash was taken; kept in the stage's record so that an unchanged file is not read again.
struct KnownFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::string sha256;
};

/// Something that a stage reads, by the hash of its content.
struct StageInput {
  std::string name;
  std::string sha256;
  std::vector<KnownFile> files{};  ///< empty for another stage's result
};

/// What decides whether a stage must run, and which files it leaves.
struct StageSpec {
  std::string electrode;  ///< empty: a stage of the whole run
  std::string name;       ///< "volume", ...
  int algorithm = 1;      ///< raised when the same inputs give other results than before
  std::string config;     ///< canonical text of the settings that can change the result
  std::vector<StageInput> inputs;
  /// Files in the electrode's folder, the first is the artifact. A stage of the whole run names them from the run folder,
  /// `latent_links.csv` or `<electrode>/latent.csv`.
  std::vector<std::string> outputs;
  std::string part{};  ///< where a stage is done in several parts that resume on their own: this part's name

  /// Its record is `<this>.json` beside the outputs. No output may have that name.
  [[nodiscard]] const std::string& record_name() const { return part.empty() ? name : part; }
};

/// A finished stage's main file and its hash.
struct Artifact {
  std::filesystem::path path;
  std::string sha256;
};

enum class StageState { finished, stale, missing };

/// Result of comparing a stage with what is on disk.
struct StageStatus {
  StageState state = StageState::missing;
  std::vector<std::string> reasons;  ///< why it would run
  double seconds = 0;
  std::uint64_t bytes = 0;
};

/// A stage that a run came by, as it was found.
struct SeenStage {
  std::string electrode;
  std::string stage;
  std::string part;
  StageStatus status;
};

/// What the caller wants done with stages.
struct RunOptions {
  std::vector<std::string> selected;  ///< stages that may run
  bool force = false;
  bool dry_run = false;
  bool shared = false;  ///< only share(), beside other such processes: runs that write wait until all have ended
  int threads = 1;
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
};

/// How a run speaks to the outside.
struct RunEvents {
  ProgressListener progress;
  std::function<void(const std::string&)> info = [](const std::string&) {};
  const std::atomic<bool>* stop = nullptr;
  Ranks ranks{};
};

class Run {
 public:
  using Work = std::function<void(const std::filesystem::path& folder, const Context& context)>;

  /// Opens or makes the run folder and locks it for this process. Throws Error{cannot_create} where the folder belongs to
  /// something else or cannot be written, Error{interrupted} where another live run holds it.
  Run(const std::filesystem::path& folder, const std::string& run_name, RunOptions options, RunEvents events);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Up to date: returns the artifact. Selected: runs `work`, which writes each of spec.outputs under
  /// partial_name(folder / output), the folders being there; they are synced and renamed, the JSON last. Otherwise throws Error{config} naming the
  /// remedy. In a dry run: says what would happen, returns an empty hash where the stage would run.
  Artifact stage(const StageSpec& spec, const Work& work);

  /// For a shard of a stage that is not up to date: runs `work`, which leaves its part of it in files of its own in
  /// `folder`, for the run that finishes the stage. No record is written.
  void share(const StageSpec& spec, const Work& work);

  /// For `work`: files beside spec.outputs whose names were not known before, published by it. The record lists them; the
  /// stage runs again where one is missing, but not where a user changed one.
  void also_wrote(const std::vector<std::string>& files) { also_ = files; }

  /// Source files as an input: SHA-256 over their content in order. Hashes of earlier runs are used where a file's size
  /// and time are unchanged.
  [[nodiscard]] StageInput input_of_files(const std::string& name,
                                          const std::vector<std::filesystem::path>& files) const;

  [[nodiscard]] StageStatus status(const StageSpec& spec) const;
  [[nodiscard]] std::filesystem::path folder_of(const StageSpec& spec) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] bool dry() const { return options_.dry_run; }
  /// Whether a stage may run: what no selected stage needs is not looked at.
  [[nodiscard]] bool selected(const std::string& stage) const;
  /// The stages in the order they were called, with their state before anything ran.
  [[nodiscard]] const std::vector<SeenStage>& seen() const { return seen_; }
  [[nodiscard]] const RunEvents& events() const { return events_; }

  /// Writes provenance.json from the stages' records.
  void write_provenance(const std::string& extra_json) const;

 private:
  Artifact execute(const StageSpec& spec, const Work& work);
  void load_known_files();

  std::filesystem::path folder_;
  RunOptions options_;
  RunEvents events_;
  std::unordered_multimap<std::string, KnownFile> known_files_;  ///< by path: an input may have thousands
  std::vector<SeenStage> seen_;
  std::vector<std::string> also_;
  int lock_ = -1;
};

/// Key of a stage: SHA-256 over length-prefixed parts.
std::string stage_key(const StageSpec& spec);

}  // namespace cathoscope
