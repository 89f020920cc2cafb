#include "training_patch.hpp"

#include "mirror.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/network/star_targets.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

/// Pixels around the patch that are looked at for its targets: as far as most rays reach.
constexpr std::int64_t margin = 48;

void check_sample(const TrainingSample& s) {
  const auto pixels = static_cast<std::size_t>(std::max<std::int64_t>(0, s.image.rows * s.image.columns));
  if (s.image.rows < 1 || s.image.columns < 1) fail(Exit::data, "a training sample has no pixel");
  if (s.image.values.size() != pixels || s.labels.size() != pixels || (!s.ignore.empty() && s.ignore.size() != pixels))
    fail(Exit::data, "a training sample of {} x {} pixels has {} grey values, {} labels and {} ignore values",
         s.image.rows, s.image.columns, s.image.values.size(), s.labels.size(), s.ignore.size());
  if (!std::all_of(s.image.values.begin(), s.image.values.end(), [](float v) { return std::isfinite(v); }))
    fail(Exit::data, "a training sample has grey values that are not finite");
}

/// A part of the sample, larger than the patch where the sample is: everything is computed on it.
struct Cut {
  std::int64_t rows = 0, columns = 0;
  std::int64_t row = 0, column = 0;  ///< of the patch within
  std::vector<float> grey;
  std::vector<std::uint32_t> labels;
  std::vector<std::uint8_t> known;
};

/// Begin and end of the cut along one side, and of the patch within it.
struct Span {
  std::int64_t begin = 0, end = 0, patch = 0;
};

Span random_span(std::int64_t length, std::int64_t patch, Stream& random) {
  const std::int64_t room = std::max<std::int64_t>(0, length - patch);
  const auto at = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room) + 1));
  const std::int64_t begin = std::max<std::int64_t>(0, at - margin);
  const std::int64_t end = std::max(at + patch, std::min(length, at + patch + margin));
  return {begin, end, at - begin};
}

/// One of the eight symmetries of the square: transpose, then mirror rows, then mirror columns.
struct Symmetry {
  bool transpose = false, rows = false, columns = false;
};

/// The sample's pixels under the spans, mirrored beyond its border (where nothing is known), turned by the symmetry.
Cut cut_out(const TrainingSample& s, const Span& rows, const Span& columns, std::int64_t patch, const Symmetry& turn) {
  const std::int64_t height = rows.end - rows.begin, width = columns.end - columns.begin;
  Cut c;
  c.rows = turn.transpose ? width : height;
  c.columns = turn.transpose ? height : width;
  c.row = turn.transpose ? columns.patch : rows.patch;
  c.column = turn.transpose ? rows.patch : columns.patch;
  if (turn.rows) c.row = c.rows - c.row - patch;
  if (turn.columns) c.column = c.columns - c.column - patch;
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < c.columns; ++j) {
      std::int64_t r = turn.rows ? c.rows - 1 - i : i, k = turn.columns ? c.columns - 1 - j : j;
      if (turn.transpose) std::swap(r, k);
      r += rows.begin, k += columns.begin;
      const bool inside = r < s.image.rows && k < s.image.columns;
      const auto at =
          static_cast<std::size_t>(mirrored(r, s.image.rows) * s.image.columns + mirrored(k, s.image.columns));
      c.grey.push_back(s.image.values[at]);
      c.labels.push_back(s.labels[at]);
      c.known.push_back(inside && (s.ignore.empty() || s.ignore[at] == 0) ? 1 : 0);
    }
  return c;
}

