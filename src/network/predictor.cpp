#include "engine.hpp"
#include "memory_ladder.hpp"
#include "mirror.hpp"
#include "stardist.hpp"
#include "tiles.hpp"
#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/network/description.hpp>

#include <algorithm>
#include <memory>

namespace cathoscope {

namespace {

constexpr std::int64_t longest_tile = 2048;  // pixels a side

std::int64_t rounded_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// The image continued by reflection to multiples of what the network halves; at least 16: heads see pixels in 64s.
torch::Tensor padded(const StarImage& image, std::int64_t multiple) {
  torch::Tensor x = torch::empty({1, 1, rounded_up(image.rows, multiple), rounded_up(image.columns, multiple)});
  float* out = x.data_ptr<float>();
  for (std::int64_t i = 0; i < x.size(2); ++i) {
    const float* row = image.values.data() + mirrored(i, image.rows) * image.columns;
    for (std::int64_t j = 0; j < x.size(3); ++j) *out++ = row[mirrored(j, image.columns)];
  }
  return x;
}

/// Cells that a tile keeps, in cells of the tile and of the image.
struct KeptCells {
  std::int64_t from = 0, to = 0, count = 0;
};

KeptCells kept_cells(const TileSpan& span, int grid, std::int64_t cells) {
  const std::int64_t to = span.keep_begin / grid;
  return {(span.keep_begin - span.begin) / grid, to, std::min(span.keep_end / grid, cells) - to};
}

/// A channel of a tile's output into its place in a plane.
void place(const torch::Tensor& channel, const KeptCells& rows, const KeptCells& columns, std::int64_t width,
           float* plane) {
  if (rows.count <= 0 || columns.count <= 0) return;
  const auto part = channel.slice(0, rows.from, rows.from + rows.count)
                        .slice(1, columns.from, columns.from + columns.count)
                        .to(torch::kCPU)
                        .contiguous();
  const float* in = part.data_ptr<float>();
  for (std::int64_t i = 0; i < rows.count; ++i)
    std::copy_n(in + i * columns.count, columns.count, plane + (rows.to + i) * width + columns.to);
}

/// A network on a device, with everything that its calls share.
struct Prediction {
  Network network;
  Engine engine;
  MemoryLadder ladder;
  std::int64_t multiple, overlap;

  Prediction(const Network& n, const PredictionSettings& s)
      : network(n),
        engine(n, s.device),
        ladder(s.concurrency, longest_tile, s.warn),
        multiple(std::max<std::int64_t>(8 * n.metadata().shape.grid, size_multiple(n.metadata().shape))),
        overlap(rounded_up(receptive_radius(n.metadata().shape), multiple)) {}

  [[nodiscard]] StarFields empty_fields(const StarImage& image, bool with_distances) const {
    const auto& shape = network.metadata().shape;
    StarFields f;
    f.grid = shape.grid;
    f.rows = (image.rows + f.grid - 1) / f.grid;
    f.columns = (image.columns + f.grid - 1) / f.grid;
    const auto cells = static_cast<std::size_t>(f.rows * f.columns);
    f.probability.resize(cells);
    if (shape.foreground) f.foreground.resize(cells);
    if (with_distances) f.distances.resize(static_cast<std::size_t>(shape.rays) * cells);
    return f;
  }

  void fill(const torch::Tensor& x, std::int64_t tile, StarFields& f) const {
    for (const auto& r : tile_spans(x.size(2), tile, overlap, multiple))
      for (const auto& c : tile_spans(x.size(3), tile, overlap, multiple)) {
        const auto part = x.slice(2, r.begin, r.end).slice(3, c.begin, c.end).contiguous();
        const auto y = engine.forward(part, !f.distances.empty())[0];
        const auto rows = kept_cells(r, f.grid, f.rows), columns = kept_cells(c, f.grid, f.columns);
        place(torch::sigmoid(y[0]), rows, columns, f.columns, f.probability.data());
        std::int64_t next = 1;
        if (!f.foreground.empty()) place(torch::sigmoid(y[next++]), rows, columns, f.columns, f.foreground.data());
        for (float* plane = f.distances.data(); next < y.size(0); ++next, plane += f.rows * f.columns)
          place(y[next].clamp_min(0), rows, columns, f.columns, plane);
      }
  }
};

}  // namespace

Network load_network(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return load_stardist(path);
  if (const auto hint = model_hint(path)) fail(Exit::data, "{}", *hint);
  return load_weights(path);
}

StarPredictor predictor(const Network& network, const PredictionSettings& settings) {
  compute_on_this_thread_only();
  keep_freed_memory();
  const auto shared = std::make_shared<Prediction>(network, settings);
  return [shared](const StarImage& image, bool with_distances) {
    if (image.rows < 1 || image.columns < 1 ||
        image.values.size() != static_cast<std::size_t>(image.rows * image.columns))
      fail(Exit::internal, "an image of {} x {} pixels has {} values", image.rows, image.columns, image.values.size());
    compute_on_this_thread_only();
    const c10::InferenceMode inference;
    const auto x = padded(image, shared->multiple);
    StarFields f = shared->empty_fields(image, with_distances);
    shared->ladder.climb([&](std::int64_t tile) { shared->fill(x, tile, f); });
    return f;
  };
}

}  // namespace cathoscope
