#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <type_traits>

namespace cathoscope {

namespace {

struct TypeRow {
  ValueType type;
  const char* name;
  std::size_t size;
};

constexpr std::array<TypeRow, 10> type_rows{{{ValueType::uint8, "uint8", 1},
                                             {ValueType::int8, "int8", 1},
                                             {ValueType::uint16, "uint16", 2},
                                             {ValueType::int16, "int16", 2},
                                             {ValueType::uint32, "uint32", 4},
                                             {ValueType::int32, "int32", 4},
                                             {ValueType::uint64, "uint64", 8},
                                             {ValueType::int64, "int64", 8},
                                             {ValueType::float32, "float32", 4},
                                             {ValueType::float64, "float64", 8}}};

const TypeRow& row_of(ValueType type) {
  return *std::find_if(type_rows.begin(), type_rows.end(), [&](const TypeRow& r) { return r.type == type; });
}

/// static_cast, but defined for every value: what an integer type cannot hold becomes its nearest bound, NaN 0.
template <class To, class From>
To cast(From v) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(v)) return 0;
    if (v <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (v >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  }
  return static_cast<To>(v);
}

using ReadFunction = std::function<void(const Box&, void*)>;

/// Reads values of type From a few planes or rows at a time, so that the conversion needs little memory.
template <class From, class To>
void read_converted(const ReadFunction& read, const Box& box, To* out) {
  constexpr std::int64_t most_values = std::int64_t{1} << 20;
  const auto n = box.shape();
  const std::int64_t planes = std::clamp<std::int64_t>(most_values / std::max<std::int64_t>(1, n[1] * n[2]), 1, n[0]);
  std::vector<From> buffer(static_cast<std::size_t>(planes * n[1] * n[2]));
  for (std::int64_t z = box.begin[0]; z < box.end[0]; z += planes) {
    Box part = box;
    part.begin[0] = z;
    part.end[0] = std::min(z + planes, box.end[0]);
    read(part, buffer.data());
    out = std::transform(buffer.begin(), buffer.begin() + part.size(), out, [](From v) { return cast<To>(v); });
  }
}

template <class To>
void read_as(const ReadFunction& read, ValueType type, const Box& box, To* out) {
  switch (type) {
    case ValueType::uint8: return read_converted<std::uint8_t>(read, box, out);
    case ValueType::int8: return read_converted<std::int8_t>(read, box, out);
    case ValueType::uint16: return read_converted<std::uint16_t>(read, box, out);
    case ValueType::int16: return read_converted<std::int16_t>(read, box, out);
    case ValueType::uint32: return read_converted<std::uint32_t>(read, box, out);
    case ValueType::int32: return read_converted<std::int32_t>(read, box, out);
    case ValueType::uint64: return read_converted<std::uint64_t>(read, box, out);
    case ValueType::int64: return read_converted<std::int64_t>(read, box, out);
    case ValueType::float32: return read_converted<float>(read, box, out);
    case ValueType::float64: return read_converted<double>(read, box, out);
  }
}

template <class T>
constexpr ValueType type_for() {
  if constexpr (std::is_same_v<T, float>) return ValueType::float32;
  if constexpr (std::is_same_v<T, double>) return ValueType::float64;
  if constexpr (sizeof(T) == 1) return std::is_signed_v<T> ? ValueType::int8 : ValueType::uint8;
  if constexpr (sizeof(T) == 2) return std::is_signed_v<T> ? ValueType::int16 : ValueType::uint16;
  if constexpr (sizeof(T) == 4) return std::is_signed_v<T> ? ValueType::int32 : ValueType::uint32;
  return std::is_signed_v<T> ? ValueType::int64 : ValueType::uint64;
}

}  // namespace

std::string name_of(ValueType type) { return row_of(type).name; }
std::size_t size_of(ValueType type) { return row_of(type).size; }

std::optional<ValueType> value_type_from(const std::string& name) {
  for (const TypeRow& r : type_rows)
    if (name == r.name) return r.type;
  return std::nullopt;
}

template <class T>
GridSource<T> VolumeFile::as() const {
  GridSource<T> source;
  source.shape = shape;
  source.voxel_size_um = voxel_size_um.value_or(Vec3{1, 1, 1});
  source.read = [f = read, from = type](const Box& box, T* out) {
    if (box.empty()) return;
    if (from == type_for<T>()) return f(box, out);
    read_as(f, from, box, out);
  };
  return source;
}

template GridSource<std::uint8_t> VolumeFile::as() const;
template GridSource<std::int8_t> VolumeFile::as() const;
template GridSource<std::uint16_t> VolumeFile::as() const;
template GridSource<std::int16_t> VolumeFile::as() const;
template GridSource<std::uint32_t> VolumeFile::as() const;
template GridSource<std::int32_t> VolumeFile::as() const;
template GridSource<std::uint64_t> VolumeFile::as() const;
template GridSource<std::int64_t> VolumeFile::as() const;
template GridSource<float> VolumeFile::as() const;
template GridSource<double> VolumeFile::as() const;