void blur_lines(std::vector<float>& v, std::int64_t lines, std::int64_t line_stride, std::int64_t n,
                std::int64_t stride, const std::vector<float>& kernel) {
  const auto radius = static_cast<std::int64_t>(kernel.size()) - 1;
  std::vector<float> line(static_cast<std::size_t>(n + 2 * radius));
  for (std::int64_t l = 0; l < lines; ++l) {
    float* at = v.data() + l * line_stride;
    for (std::int64_t i = -radius; i < n + radius; ++i)
      line[static_cast<std::size_t>(i + radius)] = at[mirrored(i, n) * stride];
    for (std::int64_t i = 0; i < n; ++i) {
      const float* centre = line.data() + i + radius;
      float sum = kernel[0] * centre[0];
      for (std::int64_t d = 1; d <= radius; ++d) sum += kernel[static_cast<std::size_t>(d)] * (centre[-d] + centre[d]);
      at[i * stride] = sum;
    }
  }
}

void blur(Cut& c, double sigma) {
  if (sigma < 0.1) return;
  std::vector<float> kernel;
  double sum = 0;
  for (int d = 0; d <= static_cast<int>(std::ceil(3 * sigma)); ++d) {
    const double weight = std::exp(-0.5 * d * d / (sigma * sigma));
    sum += d == 0 ? weight : 2 * weight;
    kernel.push_back(static_cast<float>(weight));
  }
  for (auto& k : kernel) k = static_cast<float>(k / sum);
  blur_lines(c.grey, c.rows, c.columns, c.columns, 1, kernel);
  blur_lines(c.grey, c.columns, 1, c.rows, c.columns, kernel);
}

/// What a scanner of other settings would have made of the same place.
void change_greys(Cut& c, const AugmentationConfig& a, Stream& random) {
  const double sigma = random.uniform() < 0.5 ? random.uniform(0, a.blur) : 0;
  const double exponent = random.uniform() < 0.5 ? std::exp(random.uniform(-a.gamma, a.gamma)) : 1;
  const double gain = std::exp(random.uniform(-1, 1) * std::log(1 + a.gain));
  const double offset = a.offset * random.normal();
  const double noise = random.uniform(0, a.noise);
  blur(c, sigma);
  for (auto& v : c.grey) {
    double x = v;
    if (exponent != 1 && x > 0) x = std::pow(x, exponent);
    v = static_cast<float>(x * gain + offset + noise * random.normal());
  }
}

TrainingPatch with_targets(const Cut& c, std::int64_t patch, const NetworkShape& shape) {
  const LabelView labels{c.rows, c.columns, c.labels.data()};
  const TargetWindow window{c.row, c.column, patch, patch};
  TrainingPatch p;
  for (std::int64_t i = 0; i < patch; ++i) {
    const float* row = c.grey.data() + (c.row + i) * c.columns + c.column;
    p.image.insert(p.image.end(), row, row + patch);
  }
  p.probability = edge_probability(labels, window, shape.grid);
  p.distances = ray_distances(labels, window, shape.grid, shape.rays, RayAtBorder::unknown);
  for (std::int64_t i = 0; i < patch; i += shape.grid)
    for (std::int64_t j = 0; j < patch; j += shape.grid) {
      const auto at = static_cast<std::size_t>((c.row + i) * c.columns + c.column + j);
      p.foreground.push_back(c.labels[at] == 0 ? 0.0F : 1.0F);
      p.known.push_back(static_cast<float>(c.known[at]));
    }
  return p;
}

}  // namespace

TrainingPatch training_patch(const TrainingSample& sample, const TrainingSettings& settings, const NetworkShape& shape,
                             Augmentation augmentation, Stream& random) {
  check_sample(sample);
  const Span rows = random_span(sample.image.rows, settings.patch, random);
  const Span columns = random_span(sample.image.columns, settings.patch, random);
  Symmetry turn;
  if (augmentation == Augmentation::random) {
    const auto s = random.below(8);
    turn = {(s & 1) != 0, (s & 2) != 0, (s & 4) != 0};
  }
  Cut c = cut_out(sample, rows, columns, settings.patch, turn);
  if (augmentation == Augmentation::random) change_greys(c, settings.augmentation, random);
  return with_targets(c, settings.patch, shape);
}

}  // namespace cathoscope
