#include <cathoscope/network/star_targets.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr std::int32_t nowhere = 1 << 14;  // pixels: farther than any cell of another label can be
constexpr std::int64_t endless = std::int64_t{nowhere} * nowhere;

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

/// Squared distance of every cell to the nearest one of another label; `endless` where there is none. Background 0.
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

/// How many steps from a pixel surely stay inside its label and the image. Both ends of a move are rounded to pixels,
/// by up to sqrt(1/2) each.
std::vector<std::uint16_t> safe_steps(const LabelView& labels) {
  const auto squared = squared_distances(labels);
  std::vector<std::uint16_t> steps(squared.size());
  for (std::int64_t i = 0; i < labels.rows; ++i)
    for (std::int64_t j = 0; j < labels.columns; ++j) {
      const auto at = static_cast<std::size_t>(i * labels.columns + j);
      const std::int64_t border = std::min({i + 1, labels.rows - i, j + 1, labels.columns - j});
      const double reach = std::min(std::sqrt(static_cast<double>(squared[at])), static_cast<double>(border));
      steps[at] = static_cast<std::uint16_t>(std::clamp(std::ceil(reach - 1.4143) - 1, 0.0, 65535.0));
    }
  return steps;
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
  const auto safe = safe_steps(labels);
  const std::int64_t rows = (window.rows + grid - 1) / grid, columns = (window.columns + grid - 1) / grid;
  const std::int64_t longest = 2 * (labels.rows + labels.columns);
  std::vector<float> distances(static_cast<std::size_t>(rays * rows * columns), 0.0F);
  for (int k = 0; k < rays; ++k) {
    const Ray ray = make_ray(k, rays, longest);
    float* out = distances.data() + k * rows * columns;
    for (std::int64_t cell = 0; cell < rows * columns; ++cell) {
      const std::int64_t i = window.row + cell / columns * grid, j = window.column + cell % columns * grid;
      const std::uint32_t label = labels.values[i * labels.columns + j];
      if (label == 0) continue;
      std::size_t step = 0;
      bool inside = true;
      for (std::int64_t at = i * labels.columns + j; labels.values[at] == label;) {
        step += std::max<std::size_t>(1, safe[static_cast<std::size_t>(at)]);
        const std::int64_t row = i + ray.rows[step], column = j + ray.columns[step];
        inside = row >= 0 && row < labels.rows && column >= 0 && column < labels.columns;
        if (!inside) break;
        at = row * labels.columns + column;
      }
      out[cell] = inside || border == RayAtBorder::ends ? static_cast<float>(step) - ray.overshoot : -1.0F;
    }
  }
  return distances;
}

}  // namespace cathoscope
