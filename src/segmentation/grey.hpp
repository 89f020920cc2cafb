#pragma once
/// Grey values: field of view, smoothing, histogram, threshold.

#include <cathoscope/segmentation/workspace.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace cathoscope {

/// 1 where a voxel was measured; absent = the whole grid. Beyond the grid it is 0.
struct FieldOfView {
  std::optional<GridSource<std::uint8_t>> mask;
  Index3 shape{0, 0, 0};

  [[nodiscard]] Array3<std::uint8_t> operator()(const Box& box) const;
};

/// Grey values smoothed by a Gaussian of `sigma` voxels an axis, cut at three sigma; voxels outside the grid or the
/// field of view have no weight. Each value is one fixed sum: the same bits in any box.
Array3<float> smoothed(const GridSource<float>& grey, const FieldOfView& inside, const Vec3& sigma, const Box& box);

/// Equal bins over [low, high]; values beyond go to the end bins.
struct Histogram {
  double low = 0;
  double high = 0;
  std::vector<std::uint64_t> counts;

  [[nodiscard]] std::size_t bin_of(double value) const;
  [[nodiscard]] double centre(std::size_t bin) const;
  [[nodiscard]] double quantile(double q) const;
};

/// Lowest and highest value in the field of view; low > high where there is none.
struct GreyRange {
  float low = 0;
  float high = 0;
};
GreyRange grey_range(const Workspace& w, const GridSource<float>& grey, const FieldOfView& inside);

/// Of the values in the field of view, between their 0.0001 and 0.9999 quantiles where outliers stretch the range; no
/// counts where there is no value or only one. values(box) is asked for each block, for a second time where they do.
Histogram grey_histogram(const Workspace& w, const GreyRange& range,
                         const std::function<Array3<float>(const Box&)>& values, const FieldOfView& inside);

/// Otsu's threshold (IEEE Trans. SMC 9, 62, 1979): the middle of the thresholds that separate the two classes best.
/// Empty where the histogram has fewer than two filled bins.
std::optional<double> otsu_threshold(const Histogram& histogram);

}  // namespace cathoscope
