#include "shape.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>

namespace cathoscope {

NetworkShape network_shape(const std::string& profile) {
  if (profile == "paper") return {.base = 32, .features = 128};
  if (profile == "default") return {.base = 16, .features = 64};
  if (profile == "ci") return {.base = 8, .features = 32};
  fail(Exit::config, "there is no network profile '{}'; there are paper, default and ci", profile);
}

namespace {

/// Collects layers; each takes the channels that the one before it gives.
struct LayerList {
  std::vector<LayerShape> layers;
  std::int64_t channels = 1;

  void add(std::string name, std::int64_t out) {
    layers.push_back({std::move(name), channels, out, 3});
    channels = out;
  }
};

/// The convolutions of a level of which the last one gives `last` channels, the others `out`. In csbdeep the last of
/// a level on the way up is numbered one further, as if the others were counted from the skip.
void add_level(LayerList& list, const std::string& name, int convolutions, std::int64_t out, std::int64_t last) {
  for (int i = 0; i + 1 < convolutions; ++i) list.add(name + std::to_string(i), out);
  list.add(name + std::to_string(convolutions), last);
}

}  // namespace

std::vector<LayerShape> layer_shapes(const NetworkShape& shape) {
  LayerList list;
  const auto width = [&](int level) { return std::int64_t{shape.base} << level; };
  for (int g = 1, n = 0; g < shape.grid; g *= 2, ++n)
    for (int i = 0; i < shape.convolutions; ++i)
      list.add("grid_" + std::to_string(n) + "_no_" + std::to_string(i), shape.base);
  for (int level = 0; level < shape.depth; ++level)
    for (int i = 0; i < shape.convolutions; ++i)
      list.add("down_level_" + std::to_string(level) + "_no_" + std::to_string(i), width(level));
  add_level(list, "middle_", shape.convolutions, width(shape.depth), width(std::max(0, shape.depth - 1)));
  for (int level = shape.depth - 1; level >= 0; --level) {
    list.channels += width(level);
    add_level(list, "up_level_" + std::to_string(level) + "_no_", shape.convolutions, width(level),
              width(std::max(0, level - 1)));
  }
  if (shape.features > 0) list.add("features", shape.features);
  const std::int64_t in = list.channels;
  list.layers.push_back({"prob", in, 1, 1});
  list.layers.push_back({"dist", in, shape.rays, 1});
  if (shape.foreground) list.layers.push_back({"foreground", in, 1, 1});
  return list.layers;
}

std::int64_t parameter_count(const NetworkShape& shape) {
  std::int64_t n = 0;
  for (const auto& l : layer_shapes(shape)) n += l.out * (l.in * l.kernel * l.kernel + 1);
  return n;
}

int receptive_radius(const NetworkShape& shape) {
  // What a cell sees, followed from the output to the input; cells differ by where poolings fall, with this period.
  const std::int64_t period = std::int64_t{1} << shape.depth, n = shape.convolutions;
  std::int64_t radius = 0;
  for (std::int64_t cell = period; cell < 2 * period; ++cell) {
    std::int64_t low = cell, high = cell;
    const auto widen = [&](std::int64_t by) { low -= by, high += by; };
    const auto unpool = [&] { low = 2 * low, high = 2 * high + 1; };
    const auto half = [](std::int64_t at) { return at >= 0 ? at / 2 : (at - 1) / 2; };
    widen(shape.features > 0 ? 1 : 0);
    for (int level = 0; level < shape.depth; ++level) {
      widen(n);
      low = half(low), high = half(high);
    }
    widen(n);
    for (int level = 0; level < shape.depth; ++level) {
      unpool();
      widen(n);
    }
    for (int g = 1; g < shape.grid; g *= 2) {
      unpool();
      widen(n);
    }
    radius = std::max({radius, shape.grid * cell - low, high - shape.grid * cell});
  }
  return static_cast<int>(radius);
}

}  // namespace cathoscope
