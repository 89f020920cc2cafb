#include <cathoscope/segmentation/views.hpp>

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double root2 = 1.41421356237309504880;
constexpr double root3_2 = 1.22474487139158904910;  // sqrt(3/2)
constexpr double taper_pixels = 8;
constexpr double weight_steps = 4096;
constexpr std::int64_t least_pixels = 32;

int non_zero(const PlaneFamily& f) {
  return static_cast<int>(std::count_if(f.normal.begin(), f.normal.end(), [](int n) { return n != 0; }));
}

Index3 strides(const Index3& n) { return {n[1] * n[2], n[2], 1}; }

/// Axes with a non-zero part of the normal first, each group in order z, y, x.
std::array<std::size_t, 3> axes_of(const PlaneFamily& f) {
  std::array<std::size_t, 3> axes{0, 1, 2};
  std::stable_sort(axes.begin(), axes.end(), [&](auto a, auto b) { return (f.normal[a] != 0) > (f.normal[b] != 0); });
  return axes;
}

LatticePlane axial_plane(const PlaneFamily& f, const Index3& n, std::int64_t k) {
  const auto [normal, down, across] = axes_of(f);
  const Index3 stride = strides(n);
  LatticePlane p;
  for (std::int64_t r = 0; r < n[down]; ++r)
    p.rows.push_back({static_cast<double>(r), 0, k * stride[normal] + r * stride[down], stride[across], n[across]});
  return p;
}

/// b + c = k, or b - c = k: the rows of the image run along the axis in the plane, one below the other along the diagonal.
LatticePlane diagonal_plane(const PlaneFamily& f, const Index3& n, std::int64_t k) {
  const auto [b, c, along] = axes_of(f);
  const Index3 stride = strides(n);
  const bool falling = f.normal[b] == f.normal[c];  // c falls as b grows
  LatticePlane p;
  p.row_step = root2;
  const std::int64_t first = std::max<std::int64_t>(0, k - (n[c] - 1));
  const std::int64_t last = std::min(n[b] - 1, k);
  for (std::int64_t i = first; i <= last; ++i) {
    const std::int64_t j = falling ? k - i : n[c] - 1 - (k - i);
    p.rows.push_back(
        {static_cast<double>(i - first) * root2, 0, i * stride[b] + j * stride[c], stride[along], n[along]});
  }
  return p;
}

/// z + y' + x' = k, where a negative part of the normal mirrors its axis. A row has one z, voxels sqrt(2) apart.
LatticePlane corner_plane(const PlaneFamily& f, const Index3& n, std::int64_t k) {
  const Index3 stride = strides(n);
  LatticePlane p;
  p.row_step = root3_2;
  p.column_step = root2;
  const auto at = [&](std::size_t a, std::int64_t i) { return f.normal[a] > 0 ? i : n[a] - 1 - i; };
  const std::int64_t z_first = std::max<std::int64_t>(0, k - (n[1] - 1) - (n[2] - 1));
  double low = std::numeric_limits<double>::max();
  for (std::int64_t z = z_first; z <= std::min(n[0] - 1, k); ++z) {
    const std::int64_t m = k - z;
    const std::int64_t y = std::max<std::int64_t>(0, m - (n[2] - 1));
    const std::int64_t count = std::min(n[1] - 1, m) - y + 1;
    const std::int64_t step = (f.normal[1] > 0 ? stride[1] : -stride[1]) - (f.normal[2] > 0 ? 1 : -1);
    const double column = static_cast<double>(2 * y - m) / root2;
    low = std::min(low, column);
    p.rows.push_back({static_cast<double>(z - z_first) * root3_2, column,
                      at(0, z) * stride[0] + at(1, y) * stride[1] + at(2, m - y), step, count});
  }
  for (LatticeRow& r : p.rows) r.column -= low;
  return p;
}

std::int64_t pixels(double length) { return static_cast<std::int64_t>(std::floor(length + 1e-9)) + 1; }

double last_column(const LatticePlane& p, const LatticeRow& r) {
  return r.column + static_cast<double>(r.count - 1) * p.column_step;
}

/// The values of a lattice row at whole columns.
void resample_row(const LatticePlane& p, const LatticeRow& r, const std::function<float(std::int64_t)>& value,
                  float* out) {
  if (p.column_step == 1) {
    for (std::int64_t m = 0; m < r.count; ++m) out[m] = value(r.first + m * r.step);
    return;
  }
  for (std::int64_t j = 0; j < p.image_columns; ++j) {
    const double at = std::clamp((static_cast<double>(j) - r.column) / p.column_step, 0.0, double(r.count - 1));
    const auto m = std::min(static_cast<std::int64_t>(at), std::max<std::int64_t>(0, r.count - 2));
    const auto fraction = static_cast<float>(at - static_cast<double>(m));
    const float low = value(r.first + m * r.step);
    out[j] = r.count == 1 ? low : low + fraction * (value(r.first + (m + 1) * r.step) - low);
  }
}

double taper(double distance) {
  if (distance >= taper_pixels) return 1;
  constexpr double pi = 3.14159265358979323846;
  return 0.5 - 0.5 * std::cos(pi * (distance + 1) / (taper_pixels + 1));
}

}  // namespace

