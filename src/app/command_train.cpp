#include "commands.hpp"
#include "stop.hpp"
#include "team.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/network/training.hpp>
#include <cathoscope/pipeline/calibration.hpp>
#include <cathoscope/pipeline/training_samples.hpp>

#include <fmt/format.h>

namespace cathoscope::app {

namespace {

namespace fs = std::filesystem;

/// `training`
struct TrainConfig {
  TrainingSettings settings;
  TrainingSamplesConfig samples;
  std::uint64_t seed = 1;
  std::optional<InputPath> start;
  std::string output;
};

template <class V>
void fields(V& v, TrainConfig& c) {
  fields(v, c.settings);
  fields(v, c.samples);
  v("seed", c.seed, "seed of everything random but the phantoms");
  v("start", c.start, "weights to begin with (fine-tuning); null = random ones");
  v("output", c.output, "the weights file that is written, relative to this file",
    required(matching(".+\\.h5"), "models/mine.h5"));
}

template <class P>
void check(P& problems, const TrainConfig& c) {
  check(problems, c.settings);
  check(problems, c.samples);
}

/// The file that `cathoscope train` reads.
struct TrainFile {
  TrainConfig training;
};

template <class V>
void fields(V& v, TrainFile& c) {
  v("training", c.training, "which network is trained, how long and on what", required(any_value()));
}

void show(const Network& network, const fs::path& output, Console& console) {
  const auto& m = network.metadata();
  for (const auto& [name, score] : m.scores) console.info(fmt::format("{}: {}", name, text_of(score)));
  const auto& t = m.thresholds;
  console.info(fmt::format("cut-offs: foreground {}, probability {}, suppression {}", text_of(t.foreground),
                           text_of(t.probability), text_of(t.suppression)));
  console.info(fmt::format("{}: {} weights, sha256 {}, trained in {}", output.string(), parameter_count(m.shape),
                           m.sha256, duration_text(m.training_seconds)));
}

/// The weights file that `--calibrate` names, with the cut-offs that its validation samples call for.
Network calibrated_file(const fs::path& path, const std::string& device, const TrainingSources& sources,
                        const Context& context) {
  if (fs::is_directory(path))
    fail(Exit::data, "{}: is a folder; only weights files of this program can take new cut-offs", path.string());
  Network network = calibrated(load_network(path), device, chosen_thresholds, sources, context);
  save_network(network, path);
  return network;
}

}  // namespace

Exit train(const TrainCommand& c, Console& console) {
  require_alone("train");
  const auto loaded = read_config<TrainFile>(c.config, c.set);
  const TrainConfig& config = loaded.value.training;
  const std::optional<std::chrono::seconds> limit =
      c.time_limit.empty() ? std::nullopt : std::optional(duration_from(c.time_limit));
  TrainingRequest request;
  request.settings = config.settings;
  request.seed = config.seed;
  request.configuration = canonical_yaml(loaded.value);
  request.output = (fs::absolute(c.config).parent_path() / config.output).lexically_normal();
  if (config.start) request.start = config.start->resolved;
  if (!c.device.empty()) request.device = c.device;
  request.calibrate = chosen_thresholds;
  resolve_device(request.device);  // a device that is not there is told before samples are made

  const StopWatch watch(limit, c.stop_file.empty() ? std::nullopt : std::optional(fs::path(c.stop_file)));
  Progress progress(console.listener(), &stop_flag());
  const Context context{progress, resolve_threads(c.threads.value_or(0))};
  try {
    const auto sources = training_sources(config.samples, config.seed, config.settings.patch, context);
    if (!c.calibrate.empty()) {
      show(calibrated_file(c.calibrate, request.device, sources, context), c.calibrate, console);
      return Exit::ok;
    }
    show(cathoscope::train(request, sources, context), request.output, console);
  } catch (const Error& e) {
    if (e.exit() != Exit::interrupted) throw;
    if (!c.calibrate.empty()) fail(Exit::interrupted, "stopped ({}). {} is as it was.", stop_reason(), c.calibrate);
    fail(Exit::interrupted, "stopped ({}). The checkpoint is kept. To go on: cathoscope train {}", stop_reason(),
         c.config);
  }
  return Exit::ok;
}

}  // namespace cathoscope::app
