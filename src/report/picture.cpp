#include "picture.hpp"

#include <algorithm>
#include <cmath>

namespace cathoscope::report {

namespace {

constexpr int shades = 15;
constexpr int tints = 16;  // the last is grey: value unknown

/// The palette: paper, then every tint in every shade.
std::vector<Colour> palette() {
  std::vector<Colour> colours{{255, 255, 255}};
  for (int t = 0; t < tints; ++t)
    for (int s = 0; s < shades; ++s) {
      const Colour c = t + 1 < tints ? viridis(t / (tints - 2.0)) : Colour{160, 160, 160};
      const double light = 0.25 + 0.75 * s / (shades - 1.0);
      Colour shaded{};
      for (std::size_t k = 0; k < 3; ++k) shaded[k] = static_cast<std::uint8_t>(std::lround(light * c[k]));
      colours.push_back(shaded);
    }
  return colours;
}

/// Looks into the grid along a direction; positions are um, z y x, from the grid's low corner.
struct Scene {
  const Grid<std::uint32_t>& labels;
  Index3 shape = labels.shape();

  [[nodiscard]] Index3 voxel(const Vec3& p) const {
    Index3 i{};
    for (std::size_t a = 0; a < 3; ++a) i[a] = static_cast<std::int64_t>(std::floor(p[a] / labels.voxel_size_um[a]));
    return i;
  }
  [[nodiscard]] std::uint32_t at(const Index3& i) const {
    for (std::size_t a = 0; a < 3; ++a)
      if (i[a] < 0 || i[a] >= shape[a]) return 0;
    return labels.values(i[0], i[1], i[2]);
  }
  /// Outward normal of a label at one of its voxels, from which of its neighbours within two voxels are its own.
  [[nodiscard]] Vec3 normal(const Index3& i, std::uint32_t label) const {
    Vec3 sum{0, 0, 0};
    for (std::int64_t z = -2; z <= 2; ++z)
      for (std::int64_t y = -2; y <= 2; ++y)
        for (std::int64_t x = -2; x <= 2; ++x) {
          const Index3 n{i[0] + z, i[1] + y, i[2] + x};
          if (at(n) == label) continue;
          sum[0] += static_cast<double>(z);
          sum[1] += static_cast<double>(y);
          sum[2] += static_cast<double>(x);
        }
    const double length = std::sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
    for (double& s : sum) s = length > 0 ? s / length : 0;
    return sum;
  }
};

double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Orthonormal axes of the view: where to look, to the right, and up on the page. z is drawn upwards.
struct View {
  Vec3 forward{-0.5, 0.612372435695794, 0.612372435695794};  // down by 30 degrees, along the diagonal of x and y
  Vec3 right{0, -0.707106781186548, 0.707106781186548};
  Vec3 up{0.866025403784439, 0.353553390593274, 0.353553390593274};
};

/// Range of the grid's corners along an axis of the view.
std::pair<double, double> extent(const Vec3& size, const Vec3& axis) {
  double low = 0, high = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    const double reach = size[a] * axis[a];
    (reach < 0 ? low : high) += reach;
  }
  return {low, high};
}

/// Part of the ray that lies in the grid; empty where first > second.
std::pair<double, double> inside(const Vec3& size, const Vec3& start, const Vec3& direction) {
  double from = -1e300, to = 1e300;
  for (std::size_t a = 0; a < 3; ++a) {
    const double one = -start[a] / direction[a], other = (size[a] - start[a]) / direction[a];
    from = std::max(from, std::min(one, other));
    to = std::min(to, std::max(one, other));
  }
  return {from, to};
}

std::uint8_t colour_of(const Scene& scene, const Index3& hit, std::uint32_t label, const std::vector<double>& value) {
  const Vec3 light{0.74, -0.30, -0.60};  // from above, over the left shoulder
  const double brightness = 0.30 + 0.70 * std::max(0.0, dot(scene.normal(hit, label), light));
  const int shade = std::clamp(static_cast<int>(std::lround(brightness * (shades - 1))), 0, shades - 1);
  const double v = label < value.size() ? value[label] : std::nan("");
  const int tint = std::isfinite(v) ? static_cast<int>(std::lround(std::clamp(v, 0.0, 1.0) * (tints - 2))) : tints - 1;
  return static_cast<std::uint8_t>(1 + tint * shades + shade);
}

}  // namespace

Colour viridis(double share) {
  static constexpr std::array<Colour, 9> stops{{{68, 1, 84},
                                                {71, 44, 122},
                                                {59, 81, 139},
                                                {44, 113, 142},
                                                {33, 144, 141},
                                                {39, 173, 129},
                                                {92, 200, 99},
                                                {170, 220, 50},
                                                {253, 231, 37}}};
  const double at = std::clamp(share, 0.0, 1.0) * 8;
  const auto i = std::min<std::size_t>(7, static_cast<std::size_t>(at));
  Colour c{};
  for (std::size_t k = 0; k < 3; ++k)
    c[k] = static_cast<std::uint8_t>(
        std::lround(stops[i][k] + (at - static_cast<double>(i)) * (stops[i + 1][k] - stops[i][k])));
  return c;
}

Picture still_picture(const Grid<std::uint32_t>& labels, const std::vector<double>& value, int width) {
  const Scene scene{labels};
  const View view;
  Vec3 size{};
  for (std::size_t a = 0; a < 3; ++a) size[a] = static_cast<double>(scene.shape[a]) * labels.voxel_size_um[a];
  const auto [left, right] = extent(size, view.right);
  const auto [bottom, top] = extent(size, view.up);
  const double pixel = (right - left) / width;
  const double step = 0.5 * *std::min_element(labels.voxel_size_um.begin(), labels.voxel_size_um.end());
  Picture picture{width, std::max(1, static_cast<int>(std::lround((top - bottom) / pixel))), palette(), {}};
  for (int row = 0; row < picture.height; ++row)
    for (int column = 0; column < width; ++column) {
      const double across = left + (column + 0.5) * pixel, upward = top - (row + 0.5) * pixel;
      Vec3 start{};
      for (std::size_t a = 0; a < 3; ++a) start[a] = across * view.right[a] + upward * view.up[a];
      const auto [from, to] = inside(size, start, view.forward);
      std::uint8_t colour = 0;
      for (double t = from + 0.1 * step; t < to && colour == 0; t += step) {
        const Index3 i = scene.voxel(
            {start[0] + t * view.forward[0], start[1] + t * view.forward[1], start[2] + t * view.forward[2]});
        if (const std::uint32_t label = scene.at(i)) colour = colour_of(scene, i, label, value);
      }
      picture.pixels.push_back(colour);
    }
  return picture;
}

}  // namespace cathoscope::report
