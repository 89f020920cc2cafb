#include "device.hpp"
#include "mirror.hpp"
#include "unet.hpp"
#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cstring>

namespace cathoscope {

namespace {

torch::Tensor padded(const StarImage& image, std::int64_t multiple) {
  const auto up = [&](std::int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  torch::Tensor x = torch::empty({1, 1, up(image.rows), up(image.columns)});
  float* out = x.data_ptr<float>();
  for (std::int64_t i = 0; i < x.size(2); ++i) {
    const float* row = image.values.data() + mirrored(i, image.rows) * image.columns;
    for (std::int64_t j = 0; j < x.size(3); ++j) *out++ = row[mirrored(j, image.columns)];
  }
  return x;
}

void copy_plane(const torch::Tensor& plane, StarFields& f, std::vector<float>& out) {
  const auto p = plane.slice(0, 0, f.rows).slice(1, 0, f.columns).to(torch::kCPU, torch::kFloat).contiguous();
  out.insert(out.end(), p.data_ptr<float>(), p.data_ptr<float>() + p.numel());
}

}  // namespace

Network load_network(const std::filesystem::path& path) { return load_weights(path); }

StarPredictor predictor(const Network& network, const PredictionSettings& settings) {
  const auto layers = network.weights().layers;
  const auto shape = network.metadata().shape;
  const auto device = torch::Device(settings.device.name);
  return [network, layers, shape, device](const StarImage& image, bool with_distances) {
    compute_on_this_thread_only();
    const torch::NoGradGuard no_grad;
    const auto x = padded(image, size_multiple(shape)).to(device);
    const auto y = plain_forward(shape, layers, x)[0];
    StarFields f;
    f.grid = shape.grid;
    f.rows = (image.rows + shape.grid - 1) / shape.grid;
    f.columns = (image.columns + shape.grid - 1) / shape.grid;
    copy_plane(torch::sigmoid(y[0]), f, f.probability);
    if (shape.foreground) copy_plane(torch::sigmoid(y[1 + shape.rays]), f, f.foreground);
    for (int k = 0; with_distances && k < shape.rays; ++k) copy_plane(y[1 + k].clamp_min(0), f, f.distances);
    return f;
  };
}

}  // namespace cathoscope
