#include "engine.hpp"

#include "memory_ladder.hpp"

#include <c10/util/Exception.h>

#include <new>

namespace cathoscope {

namespace {

Layer heads_of(const std::string& name, const std::vector<Layer>& heads) {
  std::vector<torch::Tensor> weights, biases;
  for (const auto& h : heads) {
    weights.push_back(h.weight);
    biases.push_back(h.bias);
  }
  return {name, torch::cat(weights), torch::cat(biases)};
}

}  // namespace

Engine::Engine(const Network& network, const ComputeDevice& device)
    : shape_(network.metadata().shape), device_(device.name), type_(torch_type(device.precision)) {
  const c10::InferenceMode inference;
  const auto& layers = network.weights().layers;
  const auto bodies = static_cast<std::ptrdiff_t>(layers.size()) - head_count(shape_);
  std::vector<Layer> heads;
  heads.push_back(layers[static_cast<std::size_t>(bodies)]);
  if (shape_.foreground) heads.push_back(layers.back());
  const Layer planes = heads_of("heads without distances", heads);
  heads.push_back(layers[static_cast<std::size_t>(bodies) + 1]);
  const Layer all = heads_of("heads", heads);
  if (device_.is_cpu()) {
    cpu_ = CpuUnet::make(shape_, {{layers.begin(), layers.begin() + bodies}, planes, all}, device.precision);
    if (cpu_) return;
  }
  const auto ready = [&](const Layer& l) {
    return Layer{l.name, l.weight.to(device_, type_).contiguous(torch::MemoryFormat::ChannelsLast),
                 l.bias.to(device_, type_)};
  };
  for (auto l = layers.begin(); l != layers.begin() + bodies; ++l) layers_.push_back(ready(*l));
  planes_ = ready(planes);
  all_ = ready(all);
}

torch::Tensor Engine::computed(const torch::Tensor& image, bool with_distances) const {
  const c10::InferenceMode inference;
  if (cpu_) return cpu_->forward(image, with_distances);
  std::size_t next = 0;
  const auto convolve = [&](const torch::Tensor& in) {
    const Layer& l = layers_[next++];
    // Named, because conv2d hands small images to a BLAS, whose threads and vendor are not ours.
    if (in.device().is_cpu() && at::hasMKLDNN())
      return torch::mkldnn_convolution(in, l.weight, l.bias, {1, 1}, {1, 1}, {1, 1}, 1).relu_();
    return torch::conv2d(in, l.weight, l.bias, 1, 1).relu_();
  };
  const auto pool = [](const torch::Tensor& in) { return torch::max_pool2d(in, 2); };
  const auto join = [](const torch::Tensor& low, const torch::Tensor& skip) {
    return torch::cat({torch::upsample_nearest2d(low, {low.size(2) * 2, low.size(3) * 2}), skip}, 1);
  };
  auto x = image.to(device_, type_).contiguous(torch::MemoryFormat::ChannelsLast);
  x = walk_unet(shape_, std::move(x), convolve, pool, join);
  const Layer& heads = with_distances ? all_ : planes_;
  return pixelwise(x, heads.weight, heads.bias).to(torch::kFloat);
}

torch::Tensor Engine::forward(const torch::Tensor& image, bool with_distances) const {
  try {
    return computed(image, with_distances);
  } catch (const c10::OutOfMemoryError&) {
    throw OutOfDeviceMemory{};
  } catch (const c10::Error& e) {
    // libtorch's CPU allocator has no error type of its own.
    if (std::string(e.what()).find("can't allocate memory") != std::string::npos) throw std::bad_alloc();
    throw;
  }
}

}  // namespace cathoscope
