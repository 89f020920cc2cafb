#include "zarr_array.hpp"

#include "block_cache.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/json_text.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

namespace cathoscope::readers {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t largest_json = 16 << 20;
constexpr std::uint64_t largest_chunk = std::uint64_t{512} << 20;  // read whole, so held whole
constexpr std::size_t cache_bytes = std::size_t{128} << 20;

const Json& member(const fs::path& path, const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) fail(Exit::data, "{}: has no '{}'", path.string(), key);
  return *found;
}

std::vector<std::int64_t> extents(const fs::path& path, const Json& json, const char* key) {
  const Json& list = member(path, json, key);
  std::vector<std::int64_t> result;
  const bool numbers = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& n) {
                         return n.is_number_unsigned() && n.get<std::uint64_t>() <= (std::uint64_t{1} << 62);
                       });
  if (!numbers) fail(Exit::data, "{}: '{}' is not a list of whole numbers", path.string(), key);
  for (const Json& n : list) result.push_back(n.get<std::int64_t>());
  return result;
}

std::uint64_t checked_product(const fs::path& path, const std::vector<std::int64_t>& extents, std::size_t value) {
  std::uint64_t bytes = value;
  for (const std::int64_t n : extents) {
    if (n < 1) fail(Exit::data, "{}: an extent is {}; every extent must be at least 1", path.string(), n);
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes) || bytes > (std::uint64_t{1} << 62))
      fail(Exit::data, "{}: the array is larger than anything can be", path.string());
  }
  return bytes;
}

void read_type(const fs::path& path, const Json& json, ZarrArray& a) {
  static const std::map<std::string, ValueType> types{
      {"u1", ValueType::uint8}, {"b1", ValueType::uint8},   {"i1", ValueType::int8},   {"u2", ValueType::uint16},
      {"i2", ValueType::int16}, {"u4", ValueType::uint32},  {"i4", ValueType::int32},  {"u8", ValueType::uint64},
      {"i8", ValueType::int64}, {"f4", ValueType::float32}, {"f8", ValueType::float64}};
  const Json& dtype = member(path, json, "dtype");
  const std::string text = dtype.is_string() ? dtype.get<std::string>() : "a record";
  const auto found = text.size() == 3 ? types.find(text.substr(1)) : types.end();
  if (found == types.end() || std::string("<>|").find(text.front()) == std::string::npos)
    fail(Exit::data, "{}: values of type '{}' are not read; save as uint8, uint16, float32 or another plain number",
         path.string(), text.substr(0, 40));
  a.type = found->second;
  a.big_endian = text.front() == '>';
}

void read_compressor(const fs::path& path, const Json& json, ZarrArray& a) {
  if (const auto filters = json.find("filters"); filters != json.end() && !filters->is_null() && !filters->empty())
    fail(Exit::data, "{}: the chunks went through filters ({}), which are not read; write the array without filters",
         path.string(), filters->dump().substr(0, 80));
  const Json& compressor = member(path, json, "compressor");
  if (compressor.is_null()) return;
  const auto id = compressor.is_object() ? compressor.find("id") : compressor.end();
  const std::string name = compressor.is_object() && id != compressor.end() && id->is_string()
                               ? id->get<std::string>()
                               : compressor.dump().substr(0, 40);
  const auto codec = zarr_codec_from(name);
  if (!codec)
    fail(Exit::data,
         "{}: compressor '{}' is not read; read are none, zlib, gzip, zstd, lz4 and blosc. Write the array with one of "
         "them",
         path.string(), name.substr(0, 40));
  a.codec = *codec;
}

void read_layout(const fs::path& path, const Json& json, ZarrArray& a) {
  const Json& order = member(path, json, "order");
  if (order != "C" && order != "F")
    fail(Exit::data, "{}: 'order' is {}; it must be \"C\" or \"F\"", path.string(), order.dump().substr(0, 20));
  a.fortran = order == "F";
  const auto separator = json.find("dimension_separator");
  if (separator == json.end()) return;
  if (*separator != "." && *separator != "/")
    fail(Exit::data, "{}: 'dimension_separator' is {}; it must be \".\" or \"/\"", path.string(),
         separator->dump().substr(0, 20));
  a.separator = separator->get<std::string>().front();
}

