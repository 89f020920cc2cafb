/// Headerless files, with shape and type from the user.

#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>

namespace cathoscope::readers {

namespace {

/// What would make the sizes agree, for a message.
std::string what_fits(std::uint64_t file_bytes, std::uint64_t header, const Index3& shape) {
  const auto voxels = checked_bytes({}, shape, 1);
  std::string hints;
  const auto hint = [&](const std::string& text) { hints += (hints.empty() ? " Would fit: " : "; or ") + text; };
  const std::uint64_t payload = file_bytes - std::min(header, file_bytes);
  if (payload == voxels) hint("type uint8 or int8");
  if (payload == 2 * voxels) hint("type uint16 or int16");
  if (payload == 4 * voxels) hint("type float32, uint32 or int32");
  if (payload == 8 * voxels) hint("type float64, uint64 or int64");
  return hints;
}

std::string header_hint(std::uint64_t file_bytes, std::uint64_t needed) {
  if (file_bytes <= needed || file_bytes - needed > 65536) return {};
  return fmt::format(" With this shape and type the file has {} bytes more: header_bytes: {} if they come first.",
                     file_bytes - needed, file_bytes - needed);
}

struct RawType {
  ValueType type;
  bool big_endian;
};

RawType raw_type(const std::filesystem::path& path, const std::string& text) {
  std::string name = text;
  const bool big = name.starts_with(">");
  if (big || name.starts_with("<")) name.erase(0, 1);
  const auto type = value_type_from(name);
  if (!type)
    fail(Exit::data,
         "{}: type '{}' is not known; known are uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, "
         "float64, with '>' before them for big-endian",
         path.string(), text);
  return {*type, big};
}

}  // namespace

VolumeFile open_raw(const std::filesystem::path& path, const OpenOptions& options) {
  if (!options.shape || !options.type)
    fail(Exit::data, "{}: a raw file does not say what it holds; give `shape` (slowest axis first) and `type`",
         path.string());
  const auto [type, big] = raw_type(path, *options.type);
  if (options.header_bytes < 0)
    fail(Exit::data, "{}: header_bytes is {}, it must not be negative", path.string(), options.header_bytes);
  const auto header = static_cast<std::uint64_t>(options.header_bytes);
  const std::uint64_t bytes = checked_bytes(path, *options.shape, size_of(type));
  const std::uint64_t file_bytes = InputFile(path).size();
  if (header > file_bytes || bytes != file_bytes - header)
    fail(Exit::data, "{}: has {} bytes, but shape {} of {} after {} header bytes needs {}.{}{}", path.string(),
         file_bytes, shape_text(*options.shape), name_of(type), header, bytes + header,
         what_fits(file_bytes, header, *options.shape), header_hint(file_bytes, bytes));
  VolumeFile v;
  v.shape = *options.shape;
  v.two_dimensional = v.shape[0] == 1;
  v.type = type;
  v.format = "raw";
  v.files = {path};
  v.read = read_function(contiguous_planes(path, header, v.shape, type, big));
  return v;
}

}  // namespace cathoscope::readers
