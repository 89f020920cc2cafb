#include "star_polygons.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr std::int64_t border_cells = 2;
constexpr std::int64_t bucket = 64;  // pixels

struct Point {
  double row, column;
};

std::array<Point, star_rays> corners_of(const StarPolygon& p) {
  std::array<Point, star_rays> corners{};
  for (int k = 0; k < star_rays; ++k) {
    const double angle = 2 * pi * k / star_rays;
    const double d = p.distances[static_cast<std::size_t>(k)];
    corners[static_cast<std::size_t>(k)] = {p.row + d * std::sin(angle), p.column + d * std::cos(angle)};
  }
  return corners;
}

std::int64_t area(const std::vector<PixelRun>& runs) {
  std::int64_t n = 0;
  for (const PixelRun& r : runs) n += r.end - r.begin;
  return n;
}

std::int64_t overlap(const std::vector<PixelRun>& a, const std::vector<PixelRun>& b) {
  std::int64_t n = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i].row != b[j].row) {
      (a[i].row < b[j].row ? i : j) += 1;
      continue;
    }
    n += std::max<std::int64_t>(0, std::min(a[i].end, b[j].end) - std::max(a[i].begin, b[j].begin));
    (a[i].end < b[j].end ? i : j) += 1;
  }
  return n;
}

/// Polygons that stay, found by where they are.
class Survivors {
 public:
  [[nodiscard]] bool suppress(const std::vector<PixelRun>& runs, double most) const {
    const std::int64_t own = area(runs);
    std::vector<std::size_t> tested;
    for (const std::int64_t key : buckets_of(runs)) {
      const auto found = near_.find(key);
      if (found == near_.end()) continue;
      for (const std::size_t s : found->second) {
        if (std::find(tested.begin(), tested.end(), s) != tested.end()) continue;
        tested.push_back(s);
        const double smaller = static_cast<double>(std::min(own, area_[s]));
        if (smaller > 0 && static_cast<double>(overlap(runs, runs_[s])) / smaller > most) return true;
      }
    }
    return false;
  }

  void add(std::vector<PixelRun> runs) {
    for (const std::int64_t key : buckets_of(runs)) near_[key].push_back(runs_.size());
    area_.push_back(area(runs));
    runs_.push_back(std::move(runs));
  }

 private:
  static std::vector<std::int64_t> buckets_of(const std::vector<PixelRun>& runs) {
    std::vector<std::int64_t> keys;
    for (const PixelRun& r : runs)
      for (std::int64_t c = r.begin / bucket; c <= (r.end - 1) / bucket; ++c)
        keys.push_back((r.row / bucket) << 32 | c);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  }

  std::unordered_map<std::int64_t, std::vector<std::size_t>> near_;
  std::vector<std::vector<PixelRun>> runs_;
  std::vector<std::int64_t> area_;
};

/// Cells above the threshold, most probable first.
std::vector<std::int64_t> candidates(const StarFields& f, double probability) {
  std::vector<std::int64_t> cells;
  for (std::int64_t i = border_cells; i < f.rows - border_cells; ++i)
    for (std::int64_t j = border_cells; j < f.columns - border_cells; ++j)
      if (double{f.probability[static_cast<std::size_t>(i * f.columns + j)]} > probability)
        cells.push_back(i * f.columns + j);
  std::stable_sort(cells.begin(), cells.end(), [&](auto a, auto b) {
    return f.probability[static_cast<std::size_t>(a)] > f.probability[static_cast<std::size_t>(b)];
  });
  return cells;
}

StarPolygon polygon_of(const StarFields& f, std::int64_t cell) {
  StarPolygon p;
  p.row = static_cast<double>(cell / f.columns * f.grid);
  p.column = static_cast<double>(cell % f.columns * f.grid);
  p.probability = f.probability[static_cast<std::size_t>(cell)];
  for (std::size_t k = 0; k < star_rays; ++k)
    p.distances[k] = std::max(0.0F, f.distances[k * f.probability.size() + static_cast<std::size_t>(cell)]);
  return p;
}

}  // namespace

StarPolygon StarPolygon::scaled(double scale) const {
  StarPolygon p = *this;
  p.row = (row + 0.5) * scale - 0.5;
  p.column = (column + 0.5) * scale - 0.5;
  for (float& d : p.distances) d = static_cast<float>(d * scale);
  return p;
}

std::vector<PixelRun> pixels_of(const StarPolygon& polygon, std::int64_t rows, std::int64_t columns) {
  const auto corners = corners_of(polygon);
  double low = corners[0].row;
  double high = corners[0].row;
  for (const Point& c : corners) {
    low = std::min(low, c.row);
    high = std::max(high, c.row);
  }
  std::vector<PixelRun> runs;
  std::vector<double> crossings;
  const std::int64_t last = std::min(rows - 1, static_cast<std::int64_t>(std::floor(high)));
  for (std::int64_t y = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(low))); y <= last; ++y) {
    crossings.clear();
    const auto row = static_cast<double>(y);
    for (std::size_t k = 0; k < corners.size(); ++k) {
      const Point& a = corners[k];
      const Point& b = corners[(k + 1) % corners.size()];
      if ((a.row <= row) == (b.row <= row)) continue;
      crossings.push_back(a.column + (row - a.row) / (b.row - a.row) * (b.column - a.column));
    }
    std::sort(crossings.begin(), crossings.end());
    for (std::size_t k = 0; k + 1 < crossings.size(); k += 2) {
      const auto begin = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(crossings[k])));
      const auto end = std::min(columns, static_cast<std::int64_t>(std::floor(crossings[k + 1])) + 1);
      if (begin < end) runs.push_back({y, begin, end});
    }
  }
  return runs;
}

std::vector<StarPolygon> surviving_polygons(const StarFields& fields, std::int64_t rows, std::int64_t columns,
                                            double probability, double suppression) {
  std::vector<StarPolygon> result;
  Survivors survivors;
  for (const std::int64_t cell : candidates(fields, probability)) {
    const StarPolygon polygon = polygon_of(fields, cell);
    auto runs = pixels_of(polygon, rows, columns);
    if (runs.empty() || survivors.suppress(runs, suppression)) continue;
    survivors.add(std::move(runs));
    result.push_back(polygon);
  }
  return result;
}

std::vector<std::uint32_t> painted_polygons(const std::vector<StarPolygon>& descending, std::int64_t rows,
                                            std::int64_t columns) {
  std::vector<std::uint32_t> labels(static_cast<std::size_t>(rows * columns), 0);
  for (std::size_t i = descending.size(); i-- > 0;)
    for (const PixelRun& r : pixels_of(descending[i], rows, columns))
      std::fill(labels.begin() + r.row * columns + r.begin, labels.begin() + r.row * columns + r.end,
                static_cast<std::uint32_t>(i + 1));
  return labels;
}

}  // namespace cathoscope
