#include <cathoscope/pipeline/pipeline.hpp>

#include "attribute_files.hpp"
#include "attribute_inputs.hpp"
#include "chemomechanics_stage.hpp"
#include "figures_stage.hpp"
#include "latent_stage.hpp"
#include "network_model.hpp"
#include "particle_tables.hpp"
#include "provenance.hpp"
#include "regression_stage.hpp"
#include "report_stage.hpp"
#include "share_stages.hpp"
#include "synthetic_views.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/given.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/shards.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same inputs and settings give other results than before.
constexpr int volume_algorithm = 1;
constexpr int segmentation_algorithm = 3;
constexpr int attributes_algorithm = 1;
static_assert(attribute_list.size() == 24,
              "attributes were added: raise attributes_algorithm, so that every electrode "
              "is measured anew, and the number in this line");

std::string text_of_voxel(const Vec3& v) {
  return fmt::format("{} {} {}", text_of(v[0]), text_of(v[1]), text_of(v[2]));
}

/// The part of a configuration that can change a result: a file's content counts through its hash, not its name.
template <class C>
std::string settings(const C& c) {
  return canonical_yaml(c, {.without = {}, .paths = Paths::left_out});
}

struct Electrode {
  const ElectrodeConfig& config;
  const ElectrodeInputs& inputs;
};

/// What a file says that nobody should overlook goes into the log, the record and the report.
void warn_of(const std::optional<VolumeFile>& file, const Context& context) {
  if (!file) return;
  for (const std::string& note : file->notes)
    if (const std::string mark = "warning: "; note.starts_with(mark))
      context.progress.warn(file->files.front().string() + ": " + note.substr(mark.size()));
}

std::optional<Artifact> volume_stage(const Electrode& e, Run& run) {
  if (!e.inputs.volume) return std::nullopt;
  StageSpec spec{e.config.name, "volume", volume_algorithm, {}, {}, {"volume.h5"}};
  spec.config = settings(given(e.config.volume)) + "voxel size used: " + text_of_voxel(e.inputs.voxel_size_um) + "\n";
  spec.inputs.push_back(run.input_of_files("volume", e.inputs.volume->files));
  return run.stage(spec, [&](const fs::path& folder, const Context& context) {
    warn_of(e.inputs.volume, context);
    auto out = H5File::create(partial_name(folder / "volume.h5"));
    load_volume(*e.config.volume, *e.inputs.volume, out, context);
    out.close();
  });
}

/// The mask with 1 for every non-zero value, so that a bin's majority is of crack against the rest.
VolumeFile two_valued(const VolumeFile& mask) {
  VolumeFile result = mask;
  result.type = ValueType::uint8;
  result.read = [source = mask.as<double>()](const Box& box, void* out) {
    std::vector<double> values(static_cast<std::size_t>(box.size()));
    source.read(box, values.data());
    std::transform(values.begin(), values.end(), static_cast<std::uint8_t*>(out),
                   [](double v) { return static_cast<std::uint8_t>(v != 0); });
  };
  return result;
}

SegmentationInputs segmentation_inputs(const Electrode& e, const std::optional<Artifact>& volume) {
  SegmentationInputs in;
  in.two_dimensional = e.inputs.two_dimensional;
  if (volume) {
    const auto file = H5File::open(volume->path);
    in.grey = file.grid<float>("/volume");
    if (volume_meta(file).has_mask) in.field_of_view = file.grid<std::uint8_t>("/mask");
  }
  const Placement placement = e.config.volume
                                  ? Placement{e.config.volume->depth_axis, e.config.volume->crop, e.config.volume->bin}
                                  : Placement{};
  if (e.inputs.labels)
    in.labels = placed_labels(given(e.inputs.labels), given(e.config.labels).axes, placement, e.inputs.voxel_size_um);
  if (e.inputs.cracks) {
    const auto ids = placed_labels(two_valued(given(e.inputs.cracks)), given(e.config.cracks).axes, placement,
                                   e.inputs.voxel_size_um);
    in.cracks = GridSource<std::uint8_t>{ids.shape, ids.voxel_size_um, ids.origin_um, {}};
    in.cracks->read = [read = ids.read](const Box& box, std::uint8_t* out) {
      std::vector<std::uint64_t> values(static_cast<std::size_t>(box.size()));
      read(box, values.data());
      std::transform(values.begin(), values.end(), out, [](std::uint64_t v) { return v != 0 ? 1 : 0; });
    };
  }
  return in;
}

