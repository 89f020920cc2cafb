#pragma once
/// Labelled volumes in memory and the slices that are cut from them.

#include <cathoscope/core/box.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/network/training.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace cathoscope::training_detail {

/// At working resolution, cubic voxels, normalised. A single plane is an image: it is cut along itself only.
struct LabelledVolume {
  Index3 shape{0, 0, 0};
  std::vector<float> grey;
  std::vector<std::uint32_t> labels;
  std::vector<std::uint8_t> ignore;  ///< empty = all known
};

/// A family of parallel planes. Axial: rows run along axis `row`, columns along `across`, `fixed` is constant.
/// Diagonal: rows run along `row`; across + slope * fixed is constant, columns run along the diagonal between them.
struct PlaneFamily {
  std::size_t row, across, fixed;
  int slope;  ///< 0 = axial, else +1 or -1
};

/// xy, xz, yz, then the six {110} families.
const std::array<PlaneFamily, 9>& plane_families();

/// Rows and columns in pixels of a plane. Planes of a family are numbered from 0.
std::array<std::int64_t, 2> plane_size(const Index3& shape, const PlaneFamily& family, std::int64_t plane);
std::int64_t plane_count(const Index3& shape, const PlaneFamily& family);

/// A window of a plane.
struct Window {
  std::int64_t row = 0, column = 0, rows = 0, columns = 0;
};

/// Pixels of a window. Along a diagonal, lattice points lie sqrt(2) apart: greys between two are linear, labels and
/// ignored pixels are the nearest point's (halfway: the lower one's).
TrainingSample cut(const LabelledVolume& volume, const PlaneFamily& family, std::int64_t plane, const Window& window);

/// The sample in `rows` x `columns` pixels: greys are means over a pixel where pixels grow, linear where they shrink;
/// labels and ignored pixels those at the centre.
TrainingSample resized(const TrainingSample& sample, std::int64_t rows, std::int64_t columns);

/// Sections of fewer pixels are invisible in a blurred image.
inline constexpr std::int64_t smallest_section_px = 12;

/// A random sample of between patch and 1.5 patch pixels a side where the volume is large enough.
TrainingSample random_sample(const LabelledVolume& volume, std::int64_t patch, Stream& draw);

}  // namespace cathoscope::training_detail
