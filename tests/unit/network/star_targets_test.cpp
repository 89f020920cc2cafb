#include <cathoscope/network/star_targets.hpp>

#include <cathoscope/core/random.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <tuple>

using namespace cathoscope;

namespace {

struct Image {
  std::int64_t rows, columns;
  std::vector<std::uint32_t> values;
  [[nodiscard]] LabelView view() const { return {rows, columns, values.data()}; }
};

Image drawn(std::int64_t rows, std::int64_t columns, const std::function<std::uint32_t(double, double)>& label) {
  Image image{rows, columns, {}};
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      image.values.push_back(label(static_cast<double>(i), static_cast<double>(j)));
  return image;
}

/// Discs and noise: touching, nested, cut by the border, of one pixel.
Image random_labels(std::uint64_t seed) {
  Stream random(seed, {"random labels"});
  Image image{static_cast<std::int64_t>(20 + random.below(40)), static_cast<std::int64_t>(20 + random.below(40)), {}};
  image.values.assign(static_cast<std::size_t>(image.rows * image.columns), 0);
  for (std::uint32_t id = 1; id < 12; ++id) {
    const double ci = random.uniform(0, static_cast<double>(image.rows)), r = random.uniform(0.5, 12);
    const double cj = random.uniform(0, static_cast<double>(image.columns));
    for (std::int64_t i = 0; i < image.rows; ++i)
      for (std::int64_t j = 0; j < image.columns; ++j)
        if (std::hypot(static_cast<double>(i) - ci, static_cast<double>(j) - cj) < r)
          image.values[static_cast<std::size_t>(i * image.columns + j)] = id * 70000;
  }
  return image;
}

/// The definition, word by word.
float slow_ray(const LabelView& l, std::int64_t i, std::int64_t j, int k, int rays, RayAtBorder border) {
  const std::uint32_t label = l.values[i * l.columns + j];
  if (label == 0) return 0;
  const float angle = static_cast<float>(k) * static_cast<float>(2 * std::numbers::pi / rays);
  const float dj = std::cos(angle), di = std::sin(angle);
  float x = 0, y = 0;
  for (int step = 1;; ++step) {
    x += dj, y += di;
    const std::int64_t r = i + std::lround(y), c = j + std::lround(x);
    const bool out = r < 0 || r >= l.rows || c < 0 || c >= l.columns;
    if (out && border == RayAtBorder::unknown) return -1;
    if (out || l.values[r * l.columns + c] != label)
      return static_cast<float>(step) - (1 - 0.5F / std::max(std::abs(di), std::abs(dj)));
  }
}

std::vector<float> slow_probability(const LabelView& l, const TargetWindow& w, int grid) {
  const auto distance = [&](std::int64_t i, std::int64_t j) {
    double best = 1e30;
    const std::uint32_t label = l.values[i * l.columns + j];
    for (std::int64_t r = i % grid; r < l.rows; r += grid)
      for (std::int64_t c = j % grid; c < l.columns; c += grid)
        if (l.values[r * l.columns + c] != label)
          best = std::min(best, std::hypot(static_cast<double>(r - i), static_cast<double>(c - j)));
    return best;
  };
  std::map<std::tuple<std::uint32_t, std::int64_t, std::int64_t>, double> most;  // of a label on one of the grids
  for (std::int64_t r = 0; r < l.rows; ++r)
    for (std::int64_t c = 0; c < l.columns; ++c)
      if (const std::uint32_t label = l.values[r * l.columns + c]; label != 0) {
        double& m = most[{label, r % grid, c % grid}];
        m = std::max(m, distance(r, c));
      }
  std::vector<float> out;
  for (std::int64_t i = w.row; i < w.row + w.rows; i += grid)
    for (std::int64_t j = w.column; j < w.column + w.columns; j += grid) {
      const std::uint32_t label = l.values[i * l.columns + j];
      out.push_back(label == 0 ? 0 : static_cast<float>(distance(i, j) / most.at({label, i % grid, j % grid})));
    }
  return out;
}

}  // namespace

