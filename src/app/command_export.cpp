#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/chemomechanics/elements.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/io/export.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>
#include <cathoscope/pipeline/config.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace cathoscope::app {

namespace {

namespace fs = std::filesystem;

/// Where one electrode's results come from and go to.
struct Job {
  fs::path from;
  fs::path to;
  Progress& progress;
};

/// The source with progress and the wish to stop tied to its reads.
template <class T>
GridSource<T> watched(GridSource<T> source, Progress& progress, const std::string& task) {
  progress.begin(task, static_cast<std::uint64_t>(volume_of(source.shape)));
  source.read = [read = std::move(source.read), &progress](const Box& box, T* out) {
    read(box, out);
    progress.advance(static_cast<std::uint64_t>(box.size()));
  };
  return source;
}

/// Calls f with the grid as its own value type.
template <class F>
void with_grid(const H5File& file, const std::string& name, F&& f) {
  const std::string type = file.type_of(name);
  if (type == "uint8")
    f(file.grid<std::uint8_t>(name));
  else if (type == "int8")
    f(file.grid<std::int8_t>(name));
  else if (type == "uint16")
    f(file.grid<std::uint16_t>(name));
  else if (type == "int16")
    f(file.grid<std::int16_t>(name));
  else if (type == "uint32")
    f(file.grid<std::uint32_t>(name));
  else if (type == "int32")
    f(file.grid<std::int32_t>(name));
  else if (type == "float64")
    f(file.grid<double>(name));
  else
    f(file.grid<float>(name));
}

H5File open_result(const Job& job, const std::string& file) {
  if (!fs::exists(job.from / file))
    fail(Exit::no_input, "{} does not exist: that stage has not finished. Run the study first.",
         (job.from / file).string());
  return H5File::open(job.from / file);
}

std::vector<NamedGrid> named_grids(const Job& job, const H5File& file, const std::vector<std::string>& names) {
  std::vector<NamedGrid> grids;
  for (const auto& name : names)
    with_grid(file, "/" + name, [&](auto grid) {
      grids.push_back({name, AnyGrid(watched(std::move(grid), job.progress, "export " + name))});
    });
  return grids;
}

void write_vtk(const Job& job, const H5File& file, const std::string& stage, const std::vector<std::string>& names) {
  if (vtk_ending(file.grid_shape("/" + names.front())) == ".hdf")
    write_vtkhdf(job.to / (stage + ".hdf"), named_grids(job, file, names));
  write_vti(job.to / (stage + ".vti"), named_grids(job, file, names));
}

void write_label_tiff(const Job& job, const H5File& file) {
  const auto labels = watched(file.grid<std::uint32_t>("/labels"), job.progress, "export labels");
  const auto count = file.read_array<std::uint64_t>("/label_ids").size();
  if (label_type(count) == ValueType::uint16)
    write_tiff(job.to / "labels.tif", labels_as_uint16(labels));
  else
    write_tiff(job.to / "labels.tif", labels);
}

/// What a run says of the making of its data where they are no measurement.
std::string synthetic_origin(const Job& job) {
  for (const char* name : {"volume.h5", "attributes.h5"})
    if (fs::exists(job.from / name))
      if (const auto text = H5File::open(job.from / name).attribute_text("/", "synthetic"); text && !text->empty())
        return *text;
  return "";
}

/// A grid as a folder that viewers of large images open level by level.
template <class T>
void write_zarr(const Job& job, const std::string& name, const GridSource<T>& grid, bool labels) {
  OmeZarrOptions options;
  options.labels = labels;
  options.synthetic = synthetic_origin(job);
  options.threads = resolve_threads(0);
  if (labels && fs::exists(job.from / "volume.h5")) options.image = "../volume.ome.zarr";
  write_ome_zarr(job.to / (name + ".ome.zarr"), grid, options);
}

/// Which particle of the table a voxel value is: voxels count 1..n, the table's `label` is the user's id.
void write_label_ids(const Job& job, const H5File& file) {
  const auto ids = file.read_array<std::uint64_t>("/label_ids");
  Table table{{Column{"index", {}, {}, {}, {}, {}}, Column{"label", {}, {}, {}, {}, {}}}};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    table.columns[0].ids.push_back(i + 1);
    table.columns[1].ids.push_back(ids[i]);
  }
  write_atomically(job.to / "label_ids.csv", csv_text(table));
}

void export_volume(const Job& job, const std::string& format) {
  const auto file = open_result(job, "volume.h5");
  if (format == "vtk") return write_vtk(job, file, "volume", {"volume"});
  with_grid(file, "/volume", [&](auto grid) {
    const auto source = watched(std::move(grid), job.progress, "export volume");
    if (format == "ome-zarr")
      write_zarr(job, "volume", source, false);
    else if (format == "tiff")
      write_tiff(job.to / "volume.tif", source, {.description = {}, .compress = false});
    else
      write_npy(job.to / "volume.npy", source);
  });
}

