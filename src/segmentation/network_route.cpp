#include "network_route.hpp"

#include "dark_sections.hpp"
#include "filled.hpp"
#include "kmeans.hpp"
#include "native.hpp"
#include "plane_predictions.hpp"
#include "polyhedra.hpp"
#include "seeded_instances.hpp"
#include "star_polygons.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/components.hpp>
#include <cathoscope/segmentation/plane_particles.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr std::uint64_t least_working_voxels = 300;

Workspace working_workspace(const Workspace& native, const WorkingGrid& grid) {
  Workspace w = native;
  w.shape = grid.shape;
  w.voxel_um = {grid.voxel_um, grid.voxel_um, grid.voxel_um};
  w.block = grid.shape == native.shape ? native.block : block_for(grid.shape, *native.context);
  return w;
}

/// 2 outside the field of view, else 0; and a view of it as a field of view.
struct WorkingInside {
  ScratchGrid<std::uint8_t> mask;
  std::uint64_t voxels = 0;
  FieldOfView field;
};

WorkingInside working_inside(const Workspace& w, const WorkingVolume& volume) {
  WorkingInside inside{{}, static_cast<std::uint64_t>(volume_of(w.shape)), {{}, w.shape}};
  if (!volume.any_outside) return inside;
  inside.mask = ScratchGrid<std::uint8_t>(w);
  inside.voxels = 0;
  for (const Box& slab : slabs(w.shape, 64)) {
    std::vector<std::uint8_t> values(static_cast<std::size_t>(slab.size()));
    const std::int64_t first = slab.begin[0] * w.shape[1] * w.shape[2];
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = volume.inside(first + static_cast<std::int64_t>(i)) ? 1 : 0;
      inside.voxels += values[i];
    }
    inside.mask.write(slab, values.data());
  }
  GridSource<std::uint8_t> source;
  source.shape = w.shape;
  source.read = [mask = inside.mask](const Box& box, std::uint8_t* out) { mask.read(box, out); };
  inside.field.mask = source;
  return inside;
}

void warn_about(const FusedWatershed& found, Progress& progress) {
  if (found.dropped > 0)
    progress.warn(fmt::format("{} particles smaller than the minimum were dropped ({} working voxels)", found.dropped,
                              found.dropped_voxels));
  if (found.cracked_pairs > 0)
    progress.warn(fmt::format("{} pairs of pieces were joined as one cracked particle", found.cracked_pairs));
}

double particle_diameter(const SegmentationConfig& config, const SegmentationInputs& inputs, const Workspace& native,
                         NetworkFindings& findings) {
  if (config.particle_diameter_um) return *config.particle_diameter_um;
  findings.diameter_estimated = true;
  const auto found = estimated_diameter_um(*inputs.grey, inputs.field_of_view, native.folder, *native.context);
  if (found) return *found;
  fail(Exit::data,
       "the size of the particles cannot be estimated: nothing stands out from its surroundings; give "
       "segmentation.particle_diameter_um");
}

/// What the steps of the route share.
struct Route {
  const Workspace& native;
  const SegmentationConfig& config;
  const NetworkInputs& network;
  const FieldOfView& inside;
  const GridSource<float>& grey;
};

/// In a plane a section of the smallest particle counts: pixels of the disc across a ball of that many voxels.
std::uint64_t least_of_working(const Workspace& w, const SegmentationConfig& config) {
  return least_voxels(w, config.minimum_particle_um3,
                      w.shape[0] > 1 ? least_working_voxels : std::uint64_t{least_section_px});
}

FilledLabels watershed_instances(const Route& route, const Workspace& w, const WorkingInside& working,
                                 NetworkFindings& findings) {
  const FusedFields& fields = findings.fields;
  SeededInstances made = seeded_instances(w, route.config.watershed, fields, working.field,
                                          route.network.foreground_threshold, least_of_working(w, route.config),
                                          largest_of_one * findings.particle_diameter_um / fields.grid.voxel_um);
  warn_about(made.found, w.context->progress);
  findings.cracked_pairs = made.found.cracked_pairs;
  findings.unresolved_fraction = static_cast<double>(made.found.unresolved_voxels) /
                                 static_cast<double>(std::max<std::uint64_t>(1, working.voxels));
  return made.filled;
}

FilledLabels clustered_instances(const Route& route, const Workspace& w, const WorkingInside& working,
                                 const FusedFields& fields) {
  const auto mask = clustered_mask(w, fields.mean_distance, working.field);
  return filled_instances(w, route.config.watershed, working.field, mask, [&](const ScratchGrid<std::uint8_t>& filled) {
    return connected_instances(w, filled, least_of_working(w, route.config));
  });
}

FilledLabels polyhedra(const Route& route, const Workspace& w, const WorkingInside& working,
                       const WorkingVolume& volume, const FusedFields& fields) {
  if (route.config.views == "xy")
    fail(Exit::config, "segmentation.instances polyhedra needs views across the slices: axial3, diagonal9 or all13");
  const auto mask = foreground_mask(w, fields, working.field, route.network.foreground_threshold);
  return filled_instances(w, route.config.watershed, working.field, mask, [&](const ScratchGrid<std::uint8_t>& filled) {
    return polyhedra_instances(w, volume, route.network.predict, route.config.views, fields.probability, filled,
                               route.network.suppression_threshold, least_of_working(w, route.config));
  });
}

