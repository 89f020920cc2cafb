#include <cathoscope/segmentation/distance.hpp>

#include <cathoscope/core/multiversion.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

SquaredMetric metric_of(const Vec3& voxel_um) {
  constexpr int finest = 4096;
  const double smallest = *std::min_element(voxel_um.begin(), voxel_um.end());
  std::array<double, 3> ratio{};
  for (std::size_t i = 0; i < 3; ++i) ratio[i] = (voxel_um[i] / smallest) * (voxel_um[i] / smallest);
  const auto exact = [&](int k) {
    return std::all_of(ratio.begin(), ratio.end(),
                       [k](double r) { return std::abs(k * r - std::round(k * r)) <= 1e-9 * k * r; });
  };
  int k = 1;
  while (k < finest && !exact(k)) ++k;
  SquaredMetric metric;
  for (std::size_t i = 0; i < 3; ++i)
    metric.weight[i] = static_cast<std::uint32_t>(std::min(std::round(k * ratio[i]), 4.0e9));
  metric.unit_um = smallest / std::sqrt(static_cast<double>(k));
  return metric;
}

std::uint32_t SquaredMetric::squared(double distance_um) const {
  const double d = distance_um / unit_um * (1 + 1e-12);  // 0.3 um is three voxels of 0.1 um
  return static_cast<std::uint32_t>(std::min(std::floor(d * d), static_cast<double>(far - 1)));
}

Index3 SquaredMetric::steps(double distance_um) const {
  const double limit = squared(distance_um);
  Index3 n{};
  for (std::size_t i = 0; i < 3; ++i) {
    n[i] = static_cast<std::int64_t>(std::sqrt(limit / weight[i]));
    while (static_cast<double>(weight[i]) * static_cast<double>((n[i] + 1) * (n[i] + 1)) <= limit) ++n[i];
  }
  return n;
}

LineDistance::LineDistance(std::int64_t longest)
    : site_(static_cast<std::size_t>(longest)),
      start_(static_cast<std::size_t>(longest)),
      value_(static_cast<std::size_t>(longest)) {}

void LineDistance::operator()(std::uint32_t* values, std::int64_t n, std::int64_t stride, std::uint32_t weight) {
  const auto w = static_cast<std::int64_t>(weight);
  std::int64_t* const site = site_.data();
  std::int64_t* const start = start_.data();
  std::int64_t* const value = value_.data();
  const auto f = [&](std::int64_t x, std::int64_t i) { return value[i] + w * (x - i) * (x - i); };
  std::int64_t q = -1;
  for (std::int64_t u = 0; u < n; ++u) {
    if (values[u * stride] == no_site) continue;
    value[u] = values[u * stride];
    while (q >= 0 && f(start[q], site[q]) > f(start[q], u)) --q;
    if (q < 0) {
      site[++q] = u;
      start[q] = 0;
      continue;
    }
    const std::int64_t i = site[q];
    // Both operands are whole and below 2^53, so the rounded quotient has the right floor.
    const double at =
        static_cast<double>(w * (u * u - i * i) + value[u] - value[i]) / static_cast<double>(2 * w * (u - i));
    const auto from = 1 + static_cast<std::int64_t>(std::floor(at));
    if (from >= n) continue;
    site[++q] = u;
    start[q] = from;
  }
  if (q < 0) return;
  for (std::int64_t u = n - 1; u >= 0; --u) {
    values[u * stride] = static_cast<std::uint32_t>(std::min<std::int64_t>(f(u, site[q]), no_site - 1));
    if (u == start[q] && q > 0) --q;
  }
}

namespace {

/// out[x] = min(out[x], in[x] + add) over a row.
CATHOSCOPE_MULTIVERSION void take_lower(std::uint32_t* out, const std::uint32_t* in, std::uint32_t add,
                                        std::int64_t n) {
  for (std::int64_t x = 0; x < n; ++x) out[x] = std::min(out[x], in[x] + add);
}

/// out[x] = min(out[x], a[x] + add, b[x] + add) over a row.
CATHOSCOPE_MULTIVERSION void take_lowest(std::uint32_t* out, const std::uint32_t* a, const std::uint32_t* b,
                                         std::uint32_t add, std::int64_t n) {
  for (std::int64_t x = 0; x < n; ++x) out[x] = std::min(out[x], std::min(a[x], b[x]) + add);
}

/// The row before and the row after, where they are.
void take_rows(std::uint32_t* out, const std::uint32_t* before, const std::uint32_t* after, std::uint32_t add,
               std::int64_t n) {
  if (before != nullptr && after != nullptr)
    take_lowest(out, before, after, add, n);
  else if (before != nullptr || after != nullptr)
    take_lower(out, before != nullptr ? before : after, add, n);
}

/// A row and itself, shifted by d either way.
void take_shifted(std::uint32_t* out, const std::uint32_t* in, std::int64_t d, std::uint32_t add, std::int64_t n) {
  const std::int64_t both = std::max<std::int64_t>(0, n - 2 * d);
  const std::int64_t ends = (n - both) / 2;  // voxels at either end with one neighbour only (or none)
  take_lowest(out + d, in, in + 2 * d, add, both);
  if (both > 0) {
    take_lower(out, in + d, add, ends);
    take_lower(out + n - ends, in + n - ends - d, add, ends);
  } else {
    take_lower(out + d, in, add, n - d);
    take_lower(out, in + d, add, n - d);
  }
}

void near_along(Array3<std::uint32_t>& values, const Array3<std::uint32_t>& before, int axis, std::int64_t reach,
                std::uint32_t weight) {
  const Index3 n = shape_of(values);
  const std::int64_t stride = axis == 0 ? n[1] * n[2] : n[2];
  const std::int64_t end = n[static_cast<std::size_t>(axis)];
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const std::int64_t row = (z * n[1] + y) * n[2];
      std::uint32_t* out = values.data() + row;
      const std::uint32_t* in = before.data() + row;
      const std::int64_t at = axis == 0 ? z : y;
      for (std::int64_t d = 1; d <= std::min(reach, end - 1); ++d) {
        const auto add = static_cast<std::uint32_t>(weight * static_cast<std::uint64_t>(d * d));
        if (axis == 2)
          take_shifted(out, in, d, add, n[2]);
        else
          take_rows(out, at - d >= 0 ? in - d * stride : nullptr, at + d < end ? in + d * stride : nullptr, add, n[2]);
      }
    }
}

}  // namespace

