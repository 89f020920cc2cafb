#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/pipeline/phantom_files.hpp>

#include <fmt/format.h>

namespace cathoscope::app {

namespace {

PhantomConfig phantom_config(const PhantomCommand& c) {
  if (c.config.empty() == c.preset.empty())
    fail(Exit::usage, "phantom needs a configuration file or --preset NAME, not both; presets are {}",
         fmt::join(phantom_presets(), ", "));
  if (!c.config.empty()) return read_config<PhantomConfig>(c.config, c.set).value;
  const auto names = phantom_presets();
  if (std::find(names.begin(), names.end(), c.preset) == names.end())
    fail(Exit::usage, "--preset {}: allowed are {}", c.preset, fmt::join(names, ", "));
  return read_config_text<PhantomConfig>(canonical_yaml(phantom_preset(c.preset)), "preset " + c.preset, ".", c.set)
      .value;
}

ValueType grey_type(const std::string& name) {
  const auto type = value_type_from(name);
  if (type != ValueType::uint8 && type != ValueType::uint16 && type != ValueType::float32)
    fail(Exit::usage, "--type {}: allowed are uint8, uint16 and float32", name);
  return *type;
}

}  // namespace

Exit phantom(const PhantomCommand& c, Console& console) {
  if (c.format != "hdf5" && c.format != "tiff") fail(Exit::usage, "--format {}: allowed are hdf5 and tiff", c.format);
  if (c.tables_only && c.rows < 1) fail(Exit::usage, "--tables-only needs --rows N with N >= 1");
  PhantomOrder order;
  order.type = grey_type(c.type);
  order.config = phantom_config(c);
  order.seed = c.seed;
  order.tiff = c.format == "tiff";
  order.voxel_size_um = c.voxel_size_um;
  if (!c.labels.empty()) {
    order.labels = open_volume(c.labels);
    if (!c.labels_voxel_size_um && !order.labels->voxel_size_um)
      fail(Exit::usage, "{} does not say its voxel size; give --labels-voxel-size-um", c.labels);
    order.labels_voxel_um = c.labels_voxel_size_um
                                ? Vec3{*c.labels_voxel_size_um, *c.labels_voxel_size_um, *c.labels_voxel_size_um}
                                : *order.labels->voxel_size_um;
  }
  Progress progress(console.listener(), &stop_flag());
  const Context context{progress, resolve_threads(c.threads.value_or(0))};
  if (c.tables_only)
    write_phantom_table(order.config, c.seed, c.rows, c.output, context);
  else
    write_phantom(order, c.output, context);
  console.info("synthetic data in " + c.output);
  return Exit::ok;
}

}  // namespace cathoscope::app
