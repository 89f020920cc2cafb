#pragma once
/// The commands of the command line. Each reads its options struct, writes results to stdout and messages to the console,
/// and returns the exit code; errors are thrown.

#include "console.hpp"

#include <cathoscope/core/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope::app {

struct RunCommand {
  std::string config;
  std::string output;
  std::string from, until, only;
  bool force = false;
  bool dry_run = false;
  std::vector<std::string> set;
  std::optional<int> threads;
  std::string device;
  std::optional<double> memory_gib;
  std::string time_limit;
  std::string stop_file;
  std::string json_log;
  std::string shard;
};
Exit run(const RunCommand& command, Console& console);

struct CheckCommand {
  std::string config;
  std::vector<std::string> set;
};
Exit check(const CheckCommand& command, Console& console);

struct InitCommand {
  std::string file;
  bool schema = false;
  bool docs = false;
};
Exit init(const InitCommand& command, Console& console);

struct StatusCommand {
  std::string folder;
  bool why = false;
};
Exit status(const StatusCommand& command, Console& console);

struct PhantomCommand {
  std::string config;
  std::string preset;
  std::string output;
  std::uint64_t seed = 1;
  std::vector<std::string> set;
  std::string format = "hdf5";
  std::string type = "uint8";
  std::optional<double> voxel_size_um;
  std::string labels;
  std::optional<double> labels_voxel_size_um;
  bool tables_only = false;
  std::int64_t rows = 0;
  std::optional<int> threads;
};
Exit phantom(const PhantomCommand& command, Console& console);

struct TrainCommand {
  std::string config;
  std::string calibrate;
  std::vector<std::string> set;
  std::optional<int> threads;
  std::string device;
  std::string time_limit;
  std::string stop_file;
};
Exit train(const TrainCommand& command, Console& console);

struct FitCommand {
  std::string table;
  std::string target;
  std::string output;
  std::vector<std::string> set;
  std::uint64_t seed = 0;
  std::optional<int> threads;
};
Exit fit(const FitCommand& command, Console& console);

struct ExplainCommand {
  std::string forest;
  std::string table;
  std::string output;
  std::string interactions;
  std::string background;
  std::optional<int> threads;
};
Exit explain(const ExplainCommand& command, Console& console);

struct ExportCommand {
  std::string folder;
  std::string stage;
  std::string format;
  std::string output;
};
Exit export_results(const ExportCommand& command, Console& console);
/// The stages that it exports, for messages.
std::string exportable_stages();

struct EvaluateCommand {
  std::vector<std::string> prediction;
  std::vector<std::string> truth;
  std::vector<std::string> ignore;
  std::vector<std::string> grey;
  std::string damage_prediction, damage_truth;
  std::int64_t min_size = 0;
  std::optional<double> voxel_size_um;
  bool table = false;
  std::optional<int> threads;
  std::optional<double> memory_gib;
};
Exit evaluate(const EvaluateCommand& command, Console& console);

struct InfoCommand {
  std::string file;
  std::string dataset;
  bool json = false;
};
Exit info(const InfoCommand& command, Console& console);

struct ExploreCommand {
  std::string config;
  std::string study;
  std::string output;
  std::string shard;
  int trajectories = 20;
  std::vector<std::string> set;
  std::optional<int> threads;
};
Exit explore(const ExploreCommand& command, Console& console);

struct VerifyCommand {
  std::string what = "all";
  bool full = false;
};
Exit verify(const VerifyCommand& command, Console& console);

struct MergeCommand {
  std::vector<std::string> folders;
  std::string output;
};
Exit merge(const MergeCommand& command, Console& console);

struct SubmitCommand {
  std::string config;
  bool slurm = false;
  bool print = false;
  std::string output;
  std::vector<std::string> set;
  std::vector<std::string> sbatch;
  std::string time_limit = "24h";
  int threads = 8;
  double memory_gib = 16;
  int ranks = 1;
  std::string study;
  std::optional<int> shards;
  int trajectories = 20;
};
Exit submit(const SubmitCommand& command, Console& console);

struct CiteCommand {
  std::string format = "text";
};
Exit cite(const CiteCommand& command, Console& console);

}  // namespace cathoscope::app
