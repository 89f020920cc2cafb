#include "particle_view.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

Vec3 unit(Vec3 v) {
  const double length = std::sqrt(dot(v, v));
  for (double& c : v) c /= length > 0 ? length : 1;
  return v;
}

constexpr double far_away = std::numeric_limits<double>::infinity();

/// What one ray met.
struct Hit {
  std::uint32_t label = 0;
  double depth = far_away;  ///< um along the ray
  double light = 0;         ///< 0 to 1
};

/// Rays through the box of cells; the box's middle is the origin.
class Scene {
 public:
  Scene(const ReducedLabels& grid, const Projection& p) : grid_(grid), p_(p), shape_(shape_of(grid.labels)) {
    for (std::size_t a = 0; a < 3; ++a) half_[a] = 0.5 * static_cast<double>(shape_[a]) * grid.cell_um[a];
    light_ = {};
    for (std::size_t a = 0; a < 3; ++a) light_[a] = -0.62 * p.right[a] + 0.62 * p.up[a] - 0.75 * p.into[a];
    light_ = unit(light_);
  }

  [[nodiscard]] const Vec3& half() const { return half_; }

  /// The first particle on the ray through the point (u, v) of the plane.
  [[nodiscard]] Hit hit(double u, double v) const {
    Vec3 start{};
    for (std::size_t a = 0; a < 3; ++a) start[a] = u * p_.right[a] + v * p_.up[a];
    double enter = -far_away, leave = far_away;
    std::size_t face = 0;
    for (std::size_t a = 0; a < 3; ++a) {
      if (std::abs(p_.into[a]) < 1e-12) {
        if (std::abs(start[a]) > half_[a]) return {};
        continue;
      }
      const double one = (-half_[a] - start[a]) / p_.into[a], other = (half_[a] - start[a]) / p_.into[a];
      if (std::min(one, other) > enter) enter = std::min(one, other), face = a;
      leave = std::min(leave, std::max(one, other));
    }
    return enter < leave ? walk(start, enter, leave, face) : Hit{};
  }

 private:
  /// Cell by cell (Amanatides and Woo, 1987).
  [[nodiscard]] Hit walk(const Vec3& start, double t, double leave, std::size_t face) const {
    Index3 cell, step;
    Vec3 next, stride;
    for (std::size_t a = 0; a < 3; ++a) {
      const double at = (start[a] + t * p_.into[a] + half_[a]) / grid_.cell_um[a];
      cell[a] = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at)), 0, shape_[a] - 1);
      step[a] = p_.into[a] > 0 ? 1 : -1;
      const double wall = static_cast<double>(cell[a] + (step[a] > 0 ? 1 : 0)) * grid_.cell_um[a] - half_[a];
      const bool moves = std::abs(p_.into[a]) > 1e-12;
      next[a] = moves ? (wall - start[a]) / p_.into[a] : far_away;
      stride[a] = moves ? grid_.cell_um[a] / std::abs(p_.into[a]) : far_away;
    }
    bool first = true;
    while (t < leave) {
      const std::uint32_t label = at(cell);
      if (label != 0) return {label, t, first ? cut_light(face) : surface_light(cell, label)};
      first = false;
      const std::size_t a = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : (next[1] < next[2] ? 1 : 2);
      t = next[a];
      next[a] += stride[a];
      cell[a] += step[a];
      if (cell[a] < 0 || cell[a] >= shape_[a]) break;
    }
    return {};
  }

  [[nodiscard]] std::uint32_t at(const Index3& c) const {
    return grid_.labels.data()[(c[0] * shape_[1] + c[1]) * shape_[2] + c[2]];
  }

  /// Flat where the volume ends: nobody should take that for a surface of the particle.
  [[nodiscard]] double cut_light(std::size_t face) const { return face == 0 ? 0.98 : face == 1 ? 0.86 : 0.74; }

  /// Of the outward normal: away from the middle of the label's cells around this one.
  [[nodiscard]] double surface_light(const Index3& c, std::uint32_t label) const {
    constexpr std::int64_t reach = 3;
    Vec3 outward{0, 0, 0};
    for (std::int64_t z = -reach; z <= reach; ++z)
      for (std::int64_t y = -reach; y <= reach; ++y)
        for (std::int64_t x = -reach; x <= reach; ++x) {
          const Index3 n{c[0] + z, c[1] + y, c[2] + x};
          if (z * z + y * y + x * x > reach * reach + 1) continue;
          bool inside = true;
          for (std::size_t a = 0; a < 3; ++a) inside = inside && n[a] >= 0 && n[a] < shape_[a];
          if (!inside || at(n) != label) continue;
          outward[0] -= static_cast<double>(z) * grid_.cell_um[0];
          outward[1] -= static_cast<double>(y) * grid_.cell_um[1];
          outward[2] -= static_cast<double>(x) * grid_.cell_um[2];
        }
    return 0.36 + 0.72 * std::max(0.0, dot(unit(outward), light_));
  }

  const ReducedLabels& grid_;
  const Projection& p_;
  Index3 shape_;
  Vec3 half_{}, light_{};
};

