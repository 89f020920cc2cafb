#include "cracks.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace cathoscope {

namespace {

constexpr std::size_t bins = 800;
constexpr double bins_a_voxel = 50;
constexpr double root_two_pi = 2.50662827463100050242;
constexpr double sharp_share = 0.25;  // of the outline: where it is neither rough nor touched by debris
constexpr std::int64_t reach = 3;

/// The steepest change of grey within two voxels of voxel i along an axis, over all axes, per voxel.
double steepest(const Array3<float>& grey, const Index3& at) {
  const Index3 n = shape_of(grey);
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  const std::int64_t here = (at[0] * n[1] + at[1]) * n[2] + at[2];
  double most = 0;
  for (std::size_t along = 0; along < 3; ++along)
    for (std::int64_t d = -2; d <= 2; ++d) {
      if (at[along] + d < 1 || at[along] + d + 1 >= n[along]) continue;
      double squared = 0;
      for (std::size_t a = 0; a < 3; ++a) {
        if (n[a] < 3 || at[a] < 1 || at[a] + 1 >= n[a]) continue;
        const std::int64_t i = here + d * stride[along];
        const double slope = 0.5 * (double{grey.data()[i + stride[a]]} - double{grey.data()[i - stride[a]]});
        squared += slope * slope;
      }
      most = std::max(most, squared);
    }
  return std::sqrt(most);
}

/// Whether a face of the voxel leads to background that was measured.
bool is_outline(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& seen, const Index3& at) {
  const Index3 n = shape_of(labels);
  for (std::size_t a = 0; a < 3; ++a)
    for (const std::int64_t d : {-1, 1}) {
      Index3 v = at;
      v[a] += d;
      if (v[a] < 0 || v[a] >= n[a]) continue;
      if (labels(v[0], v[1], v[2]) == 0 && seen(v[0], v[1], v[2]) != 0) return true;
    }
  return false;
}

std::vector<std::uint64_t> blurs_in(const Box& block, const SmoothGrey& grey, const FieldOfView& inside,
                                    const ScratchGrid<std::uint32_t>& labels,
                                    const std::vector<ParticleLevels>& levels) {
  std::vector<std::uint64_t> counts(bins, 0);
  const Box wide = grown(block, {reach, reach, reach}, labels.shape());
  const Array3<std::uint32_t> names = labels.padded(wide, 0);
  if (std::all_of(names.begin(), names.end(), [](std::uint32_t l) { return l == 0; })) return counts;
  const Array3<std::uint8_t> seen = inside(wide);
  const Array3<std::uint16_t> codes = grey.codes(wide);
  Array3<float> values = array3<float>(wide.shape());
  std::transform(codes.begin(), codes.end(), values.begin(),
                 [&](std::uint16_t c) { return static_cast<float>(grey.value(c)); });
  for (std::int64_t z = block.begin[0]; z < block.end[0]; ++z)
    for (std::int64_t y = block.begin[1]; y < block.end[1]; ++y)
      for (std::int64_t x = block.begin[2]; x < block.end[2]; ++x) {
        const Index3 at{z - wide.begin[0], y - wide.begin[1], x - wide.begin[2]};
        const std::uint32_t label = names(at[0], at[1], at[2]);
        if (label == 0 || !levels[label].usable || !is_outline(names, seen, at)) continue;
        const double slope = steepest(values, at);
        if (!(slope > 0)) continue;
        const double sigma = std::abs(levels[label].solid - levels[label].matrix) / (root_two_pi * slope);
        counts[static_cast<std::size_t>(std::min(sigma * bins_a_voxel, bins - 1.0))] += 1;
      }
  return counts;
}

}  // namespace

double edge_blur(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                 const ScratchGrid<std::uint32_t>& labels, const std::vector<ParticleLevels>& levels) {
  Histogram all{0, bins / bins_a_voxel, std::vector<std::uint64_t>(bins, 0)};
  std::mutex mutex;
  for_each_block(w, "edge blur", [&](const Box& block) {
    const auto counts = blurs_in(block, grey, inside, labels, levels);
    const std::scoped_lock lock(mutex);
    for (std::size_t b = 0; b < bins; ++b) all.counts[b] += counts[b];
  });
  if (std::all_of(all.counts.begin(), all.counts.end(), [](std::uint64_t c) { return c == 0; })) return 0;
  return all.quantile(sharp_share);
}

}  // namespace cathoscope
