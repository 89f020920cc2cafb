#include "stardist.hpp"

#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/json_text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace cathoscope {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

Json json_file(const fs::path& path) {
  const std::string text = read_text(path);
  const Json json = json_nesting(text) > deepest_json ? Json() : Json::parse(text, nullptr, false);
  if (!json.is_object()) fail(Exit::data, "{}: is not a JSON object", path.string());
  return json;
}

/// The configuration of a model, asked key by key.
struct ModelConfig {
  fs::path path;
  Json json;

  [[nodiscard]] int whole(const char* key, int low, int high) const {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer())
      fail(Exit::data, "{}: {} must be a whole number", path.string(), key);
    const auto value = found->get<std::int64_t>();
    if (value < low || value > high)
      fail(Exit::unavailable, "{}: {} is {}, this program computes {} .. {}", path.string(), key, value, low, high);
    return static_cast<int>(value);
  }
  /// Refuses every value but one; `needed` keys must be there.
  void only(const char* key, const Json& allowed, bool needed) const {
    const auto found = json.find(key);
    if (found == json.end() ? !needed : *found == allowed) return;
    fail(found == json.end() ? Exit::data : Exit::unavailable, "{}: {} is {}, this program computes {} only",
         path.string(), key, found == json.end() ? "missing" : found->dump(), allowed.dump());
  }
  [[nodiscard]] int grid() const {
    const auto found = json.find("grid");
    if (found == json.end() || !found->is_array() || found->size() != 2 || !(*found)[0].is_number_integer())
      fail(Exit::data, "{}: grid must be two whole numbers", path.string());
    for (const int g : {1, 2, 4, 8})
      if (*found == Json{g, g}) return g;
    fail(Exit::unavailable, "{}: grid is {}, this program computes [1, 1], [2, 2], [4, 4] and [8, 8]", path.string(),
         found->dump());
  }
};

NetworkShape shape_from(const ModelConfig& c) {
  c.only("n_dim", 2, true);
  c.only("n_channel_in", 1, true);
  c.only("backbone", "unet", false);
  c.only("n_classes", nullptr, false);
  c.only("unet_kernel_size", Json{3, 3}, false);
  c.only("unet_pool", Json{2, 2}, false);
  c.only("unet_activation", "relu", false);
  c.only("unet_last_activation", "relu", false);
  c.only("unet_batch_norm", false, false);
  c.only("unet_prefix", "", false);
  c.only("unet_expansion", 2, false);
  NetworkShape s;
  s.grid = c.grid();
  s.depth = c.whole("unet_n_depth", 1, 6);
  s.base = c.whole("unet_n_filter_base", 1, 512);
  s.convolutions = c.whole("unet_n_conv_per_depth", 1, 8);
  s.features = c.whole("net_conv_after_unet", 0, 4096);
  s.rays = c.whole("n_rays", star_rays, star_rays);
  s.foreground = false;
  return s;
}

fs::path weights_in(const fs::path& folder) {
  for (const char* name : {"weights_best.h5", "weights_last.h5", "weights_now.h5"})
    if (fs::exists(folder / name)) return folder / name;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.rfind("weights", 0) == 0 && entry.path().extension() == ".h5") found.push_back(entry.path());
  }
  if (found.size() != 1)
    fail(Exit::no_input, "{}: has {} files weights_*.h5, one is needed (weights_best.h5 goes first)", folder.string(),
         found.size());
  return found.front();
}

/// Kernel and bias of a layer, where they are in the file.
struct KerasLayer {
  std::string kernel, bias;
};

/// Layers with weights by our names. Those before the U-Net have automatic names (conv2d, conv2d_7): by their order.
std::map<std::string, KerasLayer> keras_layers(const H5File& file) {
  const std::string root = file.attribute_texts("/", "layer_names") ? "/" : "/model_weights";
  const auto names = file.contains(root) || root == "/" ? file.attribute_texts(root, "layer_names") : std::nullopt;
  if (!names) fail(Exit::data, "{}: is no Keras weights file (attribute layer_names is missing)", file.path().string());
  std::map<std::string, KerasLayer> layers;
  std::vector<KerasLayer> automatic;
  for (const auto& name : *names) {
    const std::string group = (root == "/" ? "" : root) + "/" + name;
    const auto weights = file.attribute_texts(group, "weight_names");
    if (!weights || weights->empty()) continue;
    KerasLayer layer;
    for (const auto& w : *weights) {
      if (w.find("kernel") != std::string::npos) layer.kernel = group + "/" + w;
      if (w.find("bias") != std::string::npos) layer.bias = group + "/" + w;
    }
    if (weights->size() != 2 || layer.kernel.empty() || layer.bias.empty())
      fail(Exit::unavailable, "{}: layer {} is no convolution with a bias; this program does not compute it",
           file.path().string(), name);
    if (name.rfind("conv2d", 0) == 0)
      automatic.push_back(layer);
    else
      layers[name] = layer;
  }
  for (std::size_t i = 0; i < automatic.size(); ++i) layers["automatic " + std::to_string(i)] = automatic[i];
  return layers;
}

