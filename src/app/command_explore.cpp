#include "commands.hpp"
#include "stop.hpp"
#include "team.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/model_study.hpp>
#include <cathoscope/pipeline/shards.hpp>

#include <fmt/format.h>

#include <filesystem>

namespace cathoscope::app {

namespace {

/// The folder that was named, or `explore` in that of the run, where its figures look.
std::string folder_of(const ExploreCommand& c, const Config& config) {
  if (!c.output.empty()) return c.output;
  const auto run = std::filesystem::absolute(c.config).parent_path() / config.output / "explore";
  return run.lexically_normal().string();
}

/// A study without its picture is still a study.
void draw(const ModelStudyOptions& options, const std::string& folder, Console& console, const Context& context) {
  try {
    draw_model_study(options.study, folder, context);
    console.info("figure: " + folder + "/figures");
  } catch (const Error& e) {
    if (e.exit() != Exit::unavailable) throw;
    console.info(fmt::format("no figure: {}", e.what()));
  }
}

}  // namespace

Exit explore(const ExploreCommand& c, Console& console) {
  if (c.shard.empty()) require_alone("explore");
  ModelStudyOptions options;
  options.study = c.study;
  options.trajectories = c.trajectories;
  if (!c.shard.empty()) {
    const Shard shard = shard_from(c.shard);
    options.shard = shard.index;
    options.shards = shard.count;
  }
  const Config config = read_config<Config>(c.config, c.set).value;
  options.seed = config.seed;
  const ChemomechanicsConfig base = config.chemomechanics.value_or(ChemomechanicsConfig{});
  if (base.geometry.particles_from)
    fail(Exit::config, "{}: explore takes invented particles, not `particles_from`", c.config);
  const std::string folder = folder_of(c, config);
  Progress progress(console.listener(), &stop_flag());
  const Context context{progress, resolve_threads(c.threads.value_or(0))};
  ModelStudyResult result;
  try {
    result = study_model(base, options, folder, context);
  } catch (const Error& e) {
    if (e.exit() != Exit::interrupted) throw;
    fail(Exit::interrupted, "stopped by {}. Finished runs are kept; the same command goes on.", stop_reason());
  }
  if (result.done < result.runs) {
    console.info(fmt::format("{} of {} runs are done; the table is written by the shard that finishes last",
                             result.done, result.runs));
    return Exit::ok;
  }
  console.info(fmt::format("{} runs: {}", result.runs, result.table.string()));
  if (!result.morris.empty()) console.info("effects: " + result.morris.string());
  draw(options, folder, console, context);
  return Exit::ok;
}

}  // namespace cathoscope::app
