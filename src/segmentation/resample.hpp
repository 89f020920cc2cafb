#pragma once
/// Weights that take a line of native voxels to a line of working voxels.

#include <cstdint>
#include <vector>

namespace cathoscope {

/// One output is the sum of weights[k] * input[first + k]; the weights add up to 1.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

/// Means over the part of each output that lies on the input where outputs are larger, Keys' cubic where smaller.
std::vector<Taps> line_taps(std::int64_t inputs, double input_um, std::int64_t outputs, double output_um);

}  // namespace cathoscope
