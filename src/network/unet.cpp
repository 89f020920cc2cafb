#include "unet.hpp"

#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>

#include <ATen/Parallel.h>

#include <cmath>

namespace cathoscope {

Network random_network(const std::string& profile, const NetworkShape& shape, std::uint64_t seed) {
  auto weights = std::make_shared<Network::Weights>();
  const auto shapes = layer_shapes(shape);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto& l = shapes[i];
    Stream random(seed, {"network", l.name}, i);
    const bool head = l.kernel == 1;
    const double sigma = std::sqrt((head ? 0.5 : 2.0) / static_cast<double>(l.in * l.kernel * l.kernel));
    torch::Tensor weight = torch::empty({l.out, l.in, l.kernel, l.kernel});
    for (std::int64_t k = 0; k < weight.numel(); ++k)
      weight.data_ptr<float>()[k] = static_cast<float>(sigma * random.normal());
    weights->layers.push_back({l.name, weight, torch::zeros({l.out})});
  }
  NetworkMetadata m{.origin = "cathoscope", .profile = profile, .shape = shape};
  m.sha256 = payload_sha256(shape, flat_values(tensors_of(weights->layers)));
  return {std::move(m), std::move(weights)};
}

Network::Network(NetworkMetadata metadata, std::shared_ptr<const Weights> weights)
    : metadata_(std::move(metadata)), weights_(std::move(weights)) {}

Network with_metadata(const Network& network, NetworkMetadata metadata) {
  return {std::move(metadata), network.shared_weights()};
}

void compute_on_this_thread_only() {
  if (at::get_num_threads() != 1) at::set_num_threads(1);
}

torch::Tensor pixelwise(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  // For kernels of one pixel and few images libtorch calls a BLAS, which has threads of its own and is another one on
  // another machine. Pixels have no neighbours here, so the same memory may be seen as sixteen times the images.
  constexpr std::int64_t parts = 16, rows = 4;
  const std::int64_t n = x.size(0), pixels = x.size(2) * x.size(3);
  const auto flat = x.permute({0, 2, 3, 1}).contiguous();
  const auto seen = flat.view({n * parts, rows, pixels / (parts * rows), x.size(1)}).permute({0, 3, 1, 2});
  const auto y = torch::conv2d(seen, weight, bias).permute({0, 2, 3, 1}).contiguous();
  return y.view({n, x.size(2), x.size(3), weight.size(0)}).permute({0, 3, 1, 2});
}

torch::Tensor plain_forward(const NetworkShape& shape, const std::vector<Layer>& layers, torch::Tensor x) {
  std::size_t next = 0;
  const auto convolve = [&](const torch::Tensor& in) {
    const Layer& l = layers[next++];
    return torch::relu(torch::conv2d(in, l.weight, l.bias, 1, 1));
  };
  const auto pool = [](const torch::Tensor& in) { return torch::max_pool2d(in, 2); };
  const auto join = [](const torch::Tensor& low, const torch::Tensor& skip) {
    return torch::cat({torch::upsample_nearest2d(low, {low.size(2) * 2, low.size(3) * 2}), skip}, 1);
  };
  x = walk_unet(shape, std::move(x), convolve, pool, join);
  std::vector<torch::Tensor> weights, biases;
  for (; next < layers.size(); ++next) {
    weights.push_back(layers[next].weight);
    biases.push_back(layers[next].bias);
  }
  return pixelwise(x, torch::cat(weights), torch::cat(biases));
}

}  // namespace cathoscope
