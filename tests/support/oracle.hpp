#pragma once
/// A network that knows the answer: every grey value of its images stands for a label.

#include "segmentation_bodies.hpp"

#include <cathoscope/core/star_fields.hpp>
#include <cathoscope/segmentation/distance.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace test {

/// Grey of a label: 0 is background, labels lie between 1000 and 2000 so that a mean with background is neither.
inline float grey_of_label(std::uint32_t label, std::uint32_t count) {
  return label == 0 ? 0.0F : 1000.0F + 1000.0F * static_cast<float>(label) / static_cast<float>(count);
}

/// Labels of a slice from greys that stand for labels: what is a mean of two takes the nearer of those around it.
inline std::vector<std::uint32_t> labels_of(const StarImage& image, std::uint32_t count, double low, double high) {
  constexpr std::uint32_t mixed = 0xFFFFFFFFu;
  const auto grey = [&](std::int64_t i) {
    return low + (high - low) * double{image.values[static_cast<std::size_t>(i)]};
  };
  const double tolerance = 0.6 * (high - low) / 2048 + 1e-3;
  std::vector<std::uint32_t> pure(image.values.size(), mixed);
  for (std::size_t i = 0; i < pure.size(); ++i) {
    const double v = grey(static_cast<std::int64_t>(i));
    const double k = std::round((v - 1000) / 1000 * count);
    if (std::abs(v) <= tolerance) pure[i] = 0;
    if (k >= 1 && k <= count && std::abs(v - double{grey_of_label(static_cast<std::uint32_t>(k), count)}) <= tolerance)
      pure[i] = static_cast<std::uint32_t>(k);
  }
  std::vector<std::uint32_t> labels = pure;
  for (std::int64_t y = 0; y < image.rows; ++y)
    for (std::int64_t x = 0; x < image.columns; ++x) {
      const std::int64_t i = y * image.columns + x;
      if (pure[static_cast<std::size_t>(i)] != mixed) continue;
      double best = 1e30;
      std::uint32_t label = 0;
      for (std::int64_t dy = -2; dy <= 2; ++dy)
        for (std::int64_t dx = -2; dx <= 2; ++dx) {
          if (y + dy < 0 || y + dy >= image.rows || x + dx < 0 || x + dx >= image.columns) continue;
          const std::uint32_t other = pure[static_cast<std::size_t>(i + dy * image.columns + dx)];
          if (other == mixed) continue;
          const double off = std::abs(grey(i) - double{grey_of_label(other, count)});
          if (off < best) {
            best = off;
            label = other;
          }
        }
      labels[static_cast<std::size_t>(i)] = label;
    }
  return labels;
}

/// Distance to the nearest pixel of another label over the largest of its label. The image's border is none.
inline std::vector<float> normalised_distance(const std::vector<std::uint32_t>& labels, std::int64_t rows,
                                              std::int64_t columns) {
  std::vector<float> result(labels.size(), 0.0F);
  for (const std::uint32_t label : std::set<std::uint32_t>(labels.begin(), labels.end())) {
    if (label == 0) continue;
    std::vector<std::uint32_t> d(labels.size());
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = labels[i] == label ? no_site : 0;
    LineDistance line(std::max(rows, columns));
    for (std::int64_t y = 0; y < rows; ++y) line(d.data() + y * columns, columns, 1, 1);
    for (std::int64_t x = 0; x < columns; ++x) line(d.data() + x, rows, columns, 1);
    double most = 0;
    for (std::size_t i = 0; i < d.size(); ++i)
      if (labels[i] == label) most = std::max(most, d[i] >= no_site - 1 ? 1e6 : std::sqrt(static_cast<double>(d[i])));
    for (std::size_t i = 0; i < d.size(); ++i)
      if (labels[i] == label)
        result[i] = static_cast<float>(std::min(1.0, std::sqrt(static_cast<double>(d[i])) / most));
  }
  return result;
}

struct Oracle {
  std::uint32_t count = 0;      ///< labels
  double low = 0, high = 2000;  ///< greys that the working volume made 0 and 1
  int grid = 2;
  double noise = 0;  ///< standard deviation that is added to probability and foreground, smooth over 4 cells
  std::uint64_t seed = 1;
};