/// The settings of a volume that move its labels, and no others.
std::string placement_text(const VolumeConfig& c) {
  VolumeConfig placed;
  placed.depth_axis = c.depth_axis;
  placed.crop = c.crop;
  placed.bin = c.bin;
  return settings(placed);
}

/// The settings that count for the method; the network counts by its content.
std::string segmentation_settings(SegmentationConfig c) {
  c.model = {};
  if (c.method != "network") {
    const SegmentationConfig defaults;
    c.views = defaults.views;
    c.particle_diameter_um = defaults.particle_diameter_um;
    c.denoise_sigma = defaults.denoise_sigma;
    c.fit_view_weights = defaults.fit_view_weights;
    c.instances = defaults.instances;
  }
  return canonical_yaml(c);
}

Artifact segmentation_stage(const Config& config, const Electrode& e, const std::optional<Artifact>& volume,
                            const std::string& device, Run& run) {
  StageSpec spec{e.config.name, "segmentation", segmentation_algorithm, {}, {}, {"segmentation.h5"}};
  spec.config = segmentation_settings(config.segmentation);
  std::optional<RunModel> model;
  if (config.segmentation.method == "network" && !e.inputs.labels) {
    model = open_model(config.segmentation.model, device);
    spec.config += model->key_text() + "normalise:\n" + canonical_yaml(given(e.config.volume).normalise);
  }
  if (volume) spec.inputs.push_back({"volume", volume->sha256});
  if (e.inputs.labels) {
    spec.config += "labels:\n" + settings(given(e.config.labels)) +
                   "voxel size used: " + text_of_voxel(e.inputs.voxel_size_um) + "\n";
    spec.inputs.push_back(run.input_of_files("labels", e.inputs.labels->files));
    if (e.config.volume) spec.config += "placed like volume:\n" + placement_text(*e.config.volume);
  }
  if (e.inputs.cracks) {
    spec.config += "cracks:\n" + settings(given(e.config.cracks));
    spec.inputs.push_back(run.input_of_files("cracks", e.inputs.cracks->files));
  }
  const auto compute = [&](const fs::path& folder, const Context& context) {
    warn_of(e.inputs.labels, context);
    warn_of(e.inputs.cracks, context);
    auto out = H5File::create(partial_name(folder / "segmentation.h5"));
    SegmentationInputs inputs = segmentation_inputs(e, volume);
    if (model) inputs.network = network_inputs(*model, e.config.volume->normalise, context);
    if (model) share_network(*model, device, context);
    if (model && config.segmentation.fit_view_weights && inputs.grey->shape[0] > 1)
      fit_view_weights(*inputs.network, config.segmentation.views, context);
    segment(config.segmentation, inputs, out, context);
    out.close();
  };
  try {
    return run.stage(spec, compute);
  } catch (const Error& error) {
    if (error.exit() != Exit::no_memory || !model || model->device.name == "cpu") throw;
    return segmentation_stage(config, e, volume, "cpu", run);  // under the CPU's key
  }
}

/// The voxel size at which electrodes are compared: the coarsest, an axis at a time. Empty for those that have it already.
std::optional<Vec3> matched_voxel(const Config& config, const std::vector<ElectrodeInputs>& all, std::size_t i) {
  if (!config.attributes.match_resolution) return std::nullopt;
  Vec3 coarsest = all[i].binned_um;
  bool finer = false;
  for (const auto& other : all)
    for (std::size_t a = 0; a < 3 && !other.table; ++a) {
      if (other.two_dimensional != all[i].two_dimensional) continue;
      coarsest[a] = std::max(coarsest[a], other.binned_um[a]);
      finer = finer || coarsest[a] > 1.01 * all[i].binned_um[a];
    }
  if (!finer) return std::nullopt;
  return coarsest;
}

Artifact attributes_stage(const Config& config, const Electrode& e, const std::optional<Artifact>& volume,
                          const Artifact& segmentation, const std::optional<Vec3>& matched, Run& run) {
  AttributesConfig settings_of_stage = config.attributes;
  settings_of_stage.profile = AttributesConfig{}.profile;  // both profiles are always written
  settings_of_stage.match_resolution = matched.has_value();
  StageSpec spec{e.config.name, "attributes", attributes_algorithm, canonical_yaml(settings_of_stage), {}, {}};
  spec.outputs = attribute_file_names(matched.has_value());
  if (matched) spec.config += "matched voxel size: " + text_of_voxel(*matched) + "\n";
  spec.inputs.push_back({"segmentation", segmentation.sha256});
  if (volume) spec.inputs.push_back({"volume", volume->sha256});
  return run.stage(spec, [&](const fs::path& folder, const Context& context) {
    const auto computed = [&](const std::optional<Vec3>& voxel_um) {
      const MeasuredFiles files{e.config.name, volume ? volume->path : fs::path(), segmentation.path, voxel_um};
      share_electrode(files, context);
      auto inputs = attribute_inputs(files, e.inputs);
      if (voxel_um) inputs = stored(inputs, folder / ".attributes_matched.partial", context);
      return compute_attributes(config.attributes, inputs, context);
    };
    write_attribute_files(folder, computed({}), synthetic_origin(e.config, e.inputs));
    if (matched) write_matched_files(folder, computed(matched));
  });
}