void near_distances(Array3<std::uint32_t>& values, const SquaredMetric& metric, double limit_um) {
  const std::uint32_t limit = metric.squared(limit_um);
  const Index3 reach = metric.steps(limit_um);
  Array3<std::uint32_t> before;
  for (const int axis : {2, 1, 0}) {
    const auto i = static_cast<std::size_t>(axis);
    if (reach[i] == 0) continue;
    before = values;
    near_along(values, before, axis, reach[i], metric.weight[i]);
  }
  for (std::uint32_t& v : values)
    if (v > limit) v = far;
}

namespace {

/// Applies LineDistance to every line of a dense box along `axis`.
void line_distances(std::uint32_t* values, const Index3& n, int axis, std::uint32_t weight, LineDistance& along) {
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  const int first = axis == 0 ? 1 : 0;
  const int second = axis == 2 ? 1 : 2;
  for (std::int64_t i = 0; i < n[static_cast<std::size_t>(first)]; ++i)
    for (std::int64_t j = 0; j < n[static_cast<std::size_t>(second)]; ++j)
      along(values + i * stride[static_cast<std::size_t>(first)] + j * stride[static_cast<std::size_t>(second)],
            n[static_cast<std::size_t>(axis)], stride[static_cast<std::size_t>(axis)], weight);
}

std::vector<std::uint32_t> sites_of(const ScratchGrid<std::uint8_t>& mask, const Box& box) {
  std::vector<std::uint8_t> values(static_cast<std::size_t>(box.size()));
  mask.read(box, values.data());
  std::vector<std::uint32_t> sites(values.size());
  std::transform(values.begin(), values.end(), sites.begin(),
                 [](std::uint8_t v) { return v == 0 || v > 2 ? 0U : no_site; });
  return sites;
}

std::uint16_t depth_of(std::uint32_t squared, double scale) {
  return static_cast<std::uint16_t>(
      std::min(65535.0, std::floor(std::sqrt(static_cast<double>(squared)) * scale + 0.5)));
}

}  // namespace

ScratchGrid<std::uint16_t> depth_field(const Workspace& w, const ScratchGrid<std::uint8_t>& mask) {
  const SquaredMetric metric = metric_of(w.voxel_um);
  const double smallest = *std::min_element(w.voxel_um.begin(), w.voxel_um.end());
  const double scale = depth_steps * metric.unit_um / smallest;
  const ScratchGrid<std::uint32_t> squared(w);
  for_each_pencil(w, 2, "distance along x", [&](const Box& box) {
    LineDistance along(w.shape[2]);
    auto values = sites_of(mask, box);
    line_distances(values.data(), box.shape(), 2, metric.weight[2], along);
    squared.write(box, values.data());
  });
  for_each_pencil(w, 1, "distance along y", [&](const Box& box) {
    LineDistance along(w.shape[1]);
    std::vector<std::uint32_t> values(static_cast<std::size_t>(box.size()));
    squared.read(box, values.data());
    line_distances(values.data(), box.shape(), 1, metric.weight[1], along);
    squared.write(box, values.data());
  });
  ScratchGrid<std::uint16_t> depth(w);
  for_each_pencil(w, 0, "distance along z", [&](const Box& box) {
    LineDistance along(w.shape[0]);
    std::vector<std::uint32_t> values(static_cast<std::size_t>(box.size()));
    squared.read(box, values.data());
    line_distances(values.data(), box.shape(), 0, metric.weight[0], along);
    std::vector<std::uint8_t> kind(values.size());
    mask.read(box, kind.data());
    std::vector<std::uint16_t> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = kind[i] == 1 ? depth_of(values[i], scale) : 0;
    depth.write(box, result.data());
  });
  return depth;
}

}  // namespace cathoscope