namespace readers {

std::filesystem::path file_named_by(const std::filesystem::path& header, const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path folder = header.has_parent_path() ? header.parent_path() : fs::path(".");
  const fs::path target = folder / name;  // an absolute name replaces the folder
  std::error_code none;
  const auto inside = fs::weakly_canonical(target, none).lexically_relative(fs::canonical(folder, none));
  if (inside.empty() || *inside.begin() == ".." || inside.is_absolute())
    fail(Exit::data, "{}: names the file {}, which is not in its own folder; move it beside the header",
         header.string(), name);
  if (!fs::exists(target, none))
    fail(Exit::no_input, "{}: names the file {}, which is missing", header.string(), target.string());
  if (!fs::is_regular_file(target, none))
    fail(Exit::data, "{}: names {}, which is not a regular file", header.string(), name);
  return target;
}

}  // namespace readers

namespace {

namespace fs = std::filesystem;
using readers::Paths;

enum class Format { tiff, png, edf, hdf5, npy, meta_image, nrrd, vol, raw, unknown };

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// By the name's ending; content decides where it can (see format_of).
Format format_by_name(const fs::path& path) {
  static const std::map<std::string, Format> endings{
      {".tif", Format::tiff},  {".tiff", Format::tiff}, {".btf", Format::tiff},       {".png", Format::png},
      {".edf", Format::edf},   {".h5", Format::hdf5},   {".hdf5", Format::hdf5},      {".hdf", Format::hdf5},
      {".nx", Format::hdf5},   {".nxs", Format::hdf5},  {".npy", Format::npy},        {".mha", Format::meta_image},
      {".nrrd", Format::nrrd}, {".nhdr", Format::nrrd}, {".mhd", Format::meta_image}, {".vol", Format::vol},
      {".raw", Format::raw},   {".bin", Format::raw},   {".dat", Format::raw},        {".dream3d", Format::hdf5}};
  if (lower(path.filename().string()).ends_with(".vol.info")) return Format::vol;
  const auto found = endings.find(lower(path.extension().string()));
  return found == endings.end() ? Format::unknown : found->second;
}

/// An HDF5 signature may lie at 0, 512, 1024, 2048, ... (a user block before it).
bool has_hdf5_signature(const readers::InputFile& file) {
  for (std::uint64_t at = 0; at + 8 <= file.size() && at <= (1U << 20); at = at == 0 ? 512 : 2 * at) {
    std::array<char, 8> bytes{};
    file.read(at, bytes.size(), bytes.data());
    if (std::memcmp(bytes.data(), "\x89HDF\r\n\x1a\n", 8) == 0) return true;
  }
  return false;
}

Format format_of(const fs::path& path, const OpenOptions& options) {
  const readers::InputFile file(path);
  if (file.size() == 0) fail(Exit::data, "{}: the file is empty", path.string());
  const Format named = format_by_name(path);
  if (named == Format::raw) return Format::raw;  // its bytes may look like anything
  const std::string head = file.head(8);
  const auto begins = [&](std::string_view magic) { return std::string_view(head).starts_with(magic); };
  if (begins(std::string_view("II*\0", 4)) || begins(std::string_view("MM\0*", 4)) ||
      begins(std::string_view("II+\0", 4)) || begins(std::string_view("MM\0+", 4)))
    return Format::tiff;
  if (begins("\x89PNG")) return Format::png;
  if (begins("\x93NUMPY")) return Format::npy;
  if (begins("NRRD0")) return Format::nrrd;
  if (named == Format::unknown && options.shape && options.type) return Format::raw;
  if (has_hdf5_signature(file)) return Format::hdf5;
  return named;
}

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

Paths matches_of(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), 0, nullptr, &found);
  Paths paths;
  if (result == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (result == GLOB_NOSPACE) fail(Exit::no_memory, "{}: out of memory while matching", pattern);
  if (paths.empty()) fail(Exit::no_input, "{}: matches no file", pattern);
  return paths;
}

/// Slices in a folder: all of one format; other files are left aside.
Paths slices_in(const fs::path& folder, std::vector<std::string>& notes) {
  std::map<Format, Paths> found;
  std::size_t others = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const Format f = format_by_name(entry.path());
    const bool slice = f == Format::tiff || f == Format::png || f == Format::edf;
    if (entry.path().filename().string().starts_with(".")) continue;
    if (slice && !entry.is_directory())
      found[f].push_back(entry.path());
    else
      ++others;
  }
  if (found.empty())
    fail(Exit::no_input, "{}: the folder holds no TIFF, PNG or EDF slices ({} other entries)", folder.string(), others);
  if (found.size() > 1)
    fail(Exit::data, "{}: the folder holds slices of two formats ({} and {}); give a glob", folder.string(),
         found.begin()->second.front().filename().string(), found.rbegin()->second.front().filename().string());
  if (others > 0) notes.push_back(fmt::format("{} other entries of the folder were left aside", others));
  return found.begin()->second;
}

