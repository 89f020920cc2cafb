#include "element_stage.hpp"

#include <cathoscope/chemomechanics/elements.hpp>
#include <cathoscope/chemomechanics/results.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

void announce(const ElementModel& model, const Run& run) {
  std::string text =
      fmt::format("finite elements: {} nodes, {} tetrahedra, {} facets of {} particles; dimensionless groups:",
                  model.mesh.nodes.size(), model.mesh.tets.size(), model.mesh.interface.size(), model.mesh.particles);
  for (const auto& g : dimensionless_groups(model)) text += fmt::format(" {} {:.4g}", g.name, g.value);
  run.events().info(text);
  run.events().info(fmt::format("boundary.mechanical is {}: tractions depend on it strongly", model.mechanical));
}

}  // namespace

void run_element_stage(const ChemomechanicsConfig& settings, std::uint64_t seed, const std::string& key,
                       const fs::path& folder, const Run& run, const Context& context) {
  const ElementModel model = elements_of(settings, seed);
  announce(model, run);
  const fs::path work = folder / "chemomechanics.work";
  const ElementState state = run_elements_in(work, key, model, context);
  NetworkState tables = state.progress;
  tables.content = tables.summaries.back().x;
  const NetworkFiles files{partial_name(folder / "chemomechanics.csv"),
                           partial_name(folder / "chemomechanics_cycles.csv"),
                           partial_name(folder / "chemomechanics.h5")};
  write_network_results(work, model.laws, tables, files, dimensionless_groups(model),
                        [&](H5File& out) { write_element_results(work / "fields", model, out); });
  fs::remove_all(work);
}

}  // namespace cathoscope
