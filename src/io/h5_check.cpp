/// Whether a dataset of somebody else can be read rightly: filters, parts, sizes.

#include "h5_input.hpp"

#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <map>

namespace cathoscope::h5 {

namespace fs = std::filesystem;

namespace {

constexpr hsize_t largest_chunk = hsize_t{1} << 30;  // bytes; one chunk is the least that can be decoded
constexpr double largest_ratio = 1e5;                // declared over stored; deflate reaches 1030
constexpr double always_believed = 1 << 30;          // bytes

std::string where(const Target& t) { return t.file->path.string() + ":" + t.name; }

std::string filter_name(H5Z_filter_t id, const char* stored) {
  static const std::map<int, std::string> known{
      {307, "bzip2"},  {32000, "lzf"}, {32001, "blosc"},  {32004, "lz4"}, {32008, "bitshuffle"},    {32013, "zfp"},
      {32015, "zstd"}, {32017, "sz"},  {32026, "blosc2"}, {32024, "sz3"}, {H5Z_FILTER_SZIP, "szip"}};
  const auto found = known.find(id);
  return found != known.end() ? found->second : std::string(stored);
}

void check_filters(const Target& t, hid_t creation) {
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    char name[64] = "";
    const H5Z_filter_t id =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, sizeof name, name, nullptr);
    if (id < 0 || H5Zfilter_avail(id) > 0) continue;
    fail(
        Exit::data,
        "{}: needs HDF5 filter {} ({}), which is not installed. Install its plugin (HDF5_PLUGIN_PATH), or where it is: "
        "h5repack -f NONE IN.h5 OUT.h5",
        where(t), id, filter_name(id, name));
  }
}

double declared_bytes(hid_t dataset) {
  const Id type(H5Dget_type(dataset), H5Tclose);
  double bytes = static_cast<double>(H5Tget_size(type));
  for (const hsize_t n : extent_of(dataset)) bytes *= static_cast<double>(n);
  return bytes;
}

void check_storage(const Target& t, hid_t dataset, hid_t creation) {
  const double declared = declared_bytes(dataset);
  const auto stored = static_cast<double>(H5Dget_storage_size(dataset));
  if (declared > 0 && stored == 0)
    fail(Exit::data, "{}: declares {} of voxels, but none were ever written", where(t), bytes_text(declared));
  const bool chunked = H5Pget_layout(creation) == H5D_CHUNKED;
  if (!chunked && stored < declared)
    fail(Exit::data, "{}: declares {} of voxels, but stores {}", where(t), bytes_text(declared), bytes_text(stored));
  if (declared > always_believed && declared > largest_ratio * stored)
    fail(Exit::data, "{}: declares {} of voxels, but stores {}; not believable", where(t), bytes_text(declared),
         bytes_text(stored));
  if (!chunked) return;
  std::vector<hsize_t> chunk(extent_of(dataset).size());
  if (H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()) < 0) return;
  const Id type(H5Dget_type(dataset), H5Tclose);
  hsize_t bytes = H5Tget_size(type);
  for (const hsize_t n : chunk) bytes *= n;
  if (bytes > largest_chunk)
    fail(Exit::data, "{}: its chunks of {} are too large to decode in blocks; h5repack -l CHUNK=64x64x64 IN.h5 OUT.h5",
         where(t), bytes_text(static_cast<double>(bytes)));
}

void check_external_storage(const Target& t, hid_t creation) {
  for (int i = 0; i < H5Pget_external_count(creation); ++i) {
    std::vector<char> name(4096, '\0');
    off_t offset = 0;
    hsize_t size = 0;
    if (H5Pget_external(creation, static_cast<unsigned>(i), name.size() - 1, name.data(), &offset, &size) < 0)
      fail(Exit::data, "{}: its external storage cannot be read", where(t));
    const auto path = file_in_folder(*t.file, name.data(), "the external storage of " + t.name);
    const auto bytes = fs::file_size(path);
    if (size != H5F_UNLIMITED && bytes < static_cast<std::uintmax_t>(offset) + size)
      fail(Exit::data, "{}: its external storage {} has {} bytes, {} are needed", where(t), path.string(), bytes,
           static_cast<std::uintmax_t>(offset) + size);
  }
}

struct Part {
  std::string file;
  std::string dataset;
};

Part virtual_part(const Target& t, hid_t creation, std::size_t i) {
  const auto text = [&](auto get) {
    const ssize_t n = get(creation, i, nullptr, 0);
    if (n < 0 || n > 65536) fail(Exit::data, "{}: its list of parts cannot be read", where(t));
    std::string s(static_cast<std::size_t>(n) + 1, '\0');
    get(creation, i, s.data(), s.size());
    s.pop_back();
    return s;
  };
  return {text(H5Pget_virtual_filename), text(H5Pget_virtual_dsetname)};
}

