#pragma once
/// Devices and precisions as libtorch names them.

#include <cathoscope/network/network.hpp>

#include <torch/types.h>

namespace cathoscope {

/// Buffers of the same sizes come and go with every image: from now on the C library keeps them instead of giving them
/// back to the system, which would clear them each time.
void keep_freed_memory();

torch::ScalarType torch_type(Precision precision);

}  // namespace cathoscope
