#pragma once
/// Tensors as one array of numbers, as weights files and checkpoints keep them.

#include "unet.hpp"

#include <string>
#include <vector>

namespace cathoscope {

/// Weight and bias of every layer, in order, one after the other.
std::vector<float> flat_values(const std::vector<torch::Tensor>& tensors);
/// The tensors of a network in that order.
std::vector<torch::Tensor> tensors_of(const std::vector<Layer>& layers);
/// Layers of a shape over tensors in that order, which they share.
std::vector<Layer> layers_of(const NetworkShape& shape, const std::vector<torch::Tensor>& tensors);
/// New tensors of a shape, filled from such an array, whose size must be parameter_count(shape).
std::vector<torch::Tensor> tensors_from(const NetworkShape& shape, const std::vector<float>& values);

/// SHA-256 over names, shapes and values.
std::string payload_sha256(const NetworkShape& shape, const std::vector<float>& values);

/// A network of the project's file; see load_network.
Network load_weights(const std::filesystem::path& path);

}  // namespace cathoscope
