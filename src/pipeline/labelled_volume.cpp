#include "labelled_volume.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_map>

namespace cathoscope::training_detail {

namespace {

/// First lattice point of a diagonal plane on axis `across`, and how many points it has.
struct Diagonal {
  std::int64_t first = 0, points = 0;
};

/// across + slope * fixed = level, with level = plane for slope +1 and plane - (fixed - 1) for slope -1.
std::int64_t level_of(const Index3& shape, const PlaneFamily& f, std::int64_t plane) {
  return f.slope > 0 ? plane : plane - (shape[f.fixed] - 1);
}

Diagonal diagonal(const Index3& shape, const PlaneFamily& f, std::int64_t plane) {
  const std::int64_t level = level_of(shape, f, plane), n = shape[f.across], m = shape[f.fixed];
  // With slope +1: fixed = level - across in [0, m); with -1: fixed = across - level in [0, m).
  const std::int64_t low = f.slope > 0 ? std::max<std::int64_t>(0, level - m + 1) : std::max<std::int64_t>(0, level);
  const std::int64_t high = f.slope > 0 ? std::min(n - 1, level) : std::min(n - 1, level + m - 1);
  return {low, high - low + 1};
}

std::array<std::int64_t, 3> strides(const Index3& shape) { return {shape[1] * shape[2], shape[2], 1}; }

/// Offset of a lattice point of the plane from that of its row, along the columns.
struct Lattice {
  std::int64_t origin = 0, step = 0, row_step = 0;
};

Lattice lattice(const Index3& shape, const PlaneFamily& f, std::int64_t plane) {
  const auto s = strides(shape);
  if (f.slope == 0) return {plane * s[f.fixed], s[f.across], s[f.row]};
  const std::int64_t first = diagonal(shape, f, plane).first, level = level_of(shape, f, plane);
  const std::int64_t fixed = f.slope > 0 ? level - first : first - level;
  return {first * s[f.across] + fixed * s[f.fixed], s[f.across] - f.slope * s[f.fixed], s[f.row]};
}

/// Where a column lies between lattice points.
struct Between {
  std::int64_t low = 0, nearest = 0;
  float weight = 0;  ///< of the point after `low`
};

std::vector<Between> columns_of(const PlaneFamily& f, std::int64_t points, const Window& w) {
  std::vector<Between> result;
  result.reserve(static_cast<std::size_t>(w.columns));
  for (std::int64_t c = w.column; c < w.column + w.columns; ++c) {
    if (f.slope == 0) {
      result.push_back({c, c, 0});
      continue;
    }
    const double at = static_cast<double>(c) / std::numbers::sqrt2;
    const auto low = std::min(static_cast<std::int64_t>(at), points - 1);
    const double rest = at - static_cast<double>(low);
    const bool next = low + 1 < points;
    result.push_back({low, next && rest > 0.5 ? low + 1 : low, next ? static_cast<float>(rest) : 0.0F});
  }
  return result;
}

/// Weighted inputs of one output pixel along a line.
struct LineTaps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

LineTaps mean_taps(double begin, double end, std::int64_t inputs) {
  LineTaps taps{static_cast<std::int64_t>(begin), {}};
  for (std::int64_t i = taps.first; i < inputs && static_cast<double>(i) < end; ++i) {
    const double share = std::min(end, static_cast<double>(i + 1)) - std::max(begin, static_cast<double>(i));
    taps.weights.push_back(static_cast<float>(share / (end - begin)));
  }
  return taps;
}

LineTaps linear_taps(double centre, std::int64_t inputs) {
  const double at = std::clamp(centre - 0.5, 0.0, static_cast<double>(inputs - 1));
  const auto low = std::min(static_cast<std::int64_t>(at), std::max<std::int64_t>(0, inputs - 2));
  const auto rest = static_cast<float>(at - static_cast<double>(low));
  if (inputs == 1) return {0, {1.0F}};
  return {low, {1 - rest, rest}};
}

std::vector<LineTaps> taps_of(std::int64_t inputs, std::int64_t outputs) {
  const double step = static_cast<double>(inputs) / static_cast<double>(outputs);
  std::vector<LineTaps> taps;
  taps.reserve(static_cast<std::size_t>(outputs));
  for (std::int64_t o = 0; o < outputs; ++o) {
    const double begin = static_cast<double>(o) * step, end = static_cast<double>(o + 1) * step;
    taps.push_back(step > 1 ? mean_taps(begin, end, inputs) : linear_taps((begin + end) / 2, inputs));
  }
  return taps;
}

std::vector<std::int64_t> centres(std::int64_t inputs, std::int64_t outputs) {
  std::vector<std::int64_t> at;
  for (std::int64_t o = 0; o < outputs; ++o) at.push_back(std::min(inputs - 1, (2 * o + 1) * inputs / (2 * outputs)));
  return at;
}

template <class T>
std::vector<T> picked(const std::vector<T>& in, std::int64_t columns, const std::vector<std::int64_t>& at_row,
                      const std::vector<std::int64_t>& at_column) {
  std::vector<T> out;
  if (in.empty()) return out;
  out.reserve(at_row.size() * at_column.size());
  for (const std::int64_t r : at_row)
    for (const std::int64_t c : at_column) out.push_back(in[static_cast<std::size_t>(r * columns + c)]);
  return out;
}

/// Pixels whose label has few pixels here are not known: the section of a particle's tip is invisible.
void ignore_slivers(TrainingSample& sample) {
  std::unordered_map<std::uint32_t, std::int64_t> pixels;
  for (const std::uint32_t label : sample.labels)
    if (label != 0) ++pixels[label];
  if (std::all_of(pixels.begin(), pixels.end(), [](const auto& p) { return p.second >= smallest_section_px; })) return;
  if (sample.ignore.empty()) sample.ignore.assign(sample.labels.size(), 0);
  for (std::size_t i = 0; i < sample.labels.size(); ++i)
    if (sample.labels[i] != 0 && pixels[sample.labels[i]] < smallest_section_px) sample.ignore[i] = 1;
}

double labelled_share(const TrainingSample& s) {
  const auto n = std::count_if(s.labels.begin(), s.labels.end(), [](std::uint32_t l) { return l != 0; });
  return static_cast<double>(n) / static_cast<double>(std::max<std::size_t>(1, s.labels.size()));
}

/// A plane of the family that is at least `least` pixels long where there is one.
std::int64_t random_plane(const Index3& shape, const PlaneFamily& f, std::int64_t least, Stream& draw) {
  const std::int64_t planes = plane_count(shape, f);
  const std::int64_t longest = plane_size(shape, f, planes / 2)[1];
  for (int attempt = 0; attempt < 64; ++attempt) {
    const auto plane = static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(planes)));
    if (plane_size(shape, f, plane)[1] >= std::min(least, longest)) return plane;
  }
  return planes / 2;
}

