#include "mask.hpp"

#include <cathoscope/segmentation/distance.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

ScratchGrid<std::uint8_t> threshold_mask(const Workspace& w, const WatershedConfig& config,
                                         const GridSource<float>& grey, const FieldOfView& inside) {
  Vec3 sigma{};
  for (std::size_t i = 0; i < 3; ++i) sigma[i] = w.shape[i] > 1 ? config.smooth_um / w.voxel_um[i] : 0;
  std::optional<double> threshold = config.threshold.value;
  if (!threshold) threshold = otsu_threshold(grey_histogram(w, grey, inside, sigma));
  if (!threshold) w.context->progress.warn("all grey values in the field of view are equal: there is no particle");
  ScratchGrid<std::uint8_t> mask(w);
  const bool bright = config.bright == "particle";
  for_each_block(w, "threshold", [&](const Box& block) {
    Array3<std::uint8_t> values = inside(block);
    const Array3<float> grey_values = smoothed(grey, inside, sigma, block);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool particle = threshold && (grey_values.data()[i] >= *threshold) == bright;
      values.data()[i] = values.data()[i] == 0 ? 2 : particle ? 1 : 0;
    }
    mask.write(block, values.data());
  });
  return mask;
}

ScratchGrid<std::uint8_t> phase_mask(const Workspace& w, std::int64_t active_phase, const GridSource<float>& phases,
                                     const FieldOfView& inside) {
  ScratchGrid<std::uint8_t> mask(w);
  const auto wanted = static_cast<float>(active_phase);
  for_each_block(w, "phases", [&](const Box& block) {
    Array3<std::uint8_t> values = inside(block);
    const Array3<float> phase = phases.load(block);
    for (std::size_t i = 0; i < values.size(); ++i)
      values.data()[i] = values.data()[i] == 0 ? 2 : phase.data()[i] == wanted ? 1 : 0;
    mask.write(block, values.data());
  });
  return mask;
}

namespace {

Array3<std::uint8_t> closed_block(const Array3<std::uint8_t>& wide, const SquaredMetric& metric, double radius_um) {
  Array3<std::uint32_t> distance = array3<std::uint32_t>(shape_of(wide));
  std::transform(wide.begin(), wide.end(), distance.begin(), [](std::uint8_t v) { return v == 1 ? 0U : far; });
  near_distances(distance, metric, radius_um);
  for (std::uint32_t& d : distance) d = d == far ? 0 : far;  // sites of the erosion: what the dilation did not reach
  near_distances(distance, metric, radius_um);
  Array3<std::uint8_t> closed = wide;
  for (std::size_t i = 0; i < closed.size(); ++i)
    if (closed.data()[i] == 0 && distance.data()[i] == far) closed.data()[i] = 1;
  return closed;
}

}  // namespace

ScratchGrid<std::uint8_t> closed_mask(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, double radius_um) {
  const SquaredMetric metric = metric_of(w.voxel_um);
  Index3 margin = metric.steps(radius_um);
  for (std::size_t i = 0; i < 3; ++i) margin[i] = w.shape[i] > 1 ? 2 * margin[i] : 0;
  if (margin == Index3{0, 0, 0}) return mask;
  ScratchGrid<std::uint8_t> result(w);
  for_each_block(w, "closing", [&](const Box& block) {
    const Box wide = reaching(block, margin);
    Array3<std::uint8_t> values = mask.padded(wide, 0);
    const bool uniform = std::find(values.begin(), values.end(), 1) == values.end() ||
                         std::find(values.begin(), values.end(), 0) == values.end();
    if (!uniform) values = closed_block(values, metric, radius_um);
    std::vector<std::uint8_t> inner(static_cast<std::size_t>(block.size()));
    Box part = block;
    for (std::size_t i = 0; i < 3; ++i) {
      part.begin[i] -= wide.begin[i];
      part.end[i] -= wide.begin[i];
    }
    copy_box(values.data(), wide.shape(), part, inner.data());
    result.write(block, inner.data());
  });
  return result;
}

}  // namespace cathoscope
