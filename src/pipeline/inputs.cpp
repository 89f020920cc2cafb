#include <cathoscope/pipeline/pipeline.hpp>

#include "particle_tables.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/given.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

template <class C>
OpenOptions open_options(const C& c) {
  OpenOptions o;
  o.dataset = c.dataset;
  if (c.shape) o.shape = Index3{(*c.shape)[0], (*c.shape)[1], (*c.shape)[2]};
  o.type = c.type;
  if constexpr (requires { c.header_bytes; }) o.header_bytes = c.header_bytes;
  return o;
}

const char* const voxel_size_help =
    "the voxel size is unknown: the file does not say it and none is ever assumed. Add `voxel_size_um: NUMBER` (or [z, "
    "y, x]).";

/// The file that says where an electrode's voxels lie: its volume, or without one its labels; and how its axes are named.
struct Reference {
  const VolumeFile& file;
  const std::string& axes;
  std::string depth_axis;
};

Reference reference_of(const ElectrodeConfig& e, const ElectrodeInputs& in) {
  if (in.volume) return {*in.volume, given(e.volume).axes, given(e.volume).depth_axis};
  return {given(in.labels), given(e.labels).axes, "z"};
}

void take_voxel_size(const ElectrodeConfig& e, const std::string& key, ElectrodeInputs& in, Problems& problems) {
  const Reference r = reference_of(e, in);
  const auto& configured = in.volume ? given(e.volume).voxel_size_um : given(e.labels).voxel_size_um;
  if (!configured && !r.file.voxel_size_um) {
    problems.add(key + (in.volume ? ".volume" : ".labels"), voxel_size_help);
    return;
  }
  in.voxel_size_um = voxel_size_of(configured, r.file, r.axes, r.depth_axis);
  in.voxel_size_from = configured ? "the configuration" : r.file.voxel_size_from;
}

Placement placement_of(const ElectrodeConfig& e) {
  if (!e.volume) return {};
  return {e.volume->depth_axis, e.volume->crop, e.volume->bin};
}

void take_shape(const ElectrodeConfig& e, ElectrodeInputs& in) {
  const Placement placement = placement_of(e);
  const Reference r = reference_of(e, in);
  in.shape = placed_shape(r.file, r.axes, placement);
  in.two_dimensional = r.file.two_dimensional;
  const auto bin = static_cast<double>(placement.bin);
  for (std::size_t i = 0; i < 3; ++i) in.binned_um[i] = in.voxel_size_um[i] * (in.two_dimensional && i == 0 ? 1 : bin);
}

/// Unequal shapes before the crop are an error of the data: the files do not belong together.
void require_equal_shapes(const ElectrodeConfig& e, const ElectrodeInputs& in) {
  const Reference r = reference_of(e, in);
  const Placement whole{r.depth_axis, std::nullopt, 1};
  const Index3 reference = placed_shape(r.file, r.axes, whole);
  const auto check = [&](const std::optional<VolumeFile>& file, const auto& c, const char* what) {
    if (!file) return;
    const Index3 s = placed_shape(*file, given(c).axes, whole);
    if (s != reference)
      fail(Exit::data, "electrode {}: {} are {} x {} x {} voxels (z, y, x), the volume {} x {} x {}; they must agree",
           e.name, what, s[0], s[1], s[2], reference[0], reference[1], reference[2]);
  };
  check(in.labels, e.labels, "labels");
  check(in.cracks, e.cracks, "cracks");
}

/// Read whole: what inference works on is in memory anyway. Names are checked before any work.
void open_table(const Config& config, const ElectrodeConfig& e, const std::string& key, ElectrodeInputs& in,
                Problems& problems) {
  if (e.volume || e.labels || e.cracks)
    problems.add(key + ".table", "an electrode has a table, or volume and labels; not both");
  const TableConfig& table = given(e.table);
  in.table = read_csv(table.path.resolved);
  try {
    (void)model_table(*in.table, target_of(config, e), model_columns(config, e));
  } catch (const Error& error) {
    if (error.exit() != Exit::config) throw Error(error.exit(), table.path.text + ": " + error.what());
    problems.add(key + ".table", error.what());
  }
}

ElectrodeInputs open_electrode(const Config& config, const ElectrodeConfig& e, const std::string& key,
                               Problems& problems) {
  ElectrodeInputs in;
  if (e.table) {
    open_table(config, e, key, in, problems);
    return in;
  }
  if (!e.volume && !e.labels) {
    problems.add(key, "electrode '" + e.name + "' needs `volume`, `labels` or `table`");
    return in;
  }
  if (e.cracks && !e.labels)
    problems.add(key + ".cracks", "`cracks` goes with `labels`; without them cracks are found by the segmentation");
  if (e.volume) in.volume = open_volume(e.volume->path.resolved, open_options(*e.volume));
  if (e.labels) in.labels = open_volume(e.labels->path.resolved, open_options(*e.labels));
  if (e.cracks) in.cracks = open_volume(e.cracks->path.resolved, open_options(*e.cracks));
  const std::size_t before = problems.size();
  take_voxel_size(e, key, in, problems);
  if (problems.size() != before) return in;
  require_equal_shapes(e, in);
  take_shape(e, in);
  return in;
}

}  // namespace

std::vector<ElectrodeInputs> open_inputs(const Config& config, Problems& problems) {
  std::vector<ElectrodeInputs> inputs;
  std::string bad_data;
  Exit exit = Exit::ok;
  for (std::size_t i = 0; i < config.electrodes.size(); ++i) {
    try {
      inputs.push_back(open_electrode(config, config.electrodes[i], fmt::format("electrodes[{}]", i), problems));
    } catch (const Error& e) {  // one electrode's file must not hide what is wrong with the others
      bad_data += (bad_data.empty() ? "" : "\nerror: ") + std::string(e.what());
      if (exit == Exit::ok) exit = e.exit();
    }
  }
  if (!problems.empty()) throw Error(Exit::config, problems.text() + (bad_data.empty() ? "" : "\nerror: " + bad_data));
  if (exit != Exit::ok) throw Error(exit, bad_data);
  return inputs;
}

std::vector<std::string> selected_stages(const Config& config, const std::string& from, const std::string& until,
                                         const std::string& only) {
  const auto& names = stage_names();
  const auto position = [&](const std::string& name) {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) fail(Exit::usage, "unknown stage '{}'; stages are {}", name, fmt::join(names, ", "));
    return static_cast<std::size_t>(it - names.begin());
  };
  if (!only.empty() && (!from.empty() || !until.empty()))
    fail(Exit::usage, "--only does not go with --from or --until");
  const std::size_t first = !only.empty() ? position(only) : from.empty() ? 0 : position(from);
  const std::size_t last = !only.empty() ? position(only) : until.empty() ? names.size() - 1 : position(until);
  if (first > last) fail(Exit::usage, "--from {} comes after --until {}", from, until);
  std::vector<std::string> selected;
  const bool all = has_stage(config.stages, "all");
  for (std::size_t i = first; i <= last; ++i)
    if (all || has_stage(config.stages, names[i])) selected.push_back(names[i]);
  return selected;
}

}  // namespace cathoscope
