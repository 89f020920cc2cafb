#include <cathoscope/pipeline/phantom_files.hpp>

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/export.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

constexpr Index3 tile{64, 64, 64};  // the chunks of the files

constexpr const char* unfinished = ".cathoscope-phantom-unfinished";

/// What an interrupted phantom may have left: its own files, finished or partial.
bool is_of_phantom(const fs::path& path) {
  std::string name = path.filename().string();
  if (name == unfinished) return true;
  if (const std::string ending = ".partial"; name.front() == '.' && name.ends_with(ending))
    name = name.substr(1, name.size() - 1 - ending.size());
  for (const std::string_view own : {"volume", "labels", "cracks", "crack_fraction"})
    if (name == std::string(own) + ".h5" || name == std::string(own) + ".tif") return true;
  for (const std::string_view own :
       {"attributes.csv", "attributes_leakfree.csv", "particles.csv", "truth.yaml", "electrode.yaml", "run.yaml"})
    if (name == own) return true;
  return false;
}

/// A new folder, or one that an interrupted phantom left: it begins anew.
void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(Exit::cannot_create, "{} cannot be created: {}", folder.string(), error.message());
  fs::remove(partial_name(folder / unfinished), error);  // of one that was killed before it had begun
  std::vector<fs::path> left;
  if (fs::exists(folder / unfinished, error))
    for (const auto& entry : fs::directory_iterator(folder))
      if (!entry.is_directory(error) && is_of_phantom(entry.path())) left.push_back(entry.path());
  for (const auto& path : left) fs::remove(path, error);
  if (!fs::is_empty(folder, error) || error)
    fail(Exit::cannot_create, "{} is not empty; a phantom is written into a new folder", folder.string());
  write_atomically(folder / unfinished, "removed when the phantom is whole\n");
}

/// Attributes of the bodies on noise-free masks; the damage source says where the truth comes from.
AttributeResult true_attributes(const GridSource<std::uint32_t>& bodies, const GridSource<std::uint8_t>& crack_mask,
                                const GridSource<float>& grey_values, std::size_t particles, const Context& context) {
  AttributeInputs in;
  in.labels = bodies;
  in.cracks = crack_mask;
  in.grey = grey_values;
  in.label_ids.resize(particles);
  std::iota(in.label_ids.begin(), in.label_ids.end(), std::uint64_t{1});
  in.physical_faces = {"z_low", "z_high"};
  in.depth_length_um = static_cast<double>(bodies.shape[0]) * bodies.voxel_size_um[0];
  in.damage_source = "mask";
  in.damage_partial_volume.assign(particles, std::numeric_limits<double>::quiet_NaN());
  return compute_attributes(AttributesConfig{}, in, context);
}

Phantom made_phantom(const PhantomOrder& order, const Context& context) {
  if (!order.labels) return make_phantom(order.config, order.seed, context);
  auto labels = order.labels->as<std::uint64_t>();
  labels.voxel_size_um = order.labels_voxel_um;
  return semi_real_phantom(order.config, order.seed, labels, context).phantom;
}

/// Cracks opened on the masks at voxel size h; `bodies` are the labels there.
Phantom damaged_phantom(Phantom phantom, const GridSource<std::uint32_t>& bodies, double h, const Context& context) {
  if (!phantom.config.plant.planted) return with_natural_damage(std::move(phantom), h, context);
  const auto table =
      true_attributes(bodies, no_cracks(phantom, h), crack_free_grey(phantom, h), phantom.particles.size(), context)
          .leak_free;
  const auto targets = damage_targets(phantom, table);
  return with_damage(std::move(phantom), targets, h, context);
}

std::string origin_text(const Phantom& phantom) {
  return fmt::format("synthetic: cathoscope phantom, preset {}, seed {}", phantom.config.preset, phantom.seed);
}

/// The preset's name with what an electrode's name may not have replaced.
std::string electrode_name(const std::string& preset) {
  std::string name = ("synthetic-" + preset).substr(0, 64);
  for (char& c : name) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (!allowed) c = '-';
  }
  return name;
}

/// One HDF5 file with one grid, marked as synthetic.
template <class T>
void write_h5_grid(const fs::path& path, const std::string& name, const GridSource<T>& grid, Storage storage,
                   const std::string& origin, const Context& context) {
  auto file = H5File::create(partial_name(path));
  file.set_attribute("/", "synthetic", origin);
  const auto sink = file.create_grid<T>("/" + name, grid.shape, grid.voxel_size_um, grid.origin_um, storage);
  context.progress.begin("render " + name, static_cast<std::uint64_t>(volume_of(grid.shape)));
  copy_blocks(grid, sink, tile, context);
  file.close();
  publish(path);
}

