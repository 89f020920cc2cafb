// libtorch first: its macros give way to those of the test framework.
#include "../../../src/network/cpu_unet.hpp"

#undef CHECK
#include "test_data.hpp"

#include <cathoscope/core/parallel.hpp>

#include <torch/utils.h>

using namespace cathoscope;

namespace {

/// As the engine hands weights over: heads joined, foreground before the distances.
CpuUnetWeights weights_of(const NetworkShape& shape, const Network& network) {
  const auto& layers = network.weights().layers;
  const auto bodies = static_cast<std::ptrdiff_t>(layers.size()) - head_count(shape);
  const auto joined = [&](const char* name, std::vector<std::size_t> heads) {
    std::vector<torch::Tensor> weights, biases;
    for (const auto head : heads) {
      weights.push_back(layers[static_cast<std::size_t>(bodies) + head].weight);
      biases.push_back(layers[static_cast<std::size_t>(bodies) + head].bias + 0.25);
    }
    return Layer{name, torch::cat(weights), torch::cat(biases)};
  };
  CpuUnetWeights w;
  w.body = {layers.begin(), layers.begin() + bodies};
  for (auto& layer : w.body) layer.bias = torch::full_like(layer.bias, 0.1);
  w.planes = shape.foreground ? joined("planes", {0, 2}) : joined("planes", {0});
  w.all = shape.foreground ? joined("all", {0, 2, 1}) : joined("all", {0, 1});
  return w;
}

/// The same through libtorch's own operators in float32, channels in the order of the heads above.
torch::Tensor expected(const NetworkShape& shape, const CpuUnetWeights& w, const torch::Tensor& image) {
  auto layers = w.body;
  layers.push_back(w.all);
  const torch::NoGradGuard no_grad;
  return plain_forward(shape, layers, image);
}

torch::Tensor noise(std::int64_t rows, std::int64_t columns, int seed) {
  torch::manual_seed(seed);
  return torch::randn({1, 1, rows, columns});
}

double largest(const torch::Tensor& t) { return t.abs().max().item<double>(); }

const std::vector<NetworkShape>& shapes() {
  static const std::vector<NetworkShape> all{
      {.base = 16, .features = 64},  // profile default
      {.base = 32, .features = 128},
      {.base = 8, .features = 32},
      {.grid = 1, .depth = 2, .base = 24, .convolutions = 3, .features = 0, .foreground = false},
      {.grid = 4, .depth = 1, .base = 16, .convolutions = 1, .features = 20}};
  return all;
}

}  // namespace

TEST_CASE("the CPU's own way through the network gives what libtorch gives") {
  compute_on_this_thread_only();
  for (const NetworkShape& shape : shapes())
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
      const auto w = weights_of(shape, random_network("test", shape, 3));
      const auto unet = CpuUnet::make(shape, w, precision);
      if (!unet) continue;  // this CPU, or this number of channels, goes through libtorch
      const auto image = noise(64, 96, 5);
      const auto truth = expected(shape, w, image);
      const auto all = unet->forward(image, true);
      REQUIRE(all.sizes() == truth.sizes());
      // float32: sums of some hundred terms in another order; bfloat16: 8 bits of mantissa in each of 17 layers
      const double tolerance = precision == Precision::float32 ? 1e-5 : 3e-2;
      CHECK(largest(all - truth) < tolerance * largest(truth));
      const auto planes = unet->forward(image, false);
      CHECK(planes.size(1) == (shape.foreground ? 2 : 1));
      CHECK(largest(planes - all.slice(1, 0, planes.size(1))) <= 1e-6 * largest(truth));
    }
}

TEST_CASE("what a thread computed before, and how many compute, changes no bit") {
  const NetworkShape shape = network_shape("default");
  const auto w = weights_of(shape, random_network("test", shape, 3));
  const auto unet = CpuUnet::make(shape, w, cpu_precision());
  if (!unet) return;
  compute_on_this_thread_only();
  std::vector<torch::Tensor> images, first;
  for (int i = 0; i < 6; ++i) images.push_back(noise(32 + 16 * (i % 3), 160 - 16 * i, i));
  for (const auto& image : images) first.push_back(unet->forward(image, true));
  std::vector<char> same(24, 0);
  parallel_for(24, 3, [&](std::int64_t i) {
    compute_on_this_thread_only();
    const auto k = static_cast<std::size_t>(i * 5 % 6);
    same[static_cast<std::size_t>(i)] = torch::equal(unet->forward(images[k], true), first[k]) ? 1 : 0;
  });
  CHECK(std::count(same.begin(), same.end(), 1) == 24);
}

TEST_CASE("more sizes of image than kernels are kept for") {
  const NetworkShape shape{.grid = 1, .depth = 1, .base = 16, .convolutions = 1, .features = 0};
  const auto unet = CpuUnet::make(shape, weights_of(shape, random_network("test", shape, 3)), cpu_precision());
  if (!unet) return;
  compute_on_this_thread_only();
  const auto before = unet->forward(noise(8, 8, 1), false);
  for (std::int64_t n = 2; n < 80; ++n) CHECK(unet->forward(noise(4, 2 * n, 1), false).size(3) == 2 * n);
  CHECK(torch::equal(unet->forward(noise(8, 8, 1), false), before));
}
