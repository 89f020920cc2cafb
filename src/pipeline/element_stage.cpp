#include "element_stage.hpp"

#include <cathoscope/chemomechanics/elements.hpp>
#include <cathoscope/chemomechanics/results.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

const char* const prefix = "chemomechanics_";

void announce(const ElementModel& model, const Run& run) {
  std::string text =
      fmt::format("finite elements: {} nodes, {} tetrahedra, {} facets of {} particles; dimensionless groups:",
                  model.mesh.nodes.size(), model.mesh.tets.size(), model.mesh.interface.size(), model.mesh.particles);
  for (const auto& g : dimensionless_groups(model.laws)) text += fmt::format(" {} {:.4g}", g.name, g.value);
  run.events().info(text);
  run.events().info(fmt::format("boundary.mechanical is {}: tractions depend on it strongly", model.mechanical));
}

}  // namespace

std::vector<std::string> element_field_files(const ProtocolConfig& protocol) {
  std::vector<std::string> names;
  for (std::int64_t cycle = 1; cycle <= protocol.cycles; cycle += std::max<std::int64_t>(1, protocol.cycles - 1))
    for (const auto half :
         {HalfCycle::charge, HalfCycle::rest_charged, HalfCycle::discharge, HalfCycle::rest_discharged}) {
      const bool rest = half == HalfCycle::rest_charged || half == HalfCycle::rest_discharged;
      if (rest && protocol.rest_s <= 0) continue;
      names.push_back(fmt::format("{}cycle_{:04}_{}_{}.vtu", prefix, cycle, static_cast<int>(half), name_of(half)));
    }
  return names;
}

void run_element_stage(const ChemomechanicsConfig& settings, std::uint64_t seed, const std::string& key,
                       const fs::path& folder, const Run& run, const Context& context) {
  const ElementModel model = elements_of(settings, seed);
  announce(model, run);
  const fs::path work = folder / "chemomechanics.work";
  const ElementState state = run_elements_in(work, key, model, context);
  NetworkState tables = state.progress;
  tables.content = tables.summaries.back().x;
  write_network_results(
      work, model.laws, tables,
      {partial_name(folder / "chemomechanics.csv"), partial_name(folder / "chemomechanics_cycles.csv"),
       partial_name(folder / "chemomechanics.h5")});
  for (const auto& name : element_field_files(settings.protocol)) {
    const fs::path from = work / "fields" / name.substr(std::string(prefix).size());
    if (!fs::exists(from)) fail(Exit::internal, "{} was not written", from.string());
    fs::rename(from, partial_name(folder / name));
  }
  fs::remove_all(work);
}

}  // namespace cathoscope
