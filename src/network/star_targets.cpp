#include <cathoscope/network/star_targets.hpp>

#include <cathoscope/core/multiversion.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr std::int32_t nowhere = 1 << 14;  // pixels: farther than any cell of another label can be

/// Cells along a row to the nearest cell of another label in that row.
void distances_in_row(const std::uint32_t* labels, std::int64_t n, std::int32_t* out) {
  std::int32_t steps = nowhere;
  for (std::int64_t j = 0; j < n; ++j) {
    if (j > 0) steps = labels[j] == labels[j - 1] ? std::min(steps + 1, nowhere) : 1;
    out[j] = steps;
  }
  steps = nowhere;
  for (std::int64_t j = n - 2; j >= 0; --j) {
    steps = labels[j] == labels[j + 1] ? std::min(steps + 1, nowhere) : 1;
    out[j] = std::min(out[j], steps);
  }
}

/// Squared distance of cell (i, j), searched along its column from the distances along rows. It ends where the label
/// does: a cell of another label is nearer there than anything beyond it.
std::int64_t distance_in_column(const LabelView& labels, const std::vector<std::int32_t>& in_row, std::int64_t i,
                                std::int64_t j) {
  const std::int64_t n = labels.columns;
  const std::uint32_t label = labels.values[i * n + j];
  const auto at = [&](std::int64_t row) { return std::int64_t{in_row[static_cast<std::size_t>(row * n + j)]}; };
  std::int64_t best = at(i) * at(i);
  bool up = true, down = true;
  for (std::int64_t d = 1; d * d < best && (up || down); ++d) {
    const auto visit = [&](bool& open, std::int64_t row) {
      if (!open) return;
      if (row < 0 || row >= labels.rows) {
        open = false;
      } else if (labels.values[row * n + j] != label) {
        best = std::min(best, d * d);
        open = false;
      } else {
        best = std::min(best, d * d + at(row) * at(row));
      }
    };
    visit(up, i - d);
    visit(down, i + d);
  }
  return best;
}

/// Squared distance of every cell to the nearest one of another label; `nowhere` squared where there is none. Background 0.
std::vector<std::int64_t> squared_distances(const LabelView& labels) {
  std::vector<std::int32_t> in_row(static_cast<std::size_t>(labels.rows * labels.columns));
  for (std::int64_t i = 0; i < labels.rows; ++i)
    distances_in_row(labels.values + i * labels.columns, labels.columns, in_row.data() + i * labels.columns);
  std::vector<std::int64_t> squared(in_row.size(), 0);
  for (std::int64_t i = 0; i < labels.rows; ++i)
    for (std::int64_t j = 0; j < labels.columns; ++j) {
      const auto at = static_cast<std::size_t>(i * labels.columns + j);
      if (labels.values[at] != 0) squared[at] = distance_in_column(labels, in_row, i, j);
    }
  return squared;
}

/// Every grid-th label from the window's phase on: the image reduced to cells.
struct Cells {
  std::vector<std::uint32_t> values;
  LabelView view;
  std::int64_t row = 0, column = 0;    ///< of the window's first cell
  std::int64_t rows = 0, columns = 0;  ///< of the window
};

Cells reduced(const LabelView& labels, const TargetWindow& window, int grid) {
  const std::int64_t first_row = window.row % grid, first_column = window.column % grid;
  Cells c;
  c.view.rows = (labels.rows - first_row + grid - 1) / grid;
  c.view.columns = (labels.columns - first_column + grid - 1) / grid;
  c.values.reserve(static_cast<std::size_t>(c.view.rows * c.view.columns));
  for (std::int64_t i = 0; i < c.view.rows; ++i)
    for (std::int64_t j = 0; j < c.view.columns; ++j)
      c.values.push_back(labels.values[(first_row + grid * i) * labels.columns + first_column + grid * j]);
  c.view.values = c.values.data();
  c.row = window.row / grid;
  c.column = window.column / grid;
  c.rows = (window.rows + grid - 1) / grid;
  c.columns = (window.columns + grid - 1) / grid;
  return c;
}

/// One direction: where the k-th step lands, and what a march of k steps measures.
struct Ray {
  std::vector<std::int32_t> rows, columns;
  float overshoot = 0;
};

Ray make_ray(int k, int rays, std::int64_t steps) {
  // Steps add up in single precision, as in StarDist: where a position is half-way between pixels, its rounding counts.
  const float angle = static_cast<float>(k) * static_cast<float>(2 * std::numbers::pi / rays);
  const float column_step = std::cos(angle), row_step = std::sin(angle);
  Ray ray;
  float row = 0, column = 0;
  for (std::int64_t s = 0; s <= steps; ++s, row += row_step, column += column_step) {
    ray.rows.push_back(static_cast<std::int32_t>(std::lround(row)));
    ray.columns.push_back(static_cast<std::int32_t>(std::lround(column)));
  }
  ray.overshoot = 1 - 0.5F / std::max(std::abs(row_step), std::abs(column_step));
  return ray;
}

/// The labels with zeros at both sides, columns sorted by their remainder by the grid: what the cells of a row meet after
/// a step lies side by side.
struct Lanes {
  std::int64_t pad = 0, grid = 1, width = 0;
  std::vector<std::uint32_t> values;