/// The value in T, or empty where it is none.
template <class T>
std::optional<T> fill_of(const Json& value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value == "NaN") return std::numeric_limits<T>::quiet_NaN();
    if (value == "Infinity") return std::numeric_limits<T>::infinity();
    if (value == "-Infinity") return -std::numeric_limits<T>::infinity();
    if (value.is_number()) return static_cast<T>(value.get<double>());
    return std::nullopt;
  } else {
    if (value.is_boolean()) return static_cast<T>(value.get<bool>());
    if (value.is_number_float()) {
      const double number = value.get<double>();
      if (std::floor(number) != number || std::abs(number) > 9e15) return std::nullopt;
      return fill_of<T>(Json(static_cast<std::int64_t>(number)));
    }
    if (value.is_number_unsigned() && std::in_range<T>(value.get<std::uint64_t>()))
      return static_cast<T>(value.get<std::uint64_t>());
    if (value.is_number_integer() && !value.is_number_unsigned() && std::in_range<T>(value.get<std::int64_t>()))
      return static_cast<T>(value.get<std::int64_t>());
    return std::nullopt;
  }
}

template <class T>
bool store_fill(const Json& value, std::vector<char>& bytes) {
  const auto number = fill_of<T>(value);
  if (!number) return false;
  bytes.resize(sizeof(T));
  std::memcpy(bytes.data(), &*number, sizeof(T));
  return true;
}

bool store_fill(const Json& value, ValueType type, std::vector<char>& bytes) {
  switch (type) {
    case ValueType::uint8: return store_fill<std::uint8_t>(value, bytes);
    case ValueType::int8: return store_fill<std::int8_t>(value, bytes);
    case ValueType::uint16: return store_fill<std::uint16_t>(value, bytes);
    case ValueType::int16: return store_fill<std::int16_t>(value, bytes);
    case ValueType::uint32: return store_fill<std::uint32_t>(value, bytes);
    case ValueType::int32: return store_fill<std::int32_t>(value, bytes);
    case ValueType::uint64: return store_fill<std::uint64_t>(value, bytes);
    case ValueType::int64: return store_fill<std::int64_t>(value, bytes);
    case ValueType::float32: return store_fill<float>(value, bytes);
    case ValueType::float64: return store_fill<double>(value, bytes);
  }
  return false;
}

void read_fill(const fs::path& path, const Json& json, ZarrArray& a) {
  const Json& value = member(path, json, "fill_value");
  if (!value.is_null() && !store_fill(value, a.type, a.fill))
    fail(Exit::data, "{}: 'fill_value' {} is no value of type {}", path.string(), value.dump().substr(0, 40),
         name_of(a.type));
}

/// The chunks of an array, seen as three dimensions.
class Chunks {
 public:
  Chunks(ZarrArray array, const std::vector<std::size_t>& axes) : array_(std::move(array)) {
    std::vector<std::int64_t> strides(array_.shape.size(), 1);
    for (std::size_t i = 1; i < strides.size(); ++i) {
      const std::size_t d = array_.fortran ? i : strides.size() - 1 - i;
      const std::size_t faster = array_.fortran ? d - 1 : d + 1;
      strides[d] = strides[faster] * array_.chunk[faster];
    }
    const std::size_t first = 3 - axes.size();  // an image has one plane
    for (std::size_t i = 0; i < axes.size(); ++i) {
      axis_[first + i] = axes[i];
      shape_[first + i] = array_.shape[axes[i]];
      chunk_[first + i] = array_.chunk[axes[i]];
      stride_[first + i] = strides[axes[i]];
    }
    for (std::size_t i = 0; i < 3; ++i) grid_[i] = (shape_[i] + chunk_[i] - 1) / chunk_[i];
  }

  /// Notes which chunks are there, and returns their files in order.
  std::vector<fs::path> find(const ZarrRoot& root) {
    std::vector<std::pair<std::int64_t, fs::path>> found;
    walk(root, array_.folder, std::vector<std::int64_t>(array_.shape.size(), 0), 0, found);
    std::sort(found.begin(), found.end());
    std::vector<fs::path> files;
    for (auto& [index, path] : found) {
      present_.push_back(index);
      files.push_back(std::move(path));
    }
    return files;
  }

