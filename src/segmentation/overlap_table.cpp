/// Two label images to the voxels that their particles share.

#include <cathoscope/segmentation/score.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr std::int64_t slab_voxels = 1 << 22;

struct PairHash {
  std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& p) const {
    return static_cast<std::size_t>((p.first * 0x9E3779B97F4A7C15u) ^ (p.second + 0x7F4A7C15u + (p.first << 6)));
  }
};

struct Found {
  std::int64_t voxels = 0, all = 0;
  Index3 low{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max(),
             std::numeric_limits<std::int64_t>::max()};
  Index3 high{-1, -1, -1};

  void add(const Index3& begin, std::int64_t x_end, bool ignored) {
    all += x_end - begin[2];
    if (!ignored) voxels += x_end - begin[2];
    const Index3 last{begin[0], begin[1], x_end - 1};
    for (std::size_t a = 0; a < 3; ++a) {
      low[a] = std::min(low[a], begin[a]);
      high[a] = std::max(high[a], last[a]);
    }
  }
  void add(const Found& other) {
    all += other.all;
    voxels += other.voxels;
    for (std::size_t a = 0; a < 3; ++a) {
      low[a] = std::min(low[a], other.low[a]);
      high[a] = std::max(high[a], other.high[a]);
    }
  }
};

/// Counts of a part of the image. Sums of integers: the same in any order.
struct Counts {
  std::unordered_map<std::uint64_t, Found> truth, prediction;
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, std::int64_t, PairHash> shared;

  void add_run(std::uint64_t g, std::uint64_t p, const Index3& begin, std::int64_t x_end, bool ignored) {
    if (g != 0) truth[g].add(begin, x_end, ignored);
    if (p != 0) prediction[p].add(begin, x_end, ignored);
    if (g != 0 && p != 0 && !ignored) shared[{g, p}] += x_end - begin[2];
  }
  void add(const Counts& other) {
    for (const auto& [id, found] : other.truth) truth[id].add(found);
    for (const auto& [id, found] : other.prediction) prediction[id].add(found);
    for (const auto& [ids, n] : other.shared) shared[ids] += n;
  }
};

struct Slab {
  Box box;
  Array3<std::uint64_t> truth, prediction;
  Array3<std::uint8_t> ignore;  ///< empty = nothing

  [[nodiscard]] bool ignored(std::int64_t i) const { return ignore.size() != 0 && ignore.data()[i] != 0; }
};

Slab load(const LabelPair& pair, const Box& box) {
  Slab s{box, pair.truth.load(box), pair.prediction.load(box), {}};
  if (pair.ignore) s.ignore = pair.ignore->load(box);
  return s;
}

void count_row(const Slab& s, std::int64_t row, Counts& counts) {
  const Index3 n = s.box.shape();
  const std::uint64_t *g = s.truth.data() + row * n[2], *p = s.prediction.data() + row * n[2];
  const std::int64_t z = s.box.begin[0] + row / n[1], y = s.box.begin[1] + row % n[1];
  for (std::int64_t x = 0; x < n[2];) {
    const bool ignored = s.ignored(row * n[2] + x);
    std::int64_t end = x + 1;
    while (end < n[2] && g[end] == g[x] && p[end] == p[x] && s.ignored(row * n[2] + end) == ignored) ++end;
    counts.add_run(g[x], p[x], {z, y, x}, end, ignored);
    x = end;
  }
}

template <class F>
void each_slab(const LabelPair& pair, const Context& context, const F& f) {
  const Index3 shape = pair.truth.shape;
  const std::int64_t thickness =
      std::max<std::int64_t>(1, slab_voxels / std::max<std::int64_t>(1, shape[1] * shape[2]));
  for (const Box& box : slabs(shape, thickness)) {
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
    f(load(pair, box));
  }
}