  Lanes(const LabelView& labels, int cell_grid) : pad(labels.columns), grid(cell_grid) {
    width = (labels.columns + 2 * pad + grid - 1) / grid;
    values.assign(static_cast<std::size_t>(labels.rows * grid * width + 2 * 32), 0);  // a last chunk may look beyond
    for (std::int64_t i = 0; i < labels.rows; ++i)
      for (std::int64_t j = 0; j < labels.columns; ++j)
        values[static_cast<std::size_t>(index(i, j))] = labels.values[i * labels.columns + j];
  }
  [[nodiscard]] std::int64_t index(std::int64_t row, std::int64_t column) const {
    const std::int64_t at = column + pad;
    return (row * grid + at % grid) * width + at / grid;
  }
};

/// Where the steps of a ray lead from a row's cells, as differences in `lanes`; how many of them stay in the padded image.
std::size_t shifts_of(const Ray& ray, const Lanes& lanes, const LabelView& labels, std::int64_t row,
                      std::int64_t column, std::vector<std::int64_t>& shift) {
  shift.assign(1, 0);
  const std::int64_t from = lanes.index(row, column);
  for (std::size_t s = 1; s < ray.rows.size(); ++s) {
    const std::int64_t r = row + ray.rows[s];
    if (r < 0 || r >= labels.rows || std::abs(ray.columns[s]) > lanes.pad) break;
    shift.push_back(lanes.index(r, column + ray.columns[s]) - from);
  }
  return shift.size() - 1;
}

constexpr std::int64_t lane_count = 32;  // cells that march together: until the last of them has arrived

/// Steps that each of n <= lane_count cells from `own` on can make along a ray before it meets another label.
/// `shift[s]` leads to what it meets in step s; there are `last` steps that stay in the padded image.
CATHOSCOPE_MULTIVERSION
void march(const std::uint32_t* own, const std::int64_t* shift, std::size_t last, std::int64_t n,
           std::uint32_t* __restrict steps) {
  std::uint32_t alive[lane_count];
  for (std::int64_t j = 0; j < lane_count; ++j) alive[j] = j < n && own[j] != 0 ? 1 : 0;
  for (std::int64_t j = 0; j < lane_count; ++j) steps[j] = 0;
  std::uint32_t any = 1;
  for (std::size_t s = 1; s <= last && any != 0; ++s) {
    const std::uint32_t* there = own + shift[s];
    any = 0;
    for (std::int64_t j = 0; j < lane_count; ++j) {
      alive[j] &= own[j] == there[j] ? 1U : 0U;
      steps[j] += alive[j];
      any |= alive[j];
    }
  }
}

}  // namespace

std::vector<float> edge_probability(const LabelView& labels, const TargetWindow& window, int grid) {
  const Cells cells = reduced(labels, window, grid);
  const auto squared = squared_distances(cells.view);
  std::unordered_map<std::uint32_t, std::int64_t> largest;
  for (std::size_t i = 0; i < squared.size(); ++i)
    if (cells.values[i] != 0) largest[cells.values[i]] = std::max(largest[cells.values[i]], squared[i]);
  std::vector<float> probability;
  probability.reserve(static_cast<std::size_t>(cells.rows * cells.columns));
  for (std::int64_t i = 0; i < cells.rows; ++i)
    for (std::int64_t j = 0; j < cells.columns; ++j) {
      const auto at = static_cast<std::size_t>((cells.row + i) * cells.view.columns + cells.column + j);
      const double most = cells.values[at] == 0 ? 1.0 : static_cast<double>(largest[cells.values[at]]);
      probability.push_back(static_cast<float>(std::sqrt(static_cast<double>(squared[at]) / most)));
    }
  return probability;
}

std::vector<float> ray_distances(const LabelView& labels, const TargetWindow& window, int grid, int rays,
                                 RayAtBorder border) {
  const Lanes lanes(labels, grid);
  const std::int64_t rows = (window.rows + grid - 1) / grid, columns = (window.columns + grid - 1) / grid;
  std::vector<float> distances(static_cast<std::size_t>(rays * rows * columns), 0.0F);
  std::vector<std::int64_t> shift;
  std::uint32_t steps[lane_count];
  for (int k = 0; k < rays; ++k) {
    const Ray ray = make_ray(k, rays, labels.rows + labels.columns + 2);
    float* out = distances.data() + k * rows * columns;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t row = window.row + i * grid;
      const std::size_t last = shifts_of(ray, lanes, labels, row, window.column, shift);
      for (std::int64_t j = 0; j < columns; j += lane_count) {
        const std::int64_t n = std::min(lane_count, columns - j);
        march(lanes.values.data() + lanes.index(row, window.column) + j, shift.data(), last, n, steps);
        for (std::int64_t l = 0; l < n; ++l) {
          const std::int64_t column = window.column + (j + l) * grid;
          if (labels.values[row * labels.columns + column] == 0) continue;
          const std::size_t arrived = steps[l] + 1;
          const std::int64_t r = row + ray.rows[arrived], c = column + ray.columns[arrived];
          const bool inside = r >= 0 && r < labels.rows && c >= 0 && c < labels.columns;
          out[i * columns + j + l] =
              inside || border == RayAtBorder::ends ? static_cast<float>(arrived) - ray.overshoot : -1.0F;
        }
      }
    }
  }
  return distances;
}

}  // namespace cathoscope