void require_one_format(const Paths& files) {
  for (const auto& f : files)
    if (format_by_name(f) != format_by_name(files.front()))
      fail(Exit::data, "{} and {} are of different formats; a stack holds one", files.front().string(), f.string());
}

VolumeFile open_stack(Paths files, std::vector<std::string> notes) {
  require_one_format(files);
  files = readers::ordered_slices(std::move(files), notes);
  const Format format = format_of(files.front(), {});
  VolumeFile v;
  if (format == Format::tiff)
    v = readers::open_tiff(files);
  else if (format == Format::png)
    v = readers::open_png(files);
  else if (format == Format::edf)
    v = readers::open_edf(files);
  else
    fail(Exit::data, "{}: a stack of slices must be TIFF, PNG or EDF", files.front().string());
  v.notes.insert(v.notes.begin(), notes.begin(), notes.end());
  return v;
}

VolumeFile open_single(const fs::path& path, const OpenOptions& options) {
  switch (format_of(path, options)) {
    case Format::tiff: return readers::open_tiff({path});
    case Format::png: return readers::open_png({path});
    case Format::edf: return readers::open_edf({path});
    case Format::hdf5: return readers::open_hdf5(path, options);
    case Format::npy: return readers::open_npy(path);
    case Format::meta_image: return readers::open_meta_image(path);
    case Format::nrrd: return readers::open_nrrd(path);
    case Format::vol: return readers::open_vol(path, options);
    case Format::raw: return readers::open_raw(path, options);
    case Format::unknown: break;
  }
  fail(Exit::data,
       "{}: not a volume of a known kind. Read are TIFF, PNG, HDF5, OME-Zarr, EDF, .vol, .npy, .mha/.mhd, "
       ".nrrd/.nhdr, and raw files with `shape` and `type` given",
       path.string());
}

/// "file.h5:/entry/data" names a dataset; empty where the text is not of that form.
std::optional<std::pair<fs::path, std::string>> split_dataset(const std::string& text) {
  const auto colon = text.rfind(":/");
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return std::pair{fs::path(text.substr(0, colon)), text.substr(colon + 1)};
}

/// A header that contradicts what the user says of the file is not to be trusted silently.
void require_agreement(const VolumeFile& v, const OpenOptions& options) {
  if (options.shape && *options.shape != v.shape)
    fail(Exit::data, "{}: has shape {}, but `shape` says {}; leave `shape` out for files that say it themselves",
         v.files.front().string(), readers::shape_text(v.shape), readers::shape_text(*options.shape));
  if (!options.type) return;
  std::string type = *options.type;
  if (!type.empty() && (type.front() == '<' || type.front() == '>')) type.erase(0, 1);
  if (type != name_of(v.type))
    fail(Exit::data, "{}: holds {}, but `type` says {}", v.files.front().string(), name_of(v.type), *options.type);
}

VolumeFile open_any(const fs::path& given, OpenOptions options) {
  std::error_code none;
  if (fs::is_directory(given, none)) {
    if (readers::is_zarr_folder(given)) return readers::open_zarr(given, options);
    std::vector<std::string> notes;
    auto files = slices_in(given, notes);
    return files.size() == 1 ? open_single(files.front(), options) : open_stack(std::move(files), std::move(notes));
  }
  if (fs::exists(given, none)) return open_single(given, options);
  if (const auto split = split_dataset(given.string()); split && fs::exists(split->first, none)) {
    if (options.dataset && *options.dataset != split->second)
      fail(Exit::data, "{}: `dataset` names another dataset, {}", given.string(), *options.dataset);
    options.dataset = split->second;
    if (fs::is_regular_file(split->first, none)) return readers::open_hdf5(split->first, options);
    if (readers::is_zarr_folder(split->first)) return readers::open_zarr(split->first, options);
    fail(Exit::data, "{}: is neither an HDF5 file nor a Zarr folder, so it has no datasets", split->first.string());
  }
  if (!has_wildcard(given.string())) fail(Exit::no_input, "{}: no such file or folder", given.string());
  auto files = matches_of(given.string());
  return files.size() == 1 ? open_single(files.front(), options) : open_stack(std::move(files), {});
}

}  // namespace

VolumeFile open_volume(const std::filesystem::path& path_or_glob, const OpenOptions& options) {
  VolumeFile v = open_any(path_or_glob, options);
  require_agreement(v, options);
  if (options.dataset && v.format.find("HDF5") == std::string::npos && v.format.find("Zarr") == std::string::npos)
    fail(Exit::data, "{}: is a {}, which has no datasets; leave `dataset` out", path_or_glob.string(), v.format);
  return v;
}

}  // namespace cathoscope
