/// Volumes in HDF5 files: where they are, what type, what voxel size.

#include "h5_input.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::readers {

namespace {

using h5::Id;
using h5::InputH5Ptr;
using h5::Target;

struct Found {
  std::string name;
  std::string layout;  ///< whose: "nabu", "Savu or DAWN", ...
  std::string entry;   ///< nabu's entry group
};

bool has_dataset(const InputH5Ptr& file, const std::string& name) {
  const auto t = h5::resolve(file, name);
  return t && h5::is_dataset(*t);
}

std::string definition_of(const InputH5Ptr& file, const std::string& entry) {
  return h5::small_text(file, entry + "/definition").value_or("");
}

[[noreturn]] void refuse_scan(const InputH5Ptr& file, const std::string& what) {
  fail(Exit::data,
       "{}: {} is a raw scan (projections), not a volume; reconstruct it first, for example with nabu or tomopy",
       file->path.string(), what);
}

/// Projections of APS files lie beside their dark and white fields.
bool is_aps_scan(const InputH5Ptr& file) {
  return has_dataset(file, "/exchange/data_white") || has_dataset(file, "/exchange/data_dark");
}

std::vector<Found> nabu_volumes(const InputH5Ptr& file, const std::vector<std::string>& groups) {
  std::vector<Found> found;
  for (const auto& g : groups)
    if (has_dataset(file, g + "/reconstruction/results/data"))
      found.push_back({g + "/reconstruction/results/data", "nabu", g});
  return found;
}

std::optional<Found> known_place(const InputH5Ptr& file) {
  if (has_dataset(file, "/volume")) {
    const auto t = h5::resolve(file, "/volume");
    if (h5::attribute_numbers(h5::open_dataset(*t), "voxel_size_um")) return Found{"/volume", "Cathoscope", {}};
  }
  for (const char* name : {"/entry/final_result_tomo/data", "/processed/result/data"})
    if (has_dataset(file, name)) return Found{name, "Savu or DAWN", {}};
  if (has_dataset(file, "/exchange/data")) {
    if (is_aps_scan(file)) refuse_scan(file, "/exchange/data");
    return Found{"/exchange/data", "DXchange", {}};
  }
  return std::nullopt;
}

Found only_dataset(const InputH5Ptr& file) {
  const auto names = h5::image_datasets(file);
  std::vector<std::string> volumes;
  for (const auto& n : names)
    if (const auto t = h5::resolve(file, n); h5::extent_of(h5::open_dataset(*t)).size() == 3) volumes.push_back(n);
  const auto& candidates = volumes.empty() ? names : volumes;
  if (candidates.size() == 1) return {candidates.front(), {}, {}};
  if (candidates.empty()) fail(Exit::data, "{}: holds no dataset with 3 (or 2) dimensions", file->path.string());
  fail(Exit::data, "{}: holds several volumes; name one with `dataset`: {}", file->path.string(), listed(candidates));
}

Found find_volume(const InputH5Ptr& file, std::vector<std::string>& notes) {
  const auto groups = h5::root_groups(file);
  const auto nabu = nabu_volumes(file, groups);
  if (nabu.size() > 1)
    notes.push_back(
        fmt::format("{} entries hold a volume; the first is read, name another with `dataset`", nabu.size()));
  if (!nabu.empty()) return nabu.front();
  for (const auto& g : groups)
    if (definition_of(file, g) == "NXtomo") refuse_scan(file, "entry " + g + " (NXtomo)");
  if (const auto known = known_place(file)) return *known;
  return only_dataset(file);
}

/// A dataset that the user named.
Found named_volume(const InputH5Ptr& file, const std::string& given) {
  const std::string name = given.starts_with("/") ? given : "/" + given;
  const auto target = h5::resolve(file, name);
  if (!target) {
    const auto near = nearest_name(name, h5::image_datasets(file));
    fail(Exit::data, "{}: no dataset {}{}", file->path.string(), name, near ? "; did you mean " + *near + "?" : "");
  }
  if (!h5::is_dataset(*target)) fail(Exit::data, "{}: {} is a group, a dataset is needed", file->path.string(), name);
  const std::string entry = name.substr(0, name.find('/', 1));
  if (definition_of(file, entry) == "NXtomo" && name.find("/instrument/") != std::string::npos) refuse_scan(file, name);
  if (name == "/exchange/data" && is_aps_scan(file)) refuse_scan(file, name);
  return {name, name == entry + "/reconstruction/results/data" ? "nabu" : "", entry};
}

/// How the library's values become ours.
struct MemoryType {
  ValueType type;
  Id memory;
};

MemoryType memory_type(const Target& t, hid_t dataset, std::vector<std::string>& notes) {
  Id type(H5Dget_type(dataset), H5Tclose);
  const std::string place = t.file->path.string() + ":" + t.name;
  if (H5Tget_class(type) == H5T_ENUM) {  // booleans of h5py; their integers are read
    Id native(H5Tget_native_type(type, H5T_DIR_ASCEND), H5Tclose);
    const Id base(H5Tget_super(native), H5Tclose);
    if (const auto value = value_type_from(h5::type_name(base))) return {*value, std::move(native)};
  }
  const std::string name = h5::type_name(type);
  if (name == "float16") {
    notes.emplace_back("float16 values are read as float32");
    return {ValueType::float32, Id(H5Tcopy(H5T_NATIVE_FLOAT), H5Tclose)};
  }
  const auto value = value_type_from(name);
  if (!value)
    fail(Exit::data, "{}: values of type {} are not read; plain numbers are needed", place,
         name.empty() ? "compound or other" : name);
  return {*value, Id(H5Tget_native_type(type, H5T_DIR_ASCEND), H5Tclose)};
}

Index3 shape_from(const Target& t, const std::vector<hsize_t>& extent) {
  const std::string place = t.file->path.string() + ":" + t.name;
  if (extent.size() != 2 && extent.size() != 3)
    fail(Exit::data, "{}: has {} dimensions; 3 (a volume) or 2 (an image) are read", place, extent.size());
  Index3 shape{1, 1, 1};
  for (std::size_t i = 0; i < extent.size(); ++i)
    shape[3 - extent.size() + i] = static_cast<std::int64_t>(std::min<hsize_t>(extent[i], hsize_t{1} << 62));
  return shape;
}

/// Bytes of cache that hold a row of chunks across the volume, within bounds; and how deep chunks are.
struct Chunking {
  Id access;
  std::int64_t depth = 1;
};

Chunking chunking_of(hid_t dataset, const std::vector<hsize_t>& extent, std::size_t value_size) {
  Chunking c{Id(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose)};
  H5Pset_efile_prefix(c.access, "${ORIGIN}");
  const Id creation(H5Dget_create_plist(dataset), H5Pclose);
  std::vector<hsize_t> chunk(extent.size());
  if (H5Pget_layout(creation) == H5D_VIRTUAL) c.depth = 64;
  if (H5Pget_layout(creation) != H5D_CHUNKED ||
      H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()) < 0)
    return c;
  std::size_t one = value_size, across = 1;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    one *= chunk[i];
    if (chunk.size() - i <= 2) across *= (extent[i] + chunk[i] - 1) / chunk[i];
  }
  if (chunk.size() == 3) c.depth = static_cast<std::int64_t>(chunk[0]);
  H5Pset_chunk_cache(c.access, 12421, std::clamp(one * across, one, std::max(one, std::size_t{256} << 20)), 1.0);
  return c;
}