std::int64_t random_start(std::int64_t free, Stream& draw) {
  return static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(std::max<std::int64_t>(0, free) + 1)));
}

TrainingSample random_window(const LabelledVolume& volume, std::int64_t patch, Stream& draw) {
  const bool image = volume.shape[0] == 1;
  const PlaneFamily& family = plane_families()[image ? 0 : draw.below(plane_families().size())];
  const double side = static_cast<double>(patch) * draw.uniform(1.0, 1.5);
  const double scale = draw.uniform() < 0.5 ? std::exp(draw.uniform(-1, 1) * std::log(1.18)) : 1.0;
  const auto wanted = static_cast<std::int64_t>(std::lround(side * scale));
  const std::int64_t plane = random_plane(volume.shape, family, static_cast<std::int64_t>(patch * 9 / 10), draw);
  const auto size = plane_size(volume.shape, family, plane);
  Window w{0, 0, std::min(wanted, size[0]), std::min(wanted, size[1])};
  w.row = random_start(size[0] - w.rows, draw);
  w.column = random_start(size[1] - w.columns, draw);
  TrainingSample sample = cut(volume, family, plane, w);
  const auto scaled = [&](std::int64_t n) {
    return std::max<std::int64_t>(1, std::lround(static_cast<double>(n) / scale));
  };
  return scale == 1.0 ? sample : resized(sample, scaled(w.rows), scaled(w.columns));
}

}  // namespace

const std::array<PlaneFamily, 9>& plane_families() {
  static const std::array<PlaneFamily, 9> families{{{1, 2, 0, 0},
                                                    {0, 2, 1, 0},
                                                    {0, 1, 2, 0},
                                                    {2, 1, 0, 1},
                                                    {2, 1, 0, -1},
                                                    {1, 2, 0, 1},
                                                    {1, 2, 0, -1},
                                                    {0, 2, 1, 1},
                                                    {0, 2, 1, -1}}};
  return families;
}

