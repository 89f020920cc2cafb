#include "geometry.hpp"

namespace cathoscope::phantom_detail {

Vec3 unit_vector(Stream& draw) {
  Vec3 v;
  double length = 0;
  do {
    for (double& c : v) c = draw.normal();
    length = std::sqrt(dot(v, v));
  } while (length < 1e-9);
  return scaled(v, 1 / length);
}

Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Vec3 scaled(const Vec3& a, double factor) { return {a[0] * factor, a[1] * factor, a[2] * factor}; }

double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

std::array<Vec3, 3> frame_about(const Vec3& first, Stream& draw) {
  Vec3 second;
  double length = 0;
  do {
    second = unit_vector(draw);
    const double shadow = dot(second, first);
    for (std::size_t a = 0; a < 3; ++a) second[a] -= shadow * first[a];
    length = std::sqrt(dot(second, second));
  } while (length < 1e-3);
  second = scaled(second, 1 / length);
  return {first, second, cross(first, second)};
}

Vec3 map_direction(int i, int j) {
  const double u = 2.0 * i / (map_nodes - 1) - 1, v = 2.0 * j / (map_nodes - 1) - 1;
  Vec3 d{1 - std::abs(u) - std::abs(v), v, u};
  if (d[0] < 0) {
    d[2] = (1 - std::abs(v)) * (u < 0 ? -1 : 1);
    d[1] = (1 - std::abs(u)) * (v < 0 ? -1 : 1);
  }
  return scaled(d, 1 / std::sqrt(dot(d, d)));
}

std::vector<float> draw_grain_map(Stream& draw) {
  constexpr auto n = static_cast<std::size_t>(map_nodes);
  std::vector<float> map(n * n);
  // Between nodes the map is bilinear, which leaves 4/9 of the variance on average.
  for (float& v : map) v = static_cast<float>(1.5 * draw.normal());
  // The map's sides are folded onto themselves: the same direction has the same value.
  for (std::size_t i = 0; i < n / 2; ++i) {
    map[n - 1 - i] = map[i];
    map[(n - 1) * n + n - 1 - i] = map[(n - 1) * n + i];
    map[(n - 1 - i) * n] = map[i * n];
    map[(n - 1 - i) * n + n - 1] = map[i * n + n - 1];
  }
  return map;
}

}  // namespace cathoscope::phantom_detail
