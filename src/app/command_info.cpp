#include "commands.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/volume_file.hpp>
#include <cathoscope/network/description.hpp>
#include <cathoscope/network/network.hpp>
#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/version.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace cathoscope::app {

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> cpu_features() {
  std::vector<std::string> names;
  const auto add = [&](bool has, const char* name) {
    if (has) names.emplace_back(name);
  };
  __builtin_cpu_init();
  add(__builtin_cpu_supports("sse4.2") > 0, "sse4.2");
  add(__builtin_cpu_supports("avx2") > 0, "avx2");
  add(__builtin_cpu_supports("fma") > 0, "fma");
  add(__builtin_cpu_supports("avx512f") > 0, "avx512f");
  add(__builtin_cpu_supports("avx512bf16") > 0, "avx512_bf16");
  return names;
}

Json machine_facts() {
  Json j;
  j["version"] = version_text();
  j["source"] = git_text();
  std::istringstream lines(library_versions());
  for (std::string line; std::getline(lines, line);)
    j["libraries"][line.substr(0, line.find(' '))] = line.substr(line.find(' ') + 1);
  j["devices"] = {"cpu"};
  try {
    const ComputeDevice automatic = resolve_device("auto");
    if (automatic.name != "cpu") j["devices"].push_back(automatic.name);
    j["kernels"]["network"] = fmt::format("{} on {}", name_of(automatic.precision), automatic.name);
  } catch (const Error& e) {
    if (e.exit() != Exit::unavailable) throw;
    j["kernels"]["network"] = fmt::format("not available: {}", e.what());
  }
  j["threads"] = resolve_threads(0);
  j["cpu_features"] = cpu_features();
  return j;
}

void print_machine(const Json& j) {
  fmt::print("cathoscope {} ({})\n", j["version"].get<std::string>(), j["source"].get<std::string>());
  for (const auto& [name, version] : j["libraries"].items()) fmt::print("  {} {}\n", name, version.get<std::string>());
  std::string features;
  for (const auto& f : j["cpu_features"]) features += fmt::format(" {}", f.get<std::string>());
  std::string devices;
  for (const auto& d : j["devices"]) devices += (devices.empty() ? "" : ", ") + d.get<std::string>();
  fmt::print("devices: {} ({} threads;{})\n", devices, j["threads"].get<int>(), features);
  fmt::print("network: {}\n", j["kernels"]["network"].get<std::string>());
}

}  // namespace

Exit info(const InfoCommand& c, Console&) {
  if (c.file.empty()) {
    const Json j = machine_facts();
    if (c.json)
      fmt::print("{}\n", j.dump(2));
    else
      print_machine(j);
    return Exit::ok;
  }
  if (c.dataset.empty() && is_network(c.file)) {
    const Network network = load_network(c.file);
    fmt::print("{}", c.json ? describe_network_json(network) : describe_network(network, c.file));
    return Exit::ok;
  }
  if (const auto hint = model_hint(c.file); hint && c.dataset.empty()) fail(Exit::data, "{}", *hint);
  OpenOptions options;
  if (!c.dataset.empty()) options.dataset = c.dataset;
  const VolumeFile file = open_volume(c.file, options);
  fmt::print("{}", c.json ? describe_json(file, c.file) : describe(file, c.file));
  return Exit::ok;
}

Exit init(const InitCommand& c, Console& console) {
  const std::string text = c.schema ? json_schema<Config>("A cathoscope study")
                           : c.docs
                               ? configuration_markdown<Config>()
                               : template_yaml<Config>("A cathoscope study: change what you need, delete the rest.");
  if (c.file.empty()) {
    fmt::print("{}", text);
    return Exit::ok;
  }
  if (std::filesystem::exists(c.file))
    fail(Exit::cannot_create, "{} exists; name another file, or remove it first", c.file);
  write_atomically(c.file, text);
  console.info("wrote " + c.file);
  return Exit::ok;
}

}  // namespace cathoscope::app
