#pragma once
/// What fusion would give for single particles and pairs, by formula: no planes, no network, any number of trials.

#include "segmentation_bodies.hpp"

#include "../../src/segmentation/fused_instances.hpp"

#include <algorithm>

namespace test {

/// Fused fields of a few bodies, in working voxels.
struct FusedBodies {
  Array3<float> probability;
  Array3<std::uint8_t> foreground;
  Array3<std::uint32_t> truth;
};

inline double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

inline Vec3 random_direction(Stream& random) {
  Vec3 d{random.normal(), random.normal(), random.normal()};
  const double length = std::sqrt(dot(d, d));
  for (double& c : d) c /= length;
  return d;
}

/// Noise that is smooth over four voxels, as that of views that agree with each other.
inline void add_smooth_noise(Array3<float>& values, double sd, Stream& random) {
  const Index3 n = shape_of(values);
  Grid<float> coarse{array3<float>({n[0] / 4 + 2, n[1] / 4 + 2, n[2] / 4 + 2}), {1, 1, 1}, {0, 0, 0}};
  for (float& v : coarse.values) v = static_cast<float>(sd * random.normal());
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x) {
        double sum = 0;
        for (int c = 0; c < 8; ++c) {
          const auto part = [&](std::int64_t i, bool high) {
            const double f = static_cast<double>(i % 4) / 4;
            return high ? f : 1 - f;
          };
          sum += part(z, c & 4) * part(y, c & 2) * part(x, c & 1) *
                 double{coarse.values(z / 4 + (c & 4 ? 1 : 0), y / 4 + (c & 2 ? 1 : 0), x / 4 + (c & 1 ? 1 : 0))};
        }
        values(z, y, x) = std::clamp(values(z, y, x) + static_cast<float>(sum), 0.0F, 1.0F);
      }
}

struct CrackPlane {
  Vec3 normal;
  double offset, half_gap;
  [[nodiscard]] double distance(const Vec3& p) const { return std::abs(dot(p, normal) - offset) - half_gap; }
};

/// A ball cut in two or more by planes that go all the way through. `belief` is how much of the answer is what a network
/// would say that takes the pieces for particles; `open` leaves the gaps out of the foreground.
inline FusedBodies cracked_ball(double radius, double gap, int planes, double belief, bool open, Stream& random) {
  const auto edge = static_cast<std::int64_t>(2 * radius) + 9;
  const double middle = static_cast<double>(edge - 1) / 2;
  std::vector<CrackPlane> cracks;
  for (int i = 0; i < planes; ++i)
    cracks.push_back({random_direction(random), random.uniform(-0.5, 0.5) * radius, gap / 2});
  FusedBodies b{array3<float>({edge, edge, edge}), array3<std::uint8_t>({edge, edge, edge}),
                array3<std::uint32_t>({edge, edge, edge})};
  const auto sides = [&](const Vec3& p) {
    std::size_t side = 0;
    for (std::size_t i = 0; i < cracks.size(); ++i)
      side |= (dot(p, cracks[i].normal) > cracks[i].offset ? std::size_t{1} : 0) << i;
    return side;
  };
  std::array<double, 8> deepest{};  // of each piece
  const auto depth_in_piece = [&](const Vec3& p) {
    double depth = radius - std::sqrt(dot(p, p));
    for (const CrackPlane& c : cracks) depth = std::min(depth, c.distance(p));
    return std::max(0.0, depth);
  };
  for (const bool measuring : {true, false})
    for (std::int64_t z = 0; z < edge; ++z)
      for (std::int64_t y = 0; y < edge; ++y)
        for (std::int64_t x = 0; x < edge; ++x) {
          const Vec3 p{static_cast<double>(z) - middle, static_cast<double>(y) - middle,
                       static_cast<double>(x) - middle};
          const double depth = depth_in_piece(p);
          double& most = deepest[sides(p)];
          most = std::max(most, depth);
          if (measuring) continue;
          const double whole_depth = std::max(0.0, 1 - std::sqrt(dot(p, p)) / radius);
          b.probability(z, y, x) =
              static_cast<float>((1 - belief) * whole_depth + belief * (most > 0 ? depth / most : 0.0));
          const bool in_gap =
              std::any_of(cracks.begin(), cracks.end(), [&](const auto& c) { return c.distance(p) < 0; });
          b.truth(z, y, x) = whole_depth > 0 ? 1 : 0;
          b.foreground(z, y, x) = whole_depth > 0 && !(open && in_gap) ? 1 : 0;
        }
  return b;
}

/// Two balls that share a neck of `neck` times the smaller radius. `belief` is the part of the answer that is what a
/// network would say that takes them for one.
inline FusedBodies touching_balls(double radius, double smaller, double neck, double belief, Stream& random) {
  const double a = neck * smaller;
  const double to_first = std::sqrt(radius * radius - a * a), to_second = std::sqrt(smaller * smaller - a * a);
  const Vec3 axis = random_direction(random);
  const double half = (to_first + to_second) / 2 + std::max(radius, smaller) + 4;
  const auto edge = static_cast<std::int64_t>(2 * half);
  FusedBodies b{array3<float>({edge, edge, edge}), array3<std::uint8_t>({edge, edge, edge}),
                array3<std::uint32_t>({edge, edge, edge})};
  b.probability.fill(0), b.foreground.fill(0), b.truth.fill(0);
  for (std::int64_t z = 0; z < edge; ++z)
    for (std::int64_t y = 0; y < edge; ++y)
      for (std::int64_t x = 0; x < edge; ++x) {
        Vec3 p{static_cast<double>(z) - half, static_cast<double>(y) - half, static_cast<double>(x) - half};
        for (std::size_t i = 0; i < 3; ++i) p[i] -= axis[i] * (to_first - to_second) / 2;  // the neck is the origin
        const double along = dot(p, axis);
        const double across = std::sqrt(std::max(0.0, dot(p, p) - along * along));
        const double first = radius - std::hypot(along + to_first, across);
        const double second = smaller - std::hypot(along - to_second, across);
        if (first <= 0 && second <= 0) continue;
        const bool is_first = along < 0;
        const double to_neck = std::hypot(along, std::max(0.0, across - a));
        const double apart = std::min(is_first ? first : second, to_neck) / (is_first ? radius : smaller);
        const double together = std::max({first, second, a - across - std::abs(along)}) / std::max(radius, smaller);
        b.truth(z, y, x) = is_first ? 1 : 2;
        b.foreground(z, y, x) = 1;
        b.probability(z, y, x) = static_cast<float>((1 - belief) * std::max(0.0, apart) + belief * together);
      }
  return b;
}

/// How many particles the seeds, the watershed, the closing and the test for cracks make of it; voxels of `voxel_um`.
inline std::uint32_t instances_in(const FusedBodies& bodies, double voxel_um, const CrackedRule& rule = {}) {
  const Index3 n = shape_of(bodies.truth);
  const Bench bench(n, n, 1, {voxel_um, voxel_um, voxel_um});
  const FieldOfView inside{{}, n};
  const auto filled =
      filled_instances(bench.workspace, {}, inside, stored(bench.workspace, bodies.foreground),
                       [&](const ScratchGrid<std::uint8_t>& mask) {
                         return fused_watershed(bench.workspace, bodies.probability, mask, 300, rule).basins;
                       });
  return filled.count;
}

}  // namespace test