/// Mean over a square window of side 2 r + 1 by running sums, of finite values only.
std::vector<double> box_mean(const std::vector<Hit>& hits, std::int64_t width, std::int64_t height, std::int64_t r) {
  std::vector<double> sums(static_cast<std::size_t>((width + 1) * (height + 1)), 0), counts(sums.size(), 0);
  const auto at = [&](std::int64_t y, std::int64_t x) { return static_cast<std::size_t>(y * (width + 1) + x); };
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const double d = hits[static_cast<std::size_t>(y * width + x)].depth;
      const bool met = d < far_away;
      sums[at(y + 1, x + 1)] = (met ? d : 0) + sums[at(y, x + 1)] + sums[at(y + 1, x)] - sums[at(y, x)];
      counts[at(y + 1, x + 1)] = (met ? 1 : 0) + counts[at(y, x + 1)] + counts[at(y + 1, x)] - counts[at(y, x)];
    }
  std::vector<double> means(hits.size(), 0);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t y0 = std::max<std::int64_t>(0, y - r), y1 = std::min(height, y + r + 1);
      const std::int64_t x0 = std::max<std::int64_t>(0, x - r), x1 = std::min(width, x + r + 1);
      const auto of = [&](const std::vector<double>& s) {
        return s[at(y1, x1)] - s[at(y0, x1)] - s[at(y1, x0)] + s[at(y0, x0)];
      };
      const double n = of(counts);
      means[static_cast<std::size_t>(y * width + x)] = n > 0 ? of(sums) / n : 0;
    }
  return means;
}

/// Brightness of each ray: its light, less behind the surroundings, dark on outlines.
std::vector<double> brightness(const std::vector<Hit>& hits, std::int64_t width, std::int64_t height, double step_um) {
  const auto mean = box_mean(hits, width, height, std::max<std::int64_t>(2, width / 60));
  std::vector<double> result(hits.size(), 0);
  const double reach = step_um * static_cast<double>(width) / 25;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<std::size_t>(y * width + x);
      if (hits[i].label == 0) continue;
      double b = hits[i].light * (1 - 0.55 * std::clamp((hits[i].depth - mean[i]) / reach, 0.0, 1.0));
      bool edge = false;
      if (x > 0) edge = edge || hits[i - 1].label != hits[i].label;
      if (y > 0) edge = edge || hits[i - static_cast<std::size_t>(width)].label != hits[i].label;
      result[i] = edge ? 0.25 * b : b;
    }
  return result;
}

}  // namespace