inline float along_ray(const std::vector<std::uint32_t>& labels, std::int64_t rows, std::int64_t columns,
                       std::int64_t y, std::int64_t x, int ray) {
  const double angle = 2 * 3.14159265358979323846 * ray / star_rays;
  const double dy = std::sin(angle), dx = std::cos(angle);
  const std::uint32_t own = labels[static_cast<std::size_t>(y * columns + x)];
  if (own == 0) return 0;
  for (double t = 1;; ++t) {
    const auto i = static_cast<std::int64_t>(std::lround(static_cast<double>(y) + t * dy));
    const auto j = static_cast<std::int64_t>(std::lround(static_cast<double>(x) + t * dx));
    const bool out = i < 0 || i >= rows || j < 0 || j >= columns;
    if (out || labels[static_cast<std::size_t>(i * columns + j)] != own)
      return static_cast<float>(t - 1 + 0.5 / std::max(std::abs(dy), std::abs(dx)));
  }
}

/// Noise that depends on the image only, whichever thread asks.
inline void add_noise(std::vector<float>& values, std::int64_t columns, const StarImage& image, const Oracle& o,
                      std::uint64_t what) {
  std::uint64_t hash = o.seed;
  for (std::size_t i = 0; i < image.values.size(); i += 7)
    hash = hash * 6364136223846793005ULL + static_cast<std::uint64_t>(image.values[i] * 4096.0F + 65536.0F);
  Stream random(hash, {"oracle"}, what);
  const std::int64_t across = columns / 4 + 2;
  std::vector<double> coarse(static_cast<std::size_t>(across) *
                             (values.size() / static_cast<std::size_t>(columns) / 4 + 2));
  for (double& c : coarse) c = o.noise * random.normal();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto y = static_cast<std::int64_t>(i) / columns, x = static_cast<std::int64_t>(i) % columns;
    const double fy = static_cast<double>(y % 4) / 4, fx = static_cast<double>(x % 4) / 4;
    const double* c = coarse.data() + y / 4 * across + x / 4;
    const double n = (1 - fy) * ((1 - fx) * c[0] + fx * c[1]) + fy * ((1 - fx) * c[across] + fx * c[across + 1]);
    values[i] = static_cast<float>(std::clamp(double{values[i]} + n, 0.0, 1.0));
  }
}

inline StarPredictor oracle(const Oracle& o) {
  return [o](const StarImage& image, bool with_distances) {
    const auto labels = labels_of(image, o.count, o.low, o.high);
    const auto distance = normalised_distance(labels, image.rows, image.columns);
    StarFields f;
    f.grid = o.grid;
    f.rows = (image.rows + o.grid - 1) / o.grid;
    f.columns = (image.columns + o.grid - 1) / o.grid;
    for (std::int64_t i = 0; i < f.rows; ++i)
      for (std::int64_t j = 0; j < f.columns; ++j) {
        const auto k = static_cast<std::size_t>(i * o.grid * image.columns + j * o.grid);
        f.probability.push_back(distance[k]);
        f.foreground.push_back(labels[k] != 0 ? 1.0F : 0.0F);
      }
    if (o.noise > 0) {
      add_noise(f.probability, f.columns, image, o, 1);
      add_noise(f.foreground, f.columns, image, o, 2);
    }
    for (int ray = 0; with_distances && ray < star_rays; ++ray)
      for (std::int64_t i = 0; i < f.rows; ++i)
        for (std::int64_t j = 0; j < f.columns; ++j)
          f.distances.push_back(along_ray(labels, image.rows, image.columns, i * o.grid, j * o.grid, ray));
    return f;
  };
}

/// Labels as greys, the oracle for them, and the truth.
struct OracleScene {
  Grid<std::uint32_t> truth;
  SegmentationInputs inputs;
  SegmentationConfig config;
};

inline OracleScene oracle_scene(Grid<std::uint32_t> truth, double diameter_um, double noise = 0) {
  OracleScene s;
  std::uint32_t count = 1;
  for (const std::uint32_t l : truth.values) count = std::max(count, l);
  Grid<float> grey{array3<float>(truth.shape()), truth.voxel_size_um, truth.origin_um};
  for (std::size_t i = 0; i < truth.values.size(); ++i)
    grey.values.data()[i] = grey_of_label(truth.values.data()[i], count);
  s.inputs.two_dimensional = truth.shape()[0] == 1;
  s.inputs.grey = source_of(std::move(grey));
  s.config.method = "network";
  s.config.cracks = "none";
  s.config.particle_diameter_um = diameter_um;
  s.config.denoise_sigma.value = 0;
  Progress progress;
  Vec3 voxel = truth.voxel_size_um;
  if (s.inputs.two_dimensional) voxel[0] = voxel[1];
  const auto grid = working_grid(truth.shape(), voxel, {0, 0, 0}, diameter_um);
  const auto w = working_volume(*s.inputs.grey, std::nullopt, grid, {1, 99.8, 0.0}, {progress, 1});
  Oracle o;
  o.count = count;
  o.low = w.low_grey;
  o.high = w.high_grey;
  o.noise = noise;
  s.inputs.network = NetworkInputs{};
  s.inputs.network->predict = oracle(o);
  s.truth = std::move(truth);
  return s;
}

