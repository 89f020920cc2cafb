#include "slice_views.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

constexpr std::int64_t chunk = 64;  // of the project's files: thinner strips would read a chunk more than once

std::size_t index_of(std::int64_t row, std::int64_t column, std::int64_t width) {
  return static_cast<std::size_t>(row * width + column);
}

/// A strip of the slice: rows [first, last) of the box, all its columns.
struct Strip {
  Box box;
  std::int64_t rows, columns;
  bool transposed;  ///< rows run along x or y faster than columns along z
  [[nodiscard]] std::size_t at(std::int64_t row, std::int64_t column) const {
    return transposed ? index_of(column, row, rows) : index_of(row, column, columns);
  }
};

Strip strip_of(const Box& box, int row_axis, int column_axis, std::int64_t first, std::int64_t last) {
  Strip s{box, last - first, box.shape()[static_cast<std::size_t>(column_axis)], row_axis > column_axis};
  const auto r = static_cast<std::size_t>(row_axis);
  s.box.begin[r] = box.begin[r] + first;
  s.box.end[r] = box.begin[r] + last;
  return s;
}

/// Sums of k x k voxels of a strip into the pixels of the view, and the labels at their middles.
void add_strip(const ElectrodeGrids& grids, const Strip& s, std::int64_t first_row, std::int64_t k, SliceView& view) {
  const auto labels = grids.labels.load(s.box);
  const auto cracks = grids.cracks.load(s.box);
  const auto grey = grids.grey ? grids.grey->load(s.box) : Array3<float>();
  for (std::int64_t row = first_row / k; row * k < first_row + s.rows; ++row)
    for (std::int64_t column = 0; column < view.width; ++column) {
      double sum = 0, torn = 0;
      std::int64_t n = 0;
      for (std::int64_t j = row * k - first_row; j < std::min((row + 1) * k - first_row, s.rows); ++j)
        for (std::int64_t i = column * k; i < std::min((column + 1) * k, s.columns); ++i, ++n) {
          if (grids.grey) sum += grey.data()[s.at(j, i)];
          torn += cracks.data()[s.at(j, i)] != 0;
        }
      const std::size_t pixel = index_of(row, column, view.width);
      if (grids.grey) view.grey[pixel] = static_cast<float>(sum / static_cast<double>(n));
      view.cracks[pixel] = static_cast<float>(torn / static_cast<double>(n));
      view.labels[pixel] = labels.data()[s.at(std::min(row * k - first_row + k / 2, s.rows - 1),
                                              std::min(column * k + k / 2, s.columns - 1))];
    }
}

/// Distance of p from the line a b, or from a where both are one.
double distance(const std::array<double, 2>& p, const std::array<double, 2>& a, const std::array<double, 2>& b) {
  const double x = b[0] - a[0], y = b[1] - a[1], length = std::hypot(x, y);
  if (length == 0) return std::hypot(p[0] - a[0], p[1] - a[1]);
  return std::abs(x * (p[1] - a[1]) - y * (p[0] - a[0])) / length;
}

/// Douglas and Peucker (1973), DOI 10.3138/FM57-6770-U75U-7727, without recursion.
Outline simplified(const Outline& line, double tolerance) {
  std::vector<char> keep(line.size(), 0);
  keep.front() = keep.back() = 1;
  std::vector<std::pair<std::size_t, std::size_t>> open{{0, line.size() - 1}};
  while (!open.empty()) {
    const auto [a, b] = open.back();
    open.pop_back();
    std::size_t farthest = a;
    double most = tolerance;
    for (std::size_t i = a + 1; i < b; ++i)
      if (const double d = distance(line[i], line[a], line[b]); d > most) most = d, farthest = i;
    if (farthest == a) continue;
    keep[farthest] = 1;
    open.push_back({a, farthest});
    open.push_back({farthest, b});
  }
  Outline result;
  for (std::size_t i = 0; i < line.size(); ++i)
    if (keep[i] != 0) result.push_back(line[i]);
  return result;
}

