#pragma once
/// Devices and precisions as libtorch names them.

#include <cathoscope/network/network.hpp>

#include <torch/torch.h>

namespace cathoscope {

torch::ScalarType torch_type(Precision precision);

}  // namespace cathoscope
