#include "mask.hpp"

#include <cathoscope/segmentation/distance.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace cathoscope {

namespace {

/// Otsu's threshold of the smoothed values, which are kept for the pass that applies it.
std::optional<double> automatic_threshold(const Workspace& w, const GridSource<float>& grey, const GreyRange& range,
                                          const FieldOfView& inside, const Vec3& sigma,
                                          const ScratchGrid<float>& kept) {
  const auto values = [&](const Box& block) {
    Array3<float> smooth = smoothed(grey, inside, sigma, block);
    kept.write(block, smooth.data());
    return smooth;
  };
  const auto threshold = otsu_threshold(grey_histogram(w, range, values, inside));
  if (!threshold) w.context->progress.warn("all grey values in the field of view are equal: there is no particle");
  return threshold;
}

}  // namespace

ScratchGrid<std::uint8_t> threshold_mask(const Workspace& w, const WatershedConfig& config,
                                         const GridSource<float>& grey, const GreyRange& range,
                                         const FieldOfView& inside) {
  Vec3 sigma{};
  for (std::size_t i = 0; i < 3; ++i) sigma[i] = w.shape[i] > 1 ? config.smooth_um / w.voxel_um[i] : 0;
  std::optional<double> threshold = config.threshold.value;
  ScratchGrid<float> kept;
  if (!threshold) {
    kept = ScratchGrid<float>(w);
    threshold = automatic_threshold(w, grey, range, inside, sigma, kept);
  }
  const bool is_kept = !config.threshold.value && threshold;
  ScratchGrid<std::uint8_t> mask(w);
  const bool bright = config.bright == "particle";
  for_each_block(w, "threshold", [&](const Box& block) {
    Array3<std::uint8_t> values = inside(block);
    if (threshold) {
      const Array3<float> grey_values = is_kept ? kept.padded(block, 0) : smoothed(grey, inside, sigma, block);
      const double limit = *threshold;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool particle = (grey_values.data()[i] >= limit) == bright;
        values.data()[i] = values.data()[i] == 0 ? 2 : particle ? 1 : 0;
      }
    } else {
      for (std::uint8_t& v : values) v = v == 0 ? 2 : 0;
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

constexpr std::uint8_t bridge = 3;

/// The part of a grown block's array that is the block.
template <class T>
std::vector<T> inner_part(const Array3<T>& values, const Box& block, const Box& wide) {
  Box part = block;
  for (std::size_t i = 0; i < 3; ++i) {
    part.begin[i] -= wide.begin[i];
    part.end[i] -= wide.begin[i];
  }
  std::vector<T> inner(static_cast<std::size_t>(block.size()));
  copy_box(values.data(), wide.shape(), part, inner.data());
  return inner;
}

bool holds(const Array3<std::uint8_t>& values, std::uint8_t wanted) {
  return std::find(values.begin(), values.end(), wanted) != values.end();
}

/// Steps of a distance, none along axes of a single voxel.
Index3 margin_of(const Workspace& w, const SquaredMetric& metric, double distance_um) {
  Index3 margin = metric.steps(distance_um);
  for (std::size_t i = 0; i < 3; ++i)
    if (w.shape[i] == 1) margin[i] = 0;
  return margin;
}

Array3<std::uint8_t> closed_block(const Array3<std::uint8_t>& wide, const SquaredMetric& metric, double radius_um) {
  Array3<std::uint32_t> distance = array3<std::uint32_t>(shape_of(wide));
  std::transform(wide.begin(), wide.end(), distance.begin(), [](std::uint8_t v) { return v == 1 ? 0U : far; });
  near_distances(distance, metric, radius_um);
  for (std::uint32_t& d : distance) d = d == far ? 0 : far;  // sites of the erosion: what the dilation did not reach
  near_distances(distance, metric, radius_um);
  Array3<std::uint8_t> closed = wide;
  for (std::size_t i = 0; i < closed.size(); ++i)
    if (closed.data()[i] == 0 && distance.data()[i] == far) closed.data()[i] = bridge;
  return closed;
}

}  // namespace

ScratchGrid<std::uint8_t> closed_mask(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, double radius_um) {
  const SquaredMetric metric = metric_of(w.voxel_um);
  Index3 margin = margin_of(w, metric, radius_um);
  for (std::int64_t& m : margin) m *= 2;
  if (margin == Index3{0, 0, 0}) return mask;
  ScratchGrid<std::uint8_t> result(w);
  for_each_block(w, "closing", [&](const Box& block) {
    const Box wide = reaching(block, margin);
    Array3<std::uint8_t> values = mask.padded(wide, 0);
    if (holds(values, 0) && holds(values, 1)) values = closed_block(values, metric, radius_um);
    result.write(block, inner_part(values, block, wide).data());
  });
  return result;
}

ScratchGrid<std::uint8_t> deep_bridges_filled(const Workspace& w, const ScratchGrid<std::uint8_t>& mask,
                                              double radius_um) {
  const SquaredMetric metric = metric_of(w.voxel_um);
  ScratchGrid<std::uint8_t> result(w);
  for_each_block(w, "bridges", [&](const Box& block) {
    const Box wide = reaching(block, margin_of(w, metric, 2 * radius_um));
    Array3<std::uint8_t> values = mask.padded(wide, 2);
    if (holds(values, bridge)) {
      Array3<std::uint32_t> distance = array3<std::uint32_t>(wide.shape());
      std::transform(values.begin(), values.end(), distance.begin(), [](std::uint8_t v) { return v == 0 ? 0U : far; });
      near_distances(distance, metric, 2 * radius_um);
      for (std::size_t i = 0; i < values.size(); ++i)
        if (values.data()[i] == bridge && distance.data()[i] == far) values.data()[i] = 1;
    }
    result.write(block, inner_part(values, block, wide).data());
  });
  return result;
}

namespace {

/// `take` over each value and the `reach` values after it in one line of lines: widths double, so that a few steps do.
template <class Take>
void over_following(std::uint32_t* values, std::int64_t period, std::int64_t stride, std::int64_t reach,
                    const Take& take) {
  for (std::int64_t done = 0; done < reach;) {
    const std::int64_t step = std::min(done + 1, reach - done);
    const std::int64_t shift = step * stride;
    for (std::int64_t i = 0; i < period - shift; ++i) values[i] = take(values[i], values[i + shift]);
    done += step;
  }
}

/// The same with the values before it.
template <class Take>
void over_preceding(std::uint32_t* values, std::int64_t period, std::int64_t stride, std::int64_t reach,
                    const Take& take) {
  for (std::int64_t done = 0; done < reach;) {
    const std::int64_t step = std::min(done + 1, reach - done);
    const std::int64_t shift = step * stride;
    for (std::int64_t i = period - 1; i >= shift; --i) values[i] = take(values[i], values[i - shift]);
    done += step;
  }
}

/// `take` over 2 reach + 1 voxels along every axis, in place.
template <class Take>
void over_box(Array3<std::uint32_t>& values, const Index3& reach, const Take& take) {
  const Index3 n = shape_of(values);
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  std::vector<std::uint32_t> before;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::int64_t period = stride[axis] * n[axis];
    for (std::int64_t base = 0; base < volume_of(n); base += period) {
      std::uint32_t* line = values.data() + base;
      before.assign(line, line + period);
      over_preceding(before.data(), period, stride[axis], reach[axis], take);
      over_following(line, period, stride[axis], reach[axis], take);
      for (std::int64_t i = 0; i < period; ++i) line[i] = take(line[i], before[static_cast<std::size_t>(i)]);
    }
  }
}

/// Labels of a grown block with its bridges given to the one label near them.
void label_bridges(Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& mask, const Index3& reach) {
  Array3<std::uint32_t> high = labels;
  Array3<std::uint32_t> low = labels;
  for (std::uint32_t& l : low) l -= 1;  // no label is the highest of all
  over_box(high, reach, [](auto a, auto b) { return std::max(a, b); });
  over_box(low, reach, [](auto a, auto b) { return std::min(a, b); });
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (mask.data()[i] == bridge && high.data()[i] == low.data()[i] + 1) labels.data()[i] = high.data()[i];
}

/// New numbers by first voxel.
std::vector<std::uint32_t> renumbering(const std::vector<std::int64_t>& first) {
  std::vector<std::uint32_t> order(first.size() - 1);
  std::iota(order.begin(), order.end(), 1U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return first[a] < first[b]; });
  std::vector<std::uint32_t> number(first.size(), 0);
  for (std::uint32_t i = 0; i < order.size(); ++i) number[order[i]] = i + 1;
  return number;
}

/// The first voxel of each label in a block: (label, linear index in the grid).
std::vector<std::pair<std::uint32_t, std::int64_t>> firsts_of(const std::vector<std::uint32_t>& labels,
                                                              const Box& block, const Index3& grid) {
  const auto n = block.shape();
  std::unordered_map<std::uint32_t, std::int64_t> seen;
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == last) continue;
    last = labels[i];
    const auto k = static_cast<std::int64_t>(i);
    const Index3 v{block.begin[0] + k / (n[1] * n[2]), block.begin[1] + k / n[2] % n[1], block.begin[2] + k % n[2]};
    seen.try_emplace(last, (v[0] * grid[1] + v[1]) * grid[2] + v[2]);  // ascending: the first is the smallest
  }
  return {seen.begin(), seen.end()};
}

}  // namespace