ReducedLabels reduced_labels(const ElectrodeGrids& grids, std::int64_t limit) {
  const Index3 shape = grids.labels.shape;
  std::int64_t k = 1;
  const auto cells = [&](std::int64_t by) {
    return ((shape[0] + by - 1) / by) * ((shape[1] + by - 1) / by) * ((shape[2] + by - 1) / by);
  };
  while (cells(k) > limit) ++k;
  ReducedLabels r;
  Index3 reduced;
  for (std::size_t a = 0; a < 3; ++a) {
    reduced[a] = (shape[a] + k - 1) / k;
    r.cell_um[a] = grids.labels.voxel_size_um[a] * static_cast<double>(k);
  }
  r.labels = array3<std::uint32_t>(reduced);
  for (const Box& block : blocks(shape, {64, 64, 512})) {
    const auto labels = grids.labels.load(block);
    const auto cracks = grids.cracks.load(block);
    const Index3 n = block.shape();
    const auto first = [&](std::size_t a) { return (block.begin[a] + k - 1) / k; };
    for (std::int64_t z = first(0); z * k < block.end[0]; ++z)
      for (std::int64_t y = first(1); y * k < block.end[1]; ++y)
        for (std::int64_t x = first(2); x * k < block.end[2]; ++x) {
          const std::int64_t i =
              ((z * k - block.begin[0]) * n[1] + y * k - block.begin[1]) * n[2] + x * k - block.begin[2];
          r.labels.data()[(z * reduced[1] + y) * reduced[2] + x] = cracks.data()[i] != 0 ? 0 : labels.data()[i];
        }
  }
  return r;
}

std::array<double, 2> Projection::of(const Vec3& point) const { return {dot(point, right), dot(point, up)}; }

Projection view_from_above(double azimuth_degree, double elevation_degree) {
  const double a = azimuth_degree * M_PI / 180, e = elevation_degree * M_PI / 180;
  // z points down in the picture, so up in space is -z.
  return {{0, -std::sin(a), std::cos(a)},
          {-std::cos(e), -std::sin(e) * std::cos(a), -std::sin(e) * std::sin(a)},
          {std::sin(e), -std::cos(e) * std::cos(a), -std::cos(e) * std::sin(a)}};
}

RenderedView render_labels(const ReducedLabels& grid, const Projection& projection, const LabelColours& colours,
                           std::int64_t pixels) {
  const Scene scene(grid, projection);
  double width_um = 0, height_um = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    width_um += 2 * scene.half()[a] * std::abs(projection.right[a]);
    height_um += 2 * scene.half()[a] * std::abs(projection.up[a]);
  }
  RenderedView view;
  view.pixel_um = std::max(width_um, height_um) / static_cast<double>(pixels);
  view.image.width = static_cast<std::int64_t>(std::ceil(width_um / view.pixel_um));
  view.image.height = static_cast<std::int64_t>(std::ceil(height_um / view.pixel_um));
  view.image.channels = 4;
  view.left_um = -width_um / 2;
  view.bottom_um = height_um / 2 - static_cast<double>(view.image.height) * view.pixel_um;
  const std::int64_t width = 2 * view.image.width, height = 2 * view.image.height;
  const double step = view.pixel_um / 2;
  std::vector<Hit> hits(static_cast<std::size_t>(width * height));
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      hits[static_cast<std::size_t>(y * width + x)] = scene.hit(view.left_um + (static_cast<double>(x) + 0.5) * step,
                                                                height_um / 2 - (static_cast<double>(y) + 0.5) * step);
  const auto bright = brightness(hits, width, height, step);
  for (std::int64_t y = 0; y < view.image.height; ++y)
    for (std::int64_t x = 0; x < view.image.width; ++x) {
      std::array<double, 4> sum{};
      for (const std::int64_t i :
           {4 * y * view.image.width + 2 * x, 4 * y * view.image.width + 2 * x + 1,
            (4 * y + 2) * view.image.width + 2 * x, (4 * y + 2) * view.image.width + 2 * x + 1}) {
        const Hit& h = hits[static_cast<std::size_t>(i)];
        if (h.label == 0) continue;
        const double b = bright[static_cast<std::size_t>(i)];
        for (std::size_t c = 0; c < 3; ++c) sum[c] += std::min(255.0, b * (colours.at(h.label)[c] + 22));
        sum[3] += 1;
      }
      for (std::size_t c = 0; c < 3; ++c)
        view.image.pixels.push_back(sum[3] > 0 ? static_cast<std::uint8_t>(sum[c] / sum[3]) : 255);
      view.image.pixels.push_back(static_cast<std::uint8_t>(255 * sum[3] / 4));
    }
  return view;
}

}  // namespace cathoscope