std::int64_t plane_count(const Index3& shape, const PlaneFamily& f) {
  return f.slope == 0 ? shape[f.fixed] : shape[f.across] + shape[f.fixed] - 1;
}

std::array<std::int64_t, 2> plane_size(const Index3& shape, const PlaneFamily& f, std::int64_t plane) {
  if (f.slope == 0) return {shape[f.row], shape[f.across]};
  const double length = static_cast<double>(diagonal(shape, f, plane).points - 1) * std::numbers::sqrt2;
  return {shape[f.row], static_cast<std::int64_t>(length) + 1};
}

TrainingSample cut(const LabelledVolume& volume, const PlaneFamily& family, std::int64_t plane, const Window& w) {
  const Lattice at = lattice(volume.shape, family, plane);
  const std::int64_t points =
      family.slope == 0 ? volume.shape[family.across] : diagonal(volume.shape, family, plane).points;
  const auto columns = columns_of(family, points, w);
  TrainingSample s;
  s.image.rows = w.rows;
  s.image.columns = w.columns;
  const auto n = static_cast<std::size_t>(w.rows * w.columns);
  s.image.values.resize(n);
  s.labels.resize(n);
  if (!volume.ignore.empty()) s.ignore.resize(n);
  std::size_t out = 0;
  for (std::int64_t r = w.row; r < w.row + w.rows; ++r) {
    const std::int64_t row = at.origin + r * at.row_step;
    for (const Between& c : columns) {
      const auto low = static_cast<std::size_t>(row + c.low * at.step);
      const auto nearest = static_cast<std::size_t>(row + c.nearest * at.step);
      float value = volume.grey[low];
      if (c.weight > 0)
        value += c.weight * (volume.grey[static_cast<std::size_t>(row + (c.low + 1) * at.step)] - value);
      s.image.values[out] = value;
      s.labels[out] = volume.labels[nearest];
      if (!s.ignore.empty()) s.ignore[out] = volume.ignore[nearest];
      ++out;
    }
  }
  return s;
}

TrainingSample resized(const TrainingSample& in, std::int64_t rows, std::int64_t columns) {
  const auto row_taps = taps_of(in.image.rows, rows), column_taps = taps_of(in.image.columns, columns);
  std::vector<float> narrow;
  narrow.reserve(static_cast<std::size_t>(in.image.rows * columns));
  for (std::int64_t r = 0; r < in.image.rows; ++r)
    for (const LineTaps& t : column_taps) {
      float sum = 0;
      const float* from = in.image.values.data() + r * in.image.columns + t.first;
      for (std::size_t k = 0; k < t.weights.size(); ++k) sum += t.weights[k] * from[k];
      narrow.push_back(sum);
    }
  TrainingSample out;
  out.image.rows = rows;
  out.image.columns = columns;
  out.image.values.assign(static_cast<std::size_t>(rows * columns), 0.0F);
  for (std::int64_t r = 0; r < rows; ++r) {
    const LineTaps& t = row_taps[static_cast<std::size_t>(r)];
    float* to = out.image.values.data() + r * columns;
    for (std::size_t k = 0; k < t.weights.size(); ++k) {
      const float* from = narrow.data() + (t.first + static_cast<std::int64_t>(k)) * columns;
      for (std::int64_t c = 0; c < columns; ++c) to[c] += t.weights[k] * from[c];
    }
  }
  const auto at_row = centres(in.image.rows, rows), at_column = centres(in.image.columns, columns);
  out.labels = picked(in.labels, in.image.columns, at_row, at_column);
  out.ignore = picked(in.ignore, in.image.columns, at_row, at_column);
  return out;
}

TrainingSample random_sample(const LabelledVolume& volume, std::int64_t patch, Stream& draw) {
  TrainingSample sample;
  // Nearly empty windows teach little; one in a while is wanted.
  for (int attempt = 0; attempt < 3; ++attempt) {
    sample = random_window(volume, patch, draw);
    if (labelled_share(sample) >= 0.03) break;
  }
  ignore_slivers(sample);
  return sample;
}

}  // namespace cathoscope::training_detail
