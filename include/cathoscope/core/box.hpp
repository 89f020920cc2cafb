#pragma once
/// Integer boxes on a voxel grid. Every triple in the program is ordered z, y, x.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace cathoscope {

using Index3 = std::array<std::int64_t, 3>;  ///< z, y, x
using Vec3 = std::array<double, 3>;          ///< z, y, x

inline std::int64_t volume_of(const Index3& shape) { return shape[0] * shape[1] * shape[2]; }

/// Half-open box [begin, end) in voxels.
struct Box {
  Index3 begin{0, 0, 0};
  Index3 end{0, 0, 0};

  [[nodiscard]] Index3 shape() const { return {end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]}; }
  [[nodiscard]] bool empty() const { return end[0] <= begin[0] || end[1] <= begin[1] || end[2] <= begin[2]; }
  [[nodiscard]] std::int64_t size() const { return empty() ? 0 : volume_of(shape()); }
  bool operator==(const Box&) const = default;
};

inline Box whole(const Index3& shape) { return {{0, 0, 0}, shape}; }

inline Box intersect(const Box& a, const Box& b) {
  Box r;
  for (int i = 0; i < 3; ++i) {
    r.begin[i] = std::max(a.begin[i], b.begin[i]);
    r.end[i] = std::max(r.begin[i], std::min(a.end[i], b.end[i]));
  }
  return r;
}

/// The box grown by `margin` voxels an axis and cut to the grid.
inline Box grown(const Box& box, const Index3& margin, const Index3& grid_shape) {
  Box r = box;
  for (int i = 0; i < 3; ++i) {
    r.begin[i] -= margin[i];
    r.end[i] += margin[i];
  }
  return intersect(r, whole(grid_shape));
}

/// Slabs of at most `thickness` planes that tile a grid along z, in order.
inline std::vector<Box> slabs(const Index3& shape, std::int64_t thickness) {
  std::vector<Box> result;
  for (std::int64_t z = 0; z < shape[0]; z += thickness)
    result.push_back({{z, 0, 0}, {std::min(z + thickness, shape[0]), shape[1], shape[2]}});
  return result;
}

/// Blocks of at most `block` voxels that tile a grid, in z, y, x order.
inline std::vector<Box> blocks(const Index3& shape, const Index3& block) {
  std::vector<Box> result;
  for (std::int64_t z = 0; z < shape[0]; z += block[0])
    for (std::int64_t y = 0; y < shape[1]; y += block[1])
      for (std::int64_t x = 0; x < shape[2]; x += block[2])
        result.push_back(intersect({{z, y, x}, {z + block[0], y + block[1], x + block[2]}}, whole(shape)));
  return result;
}

}  // namespace cathoscope
