#pragma once
/// Small float algebra (z, y, x) and the octahedral map of a particle's waves.

#include <cathoscope/core/random.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace cathoscope::phantom_detail {

using Float3 = std::array<float, 3>;  ///< z, y, x

inline float dot(const float* row, const Float3& p) { return row[0] * p[0] + row[1] * p[1] + row[2] * p[2]; }
inline Float3 times(const Matrix3& m, const Float3& p) {
  return {dot(m.data(), p), dot(m.data() + 3, p), dot(m.data() + 6, p)};
}
inline float norm2(const Float3& p) { return p[0] * p[0] + p[1] * p[1] + p[2] * p[2]; }

Vec3 unit_vector(Stream& draw);
Vec3 cross(const Vec3& a, const Vec3& b);
Vec3 scaled(const Vec3& a, double factor);
double dot(const Vec3& a, const Vec3& b);
/// Right-handed orthonormal rows, the first along `first`, turned about it at random.
std::array<Vec3, 3> frame_about(const Vec3& first, Stream& draw);

/// Nodes along an edge of the octahedral map: some 4.5 degrees apart, fine for waves up to degree 8.
inline constexpr int map_nodes = 41;

/// The direction of node (i, j).
Vec3 map_direction(int i, int j);

/// Place on the map, in nodes from its corner, of the direction of q.
inline void map_place(const Float3& q, float& a, float& b) {
  const float sum = std::abs(q[0]) + std::abs(q[1]) + std::abs(q[2]);
  const float inverse = 1.0F / (sum > 1e-12F ? sum : 1e-12F);
  const float u = q[2] * inverse, v = q[1] * inverse;
  const float folded_u = u < 0 ? std::abs(v) - 1 : 1 - std::abs(v),
              folded_v = v < 0 ? std::abs(u) - 1 : 1 - std::abs(u);
  constexpr float half = (map_nodes - 1) / 2.0F;
  a = ((q[0] < 0 ? folded_u : u) + 1) * half;
  b = ((q[0] < 0 ? folded_v : v) + 1) * half;
}

/// Bilinear value of the map at such a place.
inline float map_value(const float* map, float a, float b) {
  const float x = a > 0 ? a : 0, y = b > 0 ? b : 0;
  const int i = std::min(static_cast<int>(x), map_nodes - 2), j = std::min(static_cast<int>(y), map_nodes - 2);
  const float s = x - static_cast<float>(i), t = y - static_cast<float>(j);
  const float* p = map + j * map_nodes + i;
  const float low = p[0] + s * (p[1] - p[0]), high = p[map_nodes] + s * (p[map_nodes + 1] - p[map_nodes]);
  return low + t * (high - low);
}

/// Of the grain at q (a place in the unit frame of its particle): grains point outwards and are some 4.5 degrees wide
/// and 0.4 radii long.
inline float grain_at(const float* map, const Float3& q) {
  float a = 0, b = 0;
  map_place(q, a, b);
  // Each shell reads another part of the map.
  const auto shell = static_cast<float>(static_cast<int>(std::min(2.5F * std::sqrt(norm2(q)), 8.0F)));
  constexpr float period = map_nodes - 1;
  a += 13 * shell;
  b += 7 * shell;
  return map_value(map, a - period * static_cast<float>(static_cast<int>(a / period)),
                   b - period * static_cast<float>(static_cast<int>(b / period)));
}

/// Values for `Particle::grain`.
std::vector<float> draw_grain_map(Stream& draw);

}  // namespace cathoscope::phantom_detail
