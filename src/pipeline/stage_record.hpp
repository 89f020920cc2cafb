#pragma once
/// `<stage>.json`: what a finished stage left behind, and how it compares with what is wanted now.

#include <cathoscope/pipeline/run.hpp>

#include <nlohmann/json.hpp>

namespace cathoscope {

struct OutputRecord {
  std::string file;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::string sha256;
};

struct StageRecord {
  std::string key;
  StageSpec spec;  ///< name, algorithm, config and inputs as they were
  std::vector<OutputRecord> outputs;
  std::vector<std::string> also;  ///< further files: they must be there, whatever is in them
  double seconds = 0;
  nlohmann::ordered_json run;  ///< host, threads, peak memory, warnings, time
};

std::filesystem::path record_path(const std::filesystem::path& folder, const std::string& stage);
/// Empty where the file is absent; throws Error{data} where it is damaged or names files outside its folder.
std::optional<StageRecord> read_record(const std::filesystem::path& path);
void write_record(const std::filesystem::path& path, const StageRecord& record);

/// Why a recorded stage does not answer the wanted one; empty = it does. Checks that the files are as recorded.
std::vector<std::string> differences(const StageRecord& record, const StageSpec& wanted,
                                     const std::filesystem::path& folder);

OutputRecord output_record(const std::filesystem::path& folder, const std::string& file);
std::int64_t modified_ns(const std::filesystem::path& path);

}  // namespace cathoscope