TEST_CASE("ray distances are those of the definition") {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const Image image = random_labels(seed);
    const LabelView l = image.view();
    const int grid = 1 + static_cast<int>(seed % 3);
    const TargetWindow window{static_cast<std::int64_t>(seed % 5), 3, l.rows - 7, l.columns - 5};
    const auto border = seed % 2 == 0 ? RayAtBorder::ends : RayAtBorder::unknown;
    const auto fast = ray_distances(l, window, grid, 32, border);
    std::size_t at = 0;
    bool equal = true;
    for (int k = 0; k < 32; ++k)
      for (std::int64_t i = window.row; i < window.row + window.rows; i += grid)
        for (std::int64_t j = window.column; j < window.column + window.columns; j += grid)
          equal = equal && fast[at++] == slow_ray(l, i, j, k, 32, border);
    CHECK(equal);
    CHECK(at == fast.size());
  }
}

TEST_CASE("edge probabilities are those of the definition") {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    const Image image = random_labels(seed);
    const LabelView l = image.view();
    const int grid = 1 + static_cast<int>(seed % 2);
    const TargetWindow window{static_cast<std::int64_t>(seed % 3), 1, l.rows - 4, l.columns - 2};
    const auto fast = edge_probability(l, window, grid);
    const auto slow = slow_probability(l, window, grid);
    REQUIRE(fast.size() == slow.size());
    double worst = 0;
    for (std::size_t i = 0; i < fast.size(); ++i) worst = std::max(worst, std::abs(double{fast[i]} - double{slow[i]}));
    CHECK(worst < 1e-6);  // one rounding to float
  }
}

TEST_CASE("rays of discs and ellipses end at the outline") {
  // Unit steps and positions rounded to pixels: a half and at most 0.71 pixels, which meet in few rays.
  for (const double stretch : {1.0, 1.5, 2.2}) {
    const double a = 24.3 * stretch / 1.5, b = 24.3 / 1.5, ci = 60.2, cj = 59.7, turn = 0.4;
    const auto level = [&](double i, double j) {
      const double u = (j - cj) * std::cos(turn) + (i - ci) * std::sin(turn);
      const double v = -(j - cj) * std::sin(turn) + (i - ci) * std::cos(turn);
      return u * u / (a * a) + v * v / (b * b);
    };
    const Image image = drawn(120, 120, [&](double i, double j) { return level(i, j) < 1 ? 5U : 0U; });
    const auto rays = ray_distances(image.view(), whole_window(image.view()), 2, 32, RayAtBorder::ends);
    std::vector<double> errors;
    for (int k = 0; k < 32; ++k)
      for (std::int64_t i = 0; i < 60; ++i)
        for (std::int64_t j = 0; j < 60; ++j) {
          const double angle = 2 * std::numbers::pi * k / 32, row = 2.0 * static_cast<double>(i);
          const double column = 2.0 * static_cast<double>(j);
          if (level(row, column) > 0.25) continue;  // rays that graze the outline measure its pixels, not its shape
          double low = 0, high = 200;
          for (int s = 0; s < 60; ++s) {
            const double t = (low + high) / 2;
            (level(row + t * std::sin(angle), column + t * std::cos(angle)) < 1 ? low : high) = t;
          }
          errors.push_back(std::abs(double{rays[static_cast<std::size_t>(k * 3600 + i * 60 + j)]} - low));
        }
    std::sort(errors.begin(), errors.end());
    CHECK(errors[errors.size() * 85 / 100] <= 0.75);
    CHECK(errors.back() <= 1.75);  // 1.21 along the normal; rays meet this outline at up to 45 degrees
  }
}

TEST_CASE("a label that fills the image has probability 1, and no ray knows an outline") {
  const Image image = drawn(9, 12, [](double, double) { return 3U; });
  for (const float p : edge_probability(image.view(), whole_window(image.view()), 2)) CHECK(p == 1);
  for (const float d : ray_distances(image.view(), whole_window(image.view()), 2, 32, RayAtBorder::unknown))
    CHECK(d == -1);
}

TEST_CASE("a particle that the border cuts is deepest at the border") {
  const Image image = drawn(40, 40, [](double i, double j) { return std::hypot(i, j - 20) < 15 ? 1U : 0U; });
  const auto p = edge_probability(image.view(), whole_window(image.view()), 1);
  CHECK(p[20] == 1);
  CHECK(p[10 * 40 + 20] < 0.5F);
}