/// Directions along pixel edges, the inside on the right: east, south, west, north.
constexpr std::array<std::array<std::int64_t, 2>, 4> step{{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};

/// Edges between inside and outside that start at each corner, as bits of their directions.
std::vector<std::uint8_t> edges_of(const std::vector<char>& inside, std::int64_t width, std::int64_t height) {
  const auto is = [&](std::int64_t column, std::int64_t row) {
    return column >= 0 && row >= 0 && column < width && row < height && inside[index_of(row, column, width)] != 0;
  };
  std::vector<std::uint8_t> edges(static_cast<std::size_t>((width + 1) * (height + 1)), 0);
  for (std::int64_t y = 0; y <= height; ++y)
    for (std::int64_t x = 0; x <= width; ++x) {
      const bool nw = is(x - 1, y - 1), ne = is(x, y - 1), sw = is(x - 1, y), se = is(x, y);
      auto& bits = edges[index_of(y, x, width + 1)];
      if (se && !ne) bits |= 1;
      if (sw && !se) bits |= 2;
      if (nw && !sw) bits |= 4;
      if (ne && !nw) bits |= 8;
    }
  return edges;
}

/// Follows the edges from a corner until they close; points are the middles of the edges.
Outline followed(std::vector<std::uint8_t>& edges, std::int64_t width, std::int64_t x, std::int64_t y, int direction) {
  Outline line;
  const std::int64_t x0 = x, y0 = y;
  do {
    edges[index_of(y, x, width + 1)] &= static_cast<std::uint8_t>(~(1 << direction));
    const auto& d = step[static_cast<std::size_t>(direction)];
    line.push_back({static_cast<double>(x) + 0.5 * static_cast<double>(d[0]),
                    static_cast<double>(y) + 0.5 * static_cast<double>(d[1])});
    x += d[0], y += d[1];
    // Right turn first: pixels that meet at a corner only stay apart.
    for (const int turn : {1, 0, 3})
      if (const int next = (direction + turn) % 4; (edges[index_of(y, x, width + 1)] >> next & 1) != 0) {
        direction = next;
        break;
      }
  } while (x != x0 || y != y0 || (edges[index_of(y, x, width + 1)] >> direction & 1) != 0);
  line.push_back(line.front());
  return line;
}

}  // namespace

ElectrodeGrids open_grids(const std::filesystem::path& segmentation,
                          const std::optional<std::filesystem::path>& volume) {
  const auto file = H5File::open(segmentation);
  ElectrodeGrids g;
  g.labels = file.grid<std::uint32_t>("/labels");
  g.cracks = file.grid<std::uint8_t>("/cracks");
  g.label_ids = file.read_array<std::uint64_t>("/label_ids");
  if (!volume) return g;
  const auto source = H5File::open(*volume);
  g.grey = source.grid<float>("/volume");
  if (g.grey->shape != g.labels.shape || g.cracks.shape != g.labels.shape)
    fail(Exit::data, "{} and {} hold grids of unequal shape", segmentation.string(), volume->string());
  g.low_grey = source.attribute("/volume", "low_grey").value_or(std::vector<double>{0}).at(0);
  g.high_grey = source.attribute("/volume", "high_grey").value_or(std::vector<double>{255}).at(0);
  if (source.attribute_text("/volume", "depth_origin") == "high")
    g.depth_length_um = source.attribute("/volume", "depth_length_um").value_or(std::vector<double>{0}).at(0);
  return g;
}

std::array<int, 2> slice_axes(int axis) {
  if (axis == 0) return {1, 2};
  if (axis == 1) return {0, 2};
  return {1, 0};
}