  [[nodiscard]] const ZarrArray& array() const { return array_; }
  [[nodiscard]] const Index3& shape() const { return shape_; }
  [[nodiscard]] const Index3& chunk() const { return chunk_; }
  [[nodiscard]] std::int64_t total() const { return volume_of(grid_); }

  void read(const Box& box, char* out) const {
    Box range;
    for (std::size_t i = 0; i < 3; ++i) {
      range.begin[i] = box.begin[i] / chunk_[i];
      range.end[i] = (box.end[i] - 1) / chunk_[i] + 1;
    }
    for (std::int64_t z = range.begin[0]; z < range.end[0]; ++z)
      for (std::int64_t y = range.begin[1]; y < range.end[1]; ++y)
        for (std::int64_t x = range.begin[2]; x < range.end[2]; ++x) read_chunk({z, y, x}, box, out);
  }

 private:
  [[nodiscard]] std::int64_t index_of(const Index3& at) const { return (at[0] * grid_[1] + at[1]) * grid_[2] + at[2]; }

  /// The part of a name that counts chunks along dimension `d`; empty where it is something else.
  [[nodiscard]] std::optional<std::int64_t> number_of(std::string_view text, std::size_t d) const {
    std::int64_t n = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
    if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
    if (n < 0 || n > (array_.shape[d] - 1) / array_.chunk[d] || std::to_string(n) != text) return std::nullopt;
    return n;
  }