/// The stages of one electrode, as far as they are selected or `inference` needs them; its tables where it got so far.
std::optional<ParticleTables> measure(const Config& config, const std::vector<ElectrodeInputs>& inputs, std::size_t i,
                                      bool inference, Run& run) {
  const Electrode e{config.electrodes[i], inputs[i]};
  const bool attributes = inference || run.selected("attributes");
  const bool segmentation_too = attributes || run.selected("segmentation");
  if (!segmentation_too && !run.selected("volume")) return std::nullopt;
  const auto volume = volume_stage(e, run);
  if (!segmentation_too) return std::nullopt;
  const auto segmentation = segmentation_stage(config, e, volume, config.runtime.device, run);
  if (!attributes) return std::nullopt;
  const auto matched = matched_voxel(config, inputs, i);
  const auto table = attributes_stage(config, e, volume, segmentation, matched, run);
  return measured_tables(config, config.electrodes[i], table, matched.has_value());
}

/// The particles of every electrode, as far as stages that are looked at need them.
std::vector<ParticleTables> tables_of_all(const Config& config, const std::vector<ElectrodeInputs>& inputs,
                                          FigureSources& sources, Run& run) {
  const bool inference = sources.wanted("latent") || sources.wanted("regression");
  const std::string of_network = measured_electrode(config, run);
  std::vector<ParticleTables> tables;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = config.electrodes[i].name;
    if (inputs[i].table && inference)
      tables.push_back(given_tables(config, config.electrodes[i], given(inputs[i].table), run));
    else if (!inputs[i].table)
      sources.attempt_electrode(name, [&] {
        if (auto measured = measure(config, inputs, i, inference || name == of_network, run))
          tables.push_back(std::move(*measured));
      });
  }
  return tables;
}

void write_head(const Config& config, const Run& run) {
  if (run.dry()) return;
  Config resolved = config;
  resolved.output = ".";  // the folder that holds it, wherever it is moved
  write_atomically(run.folder() / "config.yaml", canonical_yaml(resolved, {.without = {}, .paths = Paths::absolute}));
  write_atomically(run.folder() / "units.json", units_json());
}

}  // namespace

void run_study(const Config& config, const std::vector<ElectrodeInputs>& inputs, Run& run) {
  const RunCrate crate(run);
  write_head(config, run);
  FigureSources sources(config, inputs, run);
  const std::vector<ParticleTables> tables = tables_of_all(config, inputs, sources, run);
  sources.attempt_all("latent", [&] { latent_stage(config, tables, run); });
  sources.attempt_all("regression", [&] { regression_stage(config, tables, run); });
  sources.attempt("chemomechanics", [&] { chemomechanics_stage(config, run); });
  figures_stage(config, tables, sources, run);
  run.write_provenance(provenance_of(config, run));  // which the report shows
  report_stage(config, sources, run);
  run.write_provenance(provenance_of(config, run));
  crate.write(config, inputs, run);
}

void run_shard(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Shard& shard, Run& run) {
  if (!run.dry()) unmark_shard(run.folder());
  write_head(config, run);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (shard.has(i) && !inputs[i].table) (void)measure(config, inputs, i, false, run);
  run.write_provenance(provenance_of(config, run));
  if (!run.dry()) mark_shard(run.folder(), shard);
}

void run_regression_shard(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Shard& shard,
                          Run& run) {
  FigureSources sources(config, inputs, run);
  std::vector<ParticleTables> tables;
  try {
    tables = tables_of_all(config, inputs, sources, run);
  } catch (const Error& e) {
    if (e.exit() != Exit::config) throw;
    fail(
        Exit::config,
        "the attributes of every electrode must be there before the regression is shared: run without --shard and with "
        "--until attributes, or shards of the electrodes and `merge`, then this again ({})",
        e.what());
  }
  sources.attempt_all("regression", [&] { regression_share(config, tables, shard, run); });
}

}  // namespace cathoscope