void export_segmentation(const Job& job, const std::string& format) {
  const auto file = open_result(job, "segmentation.h5");
  write_label_ids(job, file);
  if (format == "vtk") return write_vtk(job, file, "segmentation", {"labels", "cracks"});
  const auto labels = [&] { return watched(file.grid<std::uint32_t>("/labels"), job.progress, "export labels"); };
  const auto cracks = [&] { return watched(file.grid<std::uint8_t>("/cracks"), job.progress, "export cracks"); };
  if (format == "tiff") {
    write_label_tiff(job, file);
    write_tiff(job.to / "cracks.tif", cracks());
  } else if (format == "ome-zarr") {
    write_zarr(job, "labels", labels(), true);
    write_zarr(job, "cracks", cracks(), true);
  } else {
    write_npy(job.to / "labels.npy", labels());
    write_npy(job.to / "cracks.npy", cracks());
  }
}

void export_attributes(const Job& job, const std::string& format) {
  for (const std::string name : {"attributes", "attributes_leakfree"}) {
    const fs::path csv = job.from / (name + ".csv");
    if (!fs::exists(csv)) fail(Exit::no_input, "{} does not exist: that stage has not finished", csv.string());
    if (format == "csv") {
      write_atomically(job.to / (name + ".csv"), read_text(csv));
      continue;
    }
    const Table table = read_csv(csv);
    if (format == "npy") {
      write_npy(job.to / (name + ".npy"), table);
    } else {
      write_vtkhdf(job.to / (name + ".hdf"), table);
      write_vtp(job.to / (name + ".vtp"), table);
    }
  }
}

/// The damage model belongs to no electrode.
void export_chemomechanics(const Job& job, const std::string& format) {
  const fs::path h5 = job.from / "chemomechanics.h5";
  if (!fs::exists(h5)) fail(Exit::no_input, "{} does not exist: that stage has not finished", h5.string());
  if (format == "vtk") {
    write_frames_vtk(h5, job.to, job.progress);
    return;
  }
  for (const std::string name : {"chemomechanics.csv", "chemomechanics_cycles.csv"})
    write_atomically(job.to / name, read_text(job.from / name));
}

/// Empty for stages whose results are tables and texts already.
std::vector<std::string> formats_of(const std::string& stage) {
  if (stage == "volume" || stage == "segmentation") return {"tiff", "vtk", "npy", "ome-zarr"};
  if (stage == "attributes") return {"csv", "vtk", "npy"};
  if (stage == "chemomechanics") return {"csv", "vtk"};
  return {};
}

void require_known(const std::string& stage, const std::string& format) {
  const auto formats = formats_of(stage);
  if (formats.empty()) fail(Exit::usage, "--stage {}: allowed are {}", stage, exportable_stages());
  if (std::find(formats.begin(), formats.end(), format) == formats.end())
    fail(Exit::usage, "--format {}: stage {} goes to {}", format, stage, fmt::join(formats, ", "));
}

std::vector<std::string> electrode_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() &&
        (fs::exists(entry.path() / "volume.h5") || fs::exists(entry.path() / "segmentation.h5")))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string exportable_stages() {
  std::string list;
  for (const auto& stage : stage_names())
    if (!formats_of(stage).empty()) list += (list.empty() ? "" : ", ") + stage;
  return list;
}

Exit export_results(const ExportCommand& c, Console& console) {
  require_known(c.stage, c.format);
  const fs::path folder = c.folder;
  if (!fs::exists(folder / "config.yaml"))
    fail(Exit::no_input, "{} is not a run folder: it has no config.yaml", folder.string());
  const fs::path target = c.output.empty() ? folder / "export" : fs::path(c.output);
  const auto inside = fs::weakly_canonical(target).lexically_relative(fs::weakly_canonical(folder));
  if (!c.output.empty() && !inside.empty() && *inside.begin() != "..")
    fail(Exit::cannot_create, "--output {} is inside the run folder; name a folder outside it", target.string());
  Progress progress(console.listener(), &stop_flag());
  const bool model = c.stage == "chemomechanics";
  for (const auto& electrode : model ? std::vector<std::string>{""} : electrode_folders(folder)) {
    const Job job{folder / electrode, target / (model ? c.stage : electrode), progress};
    std::error_code error;
    fs::create_directories(job.to, error);
    if (error) fail(Exit::cannot_create, "{} cannot be created: {}", job.to.string(), error.message());
    if (model) {
      export_chemomechanics(job, c.format);
      console.info("exported to " + job.to.string());
      continue;
    }
    if (c.stage == "volume")
      export_volume(job, c.format);
    else if (c.stage == "segmentation")
      export_segmentation(job, c.format);
    else
      export_attributes(job, c.format);
    console.info("exported to " + job.to.string());
  }
  return Exit::ok;
}

}  // namespace cathoscope::app