std::vector<PlaneFamily> plane_families(const std::string& views) {
  const std::vector<PlaneFamily> all{
      {"xy", {1, 0, 0}},     {"xz", {0, 1, 0}},     {"yz", {0, 0, 1}},     {"z+y", {1, 1, 0}},  {"z-y", {1, -1, 0}},
      {"z+x", {1, 0, 1}},    {"z-x", {1, 0, -1}},   {"y+x", {0, 1, 1}},    {"y-x", {0, 1, -1}}, {"z+y+x", {1, 1, 1}},
      {"z+y-x", {1, 1, -1}}, {"z-y+x", {1, -1, 1}}, {"z-y-x", {1, -1, -1}}};
  for (const auto& [name, count] :
       {std::pair<std::string, std::ptrdiff_t>{"xy", 1}, {"axial3", 3}, {"diagonal9", 9}, {"all13", 13}})
    if (views == name) return {all.begin(), all.begin() + count};
  fail(Exit::config, "views '{}': they are xy, axial3, diagonal9 or all13", views);
}

std::int64_t plane_count(const PlaneFamily& f, const Index3& shape) {
  std::int64_t count = 1;
  for (std::size_t a = 0; a < 3; ++a)
    if (f.normal[a] != 0) count += shape[a] - 1;
  return count;
}

LatticePlane lattice_plane(const PlaneFamily& f, const Index3& shape, std::int64_t k) {
  LatticePlane p = non_zero(f) == 1   ? axial_plane(f, shape, k)
                   : non_zero(f) == 2 ? diagonal_plane(f, shape, k)
                                      : corner_plane(f, shape, k);
  p.image_rows = pixels(p.rows.back().row);
  for (const LatticeRow& r : p.rows) p.image_columns = std::max(p.image_columns, pixels(last_column(p, r)));
  return p;
}

Between between(double position, int grid, std::int64_t samples) {
  const double at = position / grid;
  Between b;
  b.index = std::clamp<std::int64_t>(static_cast<std::int64_t>(at), 0, std::max<std::int64_t>(0, samples - 2));
  b.fraction = samples == 1 ? 0.0F : static_cast<float>(at - static_cast<double>(b.index));
  return b;
}

std::vector<float> sliced(const LatticePlane& p, const std::function<float(std::int64_t)>& value) {
  const std::int64_t n = p.image_columns;
  std::vector<float> image(static_cast<std::size_t>(p.image_rows * n));
  std::vector<float> low(static_cast<std::size_t>(n));
  std::vector<float> high(static_cast<std::size_t>(n));
  std::int64_t low_row = -1;
  std::int64_t high_row = -1;
  const auto lattice_rows = static_cast<std::int64_t>(p.rows.size());
  for (std::int64_t i = 0; i < p.image_rows; ++i) {
    const double at = static_cast<double>(i) / p.row_step;
    const auto r = std::min(static_cast<std::int64_t>(at + 1e-9), lattice_rows - 1);
    const double fraction = at - static_cast<double>(r);
    float* out = image.data() + i * n;
    if (low_row != r) {
      if (high_row == r)
        std::swap(low, high);
      else
        resample_row(p, p.rows[static_cast<std::size_t>(r)], value, low.data());
      low_row = r;
      high_row = -1;
    }
    if (p.row_step == 1 || r + 1 == lattice_rows) {
      std::copy(low.begin(), low.end(), out);
      continue;
    }
    if (high_row != r + 1) {
      resample_row(p, p.rows[static_cast<std::size_t>(r + 1)], value, high.data());
      high_row = r + 1;
    }
    const auto f = static_cast<float>(fraction);
    for (std::int64_t j = 0; j < n; ++j) {
      const auto k = static_cast<std::size_t>(j);
      out[j] = low[k] + f * (high[k] - low[k]);
    }
  }
  return image;
}

RowGather::RowGather(const LatticePlane& p, int grid, std::int64_t cell_rows, std::int64_t cell_columns)
    : grid_(grid),
      rows_(cell_rows),
      columns_(cell_columns),
      column_step_(p.column_step),
      line_(static_cast<std::size_t>(cell_columns)) {}

void RowGather::operator()(const LatticeRow& row, const float* cells, std::vector<float>& out) {
  const Between v = between(row.row, grid_, rows_);
  const float* above = cells + v.index * columns_;
  const float* below = rows_ == 1 ? above : above + columns_;
  for (std::int64_t j = 0; j < columns_; ++j)
    line_[static_cast<std::size_t>(j)] = (1 - v.fraction) * above[j] + v.fraction * below[j];
  out.resize(static_cast<std::size_t>(row.count));
  for (std::int64_t m = 0; m < row.count; ++m) {
    const Between u = between(row.column + static_cast<double>(m) * column_step_, grid_, columns_);
    const float* left = line_.data() + u.index;
    out[static_cast<std::size_t>(m)] = columns_ == 1 ? *left : (1 - u.fraction) * left[0] + u.fraction * left[1];
  }
}

void border_weights(const LatticePlane& p, const LatticeRow& row, std::vector<float>& out) {
  const double down = taper(std::min(row.row, p.rows.back().row - row.row));
  out.resize(static_cast<std::size_t>(row.count));
  for (std::int64_t m = 0; m < row.count; ++m) {
    const double across = taper(static_cast<double>(std::min(m, row.count - 1 - m)) * p.column_step);
    out[static_cast<std::size_t>(m)] =
        static_cast<float>(std::max(1.0, std::round(down * across * weight_steps)) / weight_steps);
  }
}

std::int64_t least_width(const Index3& shape, std::size_t families) {
  if (families == 1) return 1;
  Index3 sorted = shape;
  std::sort(sorted.begin(), sorted.end());
  return std::min(least_pixels, sorted[1]);
}

}  // namespace cathoscope
