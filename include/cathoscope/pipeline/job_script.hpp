#pragma once
/// Job scripts for Slurm: a study as a job, or as arrays of shards with jobs after them that bring them together.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

struct JobSettings {
  std::string name;               ///< of the study: letters, digits, . _ -
  std::filesystem::path program;  ///< absolute, like the others
  std::filesystem::path config;
  std::filesystem::path output;  ///< the run folder
  std::vector<std::string> set;  ///< --set of the runs
  std::size_t electrodes = 0;    ///< to be measured; more than one: an array with a shard each
  int shards = 1;                ///< of the regression, or of the study of the model; more than one: an array
  std::string explore;           ///< not the run but this study of the model, into `output`
  int trajectories = 20;         ///< of morris
  int ranks = 1;                 ///< of a run, each with `threads` and `memory_gib`; `program` then knows MPI
  std::filesystem::path logs;    ///< folder of scripts and logs
  int threads = 8;
  double memory_gib = 16;           ///< --memory of the runs; the jobs ask for a quarter and 1 GiB more
  long seconds = 24 * 3600;         ///< of each job; one that is not ready then puts itself back into the queue
  std::vector<std::string> sbatch;  ///< further options of sbatch, one each: --partition=long
};

/// OUT.slurm, beside the run folder: where scripts and logs belong.
std::filesystem::path job_folder(const std::filesystem::path& output);

struct JobScript {
  std::string name;  ///< "study": its file is study.sh, its log study.log
  std::string text;
  int tasks = 1;  ///< more than one: an array
};

/// One after the other: each is to be run after the one before it. Often there is one only.
/// Throws Error{usage} for settings that a script cannot say (a line end in a path or an option).
std::vector<JobScript> slurm_scripts(const JobSettings& settings);

/// One word of a shell command.
std::string shell_word(const std::string& text);

}  // namespace cathoscope