SliceView read_slice(const ElectrodeGrids& grids, const Box& box, int axis, std::int64_t limit) {
  const auto [row_axis, column_axis] = slice_axes(axis);
  const auto r = static_cast<std::size_t>(row_axis), c = static_cast<std::size_t>(column_axis);
  const std::int64_t rows = box.shape()[r], columns = box.shape()[c];
  const std::int64_t k = std::max<std::int64_t>(1, (std::max(rows, columns) + limit - 1) / limit);
  SliceView view{row_axis, column_axis, (columns + k - 1) / k, (rows + k - 1) / k, 0, 0, 1, 1, {}, {}, {}};
  const auto& voxel = grids.labels.voxel_size_um;
  const auto& origin = grids.labels.origin_um;
  view.left_um = origin[c] + static_cast<double>(box.begin[c]) * voxel[c];
  view.top_um = origin[r] + static_cast<double>(box.begin[r]) * voxel[r];
  view.pixel_width_um = static_cast<double>(k) * voxel[c];
  view.pixel_height_um = static_cast<double>(k) * voxel[r];
  const auto pixels = static_cast<std::size_t>(view.width * view.height);
  view.labels.resize(pixels);
  view.cracks.resize(pixels);
  if (grids.grey) view.grey.resize(pixels);
  const std::int64_t strip = k * ((chunk + k - 1) / k);
  for (std::int64_t first = 0; first < rows; first += strip)
    add_strip(grids, strip_of(box, row_axis, column_axis, first, std::min(first + strip, rows)), first, k, view);
  return view;
}

std::vector<Outline> outlines(const std::vector<char>& inside, std::int64_t width, std::int64_t height,
                              double tolerance) {
  auto edges = edges_of(inside, width, height);
  std::vector<Outline> result;
  for (std::int64_t y = 0; y <= height; ++y)
    for (std::int64_t x = 0; x <= width; ++x)
      for (int direction = 0; direction < 4; ++direction)
        if ((edges[index_of(y, x, width + 1)] >> direction & 1) != 0)
          result.push_back(simplified(followed(edges, width, x, y, direction), tolerance));
  return result;
}

std::vector<Outline> outlines_of(const SliceView& view, std::uint32_t label, double tolerance) {
  std::int64_t low_x = view.width, high_x = 0, low_y = view.height, high_y = 0;
  for (std::int64_t y = 0; y < view.height; ++y)
    for (std::int64_t x = 0; x < view.width; ++x)
      if (view.labels[index_of(y, x, view.width)] == label) {
        low_x = std::min(low_x, x), high_x = std::max(high_x, x + 1);
        low_y = std::min(low_y, y), high_y = std::max(high_y, y + 1);
      }
  if (low_x >= high_x) return {};
  std::vector<char> inside(static_cast<std::size_t>((high_x - low_x) * (high_y - low_y)));
  for (std::int64_t y = low_y; y < high_y; ++y)
    for (std::int64_t x = low_x; x < high_x; ++x)
      inside[index_of(y - low_y, x - low_x, high_x - low_x)] = view.labels[index_of(y, x, view.width)] == label;
  auto lines = outlines(inside, high_x - low_x, high_y - low_y, tolerance);
  for (auto& line : lines)
    for (auto& point : line) point[0] += static_cast<double>(low_x), point[1] += static_cast<double>(low_y);
  return lines;
}

std::vector<std::uint32_t> labels_in(const SliceView& view) {
  std::vector<std::uint32_t> found = view.labels;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (!found.empty() && found.front() == 0) found.erase(found.begin());
  return found;
}

PngImage grey_picture(const SliceView& view, double low, double high) {
  PngImage image{view.width, view.height, 1, {}};
  const double scale = high > low ? 255 / (high - low) : 0;
  for (std::size_t i = 0; i < view.labels.size(); ++i) {
    const double value = view.grey.empty() ? (view.labels[i] != 0 ? 190 : 60) : (view.grey[i] - low) * scale;
    image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(std::isfinite(value) ? value : 0.0, 0.0, 255.0) + 0.5));
  }
  return image;
}

PngImage crack_picture(const SliceView& view, std::array<std::uint8_t, 3> colour) {
  PngImage image{view.width, view.height, 4, {}};
  for (const float share : view.cracks) {
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
    image.pixels.push_back(static_cast<std::uint8_t>(share * 215 + 0.5F));
  }
  return image;
}

}  // namespace cathoscope
