#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cathoscope {

namespace {

constexpr const char* format_name = "cathoscope network";
constexpr double format_version = 1;

/// Shape of weight and bias of every layer, four extents each (a bias has one that counts).
std::vector<std::int64_t> flat_shapes(const NetworkShape& shape) {
  std::vector<std::int64_t> flat;
  for (const auto& l : layer_shapes(shape))
    for (const std::int64_t n :
         {l.out, l.in, l.kernel, l.kernel, l.out, std::int64_t{1}, std::int64_t{1}, std::int64_t{1}})
      flat.push_back(n);
  return flat;
}

std::vector<std::string> tensor_names(const NetworkShape& shape) {
  std::vector<std::string> names;
  for (const auto& l : layer_shapes(shape)) {
    names.push_back(l.name + "/weight");
    names.push_back(l.name + "/bias");
  }
  return names;
}

std::vector<double> numbers_of(const NetworkShape& s) {
  return {double(s.grid),     double(s.depth), double(s.base),          double(s.convolutions),
          double(s.features), double(s.rays),  s.foreground ? 1.0 : 0.0};
}

/// Attributes of a file that are read with what to say where they are missing.
struct Attributes {
  const H5File& file;

  [[nodiscard]] std::string text(const std::string& key) const {
    const auto value = file.attribute_text("/", key);
    if (!value) fail(Exit::data, "{}: attribute {} is missing", file.path().string(), key);
    return *value;
  }
  [[nodiscard]] std::vector<double> numbers(const std::string& key, std::size_t count) const {
    const auto values = file.attribute("/", key);
    if (!values || values->size() != count)
      fail(Exit::data, "{}: attribute {} must be {} numbers", file.path().string(), key, count);
    return *values;
  }
};

NetworkShape shape_from(const Attributes& a) {
  const auto n = a.numbers("shape", 7);
  const double low[] = {1, 1, 1, 1, 0, 1, 0}, high[] = {8, 6, 512, 8, 4096, 512, 1};
  for (std::size_t i = 0; i < 7; ++i)
    if (!(n[i] >= low[i] && n[i] <= high[i]) || n[i] != std::floor(n[i]))
      fail(Exit::version, "{}: attribute shape [{}] is {}, this program computes {} .. {}", a.file.path().string(), i,
           text_of(n[i]), text_of(low[i]), text_of(high[i]));
  const auto whole = [&](std::size_t i) { return static_cast<int>(n[i]); };
  return {whole(0), whole(1), whole(2), whole(3), whole(4), whole(5), n[6] == 1};
}

void check_format(const H5File& file) {
  const auto format = file.attribute_text("/", "format");
  if (!format || *format != format_name)
    fail(Exit::data, "{}: is HDF5 but no network of cathoscope (attribute format is not '{}')", file.path().string(),
         format_name);
  const auto version = file.attribute("/", "version");
  if (!version || *version != std::vector<double>{format_version})
    fail(Exit::version, "{}: was written in another version of the format ({}, this program reads {})",
         file.path().string(), version && !version->empty() ? text_of(version->front()) : "none",
         text_of(format_version));
}

/// Names, shapes and number of values before any of the values is read.
void check_layers(const H5File& file, const NetworkShape& shape) {
  const auto names = tensor_names(shape);
  const auto shapes = flat_shapes(shape);
  const auto sizes = [&](const char* name) { return file.extents(name); };
  const bool sizes_fit = sizes("names") == std::vector<std::int64_t>{static_cast<std::int64_t>(names.size())} &&
                         sizes("shapes") == std::vector<std::int64_t>{static_cast<std::int64_t>(shapes.size())} &&
                         sizes("values") == std::vector<std::int64_t>{parameter_count(shape)};
  if (!sizes_fit || file.read_texts("names") != names || file.read_array<std::int64_t>("shapes") != shapes)
    fail(Exit::version, "{}: its layers are not those of its shape: written by another version", file.path().string());
}

std::vector<float> checked_values(const H5File& file, const NetworkShape& shape, const std::string& sha256) {
  if (file.type_of("values") != "float32") fail(Exit::version, "{}: values are not float32", file.path().string());
  auto values = file.read_array<float>("values");
  if (payload_sha256(shape, values) != sha256)
    fail(Exit::data, "{}: is damaged: the weights do not match their SHA-256", file.path().string());
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    fail(Exit::data, "{}: has weights that are not finite", file.path().string());
  return values;
}

}  // namespace