Counts counts_of(const LabelPair& pair, const Context& context) {
  Counts total;
  each_slab(pair, context, [&](const Slab& s) {
    const std::int64_t rows = s.box.shape()[0] * s.box.shape()[1];
    const std::int64_t parts = std::min<std::int64_t>(rows, std::max(1, context.threads));
    std::vector<Counts> counts(static_cast<std::size_t>(parts));
    parallel_for(parts, context.threads, [&](std::int64_t k) {
      for (std::int64_t row = rows * k / parts; row < rows * (k + 1) / parts; ++row)
        count_row(s, row, counts[static_cast<std::size_t>(k)]);
    });
    for (const Counts& c : counts) total.add(c);
  });
  return total;
}

bool touches(const Found& f, const Index3& shape) {
  for (std::size_t a = shape[0] == 1 ? 1 : 0; a < 3; ++a)
    if (f.low[a] == 0 || f.high[a] == shape[a] - 1) return true;
  return false;
}

std::vector<ScoredObject> objects_of(const std::unordered_map<std::uint64_t, Found>& found, const Index3& shape) {
  std::vector<ScoredObject> objects;
  for (const auto& [id, f] : found) {
    if (f.voxels == 0) continue;
    ScoredObject o;
    o.id = id;
    o.voxels = f.voxels;
    o.all_voxels = f.all;
    o.box = {f.low, {f.high[0] + 1, f.high[1] + 1, f.high[2] + 1}};
    o.touches_border = touches(f, shape);
    objects.push_back(o);
  }
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return objects;
}

std::unordered_map<std::uint64_t, std::uint32_t> index_of(const std::vector<ScoredObject>& objects) {
  std::unordered_map<std::uint64_t, std::uint32_t> index;
  for (std::size_t i = 0; i < objects.size(); ++i) index[objects[i].id] = static_cast<std::uint32_t>(i);
  return index;
}

/// Grey values in equal steps between the least and the largest.
class Levels {
 public:
  static constexpr int steps = 4096;
  Levels(double low, double high) : low_(low), scale_(high > low ? steps / (high - low) : 0) {}
  [[nodiscard]] std::uint16_t step(float value) const {
    return static_cast<std::uint16_t>(std::clamp((static_cast<double>(value) - low_) * scale_, 0.0, steps - 1.0));
  }

 private:
  double low_, scale_;
};

using Histogram = std::map<std::uint16_t, std::int64_t>;

/// Step of the median, in half steps where it lies between two.
double median_of(const Histogram& h) {
  std::int64_t total = 0, below = 0;
  for (const auto& [step, n] : h) total += n;
  double low = -1;
  for (const auto& [step, n] : h) {
    below += n;
    if (low < 0 && 2 * below >= total) low = step;
    if (2 * below > total) return (low + step) / 2;
  }
  return low;
}

Levels levels_of(const GridSource<float>& grey, const LabelPair& pair, const Context& context) {
  float low = std::numeric_limits<float>::infinity(), high = -low;
  each_slab(pair, context, [&](const Slab& s) {
    const auto values = grey.load(s.box);
    for (const float v : values) {
      if (!std::isfinite(v)) fail(Exit::data, "the grey values hold NaN or infinity");
      low = std::min(low, v);
      high = std::max(high, v);
    }
  });
  return {low, high};
}

/// Marks predictions whose median grey is nearer to the matrix than to the solid: below the midpoint of the medians on
/// true particles, and where neither image has a particle.
void mark_dark(OverlapTable& table, const LabelPair& pair, const Context& context) {
  const GridSource<float>& grey = *pair.grey;
  const Levels levels = levels_of(grey, pair, context);
  const auto index = index_of(table.prediction);
  Histogram solid, matrix;
  std::vector<Histogram> of(table.prediction.size());
  each_slab(pair, context, [&](const Slab& s) {
    const auto values = grey.load(s.box);
    for (std::int64_t i = 0; i < s.box.size(); ++i) {
      if (s.ignored(i)) continue;
      const std::uint64_t g = s.truth.data()[i], p = s.prediction.data()[i];
      const std::uint16_t step = levels.step(values.data()[i]);
      if (g != 0) ++solid[step];
      if (g == 0 && p == 0) ++matrix[step];
      if (p != 0) ++of[index.at(p)][step];
    }
  });
  if (solid.empty() || matrix.empty()) return;
  const double midpoint = (median_of(solid) + median_of(matrix)) / 2;
  for (std::size_t j = 0; j < of.size(); ++j) table.prediction[j].dark = median_of(of[j]) < midpoint;
}