/// Matches at an overlap over union of `least`, which for more than one half are unique.
struct Matches {
  int found = 0, missed = 0, invented = 0;
  double mean_iou = 0;     ///< of the matches
  double volume_bias = 0;  ///< mean over the matches of (found - true) / true
  [[nodiscard]] double ap() const { return found == 0 ? 0 : double(found) / (found + missed + invented); }
};

/// Objects that touch the border and those of fewer than `least_voxels` are no misses and no inventions.
inline Matches matches(const Array3<std::uint32_t>& truth, const Array3<std::uint32_t>& labels, double least,
                       bool with_border = false, std::int64_t least_voxels = 1) {
  const Index3 n = shape_of(truth);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> overlap;
  std::map<std::uint32_t, std::int64_t> of_truth, of_labels;
  std::set<std::uint32_t> cut_truth, cut_labels;
  std::size_t i = 0;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x, ++i) {
        const std::uint32_t t = truth.data()[i], l = labels.data()[i];
        ++of_truth[t], ++of_labels[l], ++overlap[{t, l}];
        const bool border =
            (n[0] > 1 && (z == 0 || z == n[0] - 1)) || y == 0 || y == n[1] - 1 || x == 0 || x == n[2] - 1;
        if (border) cut_truth.insert(t), cut_labels.insert(l);
      }
  Matches m;
  std::set<std::uint32_t> truth_done, labels_done;
  for (const auto& [pair, both] : overlap) {
    const auto [t, l] = pair;
    if (t == 0 || l == 0) continue;
    const double iou = double(both) / double(of_truth[t] + of_labels[l] - both);
    if (iou < least) continue;
    truth_done.insert(t), labels_done.insert(l);
    if (!with_border && cut_truth.count(t) != 0) continue;
    m.found += 1;
    m.mean_iou += iou;
    m.volume_bias += double(of_labels[l] - of_truth[t]) / double(of_truth[t]);
  }
  if (m.found > 0) m.mean_iou /= m.found, m.volume_bias /= m.found;
  for (const auto& [t, count] : of_truth)
    if (t != 0 && truth_done.count(t) == 0 && count >= least_voxels && (with_border || cut_truth.count(t) == 0))
      ++m.missed;
  for (const auto& [l, count] : of_labels)
    if (l != 0 && labels_done.count(l) == 0 && count >= least_voxels && (with_border || cut_labels.count(l) == 0))
      ++m.invented;
  return m;
}

/// Balls on a jittered lattice, larger than their cells: most touch. Each voxel goes to the ball it is deepest in.
inline Grid<std::uint32_t> packed_labels(const Index3& n, double h, double diameter_um, std::uint64_t seed,
                                         double pitch = 1.0) {
  struct Body {
    Vec3 centre;
    double radius;
  };
  std::vector<Body> bodies;
  Stream random(seed, {"packed"});
  const Vec3 extent{double(n[0]) * h, double(n[1]) * h, double(n[2]) * h};
  const double step = pitch * diameter_um;
  const bool plane = n[0] == 1;
  for (double z = 0; z < (plane ? step / 2 : extent[0] + step); z += step)
    for (double y = 0; y < extent[1] + step; y += step)
      for (double x = 0; x < extent[2] + step; x += step) {
        const auto jitter = [&] { return random.uniform(-0.14, 0.14) * diameter_um; };
        bodies.push_back(
            {{plane ? h / 2 : z + jitter(), y + jitter(), x + jitter()}, diameter_um / 2 * random.uniform(0.75, 1.1)});
      }
  Grid<std::uint32_t> g{array3<std::uint32_t>(n), {h, h, h}, {0, 0, 0}};
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const Vec3 p = centre_of(z, y, x, {h, h, h});
        double best = 1;
        std::uint32_t label = 0;
        for (std::size_t b = 0; b < bodies.size(); ++b) {
          const double rho = distance(p, bodies[b].centre) / bodies[b].radius;
          if (rho < best) best = rho, label = static_cast<std::uint32_t>(b + 1);
        }
        g.values(z, y, x) = label;
      }
  return g;
}

}  // namespace test
