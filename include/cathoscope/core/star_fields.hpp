#pragma once
/// What a star-convex network says of an image. The network gives it, fusion and instances take it, neither knows the other.

#include <cstdint>
#include <functional>
#include <vector>

namespace cathoscope {

inline constexpr int star_rays = 32;  ///< directions 2 pi k / 32 from the column axis towards growing rows

/// A grey image at working resolution, normalised (the 1st percentile 0, the 99.8th 1). Row-major.
struct StarImage {
  std::int64_t rows = 0, columns = 0;
  std::vector<float> values;
};

/// Planes on the network's output grid: cell (i, j) lies at pixel (grid i, grid j) of the image, rows = ceil(image / grid).
struct StarFields {
  std::int64_t rows = 0, columns = 0;
  int grid = 2;
  std::vector<float> probability;  ///< of a particle's inner part: distance to its outline over the largest, 0..1
  std::vector<float> foreground;  ///< 0..1: inside a particle with its cracks; empty where the network has no such head
  std::vector<float> distances;   ///< star_rays planes: pixels to the outline, >= 0; empty where not asked for
};

/// Predicts one image; called from many threads at once, each with one image. Same bits whichever thread calls.
/// `with_distances` false leaves the distances empty, which is cheaper.
using StarPredictor = std::function<StarFields(const StarImage& image, bool with_distances)>;

}  // namespace cathoscope
