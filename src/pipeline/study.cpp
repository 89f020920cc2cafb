#include <cathoscope/pipeline/pipeline.hpp>

#include "attribute_files.hpp"
#include "chemomechanics_stage.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/version.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

// Raised when the same inputs and settings give other results than before.
constexpr int volume_algorithm = 1;
constexpr int segmentation_algorithm = 1;
constexpr int attributes_algorithm = 1;

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

std::optional<Artifact> volume_stage(const Electrode& e, Run& run) {
  if (!e.inputs.volume) return std::nullopt;
  StageSpec spec{e.config.name, "volume", volume_algorithm, {}, {}, {"volume.h5"}};
  spec.config = settings(*e.config.volume) + "voxel size used: " + text_of_voxel(e.inputs.voxel_size_um) + "\n";
  spec.inputs.push_back(run.input_of_files("volume", e.inputs.volume->files));
  return run.stage(spec, [&](const fs::path& folder, const Context& context) {
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
    in.labels = placed_labels(*e.inputs.labels, e.config.labels->axes, placement, e.inputs.voxel_size_um);
  if (e.inputs.cracks) {
    const auto ids =
        placed_labels(two_valued(*e.inputs.cracks), e.config.cracks->axes, placement, e.inputs.voxel_size_um);
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

Artifact segmentation_stage(const Config& config, const Electrode& e, const std::optional<Artifact>& volume, Run& run) {
  StageSpec spec{e.config.name, "segmentation", segmentation_algorithm, {}, {}, {"segmentation.h5"}};
  spec.config = canonical_yaml(config.segmentation);
  if (volume) spec.inputs.push_back({"volume", volume->sha256});
  if (e.inputs.labels) {
    spec.config +=
        "labels:\n" + settings(*e.config.labels) + "voxel size used: " + text_of_voxel(e.inputs.voxel_size_um) + "\n";
    spec.inputs.push_back(run.input_of_files("labels", e.inputs.labels->files));
    if (e.config.volume) spec.config += "placed like volume:\n" + placement_text(*e.config.volume);
  }
  if (e.inputs.cracks) {
    spec.config += "cracks:\n" + settings(*e.config.cracks);
    spec.inputs.push_back(run.input_of_files("cracks", e.inputs.cracks->files));
  }
  return run.stage(spec, [&](const fs::path& folder, const Context& context) {
    auto out = H5File::create(partial_name(folder / "segmentation.h5"));
    segment(config.segmentation, segmentation_inputs(e, volume), out, context);
    out.close();
  });
}

AttributeInputs attribute_inputs(const Electrode& e, const std::optional<Artifact>& volume,
                                 const Artifact& segmentation) {
  const auto file = H5File::open(segmentation.path);
  AttributeInputs in;
  in.labels = file.grid<std::uint32_t>("/labels");
  in.label_ids = file.read_array<std::uint64_t>("/label_ids");
  in.cracks = file.grid<std::uint8_t>("/cracks");
  in.damage_partial_volume = file.read_array<double>("/damage_partial_volume");
  in.damage_source = file.attribute_text("/", "damage_source").value_or("");
  in.two_dimensional = e.inputs.two_dimensional;
  in.physical_faces = VolumeConfig{}.physical_faces;
  in.depth_length_um = static_cast<double>(e.inputs.shape[0]) * e.inputs.binned_um[0];
  if (volume) {
    const auto source = H5File::open(volume->path);
    const VolumeMeta meta = volume_meta(source);
    in.grey = source.grid<float>("/volume");
    if (meta.has_mask) in.field_of_view = source.grid<std::uint8_t>("/mask");
    in.physical_faces = meta.physical_faces;
    in.depth_from_high_end = meta.depth_origin == "high";
    in.depth_length_um = meta.depth_length_um;
  }
  return in;
}

/// The voxel size at which electrodes are compared: the coarsest, an axis at a time. Empty for those that have it already.
std::optional<Vec3> matched_voxel(const Config& config, const std::vector<ElectrodeInputs>& all, std::size_t i) {
  if (!config.attributes.match_resolution) return std::nullopt;
  Vec3 coarsest = all[i].binned_um;
  bool finer = false;
  for (const auto& other : all)
    for (std::size_t a = 0; a < 3; ++a) {
      if (other.two_dimensional != all[i].two_dimensional) continue;
      coarsest[a] = std::max(coarsest[a], other.binned_um[a]);
      finer = finer || coarsest[a] > 1.01 * all[i].binned_um[a];
    }
  if (!finer) return std::nullopt;
  return coarsest;
}

/// How the electrode's data were made where its files say that they are no measurement.
std::string synthetic_origin(const Electrode& e) {
  for (const auto* file : {&e.inputs.volume, &e.inputs.labels, &e.inputs.cracks})
    if (*file && !(*file)->synthetic.empty()) return (*file)->synthetic;
  return {};
}

void attributes_stage(const Config& config, const Electrode& e, const std::optional<Artifact>& volume,
                      const Artifact& segmentation, const std::optional<Vec3>& matched, Run& run) {
  AttributesConfig settings_of_stage = config.attributes;
  settings_of_stage.profile = AttributesConfig{}.profile;  // both profiles are always written
  settings_of_stage.match_resolution = matched.has_value();
  StageSpec spec{e.config.name, "attributes", attributes_algorithm, canonical_yaml(settings_of_stage), {}, {}};
  spec.outputs = attribute_file_names(matched.has_value());
  if (matched) spec.config += "matched voxel size: " + text_of_voxel(*matched) + "\n";
  spec.inputs.push_back({"segmentation", segmentation.sha256});
  if (volume) spec.inputs.push_back({"volume", volume->sha256});
  run.stage(spec, [&](const fs::path& folder, const Context& context) {
    const auto inputs = attribute_inputs(e, volume, segmentation);
    write_attribute_files(folder, compute_attributes(config.attributes, inputs, context), synthetic_origin(e));
    if (matched)
      write_matched_files(folder, compute_attributes(config.attributes, degraded(inputs, *matched), context));
  });
}

std::string provenance_of(const Config& config) {
  return fmt::format(
      R"({{"run": "{}", "seed": {}, "version": "{}", "git": "{}", "device": "cpu", "isa": "x86-64-v2"}})", config.name,
      config.seed, version_text(), git_text());
}

}  // namespace

void run_study(const Config& config, const std::vector<ElectrodeInputs>& inputs, Run& run) {
  if (!run.dry()) {
    Config resolved = config;
    resolved.output = ".";  // the folder that holds it, wherever it is moved
    write_atomically(run.folder() / "config.yaml", canonical_yaml(resolved, {.without = {}, .paths = Paths::absolute}));
    write_atomically(run.folder() / "units.json", units_json());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Electrode e{config.electrodes[i], inputs[i]};
    const bool attributes = run.selected("attributes") || e.config.name == measured_electrode(config, run),
               segmentation_too = attributes || run.selected("segmentation");
    if (!segmentation_too && !run.selected("volume")) continue;
    const auto volume = volume_stage(e, run);
    if (!segmentation_too) continue;
    const auto segmentation = segmentation_stage(config, e, volume, run);
    if (!attributes) continue;
    attributes_stage(config, e, volume, segmentation, matched_voxel(config, inputs, i), run);
  }
  chemomechanics_stage(config, run);
  run.write_provenance(provenance_of(config));
}

}  // namespace cathoscope
