#pragma once
/// A network made ready for a device: weights in the type and layout that its convolutions like.

#include "cpu_unet.hpp"
#include "device.hpp"
#include "unet.hpp"

#include <vector>

namespace cathoscope {

class Engine {
 public:
  Engine(const Network& network, const ComputeDevice& device);

  /// (1, 1, rows, columns) float32 on the CPU, sides multiples of size_multiple -> channels probability logit, foreground
  /// logit where there is that head, distances where asked for; float32, on the device, (1, channels, cells, cells).
  /// Thread-safe; throws OutOfDeviceMemory.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& image, bool with_distances) const;

 private:
  [[nodiscard]] torch::Tensor computed(const torch::Tensor& image, bool with_distances) const;

  std::shared_ptr<const CpuUnet> cpu_;  ///< computes everything, where there is one
  NetworkShape shape_;
  torch::Device device_;
  torch::ScalarType type_;
  std::vector<Layer> layers_;  ///< without the heads
  Layer planes_, all_;         ///< heads without distances, and with them
};

}  // namespace cathoscope
