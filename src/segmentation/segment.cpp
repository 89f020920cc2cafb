#include "cracks.hpp"
#include "filled.hpp"
#include "given_labels.hpp"
#include "mask.hpp"
#include "network_route.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/basins.hpp>
#include <cathoscope/segmentation/components.hpp>
#include <cathoscope/segmentation/distance.hpp>
#include <cathoscope/segmentation/segmentation.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

namespace cathoscope {

namespace {

/// What every route ends with.
struct Particles {
  ScratchGrid<std::uint32_t> labels;  ///< filled, dense 1..n by first voxel
  std::vector<std::uint64_t> ids;
  std::vector<double> damage_partial_volume;
  ScratchGrid<std::uint8_t> cracks;
  std::string damage_source;
  std::optional<NetworkFindings> findings;
  double edge_blur = 0;  ///< voxels; 0 = not known

  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(ids.size()); }
};

template <class T>
void check_shape(const char* what, const std::optional<GridSource<T>>& source, const Index3& shape) {
  if (source && source->shape != shape)
    fail(Exit::data, "{}: {} x {} x {} voxels (z, y, x), but the volume has {} x {} x {}", what, source->shape[0],
         source->shape[1], source->shape[2], shape[0], shape[1], shape[2]);
}

Workspace workspace_of(const SegmentationInputs& inputs, const H5File& out, const Context& context,
                       const std::optional<Index3>& block) {
  if (!inputs.grey && !inputs.labels) fail(Exit::config, "segmentation needs a volume or labels: neither was given");
  Workspace w;
  w.shape = inputs.grey ? inputs.grey->shape : inputs.labels->shape;
  w.voxel_um = inputs.grey ? inputs.grey->voxel_size_um : inputs.labels->voxel_size_um;
  if (w.shape[0] == 1) w.voxel_um[0] = w.voxel_um[1];  // a single plane: its thickness says nothing about distances
  for (std::size_t i = 0; i < 3; ++i) {
    if (w.shape[i] < 1) fail(Exit::data, "the volume has no voxels");
    if (!(w.voxel_um[i] > 0) || !std::isfinite(w.voxel_um[i]))
      fail(Exit::data, "voxel size {} um: it must be a number above 0", w.voxel_um[i]);
  }
  check_shape("labels", inputs.labels, w.shape);
  check_shape("crack mask", inputs.cracks, w.shape);
  check_shape("field of view", inputs.field_of_view, w.shape);
  w.block = block ? *block : block_for(w.shape, context);
  w.folder = out.path().has_parent_path() ? out.path().parent_path() : std::filesystem::path(".");
  w.context = &context;
  return w;
}

Watershed watershed(const Workspace& w, const SegmentationConfig& config, const ScratchGrid<std::uint8_t>& mask) {
  Basins basins = find_basins(w, depth_field(w, mask));
  const double steps_a_um = depth_steps / *std::min_element(w.voxel_um.begin(), w.voxel_um.end());
  // Depths are known to half a voxel at the peak and at the saddle: less than a whole one is no neck.
  const double widest = *std::max_element(w.voxel_um.begin(), w.voxel_um.end());
  const MergeRule rule{std::max(config.watershed.h_um, widest) * steps_a_um, config.watershed.h_relative};
  const auto groups = merge_basins(basins.graph, rule);
  const Instances instances = number_instances(basins.graph, groups, least_voxels(w, config.minimum_particle_um3, 300));
  if (instances.dropped > 0)
    w.context->progress.warn(fmt::format("{} particles smaller than the minimum were dropped ({} voxels)",
                                         instances.dropped, instances.dropped_voxels));
  std::vector<std::uint32_t> label_of = std::move(basins.basin_of);
  for (std::size_t id = 1; id < label_of.size(); ++id) label_of[id] = instances.label_of[label_of[id]];
  return {basins.ids, std::move(label_of), instances.count};
}

/// The foreground mask becomes filled instances by its shape.
Particles particles_of(const Workspace& w, const SegmentationConfig& config, const FieldOfView& inside,
                       const ScratchGrid<std::uint8_t>& mask) {
  const FilledLabels filled =
      filled_instances(w, config.watershed, inside, mask, [&](const auto& m) { return watershed(w, config, m); });
  Particles p;
  p.labels = filled.labels;
  p.cracks = filled.changed;  // its values are no longer needed
  p.ids.resize(filled.count);
  std::iota(p.ids.begin(), p.ids.end(), std::uint64_t{1});
  return p;
}

Particles particles_of_network(const Workspace& w, const SegmentationConfig& config, const SegmentationInputs& inputs,
                               const FieldOfView& inside) {
  NetworkParticles found = network_particles(w, config, inputs, inside);
  Particles p;
  p.labels = found.labels;
  p.cracks = found.changed;
  p.ids.resize(found.count);
  std::iota(p.ids.begin(), p.ids.end(), std::uint64_t{1});
  p.findings = std::move(found.findings);
  return p;
}

void clear(const Workspace& w, const ScratchGrid<std::uint8_t>& mask) {
  for_each_block(w, "no cracks", [&](const Box& block) {
    mask.write(block, std::vector<std::uint8_t>(static_cast<std::size_t>(block.size()), 0).data());
  });
}

void cracks_from_grey(const Workspace& w, const SegmentationInputs& inputs, const GreyRange& range,
                      const FieldOfView& inside, Particles& p) {
  Cracks cracks = find_cracks(w, *inputs.grey, range, inside, p.labels, p.count());
  p.cracks = cracks.mask;
  p.damage_partial_volume = std::move(cracks.damage_partial_volume);
  p.damage_source = "grey";
  p.edge_blur = cracks.edge_blur;
  if (cracks.without_levels > 0)
    w.context->progress.warn(
        fmt::format("no cracks could be looked for in {} particles: their grey values do not stand "
                    "out from their surroundings",
                    cracks.without_levels));
}

/// V = the part of every particle that is not the active phase.
void cracks_from_phases(const Workspace& w, const SegmentationConfig& config, const SegmentationInputs& inputs,
                        Particles& p) {
  const auto active = static_cast<float>(config.active_phase);
  for_each_block(w, "cracks", [&](const Box& block) {
    const Array3<std::uint32_t> labels = p.labels.padded(block, 0);
    const Array3<float> phase = inputs.grey->load(block);
    std::vector<std::uint8_t> crack(labels.size());
    for (std::size_t i = 0; i < crack.size(); ++i)
      crack[i] = labels.data()[i] != 0 && phase.data()[i] != active ? 1 : 0;
    p.cracks.write(block, crack.data());
  });
  p.damage_source = "phases";
}

void cracks_from_mask(const Workspace& w, const SegmentationInputs& inputs, Particles& p) {
  std::mutex mutex;
  std::uint64_t outside = 0;
  for_each_block(w, "cracks", [&](const Box& block) {
    const Array3<std::uint32_t> labels = p.labels.padded(block, 0);
    Array3<std::uint8_t> crack = inputs.cracks->load(block);
    std::uint64_t lost = 0;
    for (std::size_t i = 0; i < crack.size(); ++i) {
      const bool marked = crack.data()[i] != 0;
      if (marked && labels.data()[i] == 0) ++lost;
      crack.data()[i] = marked && labels.data()[i] != 0 ? 1 : 0;
    }
    p.cracks.write(block, crack.data());
    const std::scoped_lock lock(mutex);
    outside += lost;
  });
  p.damage_source = "mask";
  if (outside > 0)
    w.context->progress.warn(
        fmt::format("{} voxels of the crack mask lie outside every particle and are left out", outside));
}

Particles given_particles(const Workspace& w, const SegmentationConfig& config, const SegmentationInputs& inputs,
                          const FieldOfView& inside) {
  GivenLabels given =
      dense_labels(w, *inputs.labels, inside, config.exclude_labels, least_voxels(w, config.minimum_particle_um3, 0));
  if (given.dropped > 0)
    w.context->progress.warn(fmt::format("{} labels smaller than the minimum were dropped", given.dropped));
  Particles p;
  p.labels = given.labels;
  p.ids = std::move(given.ids);
  p.cracks = ScratchGrid<std::uint8_t>(w);
  fill_labels(w, p.labels, inside, p.cracks);
  p.damage_source = "holes";
  return p;
}

template <class T>
void write_grid(const Workspace& w, const std::string& name, const ScratchGrid<T>& values,
                const SegmentationInputs& inputs, H5File& out) {
  const Vec3 voxel = inputs.grey ? inputs.grey->voxel_size_um : inputs.labels->voxel_size_um;
  const Vec3 origin = inputs.grey ? inputs.grey->origin_um : inputs.labels->origin_um;
  GridSink<T> sink = out.create_grid<T>(name, w.shape, voxel, origin, Storage::compressed);
  w.context->progress.begin("writing " + name, static_cast<std::uint64_t>(volume_of(w.shape)));
  std::vector<T> part;
  for (const Box& row : blocks(w.shape, {64, 64, std::max<std::int64_t>(64, w.shape[2])})) {
    part.resize(static_cast<std::size_t>(row.size()));
    values.read(row, part.data());
    sink.write(row, part.data());  // whole chunks in one order: the file's bytes do not depend on blocks or threads
    w.context->progress.advance(static_cast<std::uint64_t>(row.size()));
  }
}

void write_field(const std::string& name, const Array3<float>& values, const WorkingGrid& grid, H5File& out) {
  const Vec3 voxel{grid.voxel_um, grid.voxel_um, grid.voxel_um};
  GridSink<float> sink = out.create_grid<float>(name, grid.shape, voxel, grid.origin_um, Storage::compressed);
  std::vector<float> part;
  for (const Box& row : blocks(grid.shape, {64, 64, std::max<std::int64_t>(64, grid.shape[2])})) {
    part.resize(static_cast<std::size_t>(row.size()));
    copy_box(values.data(), grid.shape, row, part.data());
    sink.write(row, part.data());
  }
}

void write_findings(const NetworkFindings& f, H5File& out) {
  write_field("/probability", f.fields.probability, f.fields.grid, out);
  write_field("/disagreement", f.fields.disagreement, f.fields.grid, out);
  const auto number = [&](const char* key, double value) { out.set_attribute("/", key, std::vector<double>{value}); };
  number("particle_diameter_um", f.particle_diameter_um);
  number("particle_diameter_estimated", f.diameter_estimated ? 1 : 0);
  number("working_voxel_um", f.fields.grid.voxel_um);
  number("noise", f.noise);
  number("denoise_sigma", f.denoise_sigma);
  number("unresolved_fraction", f.unresolved_fraction);
  number("foreground_threshold", f.foreground_threshold);
  if (!f.view_weights.empty()) out.set_attribute("/", "view_weights", f.view_weights);
}

void write(const Workspace& w, const SegmentationInputs& inputs, Particles p, H5File& out) {
  p.damage_partial_volume.resize(p.ids.size(), std::numeric_limits<double>::quiet_NaN());
  write_grid(w, "/labels", p.labels, inputs, out);
  write_grid(w, "/cracks", p.cracks, inputs, out);
  if (p.findings) write_findings(*p.findings, out);
  out.write_array("/label_ids", p.ids);
  out.write_array("/damage_partial_volume", p.damage_partial_volume);
  out.set_attribute("/", "damage_source", p.damage_source);
  out.set_attribute("/", "two_dimensional", std::vector<double>{inputs.two_dimensional ? 1.0 : 0.0});
  if (p.edge_blur > 0) {
    const double voxel = *std::min_element(w.voxel_um.begin(), w.voxel_um.end());
    out.set_attribute("/", "edge_blur_um", std::vector<double>{p.edge_blur * voxel});
    out.set_attribute("/", "crack_width_at_half_depth_um", std::vector<double>{half_depth_width(p.edge_blur) * voxel});
  }
  out.set_attribute("/", "particles", std::vector<double>{static_cast<double>(p.ids.size())});
}

}  // namespace

