#include "device.hpp"
#include "training_session.hpp"
#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <type_traits>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

/// Writes the fields of a settings struct as YAML.
struct YamlOfFields {
  std::string text;
  std::string indent;

  template <class T>
  void operator()(const char* key, T& value, const char*, const Rule& = {}) {
    if constexpr (std::is_same_v<T, std::string>) {
      text += fmt::format("{}{}: {}\n", indent, key, value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      text += fmt::format("{}{}: {}\n", indent, key, text_of(static_cast<double>(value)));
    } else {
      YamlOfFields inner{"", indent + "  "};
      fields(inner, value);
      text += fmt::format("{}{}:\n{}", indent, key, inner.text);
    }
  }
};

std::string yaml_of(TrainingSettings settings) {
  YamlOfFields yaml;
  fields(yaml, settings);
  return yaml.text;
}

/// Two requests with the same key make the same weights.
std::string key_of(const TrainingRequest& r, const TrainingSources& sources) {
  std::string text = "training 1\n" + yaml_of(r.settings) + "seed " + std::to_string(r.seed) + "\nvalidation " +
                     std::to_string(sources.validation_samples) + "\ncalibrated " + (r.calibrate ? "1" : "0") + "\n" +
                     r.configuration;
  if (r.start) text += "\nstart " + load_network(*r.start).metadata().sha256;
  return sha256_of_text(text);
}

void check_request(const TrainingRequest& r, const TrainingSources& s) {
  network_shape(r.settings.profile);
  if (r.settings.patch < 32 || r.settings.patch % 16 != 0)
    fail(Exit::config, "training.patch is {}, it must be a multiple of 16 and at least 32", r.settings.patch);
  if (r.settings.iterations < 1 || r.settings.batch < 1 || r.settings.checkpoint_every < 1)
    fail(Exit::config, "training.iterations, batch and checkpoint_every must be at least 1");
  if (!s.training || (s.validation_samples > 0 && !s.validation))
    fail(Exit::internal, "a source of samples is missing");
  const auto folder = fs::absolute(r.output).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) fail(Exit::cannot_create, "{}: the folder cannot be made", folder.string());
}

/// A finished training of the same request; Error{cannot_create} where something else is in its place.
std::optional<Network> finished(const fs::path& output, const std::string& key) {
  if (!fs::exists(output)) return {};
  std::optional<Network> found;
  try {
    found = load_network(output);
  } catch (const Error&) {
    found.reset();
  }
  if (found && found->metadata().training_key == key) return found;
  fail(Exit::cannot_create,
       "{}: exists already and is not the result of this training. Name another output, or remove it.",
       output.string());
}

void add_scores(NetworkMetadata& m, const std::vector<CurvePoint>& curve) {
  if (curve.empty() || !(curve.back().validation[0] >= 0)) return;
  const auto& v = curve.back().validation;
  m.scores = {{"validation_probability", v[0]}, {"validation_distance_px", v[1]}, {"validation_foreground", v[3]}};
}

}  // namespace

Network train(const TrainingRequest& request, const TrainingSources& sources, const Context& context) {
  check_request(request, sources);
  const std::string key = key_of(request, sources);
  if (auto done = finished(request.output, key)) return *done;
  keep_freed_memory();
  TrainingSession session(request, sources, context, key, torch::Device(resolve_device(request.device).name));
  session.run();
  NetworkMetadata m{.origin = "cathoscope", .profile = request.settings.profile};
  m.shape = network_shape(request.settings.profile);
  m.training = request.configuration.empty() ? yaml_of(request.settings) : request.configuration;
  m.training_key = key;
  add_scores(m, session.curve());
  auto weights = std::make_shared<Network::Weights>();
  weights->layers = session.layers();
  m.sha256 = payload_sha256(m.shape, flat_values(tensors_of(weights->layers)));
  m.training_seconds = session.seconds();
  Network network(std::move(m), std::move(weights));
  if (request.calibrate && sources.validation_samples > 0)
    network = calibrated(network, request.device, request.calibrate, sources, context);
  save_network(network, request.output);
  std::error_code error;
  fs::remove(beside(request.output, ".checkpoint.h5"), error);
  return network;
}

}  // namespace cathoscope
