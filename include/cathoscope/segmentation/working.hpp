#pragma once
/// The working volume: what the network looks at. Cubic voxels, particles about 48 of them across, greys normalised.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace cathoscope {

inline constexpr double canonical_diameter = 48;  ///< of the median particle, in working voxels

/// Where working voxels lie in the native grid. Both start at the same low corner; the last working voxel of an axis may
/// reach beyond the native grid. Axes of a single native voxel keep it.
struct WorkingGrid {
  Index3 native_shape{0, 0, 0};
  Vec3 native_um{1, 1, 1};
  Vec3 origin_um{0, 0, 0};
  Index3 shape{0, 0, 0};
  double voxel_um = 1;

  /// The native voxel that holds the centre of working voxel i, and the other way round.
  [[nodiscard]] std::int64_t native_at(std::size_t axis, std::int64_t i) const;
  [[nodiscard]] std::int64_t working_at(std::size_t axis, std::int64_t i) const;
};

/// Working voxel max(smallest native voxel, diameter / 48). The z size of a single plane does not count.
WorkingGrid working_grid(const Index3& native_shape, const Vec3& native_um, const Vec3& origin_um,
                         double particle_diameter_um);

/// The same with the voxel given.
WorkingGrid working_grid_of_voxel(const Index3& native_shape, const Vec3& native_um, const Vec3& origin_um,
                                  double voxel_um);

struct WorkingSettings {
  double low_percentile = 1;            ///< of the working values inside the field of view: becomes 0
  double high_percentile = 99.8;        ///< becomes 1
  std::optional<double> denoise_sigma;  ///< Gaussian in working voxels; empty = from the measured noise
};

/// Normalised greys in memory, two bytes a voxel: 15 bits in steps of 1/2048 from -7 to 9, and whether the voxel lies in
/// the field of view. Outside it stand the values of its edge.
class WorkingVolume {
 public:
  WorkingVolume(const WorkingGrid& grid, std::vector<std::uint16_t> codes) : grid_(grid), codes_(std::move(codes)) {}

  [[nodiscard]] const WorkingGrid& grid() const { return grid_; }
  [[nodiscard]] const Index3& shape() const { return grid_.shape; }
  [[nodiscard]] float value(std::int64_t i) const {
    return static_cast<float>(codes_[static_cast<std::size_t>(i)] >> 1) / 2048.0F - 7.0F;
  }
  [[nodiscard]] bool inside(std::int64_t i) const { return (codes_[static_cast<std::size_t>(i)] & 1U) != 0; }
  [[nodiscard]] Array3<float> values() const;  ///< all of them, for small volumes
  [[nodiscard]] const std::vector<std::uint16_t>& codes() const { return codes_; }
  static std::uint16_t code(float value, bool inside);

  double low_grey = 0;       ///< grey that is 0
  double high_grey = 1;      ///< grey that is 1
  double noise = 0;          ///< standard deviation of the noise before smoothing, in units of high - low
  double denoise_sigma = 0;  ///< that was used
  bool any_outside = false;

 private:
  WorkingGrid grid_;
  std::vector<std::uint16_t> codes_;
};

/// Values of `grey` on the working grid: means over working voxels where they are larger than native ones, cubic
/// interpolation (Keys 1981, DOI 10.1109/TASSP.1981.1163711) along axes where they are smaller. Voxels outside the field
/// of view have no weight; NaN where they are the greater part. Streams the source in boxes; same bits for any threads.
Array3<float> resampled(const GridSource<float>& grey, const std::optional<GridSource<std::uint8_t>>& field_of_view,
                        const WorkingGrid& grid, const Context& context);

/// Resamples, fills what lies outside the field of view with its edge, measures the noise, smooths and normalises.
/// Needs 6 bytes a working voxel while it runs, keeps 2. Throws Error{data} where no voxel lies inside.
WorkingVolume working_volume(const GridSource<float>& grey,
                             const std::optional<GridSource<std::uint8_t>>& field_of_view, const WorkingGrid& grid,
                             const WorkingSettings& settings, const Context& context);

/// Standard deviation of what differs between a voxel and those two steps away, as a Gaussian's would, by the median of
/// absolute second differences: edges are few and do not count. The largest of the axes. NaN is no value.
double measured_noise(const Array3<float>& values);

/// Smoothing in working voxels that `denoise_sigma: auto` chooses for noise in units of high - low.
double denoise_sigma_for(double noise);

/// The diameter that half of the particle volume lies below (area in a plane): particles found by threshold, distance and
/// basin graph on a coarse copy, whose scale follows from the first guess. Empty where there are none.
/// Scratch files go to `folder`.
std::optional<double> estimated_diameter_um(const GridSource<float>& grey,
                                            const std::optional<GridSource<std::uint8_t>>& field_of_view,
                                            const std::filesystem::path& folder, const Context& context);

}  // namespace cathoscope