struct OpenDataset {
  InputH5Ptr file;
  std::string name;
  Id dataset;
  Id memory;
  std::size_t rank = 3;
  std::mutex mutex;  // the library has one lock; ours keeps its error stack with the call that filled it
};

void read_box(OpenDataset& d, const Box& box, void* out) {
  const auto n = box.shape();
  hsize_t start[3], count[3];
  for (std::size_t i = 0; i < 3; ++i) {
    start[i] = static_cast<hsize_t>(box.begin[i]);
    count[i] = static_cast<hsize_t>(n[i]);
  }
  const std::size_t skipped = 3 - d.rank;
  const hsize_t values = static_cast<hsize_t>(box.size());
  const std::scoped_lock lock(d.mutex);
  const Id space = h5::space_of(d.dataset);
  const Id memory(H5Screate_simple(1, &values, nullptr), H5Sclose);
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start + skipped, nullptr, count + skipped, nullptr) < 0 ||
      H5Dread(d.dataset, d.memory, memory, space, H5P_DEFAULT, out) < 0)
    fail(Exit::data, "{}:{}: damaged between planes {} and {}: {}", d.file->path.string(), d.name, box.begin[0],
         box.end[0], h5::last_message());
}

void accept(VolumeFile& v, const Vec3& um, const std::string& from) {
  const bool usable = std::all_of(um.begin(), um.end(), [](double s) { return std::isfinite(s) && s > 0; });
  if (!usable) {
    v.notes.push_back(fmt::format("{} = {} counts as unknown", from, voxel_size_text(um)));
    return;
  }
  v.voxel_size_um = um;
  v.voxel_size_from = from;
}

