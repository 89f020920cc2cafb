#include <cathoscope/segmentation/plane_particles.hpp>

#include "seeded_instances.hpp"
#include "star_polygons.hpp"

#include <algorithm>
#include <filesystem>

namespace cathoscope {

namespace {

constexpr auto least_section = static_cast<std::uint64_t>(least_section_px);

}  // namespace

FusedFields plane_fields(const StarImage& image, const StarFields& fields, double voxel_um) {
  const Index3 shape{1, image.rows, image.columns};
  std::vector<std::uint16_t> codes;
  codes.reserve(image.values.size());
  for (const float value : image.values) codes.push_back(WorkingVolume::code(value, true));
  const Vec3 voxel{voxel_um, voxel_um, voxel_um};
  WorkingVolume plane(working_grid_of_voxel(shape, voxel, {0, 0, 0}, voxel_um), std::move(codes));
  Progress silent;
  const auto known = [&](const StarImage&, bool) { return fields; };
  return fused_fields(std::move(plane), known, {"xy", {}, false}, {silent, 1});
}

std::vector<std::uint32_t> watershed_labels(const FusedFields& plane, double foreground_threshold) {
  Progress silent;
  const Context context{silent, 1};
  const Index3& shape = plane.grid.shape;
  const double h = plane.grid.voxel_um;
  const Workspace w{shape, {h, h, h}, shape, std::filesystem::temp_directory_path(), &context};
  const auto found = seeded_instances(w, {}, plane, {{}, shape}, foreground_threshold, least_section,
                                      largest_of_one * canonical_diameter);
  std::vector<std::uint32_t> labels(static_cast<std::size_t>(volume_of(shape)));
  found.filled.labels.read(whole(shape), labels.data());
  return labels;
}

std::vector<std::vector<std::uint32_t>> polygon_labels(const StarFields& fields, std::int64_t rows,
                                                       std::int64_t columns, const std::vector<double>& probabilities,
                                                       double suppression) {
  std::vector<std::vector<std::uint32_t>> images;
  if (probabilities.empty()) return images;
  const double least = *std::min_element(probabilities.begin(), probabilities.end());
  const auto all = surviving_polygons(fields, rows, columns, least, suppression);
  for (const double probability : probabilities) {
    const auto end = std::find_if(all.begin(), all.end(),
                                  [&](const StarPolygon& p) { return !(double{p.probability} > probability); });
    images.push_back(painted_polygons({all.begin(), end}, rows, columns));
  }
  return images;
}

}  // namespace cathoscope
