#pragma once
/// Grids and a table for the tests of the exporting writers: anisotropic, not cubic, no two voxels in a row alike.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/table.hpp>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

namespace test {

inline constexpr cathoscope::Index3 sample_shape{70, 9, 67};
inline constexpr cathoscope::Vec3 sample_voxel_um{0.3, 0.2, 0.398};
inline constexpr cathoscope::Vec3 sample_origin_um{7, -5, 3};

/// Voxel i (in z, y, x order) has the value 7 i - 11 in the arithmetic of T, half of that for floating types.
template <class T>
T sample_value(std::int64_t i) {
  const std::int64_t v = 7 * i - 11;
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(v) / 2;
  return static_cast<T>(v);
}

template <class T>
cathoscope::GridSource<T> sample_grid(const cathoscope::Index3& shape = sample_shape) {
  auto values = cathoscope::array3<T>(shape);
  for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] = sample_value<T>(static_cast<std::int64_t>(i));
  return cathoscope::source_of(cathoscope::Grid<T>{std::move(values), sample_voxel_um, sample_origin_um});
}

inline cathoscope::Table sample_table() {
  cathoscope::Table t;
  t.columns.push_back({"label", "", "", {}, {7, 12, (1ULL << 53) + 1}, {}});
  t.columns.push_back({"X", "um", "", {1.5, 2.25, 3}, {}, {}});
  t.columns.push_back({"Y", "um", "", {10, 20, 30}, {}, {}});
  t.columns.push_back({"Z", "um", "", {-1, std::numeric_limits<double>::quiet_NaN(), 5}, {}, {}});
  t.columns.push_back({"Damage", "", "", {0.1, 1.0 / 3, std::numeric_limits<double>::quiet_NaN()}, {}, {}});
  t.columns.push_back({"source <&>", "", "", {}, {}, {"crack", "", "\xc2\xb5m \xf0\x9f\x94\x8b"}});
  t.columns.push_back({"a<b & \"c\"", "", "", {4, 5, 6}, {}, {}});
  return t;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace test
