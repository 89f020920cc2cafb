/// PyHST2 volumes: raw voxels in .vol, described by .vol.info.

#include "header_text.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <cmath>

namespace cathoscope::readers {

namespace {

namespace fs = std::filesystem;

bool is_info(const fs::path& path) { return lower_case(path.filename().string()).ends_with(".info"); }

fs::path info_of(const fs::path& vol) {
  for (const fs::path& candidate : {fs::path(vol.string() + ".info"), fs::path(vol).replace_extension(".info")})
    if (fs::exists(candidate)) return candidate;
  fail(Exit::no_input, "{}: its description {}.info is missing; put it beside, or give `shape` and `type`",
       vol.string(), vol.string());
}

fs::path volume_of(const fs::path& info) {
  fs::path vol = info;
  vol.replace_extension();  // x.vol.info -> x.vol
  if (lower_case(vol.extension().string()) != ".vol") vol += ".vol";
  if (!fs::exists(vol))
    fail(Exit::no_input, "{}: the volume {} that it describes is missing", info.string(), vol.string());
  return vol;
}

/// Lines "KEY = value"; those that begin with '!' or '#' are comments.
KeyValues parsed(const fs::path& info) {
  if (InputFile(info).size() > (1 << 20)) fail(Exit::data, "{}: too long for a .vol.info", info.string());
  const std::string text = read_text(info);
  KeyValues values;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '!' || line[0] == '#' || equals == std::string::npos) continue;
    values[lower_case(trimmed(line.substr(0, equals)))] = trimmed(line.substr(equals + 1));
  }
  return values;
}

/// The type that the info names, or else the one that the file's size tells.
std::string type_of(const fs::path& vol, const fs::path& info, const KeyValues& values, const Index3& shape) {
  const std::string named = lower_case(value_or_empty(values, "data_type"));
  if (named == "packed_binary")
    fail(Exit::data, "{}: DATA_TYPE PACKED_BINARY (one bit a voxel) is not read; save as uint8", info.string());
  if (named == "float") return "float32";
  if (named == "double") return "float64";
  if (!named.empty()) return named;
  const std::uint64_t voxels = checked_bytes(info, shape, 1);
  const std::uint64_t bytes = InputFile(vol).size();
  if (bytes == voxels) return "uint8";
  if (bytes == 2 * voxels) return "uint16";
  if (bytes == 4 * voxels) return "float32";
  if (bytes == 8 * voxels) return "float64";
  fail(Exit::data, "{}: has {} bytes, but {} says {} (z, y, x), which needs {} (uint8), {} (uint16) or {} (float32)",
       vol.string(), bytes, info.string(), shape_text(shape), voxels, 2 * voxels, 4 * voxels);
}

bool is_big_endian(const fs::path& info, const KeyValues& values) {
  const std::string order = lower_case(value_or_empty(values, "byteorder"));
  if (order.empty() || order == "lowbytefirst") return false;
  if (order == "highbytefirst") return true;
  fail(Exit::data, "{}: BYTEORDER = {} is neither LOWBYTEFIRST nor HIGHBYTEFIRST", info.string(), order.substr(0, 40));
}

void read_voxel_size(const KeyValues& values, VolumeFile& v) {
  const std::string text = value_or_empty(values, "voxelsize");
  if (text.empty()) return;
  const auto size = number_from(text);
  if (size && std::isfinite(*size) && *size > 0 && *size != 1) {
    v.voxel_size_um = Vec3{*size, *size, *size};
    v.voxel_size_from = "voxelSize in .vol.info (um)";
  } else {
    v.notes.push_back(fmt::format("voxelSize = {} in .vol.info counts as unknown", text.substr(0, 40)));
  }
}

}  // namespace

VolumeFile open_vol(const fs::path& path, const OpenOptions& options) {
  const fs::path vol = is_info(path) ? volume_of(path) : path;
  if (!is_info(path) && options.shape && options.type && !fs::exists(vol.string() + ".info"))
    return open_raw(vol, options);
  const fs::path info = is_info(path) ? path : info_of(vol);
  const KeyValues values = parsed(info);
  OpenOptions raw;
  raw.shape = Index3{whole_number(info, "NUM_Z", needed(info, values, "num_z")),
                     whole_number(info, "NUM_Y", needed(info, values, "num_y")),
                     whole_number(info, "NUM_X", needed(info, values, "num_x"))};
  // The user's word on the type counts: the info often has none.
  raw.type = options.type.value_or(type_of(vol, info, values, *raw.shape));
  const bool ordered = raw.type->starts_with(">") || raw.type->starts_with("<");
  if (!ordered && is_big_endian(info, values)) raw.type = ">" + *raw.type;
  VolumeFile v = open_raw(vol, raw);
  v.format = "PyHST volume";
  v.files.push_back(info);
  read_voxel_size(values, v);
  return v;
}

}  // namespace cathoscope::readers
