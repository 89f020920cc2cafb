#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/segmentation/distance.hpp>
#include <cathoscope/segmentation/score.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

/// Linear indices in `box` of the voxels of `id` that have a face neighbour of another value in it.
std::vector<std::int64_t> surface(const Array3<std::uint64_t>& labels, std::uint64_t id) {
  const Index3 n = shape_of(labels);
  const Index3 step{n[1] * n[2], n[2], 1};
  const std::uint64_t* v = labels.data();
  std::vector<std::int64_t> found;
  std::int64_t i = 0;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x, ++i) {
        if (v[i] != id) continue;
        const Index3 at{z, y, x};
        for (std::size_t a = 0; a < 3; ++a)
          if ((at[a] > 0 && v[i - step[a]] != id) || (at[a] + 1 < n[a] && v[i + step[a]] != id)) {
            found.push_back(i);
            break;
          }
      }
  return found;
}

/// Distance of every voxel to the nearest of some, um.
Array3<std::uint32_t> squares_to(const std::vector<std::int64_t>& sites, const Index3& n, const SquaredMetric& metric) {
  auto d = array3<std::uint32_t>(n);
  std::fill(d.begin(), d.end(), no_site);
  for (const std::int64_t i : sites) d.data()[i] = 0;
  LineDistance line(std::max({n[0], n[1], n[2]}));
  const std::int64_t plane = n[1] * n[2];
  for (std::int64_t r = 0; r < n[0] * n[1]; ++r) line(d.data() + r * n[2], n[2], 1, metric.weight[2]);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t x = 0; x < n[2]; ++x) line(d.data() + z * plane + x, n[1], n[2], metric.weight[1]);
  for (std::int64_t i = 0; i < plane; ++i) line(d.data() + i, n[0], plane, metric.weight[0]);
  return d;
}

void add_distances(const std::vector<std::int64_t>& from, const Array3<std::uint32_t>& squares,
                   const SquaredMetric& metric, std::vector<double>& out) {
  for (const std::int64_t i : from) out.push_back(metric.unit_um * std::sqrt(static_cast<double>(squares.data()[i])));
}

/// Value at a percentile, interpolated as numpy.percentile does.
double percentile(std::vector<double>& values, double percent) {
  std::sort(values.begin(), values.end());
  const double rank = percent / 100 * static_cast<double>(values.size() - 1);
  const auto k = static_cast<std::size_t>(rank);
  const double next = values[std::min(k + 1, values.size() - 1)];
  return values[k] + (rank - static_cast<double>(k)) * (next - values[k]);
}

struct PairDistance {
  double mean = 0, far_end = 0;
  bool known = false;
};

PairDistance distance_between(const LabelPair& pair, const Box& box, std::uint64_t g, std::uint64_t p,
                              const SquaredMetric& metric) {
  const auto truth = surface(pair.truth.load(box), g), prediction = surface(pair.prediction.load(box), p);
  if (truth.empty() || prediction.empty()) return {};
  std::vector<double> distances;
  add_distances(prediction, squares_to(truth, box.shape(), metric), metric, distances);
  add_distances(truth, squares_to(prediction, box.shape(), metric), metric, distances);
  double sum = 0;
  for (const double d : distances) sum += d;
  const double mean = sum / static_cast<double>(distances.size());
  return {mean, percentile(distances, 95), true};
}

Box around(const Box& a, const Box& b, const Index3& shape) {
  Box box;
  for (std::size_t i = 0; i < 3; ++i) {
    box.begin[i] = std::min(a.begin[i], b.begin[i]);
    box.end[i] = std::max(a.end[i], b.end[i]);
  }
  return grown(box, {1, 1, 1}, shape);
}

}  // namespace

SurfaceDistance surface_distance(const LabelPair& pair, const OverlapTable& table, const Vec3& voxel_um,
                                 const Context& context) {
  const auto pairs = matched_pairs(table, 0.5);
  Vec3 um = voxel_um;
  if (pair.truth.shape[0] == 1) um[0] = um[1];  // the thickness of a plane does not count
  const SquaredMetric metric = metric_of(um);
  constexpr std::uint64_t bytes_a_voxel = 28;
  const std::uint64_t share = context.memory_bytes / static_cast<std::uint64_t>(std::max(1, context.threads));
  std::vector<PairDistance> found(pairs.size());
  std::vector<char> too_large(pairs.size(), 0);
  context.progress.begin("surfaces", pairs.size());
  parallel_for(static_cast<std::int64_t>(pairs.size()), context.threads, [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    const ScoredObject &g = table.truth[pairs[k].first], &p = table.prediction[pairs[k].second];
    const Box box = around(g.box, p.box, pair.truth.shape);
    const Index3 n = box.shape();
    const double diagonal = static_cast<double>(n[0] * n[0] * metric.weight[0] + n[1] * n[1] * metric.weight[1] +
                                                n[2] * n[2] * metric.weight[2]);
    if (static_cast<std::uint64_t>(box.size()) * bytes_a_voxel > share || diagonal >= double{no_site})
      too_large[k] = 1;
    else
      found[k] = distance_between(pair, box, g.id, p.id, metric);
    context.progress.advance();
  });
  SurfaceDistance result;
  for (std::size_t k = 0; k < found.size(); ++k) {
    result.too_large += too_large[k];
    if (!found[k].known) continue;
    ++result.pairs;
    result.assd_um += found[k].mean;
    result.hausdorff95_um += found[k].far_end;
  }
  if (result.pairs > 0) {
    result.assd_um /= static_cast<double>(result.pairs);
    result.hausdorff95_um /= static_cast<double>(result.pairs);
  }
  return result;
}

}  // namespace cathoscope
