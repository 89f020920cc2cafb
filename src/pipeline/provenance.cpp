#include "provenance.hpp"

#include "stage_record.hpp"

#include <cathoscope/pipeline/version.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace cathoscope {

namespace {

/// "cpu bfloat16" out of a stage's settings; empty where it asked no network.
std::string device_of(const std::string& settings) {
  const std::string key = "\ndevice: ";
  const auto at = settings.find(key);
  if (at == std::string::npos) return "";
  const auto begin = at + key.size();
  return settings.substr(begin, settings.find('\n', begin) - begin);
}

std::string device_used(const Run& run) {
  std::vector<std::string> used;
  for (const auto& seen : run.seen()) {
    if (seen.stage != "segmentation") continue;
    const auto record = read_record(record_path(run.folder() / seen.electrode, seen.stage));
    const std::string device = record ? device_of(record->spec.config) : "";
    if (!device.empty() && std::find(used.begin(), used.end(), device) == used.end()) used.push_back(device);
  }
  return used.empty() ? "none" : fmt::format("{}", fmt::join(used, ", "));
}

}  // namespace

std::string provenance_of(const Config& config, const Run& run) {
  nlohmann::ordered_json j{
      {"run", config.name}, {"seed", config.seed}, {"version", version_text()}, {"git", git_text()}};
  j["device"] = device_used(run);
  j["isa"] = "x86-64-v2";
  return j.dump();
}

}  // namespace cathoscope