NumberedLabels bridges_labelled(const Workspace& w, const ScratchGrid<std::uint32_t>& ids,
                                const std::vector<std::uint32_t>& label_of, std::uint32_t count,
                                const ScratchGrid<std::uint8_t>& mask, double radius_um) {
  const Index3 reach = margin_of(w, metric_of(w.voxel_um), 2 * radius_um);  // across the widest gap
  NumberedLabels result{ScratchGrid<std::uint32_t>(w), {}};
  std::vector<std::int64_t> first(std::size_t{count} + 1, std::numeric_limits<std::int64_t>::max());
  std::mutex mutex;
  for_each_block(w, "bridges, labels", [&](const Box& block) {
    const Box wide = reaching(block, reach);
    Array3<std::uint32_t> values = ids.padded(wide, 0);
    for (std::uint32_t& v : values) v = v == 0 ? 0 : label_of[v];
    const Array3<std::uint8_t> kind = mask.padded(wide, 0);
    if (holds(kind, bridge)) label_bridges(values, kind, reach);
    const auto inner = inner_part(values, block, wide);
    result.labels.write(block, inner.data());
    const auto firsts = firsts_of(inner, block, w.shape);
    const std::scoped_lock lock(mutex);
    for (const auto& [label, voxel] : firsts) first[label] = std::min(first[label], voxel);
  });
  result.number = renumbering(first);
  return result;
}

}  // namespace cathoscope
