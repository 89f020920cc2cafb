/// MetaImage (.mha, .mhd): text header "Key = value", then voxels in the file or beside it.
/// The data are read by ourselves, in blocks: ITK 5.2.1 returns uninitialised memory for a short file as success, and
/// its MetaIO has memory-safety defects (github.com/Kitware/MetaIO/issues/150).

#include "header_text.hpp"
#include "inflating_file.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>

namespace cathoscope::readers {

namespace {

struct Header {
  KeyValues values;
  std::uint64_t data_offset = 0;  ///< after the ElementDataFile line
};

/// Lines up to and including ElementDataFile, which is the last of the header by definition.
Header header_of(const InputFile& file) {
  const std::string text = file.head(1 << 16);
  Header h;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    const auto equals = line.find('=');
    if (line.empty()) continue;
    if (equals == std::string::npos)
      fail(Exit::data, "{}: the header line '{}' is not 'Key = value'", file.path().string(), line.substr(0, 40));
    const std::string key = lower_case(trimmed(line.substr(0, equals)));
    h.values[key] = trimmed(line.substr(equals + 1));
    if (key != "elementdatafile") continue;
    h.data_offset = at;
    return h;
  }
  fail(Exit::data, "{}: the header has no ElementDataFile", file.path().string());
}

ValueType type_of(const std::filesystem::path& path, const std::string& text) {
  static const std::map<std::string, ValueType> types{
      {"met_uchar", ValueType::uint8},     {"met_char", ValueType::int8},     {"met_ushort", ValueType::uint16},
      {"met_short", ValueType::int16},     {"met_uint", ValueType::uint32},   {"met_int", ValueType::int32},
      {"met_ulong", ValueType::uint32},    {"met_long", ValueType::int32},    {"met_ulong_long", ValueType::uint64},
      {"met_long_long", ValueType::int64}, {"met_float", ValueType::float32}, {"met_double", ValueType::float64}};
  const auto found = types.find(lower_case(text));
  if (found == types.end()) fail(Exit::data, "{}: ElementType '{}' is not read", path.string(), text.substr(0, 40));
  return found->second;
}

bool is_true(const KeyValues& values, const std::string& key) {
  return lower_case(value_or_empty(values, key)).starts_with("t");
}

Index3 shape_of(const std::filesystem::path& path, const KeyValues& values) {
  const auto dimensions = whole_number(path, "NDims", needed(path, values, "ndims"));
  const auto sizes = words_of(needed(path, values, "dimsize"));
  if (dimensions != 2 && dimensions != 3)
    fail(Exit::data, "{}: NDims = {}; 3 (a volume) or 2 (an image) are read", path.string(), dimensions);
  if (sizes.size() != static_cast<std::size_t>(dimensions))
    fail(Exit::data, "{}: DimSize has {} numbers, NDims says {}", path.string(), sizes.size(), dimensions);
  Index3 shape{1, 1, 1};
  for (std::size_t i = 0; i < sizes.size(); ++i) shape[2 - i] = whole_number(path, "DimSize", sizes[i]);
  return shape;
}

void note_spacing(const KeyValues& values, VolumeFile& v) {
  std::string spacing = value_or_empty(values, "elementspacing");
  if (spacing.empty()) spacing = value_or_empty(values, "elementsize");
  if (!spacing.empty())
    v.notes.push_back(fmt::format("ElementSpacing = {} (x, y, z) has no unit in this format: voxel size unknown",
                                  spacing.substr(0, 80)));
}

}  // namespace

VolumeFile open_meta_image(const std::filesystem::path& path) {
  const InputFile file(path);
  const Header h = header_of(file);
  VolumeFile v;
  v.shape = shape_of(path, h.values);
  v.type = type_of(path, needed(path, h.values, "elementtype"));
  if (const std::string channels = value_or_empty(h.values, "elementnumberofchannels");
      !channels.empty() && channels != "1")
    fail(Exit::data, "{}: {} channels; one is read", path.string(), channels.substr(0, 20));
  const std::uint64_t bytes = checked_bytes(path, v.shape, size_of(v.type));
  const std::string data = needed(path, h.values, "elementdatafile");
  const bool local = lower_case(data) == "local";
  if (lower_case(data) == "list" || data.find('%') != std::string::npos)
    fail(Exit::data, "{}: voxels in a list of files are not read; open the slices themselves", path.string());
  const auto data_path = local ? path : file_named_by(path, data);
  std::uint64_t offset = local ? h.data_offset : 0;
  const std::uint64_t file_bytes = InputFile(data_path).size();
  const bool compressed = is_true(h.values, "compresseddata");
  if (const std::string skip = value_or_empty(h.values, "headersize"); !skip.empty() && skip != "0" && !compressed)
    offset = skip == "-1" ? file_bytes - std::min(bytes, file_bytes)
                          : static_cast<std::uint64_t>(whole_number(path, "HeaderSize", skip));
  const std::uint64_t stored = file_bytes - std::min(offset, file_bytes);
  if (!compressed && stored != bytes)
    fail(Exit::data, "{}: declares {} {} voxels ({} bytes), but {} has {} bytes of data", path.string(),
         shape_text(v.shape), name_of(v.type), bytes, data_path.string(), stored);
  if (compressed && bytes / 1040 > stored)
    fail(Exit::data, "{}: declares {} bytes of voxels, which {} compressed bytes cannot hold", path.string(), bytes,
         stored);
  const bool big = is_true(h.values, "binarydatabyteordermsb") || is_true(h.values, "elementbyteordermsb");
  v.read = compressed ? read_inflated(data_path, offset, v.shape, v.type, big)
                      : read_function(contiguous_planes(data_path, offset, v.shape, v.type, big));
  v.two_dimensional = v.shape[0] == 1;
  v.format = "MetaImage";
  v.files = {path};
  if (!local) v.files.push_back(data_path);
  note_spacing(h.values, v);
  return v;
}

}  // namespace cathoscope::readers
