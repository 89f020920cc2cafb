#include "plane_predictions.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

constexpr double bytes_a_voxel = 14;
constexpr float most_weight = 4096;  // of one view, in the whole-numbered sum of weights

/// Sums over the views; every weight is a multiple of 1/4096.
struct Sums {
  Array3<float> p, f, pp, distance;
};

Array3<float> zeros(const Index3& shape) {
  Array3<float> a = array3<float>(shape);
  a.fill(0.0F);
  return a;
}

/// Mean of the distances of each cell, in pixels.
std::vector<float> mean_distances(const StarFields& fields) {
  const auto size = static_cast<std::size_t>(fields.rows * fields.columns);
  std::vector<float> mean(size, 0.0F);
  for (int k = 0; k < star_rays; ++k)
    for (std::size_t i = 0; i < size; ++i) mean[i] += fields.distances[static_cast<std::size_t>(k) * size + i];
  for (float& m : mean) m /= star_rays;
  return mean;
}

/// Adds one plane's prediction at its voxels.
void add_plane(const LatticePlane& plane, const StarFields& fields, float view_weight, Sums& sums) {
  RowGather gather(plane, fields.grid, fields.rows, fields.columns);
  std::vector<float> mean;
  if (!fields.distances.empty() && sums.distance.size() > 0) mean = mean_distances(fields);
  std::vector<float> p, f, d, w;
  for (const LatticeRow& row : plane.rows) {
    gather(row, fields.probability.data(), p);
    gather(row, fields.foreground.empty() ? fields.probability.data() : fields.foreground.data(), f);
    if (!mean.empty()) gather(row, mean.data(), d);
    border_weights(plane, row, w);
    for (std::int64_t m = 0; m < row.count; ++m) {
      const auto k = static_cast<std::size_t>(m);
      const std::int64_t voxel = row.first + m * row.step;
      const float weight = std::max(1.0F, std::round(w[k] * view_weight * most_weight)) / most_weight;
      const float probability = std::clamp(p[k], 0.0F, 1.0F);
      sums.p.data()[voxel] += weight * probability;
      sums.pp.data()[voxel] += weight * probability * probability;
      sums.f.data()[voxel] += weight * std::clamp(f[k], 0.0F, 1.0F);
      if (!mean.empty()) sums.distance.data()[voxel] += std::max(0.0F, d[k]);
    }
  }
}

/// Sum of the weights of all views at each voxel, in steps of 1/4096 as they were added.
std::vector<std::uint16_t> weight_sums(const std::vector<PlaneFamily>& families, const std::vector<float>& view_weights,
                                       const Index3& shape, std::int64_t least, const Context& context) {
  std::vector<std::uint16_t> sums(static_cast<std::size_t>(volume_of(shape)), 0);
  for (std::size_t i = 0; i < families.size(); ++i)
    for_each_plane(families[i], shape, least, context, [&](const LatticePlane& plane) {
      std::vector<float> w;
      for (const LatticeRow& row : plane.rows) {
        border_weights(plane, row, w);
        for (std::int64_t m = 0; m < row.count; ++m) {
          auto& sum = sums[static_cast<std::size_t>(row.first + m * row.step)];
          sum = static_cast<std::uint16_t>(
              sum + std::max(1.0F, std::round(w[static_cast<std::size_t>(m)] * view_weights[i] * most_weight)));
        }
      }
    });
  return sums;
}

/// Sums become means, in place; what is marked as outside becomes 0.
void finish(Sums& sums, const std::vector<std::uint16_t>& weights, int threads, const Index3& n) {
  parallel_for(n[0], threads, [&](std::int64_t z) {
    for (std::int64_t i = z * n[1] * n[2]; i < (z + 1) * n[1] * n[2]; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const bool outside = sums.pp.data()[k] < 0;
      const float scale = outside ? 0.0F : most_weight / static_cast<float>(weights[k]);
      const float p = sums.p.data()[k] * scale;
      sums.p.data()[k] = p;
      sums.f.data()[k] *= scale;
      sums.pp.data()[k] = outside ? 0.0F : std::sqrt(std::max(0.0F, sums.pp.data()[k] * scale - p * p));
      if (outside && sums.distance.size() > 0) sums.distance.data()[k] = 0;
    }
  });
}

std::vector<float> scaled_weights(const FusionSettings& settings, std::size_t families) {
  std::vector<float> weights(families, 1.0F);
  if (settings.view_weights.empty()) return weights;
  if (settings.view_weights.size() != families)
    fail(Exit::data, "{} view weights for {} families of planes", settings.view_weights.size(), families);
  const double most = *std::max_element(settings.view_weights.begin(), settings.view_weights.end());
  for (std::size_t i = 0; i < families; ++i)
    weights[i] = static_cast<float>(std::max(0.0, settings.view_weights[i]) / most);
  return weights;
}

}  // namespace

void check_fusion_memory(const Index3& shape, const FusionSettings& settings, const Context& context) {
  const double needed = static_cast<double>(volume_of(shape)) * (bytes_a_voxel + (settings.mean_distances ? 4 : 0));
  if (needed > static_cast<double>(context.memory_bytes))
    fail(Exit::no_memory,
         "the network's working volume of {} x {} x {} voxels needs {:.3g} GiB, the run may hold {:.3g}: give it more "
         "(--memory), crop the volume, or raise segmentation.particle_diameter_um, which makes working voxels larger",
         shape[0], shape[1], shape[2], needed / (1 << 30), static_cast<double>(context.memory_bytes) / (1 << 30));
}

StarImage plane_image(const WorkingVolume& volume, const LatticePlane& plane) {
  return {plane.image_rows, plane.image_columns, sliced(plane, [&](std::int64_t i) { return volume.value(i); })};
}

FusedFields fused_fields(WorkingVolume volume, const StarPredictor& predict, const FusionSettings& settings,
                         const Context& context) {
  const Index3 shape = volume.shape();
  check_fusion_memory(shape, settings, context);
  const auto families = plane_families(shape[0] == 1 ? "xy" : settings.views);
  const auto weights = scaled_weights(settings, families.size());
  const std::int64_t least = least_width(shape, families.size());
  share_volume(volume, context);
  Sums sums{zeros(shape), zeros(shape), zeros(shape), {}};
  if (settings.mean_distances) sums.distance = zeros(shape);
  for (std::size_t i = 0; i < families.size(); ++i) {
    const bool distances = settings.mean_distances && i < 3;
    for_each_prediction(
        volume, predict, families[i], least, distances, context,
        [&](const LatticePlane& plane, const StarFields& fields) { add_plane(plane, fields, weights[i], sums); });
  }
  if (volume.any_outside)
    for (std::int64_t i = 0; i < volume_of(shape); ++i)
      if (!volume.inside(i)) sums.pp.data()[i] = -1;
  FusedFields result;
  result.grid = volume.grid();
  volume = WorkingVolume(volume.grid(), {});  // its memory is needed for the weights
  finish(sums, weight_sums(families, weights, shape, least, context), context.threads, shape);
  result.probability = std::move(sums.p);
  result.foreground = std::move(sums.f);
  result.disagreement = std::move(sums.pp);
  result.mean_distance = std::move(sums.distance);
  return result;
}

}  // namespace cathoscope