std::vector<float> checked_array(const H5File& file, const std::string& name,
                                 const std::vector<std::int64_t>& extents) {
  if (!file.contains(name)) fail(Exit::data, "{}: {} is missing", file.path().string(), name);
  const auto found = file.extents(name);
  if (found != extents)
    fail(Exit::version, "{}: {} has extents [{}], config.json asks for [{}]", file.path().string(), name,
         fmt::format("{}", fmt::join(found, ", ")), fmt::format("{}", fmt::join(extents, ", ")));
  auto values = file.read_array<float>(name);
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    fail(Exit::data, "{}: {} has values that are not finite", file.path().string(), name);
  return values;
}

/// Keras keeps kernels as (row, column, in, out), libtorch as (out, in, row, column).
Layer converted_layer(const H5File& file, const LayerShape& l, const KerasLayer& from) {
  const auto kernel = checked_array(file, from.kernel, {l.kernel, l.kernel, l.in, l.out});
  const auto bias = checked_array(file, from.bias, {l.out});
  torch::Tensor k = torch::empty({l.kernel, l.kernel, l.in, l.out}), b = torch::empty({l.out});
  std::copy(kernel.begin(), kernel.end(), k.data_ptr<float>());
  std::copy(bias.begin(), bias.end(), b.data_ptr<float>());
  return {l.name, k.permute({3, 2, 0, 1}).contiguous(), b};
}

std::vector<Layer> layers_from(const H5File& file, const NetworkShape& shape) {
  const auto found = keras_layers(file);
  std::vector<Layer> layers;
  std::size_t automatic = 0;
  for (const auto& l : layer_shapes(shape)) {
    const bool unnamed = l.name.rfind("grid_", 0) == 0;
    const auto at = found.find(unnamed ? "automatic " + std::to_string(automatic++) : l.name);
    if (at == found.end())
      fail(Exit::version, "{}: config.json asks for a layer {} that the weights lack", file.path().string(), l.name);
    layers.push_back(converted_layer(file, l, at->second));
  }
  if (layers.size() != found.size())
    fail(Exit::version, "{}: has {} layers with weights, config.json asks for {}", file.path().string(), found.size(),
         layers.size());
  return layers;
}

NetworkThresholds thresholds_in(const fs::path& folder) {
  NetworkThresholds t;
  if (!fs::exists(folder / "thresholds.json")) return t;
  const Json json = json_file(folder / "thresholds.json");
  const auto number = [&](const char* key, double& value) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number() || found->get<double>() < 0 || found->get<double>() > 1)
      fail(Exit::data, "{}: {} must be a number in 0 .. 1", (folder / "thresholds.json").string(), key);
    value = found->get<double>();
  };
  number("prob", t.probability);
  number("nms", t.suppression);
  return t;
}

}  // namespace

Network load_stardist(const fs::path& folder) {
  const fs::path config = folder / "config.json";
  if (!fs::exists(config))
    fail(Exit::no_input, "{}: is a folder without config.json, so no StarDist model", folder.string());
  NetworkMetadata m;
  m.origin = "stardist";
  m.profile = fs::absolute(folder).lexically_normal().filename().string();
  m.shape = shape_from({config, json_file(config)});
  m.thresholds = thresholds_in(folder);
  m.training = read_text(config);
  auto weights = std::make_shared<Network::Weights>();
  weights->layers = layers_from(H5File::open(weights_in(folder)), m.shape);
  m.sha256 = payload_sha256(m.shape, flat_values(tensors_of(weights->layers)));
  return {std::move(m), std::move(weights)};
}

}  // namespace cathoscope
