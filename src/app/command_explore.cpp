#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/pipeline/config.hpp>
#include <cathoscope/pipeline/model_study.hpp>
#include <cathoscope/pipeline/shards.hpp>

#include <fmt/format.h>

namespace cathoscope::app {

Exit explore(const ExploreCommand& c, Console& console) {
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
  Progress progress(console.listener(), &stop_flag());
  ModelStudyResult result;
  try {
    result = study_model(base, options, c.output, {progress, resolve_threads(c.threads.value_or(0))});
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
  return Exit::ok;
}

}  // namespace cathoscope::app
