#pragma once
/// The layers' weights and how the layers follow each other.

#include "shape.hpp"

#include <torch/types.h>

#include <string>
#include <vector>

namespace cathoscope {

/// Weight (out, in, row, column) and bias, float32, on the CPU.
struct Layer {
  std::string name;
  torch::Tensor weight, bias;
};

struct Network::Weights {
  std::vector<Layer> layers;
};

/// Walks through the network up to the heads. `convolve(x)` applies the next layer with its ReLU, `pool(x)` halves both
/// sides by maxima, `join(low, skip)` doubles low by repetition and puts the skip's channels after its own.
template <class Image, class Convolve, class Pool, class Join>
Image walk_unet(const NetworkShape& shape, Image x, Convolve&& convolve, Pool&& pool, Join&& join) {
  const auto convolve_times = [&](int n) {
    for (int i = 0; i < n; ++i) x = convolve(std::move(x));
  };
  for (int g = 1; g < shape.grid; g *= 2) {
    convolve_times(shape.convolutions);
    x = pool(x);
  }
  std::vector<Image> skips;
  for (int level = 0; level < shape.depth; ++level) {
    convolve_times(shape.convolutions);
    skips.push_back(x);
    x = pool(x);
  }
  convolve_times(shape.convolutions);
  for (int level = shape.depth - 1; level >= 0; --level) {
    x = join(std::move(x), std::move(skips.back()));
    skips.pop_back();
    convolve_times(shape.convolutions);
  }
  if (shape.features > 0) x = convolve(std::move(x));
  return x;
}

/// The network through libtorch's own operators, differentiable: channels probability logit, distances, and foreground
/// logit. `layers` may be on any device; x: (images, 1, rows, columns), both sides multiples of size_multiple.
torch::Tensor plain_forward(const NetworkShape& shape, const std::vector<Layer>& layers, torch::Tensor x);

/// Convolution with kernels of one pixel; rows x columns of x must be a multiple of 64.
torch::Tensor pixelwise(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias);

/// This thread computes by itself: many of them run beside each other, and results must not depend on how many.
void compute_on_this_thread_only();

}  // namespace cathoscope