std::vector<torch::Tensor> tensors_of(const std::vector<Layer>& layers) {
  std::vector<torch::Tensor> tensors;
  for (const auto& l : layers) {
    tensors.push_back(l.weight);
    tensors.push_back(l.bias);
  }
  return tensors;
}

std::vector<float> flat_values(const std::vector<torch::Tensor>& tensors) {
  std::vector<float> values;
  for (const auto& t : tensors) {
    const auto plain = t.detach().to(torch::kCPU).contiguous();
    values.insert(values.end(), plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel());
  }
  return values;
}

std::vector<Layer> layers_of(const NetworkShape& shape, const std::vector<torch::Tensor>& tensors) {
  std::vector<Layer> layers;
  for (const auto& l : layer_shapes(shape)) {
    const std::size_t at = 2 * layers.size();
    layers.push_back({l.name, tensors[at], tensors[at + 1]});
  }
  return layers;
}

std::vector<torch::Tensor> tensors_from(const NetworkShape& shape, const std::vector<float>& values) {
  std::vector<torch::Tensor> tensors;
  const float* at = values.data();
  const auto take = [&](at::IntArrayRef sizes) {
    torch::Tensor t = torch::empty(sizes);
    std::copy_n(at, t.numel(), t.data_ptr<float>());
    at += t.numel();
    tensors.push_back(t);
  };
  for (const auto& l : layer_shapes(shape)) {
    take({l.out, l.in, l.kernel, l.kernel});
    take({l.out});
  }
  return tensors;
}

std::string payload_sha256(const NetworkShape& shape, const std::vector<float>& values) {
  std::string bytes;
  for (const auto& name : tensor_names(shape)) bytes += name + '\n';
  for (const auto n : flat_shapes(shape)) bytes += std::to_string(n) + '\n';
  const std::size_t text = bytes.size();
  bytes.resize(text + values.size() * sizeof(float));
  std::memcpy(bytes.data() + text, values.data(), values.size() * sizeof(float));
  return sha256_of_text(bytes);
}

void save_network(const Network& network, const std::filesystem::path& path) {
  const auto& m = network.metadata();
  const auto values = flat_values(tensors_of(network.weights().layers));
  auto file = H5File::create(partial_name(path));
  file.set_attribute("/", "format", format_name);
  file.set_attribute("/", "version", std::vector<double>{format_version});
  file.set_attribute("/", "origin", m.origin);
  file.set_attribute("/", "profile", m.profile);
  file.set_attribute("/", "shape", numbers_of(m.shape));
  file.set_attribute("/", "thresholds",
                     std::vector<double>{m.thresholds.probability, m.thresholds.suppression, m.thresholds.foreground});
  file.set_attribute("/", "training", m.training);
  file.set_attribute("/", "training_key", m.training_key);
  file.set_attribute("/", "training_seconds", std::vector<double>{m.training_seconds});
  file.set_attribute("/", "sha256", payload_sha256(m.shape, values));
  std::vector<std::string> score_names;
  std::vector<double> scores;
  for (const auto& [name, score] : m.scores) {
    score_names.push_back(name);
    scores.push_back(score);
  }
  file.write_texts("score_names", score_names);
  file.write_array("scores", scores);
  file.write_texts("names", tensor_names(m.shape));
  file.write_array("shapes", flat_shapes(m.shape));
  file.write_array("values", values);
  file.close();
  publish(path);
}

Network load_weights(const std::filesystem::path& path) {
  const auto file = H5File::open(path);
  check_format(file);
  const Attributes a{file};
  NetworkMetadata m;
  m.shape = shape_from(a);
  check_layers(file, m.shape);
  m.origin = a.text("origin");
  m.profile = a.text("profile");
  const auto thresholds = a.numbers("thresholds", 3);
  m.thresholds = {thresholds[0], thresholds[1], thresholds[2]};
  m.training = a.text("training");
  m.training_key = a.text("training_key");
  m.training_seconds = a.numbers("training_seconds", 1)[0];
  m.sha256 = a.text("sha256");
  if (file.extents("score_names") != file.extents("scores"))
    fail(Exit::data, "{}: scores and their names differ in number", path.string());
  const auto score_names = file.read_texts("score_names");
  const auto scores = file.read_array<double>("scores");
  for (std::size_t i = 0; i < scores.size(); ++i) m.scores.emplace_back(score_names[i], scores[i]);
  auto weights = std::make_shared<Network::Weights>();
  weights->layers = layers_of(m.shape, tensors_from(m.shape, checked_values(file, m.shape, m.sha256)));
  return {std::move(m), std::move(weights)};
}

}  // namespace cathoscope