template <class T>
void write_grid(const fs::path& folder, const std::string& name, const GridSource<T>& grid, bool tiff, bool grey_values,
                const std::string& origin, const Context& context) {
  if (tiff) {
    context.progress.begin("render " + name, 1);
    write_tiff(folder / (name + ".tif"), grid, {.description = origin, .compress = !grey_values});
    context.progress.advance();
  } else {
    write_h5_grid(folder / (name + ".h5"), name, grid, grey_values ? Storage::checked : Storage::compressed, origin,
                  context);
  }
}

/// A file read back: several times faster than rendering again.
template <class T>
GridSource<T> written(const fs::path& folder, const std::string& name, bool tiff, double voxel_um) {
  auto grid = open_volume(folder / (name + (tiff ? ".tif" : ".h5"))).as<T>();
  grid.voxel_size_um = {voxel_um, voxel_um, voxel_um};
  return grid;
}

void write_grey(const fs::path& folder, const Phantom& phantom, double h, const PhantomOrder& order,
                const std::string& origin, const Context& context) {
  const auto write = [&](const auto& grid) { write_grid(folder, "volume", grid, order.tiff, true, origin, context); };
  if (order.type == ValueType::uint16)
    write(grey_as<std::uint16_t>(phantom, h));
  else if (order.type == ValueType::float32)
    write(grey_as<float>(phantom, h));
  else
    write(grey_as<std::uint8_t>(phantom, h));
}

}  // namespace

void write_phantom(const PhantomOrder& order, const fs::path& folder, const Context& context) {
  make_folder(folder);
  Phantom packed = made_phantom(order, context);
  const double h = order.voxel_size_um.value_or(packed.config.voxel_size_um);
  // Labels are dense where every particle owns a voxel.
  if (h != packed.config.voxel_size_um) packed = with_voxels_at(std::move(packed), h, context);
  const std::string origin = origin_text(packed);
  // Bodies do not change when they crack: their file comes first, and everything that is measured reads it.
  write_grid(folder, "labels", body_labels(packed, h), order.tiff, false, origin, context);
  const auto bodies = written<std::uint32_t>(folder, "labels", order.tiff, h);
  const Phantom phantom = damaged_phantom(std::move(packed), bodies, h, context);
  write_grey(folder, phantom, h, order, origin, context);
  write_grid(folder, "cracks", cracks(phantom, h), order.tiff, false, origin, context);
  write_grid(folder, "crack_fraction", crack_fraction(phantom, h), order.tiff, false, origin, context);

  const auto truth =
      true_attributes(bodies, written<std::uint8_t>(folder, "cracks", order.tiff, h),
                      written<float>(folder, "volume", order.tiff, h), phantom.particles.size(), context);
  write_atomically(folder / "attributes.csv", csv_text(truth.paper));
  write_atomically(folder / "attributes_leakfree.csv", csv_text(truth.leak_free));
  write_atomically(folder / "particles.csv", csv_text(particle_table(phantom)));
  write_atomically(folder / "truth.yaml", truth_yaml(phantom));
  const std::string ending = order.tiff ? ".tif" : ".h5";
  const std::string name = electrode_name(phantom.config.preset);
  const PhantomFiles files{"volume" + ending, "labels" + ending, "cracks" + ending};
  write_atomically(folder / "electrode.yaml", electrode_yaml(phantom, name, h, files));
  write_atomically(folder / "run.yaml", run_yaml(phantom, name, h, files));
  fs::remove(folder / unfinished);
}

void write_phantom_table(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows, const fs::path& folder,
                         const Context& context) {
  make_folder(folder);
  const fs::path path = folder / "attributes.csv";
  std::ofstream out(partial_name(path), std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", path.string());
  write_planted_csv(
      config, seed, rows,
      [&](std::string_view text) { out.write(text.data(), static_cast<std::streamsize>(text.size())); }, context);
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write (is the disk full?)", path.string());
  publish(path);
  write_atomically(folder / "truth.yaml", table_truth_yaml(config, seed, rows));
  fs::remove(folder / unfinished);
}

}  // namespace cathoscope