  /// The chunks below a folder whose name counted the first `known` dimensions.
  void walk(const ZarrRoot& root, const fs::path& folder, std::vector<std::int64_t> at, std::size_t known,
            std::vector<std::pair<std::int64_t, fs::path>>& found) const {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      const std::size_t counted = numbers_in(name, known, at);
      if (counted == 0) continue;
      if (it->is_symlink()) root.require_inside(it->path());
      if (counted < at.size())
        walk(root, it->path(), at, counted, found);
      else
        found.emplace_back(index_of(at), checked_file(it->path()));
    }
    if (error) fail(Exit::no_input, "{}: cannot be listed: {}", folder.string(), error.message());
  }

  /// Reads the dimensions that a name counts into `at`; how many are known then, 0 where the name is none of a chunk.
  std::size_t numbers_in(const std::string& name, std::size_t known, std::vector<std::int64_t>& at) const {
    const std::size_t until = array_.separator == '/' ? known + 1 : at.size();
    for (std::size_t begin = 0; known < until; ++known) {
      const auto end = known + 1 == until ? name.size() : std::min(name.find('.', begin), name.size());
      if (begin > name.size()) return 0;
      const auto number = number_of(std::string_view(name).substr(begin, end - begin), known);
      if (!number) return 0;
      at[known] = *number;
      begin = end + 1;
    }
    return known;
  }

  [[nodiscard]] std::int64_t index_of(const std::vector<std::int64_t>& at) const {
    Index3 three{0, 0, 0};
    for (std::size_t i = 0; i < 3; ++i)
      if (axis_[i] < at.size()) three[i] = at[axis_[i]];
    return index_of(three);
  }

  [[nodiscard]] fs::path checked_file(const fs::path& path) const {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) fail(Exit::data, "{}: is not a regular file", path.string());
    const auto bytes = fs::file_size(path, error);
    if (error || bytes == 0) fail(Exit::data, "{}: the file is empty", path.string());
    if (array_.codec == ZarrCodec::none && bytes != array_.chunk_bytes())
      fail(Exit::data, "{}: has {} bytes, but a chunk of this array has {}", path.string(), bytes,
           array_.chunk_bytes());
    return path;
  }

  [[nodiscard]] fs::path path_of(const Index3& at) const {
    std::string name;
    for (std::size_t d = 0; d < array_.shape.size(); ++d) {
      if (d > 0) name += array_.separator;
      const auto i = static_cast<std::size_t>(std::find(axis_.begin(), axis_.end(), d) - axis_.begin());
      name += std::to_string(i < 3 ? at[i] : 0);
    }
    return array_.folder / name;
  }

  [[nodiscard]] std::vector<char> decoded(const Index3& at) const {
    auto bytes = decoded_chunk(path_of(at), array_.codec, array_.chunk_bytes());
    const std::size_t size = size_of(array_.type);
    if (array_.big_endian != (std::endian::native == std::endian::big))
      swap_bytes(bytes.data(), bytes.size() / size, size);
    return bytes;
  }

  void read_chunk(const Index3& at, const Box& box, char* out) const {
    const Index3 low{at[0] * chunk_[0], at[1] * chunk_[1], at[2] * chunk_[2]};
    const Box part = intersect(box, {low, {low[0] + chunk_[0], low[1] + chunk_[1], low[2] + chunk_[2]}});
    const std::int64_t index = index_of(at);
    const bool there = std::binary_search(present_.begin(), present_.end(), index);
    const auto bytes = there ? cache_.get({index, 0}, [&] { return decoded(at); }) : nullptr;
    const char* values = bytes ? bytes->data() : array_.fill.data();
    const Index3 stride = bytes ? stride_ : Index3{0, 0, 0};
    switch (size_of(array_.type)) {
      case 1: return copy<std::uint8_t>(values, stride, low, part, box, out);
      case 2: return copy<std::uint16_t>(values, stride, low, part, box, out);
      case 4: return copy<std::uint32_t>(values, stride, low, part, box, out);
      default: return copy<std::uint64_t>(values, stride, low, part, box, out);
    }
  }

  /// The values of `part` out of a chunk that begins at `low`, into their places in `box`.
  template <class T>
  static void copy(const char* chunk, const Index3& stride, const Index3& low, const Box& part, const Box& box,
                   char* out) {
    const Index3 n = box.shape();
    const std::int64_t row = part.end[2] - part.begin[2];
    for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
      for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y) {
        const std::int64_t from =
            (z - low[0]) * stride[0] + (y - low[1]) * stride[1] + (part.begin[2] - low[2]) * stride[2];
        const std::int64_t to = ((z - box.begin[0]) * n[1] + y - box.begin[1]) * n[2] + part.begin[2] - box.begin[2];
        char* target = out + static_cast<std::size_t>(to) * sizeof(T);
        const char* source = chunk + static_cast<std::size_t>(from) * sizeof(T);
        if (stride[2] == 1) {
          std::memcpy(target, source, static_cast<std::size_t>(row) * sizeof(T));
          continue;
        }
        const auto step = static_cast<std::size_t>(stride[2]) * sizeof(T);
        for (std::int64_t x = 0; x < row; ++x, target += sizeof(T), source += step)
          std::memcpy(target, source, sizeof(T));
      }
  }

  static constexpr std::size_t no_axis = std::numeric_limits<std::size_t>::max();

  ZarrArray array_;
  std::array<std::size_t, 3> axis_{no_axis, no_axis, no_axis};
  Index3 shape_{1, 1, 1}, chunk_{1, 1, 1}, stride_{0, 0, 0}, grid_{1, 1, 1};
  std::vector<std::int64_t> present_;  ///< in order
  mutable BlockCache cache_{cache_bytes};
};

std::string fill_text(const ZarrArray& a) {
  VolumeFile one;
  one.type = a.type;
  one.shape = {1, 1, 1};
  one.read = [&](const Box&, void* out) { std::memcpy(out, a.fill.data(), a.fill.size()); };
  return text_of(one.as<double>().load({{0, 0, 0}, {1, 1, 1}})(0, 0, 0));
}

void note_missing(const Chunks& chunks, std::size_t present, VolumeFile& v) {
  const ZarrArray& a = chunks.array();
  const std::string folder = a.folder.string();
  const std::int64_t missing = chunks.total() - static_cast<std::int64_t>(present);
  if (present == 0)
    fail(Exit::data,
         "{}: none of its {} chunks is there (copied without them, or with another dimension_separator than '{}'?)",
         folder, chunks.total(), a.separator);
  if (missing == 0) return;
  if (a.fill.empty())
    fail(Exit::data, "{}: {} of {} chunks are missing, and .zarray does not say their value (fill_value is null)",
         folder, missing, chunks.total());
  v.notes.push_back(fmt::format("warning: {} of {} chunks are missing; their voxels are read as the fill value {}",
                                missing, chunks.total(), fill_text(a)));
}

}  // namespace