/// The library reads zeros from a part that is smaller than its place (github.com/HDFGroup/hdf5/issues/5088).
void check_part_extent(const Target& t, hid_t creation, std::size_t i, const Target& part) {
  const Id selected(H5Pget_virtual_srcspace(creation, i), H5Sclose);
  const auto extent = extent_of(open_dataset(part));
  std::vector<hsize_t> low(extent.size()), high(extent.size());
  const auto too_small = [&] {
    fail(Exit::data, "{}: its part {} is smaller than its place in the whole; it would read as zeros", where(t),
         where(part));
  };
  if (H5Sget_select_type(selected) == H5S_SEL_ALL) {  // such a selection keeps no extent in the file
    const Id place(H5Pget_virtual_vspace(creation, i), H5Sclose);
    hssize_t stored = extent.empty() ? 0 : 1;
    for (const hsize_t n : extent) stored *= static_cast<hssize_t>(n);
    if (H5Sget_select_npoints(place) > stored) too_small();
    return;
  }
  if (extent.empty() || H5Sget_simple_extent_ndims(selected) != static_cast<int>(extent.size()))
    fail(Exit::data, "{}: its part {} has another number of dimensions", where(t), where(part));
  if (H5Sget_select_bounds(selected, low.data(), high.data()) < 0) return;
  for (std::size_t d = 0; d < extent.size(); ++d)
    if (high[d] >= extent[d] && high[d] != H5S_UNLIMITED) too_small();
}

void check_depth(const Target& target, int depth);

void check_part(const Target& t, hid_t creation, std::size_t i, const Part& part, int depth) {
  InputH5Ptr file = t.file;
  if (part.file != ".")
    file = open_input(file_in_folder(*t.file, part.file, "the virtual dataset " + t.name), t.file->folder);
  const auto target = resolve(file, part.dataset);
  if (!target || !is_dataset(*target))
    fail(Exit::data, "{}: its part {}:{} is missing", where(t), file->path.string(), part.dataset);
  check_depth(*target, depth + 1);
  check_part_extent(t, creation, i, *target);
}

void check_virtual(const Target& t, hid_t creation, int depth) {
  if (depth > 4) fail(Exit::data, "{}: virtual datasets within virtual datasets, too deep", where(t));
  std::size_t count = 0;
  if (H5Pget_virtual_count(creation, &count) < 0 || count == 0)
    fail(Exit::data, "{}: a virtual dataset without parts", where(t));
  std::vector<std::string> missing;
  std::vector<Part> parts;
  for (std::size_t i = 0; i < count; ++i) {
    parts.push_back(virtual_part(t, creation, i));
    if (parts.back().file.find("%b") != std::string::npos || parts.back().dataset.find("%b") != std::string::npos)
      fail(Exit::data, "{}: a virtual dataset with a pattern of file names ({}) is not read", where(t),
           parts.back().file);
    try {
      if (parts.back().file != ".") file_in_folder(*t.file, parts.back().file, "the virtual dataset " + t.name);
    } catch (const Error& e) {
      if (e.exit() != Exit::no_input) throw;
      if (missing.empty() || missing.back() != parts.back().file) missing.push_back(parts.back().file);
    }
  }
  if (!missing.empty()) {
    std::string names;
    for (std::size_t i = 0; i < std::min<std::size_t>(20, missing.size()); ++i)
      names += (i > 0 ? ", " : "") + missing[i];
    fail(Exit::no_input, "{}: {} part file{} of this virtual dataset missing (they would read as zeros): {}{}",
         where(t), missing.size(), missing.size() == 1 ? " is" : "s are", names, missing.size() > 20 ? ", ..." : "");
  }
  for (std::size_t i = 0; i < count; ++i) check_part(t, creation, i, parts[i], depth);
}

void check_depth(const Target& target, int depth) {
  const Id dataset = open_dataset(target);
  const Id creation(H5Dget_create_plist(dataset), H5Pclose);
  if (H5Pget_layout(creation) == H5D_VIRTUAL) return check_virtual(target, creation, depth);
  check_filters(target, creation);
  const bool external = H5Pget_external_count(creation) > 0;
  if (external && depth > 0)
    fail(Exit::data, "{}: a part of a virtual dataset with external storage is not read", where(target));
  if (external)
    check_external_storage(target, creation);
  else
    check_storage(target, dataset, creation);
}

}  // namespace

void check_dataset(const Target& target) { check_depth(target, 0); }

}  // namespace cathoscope::h5