/// Takes dark sections (dark_sections.hpp) out of the numbers of labels. In space the views outvote what looks like a
/// particle in one plane; a single plane needs this.
std::uint32_t without_dark(const Route& route, const ScratchGrid<std::uint32_t>& labels, std::uint32_t count,
                           double diameter_um, std::vector<std::uint32_t>& number) {
  const Index3& n = route.native.shape;
  Array3<std::uint32_t> numbered = labels.padded(whole(n), 0);
  for (std::uint32_t& label : numbered) label = number[label];
  const auto reach = std::max<std::int64_t>(3, std::llround(diameter_um / 6 / route.native.voxel_um[1]));
  const auto dark = dark_sections(route.grey.load(whole(n)), numbered, route.inside(whole(n)), count, reach);
  std::vector<std::uint32_t> bright(dark.size(), 0);
  std::uint32_t left = 0;
  for (std::size_t label = 1; label < dark.size(); ++label)
    if (dark[label] == 0) bright[label] = ++left;
  for (std::uint32_t& label : number) label = bright[label];
  if (left < count)
    route.native.context->progress.warn(
        fmt::format("{} sections nearer in grey to the matrix than to the particles were dropped", count - left));
  return left;
}

/// Labels in order of their first voxel, holes filled.
NetworkParticles numbered(const Route& route, const ScratchGrid<std::uint32_t>& labels,
                          std::vector<std::uint32_t> number, std::uint32_t count, NetworkFindings findings) {
  if (route.native.shape[0] == 1) count = without_dark(route, labels, count, findings.particle_diameter_um, number);
  NetworkParticles result{labels, ScratchGrid<std::uint8_t>(route.native), count, std::move(findings)};
  fill_labels(route.native, labels, route.inside, result.changed, number);
  return result;
}

/// Star polygons of a single plane, painted at native resolution.
NetworkParticles polygon_particles(const Route& route, const WorkingVolume& volume, NetworkFindings findings) {
  const LatticePlane plane = lattice_plane(plane_families("xy").front(), volume.shape(), 0);
  const StarImage image = plane_image(volume, plane);
  auto polygons = surviving_polygons(route.network.predict(image, true), image.rows, image.columns,
                                     route.network.probability_threshold, route.network.suppression_threshold);
  const Index3& n = route.native.shape;
  for (StarPolygon& p : polygons) p = p.scaled(volume.grid().voxel_um / route.native.voxel_um[1]);
  std::vector<std::uint32_t> painted = painted_polygons(polygons, n[1], n[2]);
  const Array3<std::uint8_t> seen = route.inside(whole(n));
  for (std::size_t i = 0; i < painted.size(); ++i)
    if (seen.data()[i] == 0) painted[i] = 0;
  std::vector<std::uint64_t> pixels(polygons.size() + 1, 0);
  for (const std::uint32_t p : painted) ++pixels[p];
  const std::uint64_t least = least_voxels(route.native, route.config.minimum_particle_um3, 1);
  std::vector<std::uint32_t> number(pixels.size(), 0);
  std::uint32_t count = 0;
  for (const std::uint32_t p : painted)
    if (p != 0 && number[p] == 0 && pixels[p] >= least) number[p] = ++count;
  ScratchGrid<std::uint32_t> labels(route.native);
  labels.write(whole(n), painted.data());
  return numbered(route, labels, number, count, std::move(findings));
}

FusionSettings fusion_settings(const Route& route) {
  const bool plane = route.native.shape[0] == 1;
  return {route.config.views, plane ? std::vector<double>{} : route.network.view_weights,
          route.config.instances == "kmeans"};
}

}  // namespace

NetworkParticles network_particles(const Workspace& native, const SegmentationConfig& config,
                                   const SegmentationInputs& inputs, const FieldOfView& inside) {
  if (!inputs.network) fail(Exit::internal, "method network without a network");
  const Route route{native, config, *inputs.network, inside, *inputs.grey};
  NetworkFindings findings;
  findings.particle_diameter_um = particle_diameter(config, inputs, native, findings);
  const bool own_scale = route.network.own_scale && !config.particle_diameter_um;
  const WorkingGrid grid = working_grid(native.shape, native.voxel_um, inputs.grey->origin_um,
                                        own_scale ? 0 : findings.particle_diameter_um);
  check_fusion_memory(grid.shape, fusion_settings(route), *native.context);  // before the volume is read
  const Workspace w = working_workspace(native, grid);
  WorkingVolume volume = working_volume(
      *inputs.grey, inputs.field_of_view, grid,
      {route.network.low_percentile, route.network.high_percentile, config.denoise_sigma.value}, *native.context);
  findings.foreground_threshold = route.network.foreground_threshold;
  if (native.shape[0] > 1) findings.view_weights = route.network.view_weights;
  findings.noise = volume.noise;
  findings.denoise_sigma = volume.denoise_sigma;
  const WorkingInside working = working_inside(w, volume);
  const bool stars = config.instances == "polyhedra";  // they look at the volume twice
  findings.fields =
      stars ? fused_fields(volume, route.network.predict, fusion_settings(route), *native.context)
            : fused_fields(std::move(volume), route.network.predict, fusion_settings(route), *native.context);
  if (stars && native.shape[0] == 1) return polygon_particles(route, volume, std::move(findings));
  const FilledLabels filled = stars                          ? polyhedra(route, w, working, volume, findings.fields)
                              : config.instances == "kmeans" ? clustered_instances(route, w, working, findings.fields)
                                                             : watershed_instances(route, w, working, findings);
  const NativeLabels labels = native_labels(native, grid, filled.labels, filled.count, findings.fields.foreground,
                                            route.network.foreground_threshold, inside);
  return numbered(route, labels.labels, labels.number, labels.count, std::move(findings));
}

}  // namespace cathoscope