ZarrRoot::ZarrRoot(const fs::path& folder) : path(folder) {
  std::error_code error;
  canonical = fs::canonical(folder, error);
  if (error) fail(Exit::no_input, "{}: {}", folder.string(), error.message());
}

void ZarrRoot::require_inside(const fs::path& inner) const {
  std::error_code error;
  const auto relative = fs::weakly_canonical(inner, error).lexically_relative(canonical);
  if (error || relative.empty() || *relative.begin() == "..")
    fail(Exit::data, "{}: leads out of the folder {}; it is not opened. Copy what it names into that folder",
         inner.string(), path.string());
}

Json zarr_json(const ZarrRoot& root, const fs::path& path) {
  root.require_inside(path);
  const InputFile file(path);
  if (file.size() > largest_json)
    fail(Exit::data, "{}: has {}; a description of an array is far smaller", path.string(),
         bytes_text(static_cast<double>(file.size())));
  const std::string text = file.head(static_cast<std::size_t>(file.size()));
  if (json_nesting(text) > deepest_json) fail(Exit::data, "{}: is nested too deeply", path.string());
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) fail(Exit::data, "{}: is not a JSON object", path.string());
  return json;
}

std::size_t ZarrArray::chunk_bytes() const {
  std::size_t bytes = size_of(type);
  for (const std::int64_t n : chunk) bytes *= static_cast<std::size_t>(n);
  return bytes;
}

ZarrArray zarr_array(const ZarrRoot& root, const fs::path& folder) {
  const fs::path path = folder / ".zarray";
  const Json json = zarr_json(root, path);
  if (member(path, json, "zarr_format") != 2)
    fail(Exit::data, "{}: 'zarr_format' is {}; version 2 is read", path.string(),
         json["zarr_format"].dump().substr(0, 20));
  ZarrArray a;
  a.folder = folder;
  a.shape = extents(path, json, "shape");
  a.chunk = extents(path, json, "chunks");
  read_type(path, json, a);
  if (a.shape.size() < 2 || a.shape.size() > 8)
    fail(Exit::data, "{}: the array has {} dimensions; 3 (a volume) or 2 (an image) are read", path.string(),
         a.shape.size());
  if (a.chunk.size() != a.shape.size())
    fail(Exit::data, "{}: 'chunks' has {} numbers, 'shape' has {}", path.string(), a.chunk.size(), a.shape.size());
  checked_product(path, a.shape, size_of(a.type));
  const std::uint64_t chunk = checked_product(path, a.chunk, size_of(a.type));
  if (chunk > largest_chunk)
    fail(Exit::data, "{}: a chunk has {}, and chunks are read whole; at most {} are. Write the array in smaller chunks",
         path.string(), bytes_text(static_cast<double>(chunk)), bytes_text(static_cast<double>(largest_chunk)));
  read_layout(path, json, a);
  read_compressor(path, json, a);
  read_fill(path, json, a);
  return a;
}

void add_zarr_voxels(const ZarrRoot& root, ZarrArray array, const std::vector<std::size_t>& axes, VolumeFile& v) {
  const auto chunks = std::make_shared<Chunks>(std::move(array), axes);
  const auto files = chunks->find(root);
  note_missing(*chunks, files.size(), v);
  v.files.push_back(chunks->array().folder / ".zarray");
  v.files.insert(v.files.end(), files.begin(), files.end());
  v.shape = chunks->shape();
  v.type = chunks->array().type;
  v.two_dimensional = v.shape[0] == 1;
  v.planes_together = std::min(chunks->chunk()[0], v.shape[0]);
  v.read = [chunks](const Box& box, void* out) {
    if (!box.empty()) chunks->read(box, static_cast<char*>(out));
  };
}

}  // namespace cathoscope::readers