void segment(const SegmentationConfig& config, const SegmentationInputs& inputs, H5File& out, const Context& context) {
  segment(config, inputs, out, context, std::nullopt);
}

void segment(const SegmentationConfig& config, const SegmentationInputs& inputs, H5File& out, const Context& context,
             const std::optional<Index3>& block) {
  const Workspace w = workspace_of(inputs, out, context, block);
  const FieldOfView inside{inputs.field_of_view, w.shape};
  const bool phases = !inputs.labels && config.method == "phases";
  const bool cracks_in_grey = config.cracks != "none" && !inputs.cracks && inputs.grey && !phases;
  const bool network = !inputs.labels && config.method == "network";
  const bool automatic = !inputs.labels && !phases && !network && !config.watershed.threshold.value;
  GreyRange range;
  if ((cracks_in_grey && !network) || automatic) range = grey_range(w, *inputs.grey, inside);
  Particles p;
  if (inputs.labels)
    p = given_particles(w, config, inputs, inside);
  else if (phases)
    p = particles_of(w, config, inside, phase_mask(w, config.active_phase, *inputs.grey, inside));
  else if (network)
    p = particles_of_network(w, config, inputs, inside);
  else
    p = particles_of(w, config, inside, threshold_mask(w, config.watershed, *inputs.grey, range, inside));
  if (config.cracks == "none" && inputs.cracks)
    context.progress.warn(
        "segmentation.cracks is none: the crack mask that was given is left out; set it to auto to use the mask");
  if (p.count() == 0) context.progress.warn("no particle was found");
  if (config.cracks == "none") {
    clear(w, p.cracks);
    p.damage_source = "none";
  } else if (inputs.cracks) {
    cracks_from_mask(w, inputs, p);
  } else if (phases) {
    cracks_from_phases(w, config, inputs, p);
  } else if (cracks_in_grey) {
    if (network) range = grey_range(w, *inputs.grey, inside);
    cracks_from_grey(w, inputs, range, inside, p);
  }
  write(w, inputs, std::move(p), out);
}

}  // namespace cathoscope