void require_equal(const Index3& a, const Index3& b, const char* what) {
  if (a != b)
    fail(Exit::data, "the truth is {} x {} x {} voxels (z, y, x), {} {} x {} x {}; they must agree", a[0], a[1], a[2],
         what, b[0], b[1], b[2]);
}

}  // namespace

OverlapTable overlap_table(const LabelPair& pair, const Context& context) {
  require_equal(pair.truth.shape, pair.prediction.shape, "the prediction");
  if (pair.ignore) require_equal(pair.truth.shape, pair.ignore->shape, "the ignored region");
  if (pair.grey) require_equal(pair.truth.shape, pair.grey->shape, "the grey image");
  context.progress.begin("overlaps", static_cast<std::uint64_t>(volume_of(pair.truth.shape)) * (pair.grey ? 3u : 1u));
  const Counts counts = counts_of(pair, context);
  OverlapTable table{objects_of(counts.truth, pair.truth.shape), objects_of(counts.prediction, pair.truth.shape), {}};
  const auto truth = index_of(table.truth), prediction = index_of(table.prediction);
  for (const auto& [ids, n] : counts.shared)
    table.overlaps.push_back({truth.at(ids.first), prediction.at(ids.second), n});
  std::sort(table.overlaps.begin(), table.overlaps.end(), [](const Overlap& a, const Overlap& b) {
    return std::pair(a.truth, a.prediction) < std::pair(b.truth, b.prediction);
  });
  if (pair.grey) mark_dark(table, pair, context);
  return table;
}

void append(OverlapTable& table, OverlapTable more) {
  const auto truths = static_cast<std::uint32_t>(table.truth.size());
  const auto predictions = static_cast<std::uint32_t>(table.prediction.size());
  std::uint32_t image = 0;
  for (const auto* list : {&table.truth, &table.prediction})
    for (const ScoredObject& o : *list) image = std::max(image, o.image + 1);
  for (auto& o : more.truth) o.image += image;
  for (auto& o : more.prediction) o.image += image;
  for (auto& o : more.overlaps) table.overlaps.push_back({o.truth + truths, o.prediction + predictions, o.voxels});
  table.truth.insert(table.truth.end(), more.truth.begin(), more.truth.end());
  table.prediction.insert(table.prediction.end(), more.prediction.begin(), more.prediction.end());
}

OverlapTable without_small(const OverlapTable& table, std::int64_t least_voxels) {
  OverlapTable out;
  std::vector<std::int64_t> left;
  for (const auto& p : table.prediction) left.push_back(p.voxels);
  const auto small = [&](const ScoredObject& o) { return o.all_voxels < least_voxels; };
  for (const Overlap& o : table.overlaps)
    if (small(table.truth[o.truth])) left[o.prediction] -= o.voxels;
  std::vector<std::uint32_t> truth_index, prediction_index;
  for (const auto& o : table.truth) {
    truth_index.push_back(static_cast<std::uint32_t>(out.truth.size()));
    if (!small(o)) out.truth.push_back(o);
  }
  for (std::size_t j = 0; j < left.size(); ++j) {
    prediction_index.push_back(static_cast<std::uint32_t>(out.prediction.size()));
    if (left[j] == 0) continue;
    out.prediction.push_back(table.prediction[j]);
    out.prediction.back().voxels = left[j];
  }
  for (const Overlap& o : table.overlaps)
    if (!small(table.truth[o.truth]))
      out.overlaps.push_back({truth_index[o.truth], prediction_index[o.prediction], o.voxels});
  return out;
}

}  // namespace cathoscope
