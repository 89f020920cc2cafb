#pragma once
/// The layers of the star-convex U-Net. Names and order are those of csbdeep's Keras models, so that weights of StarDist fit
/// without translation.

#include <cathoscope/network/network.hpp>

#include <string>
#include <vector>

namespace cathoscope {

struct LayerShape {
  std::string name;
  std::int64_t in = 0, out = 0, kernel = 3;
};

/// Every convolution in the order in which it is computed; heads last: prob, dist, and foreground where there is one.
std::vector<LayerShape> layer_shapes(const NetworkShape& shape);

inline std::int64_t head_count(const NetworkShape& shape) { return shape.foreground ? 3 : 2; }

/// Pixels to which both sides of an image are filled up: grid x 2^depth.
inline std::int64_t size_multiple(const NetworkShape& shape) { return std::int64_t{shape.grid} << shape.depth; }

}  // namespace cathoscope
