#pragma once
/// Particles of a plane as star-shaped polygons (Schmidt et al. 2018, DOI 10.1007/978-3-030-00934-2_30).

#include <cathoscope/core/star_fields.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace cathoscope {

struct StarPolygon {
  double row = 0, column = 0;  ///< of the centre, pixels
  float probability = 0;
  std::array<float, star_rays> distances{};  ///< pixels

  /// The same polygon on pixels `scale` times as fine, whose first pixel has the same low corner.
  [[nodiscard]] StarPolygon scaled(double scale) const;
};

/// Pixels [begin, end) of a row.
struct PixelRun {
  std::int64_t row = 0, begin = 0, end = 0;
};

/// Pixels whose centres lie in the polygon, within rows x columns; ascending.
std::vector<PixelRun> pixels_of(const StarPolygon& polygon, std::int64_t rows, std::int64_t columns);

/// Greedy non-maximum suppression, from the most probable on, as StarDist does it: cells above `probability`, two cells or
/// more from the image's border; a polygon goes if its overlap with one that stays, over the smaller of both, is above
/// `suppression`. Areas are counted in pixels. Equal probabilities: the earlier cell first. Descending.
std::vector<StarPolygon> surviving_polygons(const StarFields& fields, std::int64_t rows, std::int64_t columns,
                                            double probability, double suppression);

/// Paints polygons, the most probable on top; values are positions in the list plus one, 0 = none. Row-major.
std::vector<std::uint32_t> painted_polygons(const std::vector<StarPolygon>& descending, std::int64_t rows,
                                            std::int64_t columns);

}  // namespace cathoscope
