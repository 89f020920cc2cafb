#include "network_route.hpp"

#include "filled.hpp"
#include "fused_instances.hpp"
#include "native.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/components.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr std::uint64_t least_working_voxels = 300;
constexpr double largest_of_one = 1.5;  // diameters: two pieces that are more together are two particles

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

ScratchGrid<std::uint8_t> foreground_mask(const Workspace& w, const FusedFields& fields, const FieldOfView& inside,
                                          double threshold) {
  ScratchGrid<std::uint8_t> mask(w);
  for_each_block(w, "foreground", [&](const Box& block) {
    Array3<std::uint8_t> values = inside(block);
    std::vector<float> foreground(values.size());
    copy_box(fields.foreground.data(), w.shape, block, foreground.data());
    for (std::size_t i = 0; i < values.size(); ++i)
      values.data()[i] = values.data()[i] == 0 ? 2 : foreground[i] > threshold ? 1 : 0;
    mask.write(block, values.data());
  });
  return mask;
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

}  // namespace

NetworkParticles network_particles(const Workspace& native, const SegmentationConfig& config,
                                   const SegmentationInputs& inputs, const FieldOfView& inside) {
  if (!inputs.network) fail(Exit::internal, "method network without a network");
  const NetworkInputs& network = *inputs.network;
  NetworkParticles result;
  NetworkFindings& findings = result.findings;
  findings.particle_diameter_um = particle_diameter(config, inputs, native, findings);
  const WorkingGrid grid =
      working_grid(native.shape, native.voxel_um, inputs.grey->origin_um, findings.particle_diameter_um);
  const Workspace w = working_workspace(native, grid);
  WorkingVolume volume =
      working_volume(*inputs.grey, inputs.field_of_view, grid,
                     {network.low_percentile, network.high_percentile, config.denoise_sigma.value}, *native.context);
  findings.noise = volume.noise;
  findings.denoise_sigma = volume.denoise_sigma;
  const WorkingInside working = working_inside(w, volume);
  findings.fields = fused_fields(std::move(volume), network.predict, {config.views, {}, false}, *native.context);
  const FusedFields& fields = findings.fields;
  CrackedRule rule;
  rule.largest_diameter = largest_of_one * findings.particle_diameter_um / grid.voxel_um;
  const FilledLabels filled = filled_instances(
      w, config.watershed, working.field, foreground_mask(w, fields, working.field, network.foreground_threshold),
      [&](const ScratchGrid<std::uint8_t>& mask) {
        FusedWatershed found = fused_watershed(
            w, fields.probability, mask, least_voxels(w, config.minimum_particle_um3, least_working_voxels), rule);
        warn_about(found, native.context->progress);
        findings.cracked_pairs = found.cracked_pairs;
        findings.unresolved_fraction = static_cast<double>(found.unresolved_voxels) /
                                       static_cast<double>(std::max<std::uint64_t>(1, working.voxels));
        return std::move(found.basins);
      });
  NativeLabels labels =
      native_labels(native, grid, filled.labels, filled.count, fields.foreground, network.foreground_threshold, inside);
  result.changed = ScratchGrid<std::uint8_t>(native);
  fill_labels(native, labels.labels, inside, result.changed, labels.number);
  result.labels = labels.labels;
  result.count = labels.count;
  return result;
}

}  // namespace cathoscope
