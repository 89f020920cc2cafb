#pragma once
/// Grey volumes of known bodies, as a camera of a given voxel, blur and noise would see them.

#include "attribute_bodies.hpp"

#include "../../src/attributes/fields3.hpp"

#include <cmath>
#include <functional>

namespace test {

struct Camera {
  double blur_um = 0;  ///< standard deviation of a Gaussian; averaging over the voxel comes on top
  double noise = 0;    ///< standard deviation of independent normal noise
  std::uint64_t seed = 1;
};

/// level(point in um) averaged over each voxel (3 x 3 x 3 points), blurred, with noise. `shape` and `h` are z, y, x.
inline Grid<float> imaged(const std::function<double(const attributes::Point&)>& level, const Index3& shape,
                          const Vec3& h, const Camera& camera) {
  attributes::Field field(shape);
  std::size_t i = 0;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x, ++i) {
        double sum = 0;
        for (int s = 0; s < 27; ++s) {
          const int part[3] = {s / 9, s / 3 % 3, s % 3};
          sum += level({(static_cast<double>(x) + (part[2] + 0.5) / 3) * h[2],
                        (static_cast<double>(y) + (part[1] + 0.5) / 3) * h[1],
                        (static_cast<double>(z) + (part[0] + 0.5) / 3) * h[0]});
        }
        field.values[i] = static_cast<float>(sum / 27);
      }
  field = attributes::smoothed(std::move(field), h, camera.blur_um);
  Grid<float> grid{array3<float>(shape), h, {0, 0, 0}};
  Stream random(camera.seed, {"camera noise"});
  for (i = 0; i < field.values.size(); ++i)
    grid.values.data()[i] = field.values[i] + static_cast<float>(camera.noise * random.normal());
  return grid;
}

/// Standard deviation of the edge that such a camera makes: its Gaussian and the voxel.
inline double edge_sigma(const Camera& camera, double voxel) {
  return std::sqrt(camera.blur_um * camera.blur_um + voxel * voxel / 12);
}

}  // namespace test