void read_nabu_voxel_size(const InputH5Ptr& file, const std::string& entry, VolumeFile& v) {
  const std::string options = entry + "/reconstruction/configuration/processing_options/reconstruction/";
  for (const char* key : {"voxel_size_cm", "pixel_size_cm"}) {
    const auto cm = h5::small_numbers(file, options + key);
    if (!cm) continue;
    if (cm->size() == 1)
      return accept(v, {cm->front() * 1e4, cm->front() * 1e4, cm->front() * 1e4}, fmt::format("nabu {}", key));
    const bool equal = cm->size() == 3 && (*cm)[0] == (*cm)[1] && (*cm)[1] == (*cm)[2];
    if (equal) return accept(v, {cm->front() * 1e4, cm->front() * 1e4, cm->front() * 1e4}, fmt::format("nabu {}", key));
    v.notes.push_back(
        fmt::format("nabu {} holds values that differ, in an order that is not certain: voxel size unknown", key));
    return;
  }
}

void read_voxel_size(const Found& found, const InputH5Ptr& file, hid_t dataset, VolumeFile& v) {
  if (found.layout == "nabu") read_nabu_voxel_size(file, found.entry, v);
  for (const char* key : {"voxel_size_um", "element_size_um"}) {
    const auto um = h5::attribute_numbers(dataset, key);
    if (!um || v.voxel_size_um) continue;
    if (um->size() == 3) accept(v, {(*um)[0], (*um)[1], (*um)[2]}, fmt::format("HDF5 attribute {}", key));
    if (um->size() == 1) accept(v, {um->front(), um->front(), um->front()}, fmt::format("HDF5 attribute {}", key));
  }
}

}  // namespace

VolumeFile open_hdf5(const std::filesystem::path& path, const OpenOptions& options) {
  const InputH5Ptr file = h5::open_input(path);
  VolumeFile v;
  const Found found = options.dataset ? named_volume(file, *options.dataset) : find_volume(file, v.notes);
  const Target target = *h5::resolve(file, found.name);
  h5::check_dataset(target);
  auto d = std::make_shared<OpenDataset>();
  d->file = target.file;
  d->name = target.name;
  d->dataset = h5::open_dataset(target);
  const auto extent = h5::extent_of(d->dataset);
  v.shape = shape_from(target, extent);
  auto memory = memory_type(target, d->dataset, v.notes);
  v.type = memory.type;
  d->memory = std::move(memory.memory);
  d->rank = extent.size();
  checked_bytes(path, v.shape, size_of(v.type));
  const Chunking chunking = chunking_of(d->dataset, extent, size_of(v.type));
  v.planes_together = chunking.depth;
  d->dataset = Id(H5Dopen2(target.file->file, target.name.c_str(), chunking.access), H5Dclose);
  if (!d->dataset.valid())
    fail(Exit::data, "{}: cannot open dataset {}: {}", path.string(), target.name, h5::last_message());
  const auto flag = h5::attribute_numbers(d->dataset, "two_dimensional");
  v.two_dimensional = flag ? flag->front() != 0 : v.shape[0] == 1;
  v.format = found.layout.empty() ? "HDF5" : "HDF5 (" + found.layout + ")";
  v.files = {path};
  if (target.file->path != path) v.files.push_back(target.file->path);
  v.notes.push_back("dataset " + found.name);
  v.synthetic = h5::root_text(file, "synthetic");
  read_voxel_size(found, file, d->dataset, v);
  v.read = [d](const Box& box, void* out) { read_box(*d, box, out); };
  return v;
}

}  // namespace cathoscope::readers
