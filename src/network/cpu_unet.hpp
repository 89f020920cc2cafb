#pragma once
/// The network on a CPU, through oneDNN (Debian's libdnnl, the library that libtorch computes with): weights are packed
/// once, activations stay in oneDNN's blocked layout from the first layer to the heads, ReLU is part of the convolution,
/// and both halves of a concatenation are written where they belong.

#include "unet.hpp"

#include <memory>

namespace cathoscope {

/// Weights for CpuUnet: all layers but the heads, and two choices of heads, each as one layer of kernel 1.
struct CpuUnetWeights {
  std::vector<Layer> body;
  Layer planes, all;
};

class CpuUnet {
 public:
  /// Empty where libtorch is the better way: oneDNN does not compute this precision on this CPU, or (float32) the
  /// network has fewer channels than a register. Decided by CPU and shape alone.
  static std::shared_ptr<const CpuUnet> make(const NetworkShape& shape, CpuUnetWeights weights, Precision precision);
  ~CpuUnet();
  CpuUnet(const CpuUnet&) = delete;
  CpuUnet& operator=(const CpuUnet&) = delete;

  /// (1, 1, rows, columns) float32, contiguous, sides multiples of size_multiple -> (1, channels of the heads, cell rows,
  /// cell columns) float32. Thread-safe; computes on the calling thread. The same bits for the same image.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& image, bool with_distances) const;

 private:
  struct Plan;
  class Planner;
  struct Parts;
  explicit CpuUnet(std::unique_ptr<Parts> parts);
  [[nodiscard]] std::shared_ptr<const Plan> plan_for(std::int64_t rows, std::int64_t columns,
                                                     bool with_distances) const;

  std::unique_ptr<Parts> parts_;
};

}  // namespace cathoscope
