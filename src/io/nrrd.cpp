/// NRRD (.nrrd, .nhdr): magic line, "field: value" lines, an empty line, then voxels in the file or beside it
/// (http://teem.sourceforge.net/nrrd/format.html). Read by ourselves in blocks: ITK would read it whole.

#include "header_text.hpp"
#include "inflating_file.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::readers {

namespace {

struct Header {
  KeyValues values;
  std::uint64_t data_offset = 0;
};

Header header_of(const InputFile& file) {
  const std::string text = file.head(1 << 16);
  Header h;
  std::size_t at = std::min(text.find('\n'), text.size() - 1) + 1;  // past the magic line
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (line.empty()) break;
    if (const auto colon = line.find(": "); line[0] != '#' && colon != std::string::npos)
      h.values[lower_case(trimmed(line.substr(0, colon)))] = trimmed(line.substr(colon + 2));
  }
  h.data_offset = std::min<std::size_t>(at, text.size());
  return h;
}

ValueType type_of(const std::filesystem::path& path, const std::string& text) {
  static const std::map<std::string, ValueType> types{
      {"uchar", ValueType::uint8},           {"unsigned char", ValueType::uint8},
      {"uint8", ValueType::uint8},           {"uint8_t", ValueType::uint8},
      {"signed char", ValueType::int8},      {"int8", ValueType::int8},
      {"int8_t", ValueType::int8},           {"ushort", ValueType::uint16},
      {"unsigned short", ValueType::uint16}, {"uint16", ValueType::uint16},
      {"uint16_t", ValueType::uint16},       {"unsigned short int", ValueType::uint16},
      {"short", ValueType::int16},           {"int16", ValueType::int16},
      {"int16_t", ValueType::int16},         {"uint", ValueType::uint32},
      {"unsigned int", ValueType::uint32},   {"uint32", ValueType::uint32},
      {"uint32_t", ValueType::uint32},       {"int", ValueType::int32},
      {"signed int", ValueType::int32},      {"int32", ValueType::int32},
      {"int32_t", ValueType::int32},         {"uint64", ValueType::uint64},
      {"uint64_t", ValueType::uint64},       {"ulonglong", ValueType::uint64},
      {"int64", ValueType::int64},           {"int64_t", ValueType::int64},
      {"longlong", ValueType::int64},        {"unsigned long long", ValueType::uint64},
      {"long long", ValueType::int64},       {"float", ValueType::float32},
      {"double", ValueType::float64},        {"signed short", ValueType::int16},
      {"short int", ValueType::int16}};
  const auto found = types.find(lower_case(text));
  if (found == types.end()) fail(Exit::data, "{}: type '{}' is not read", path.string(), text.substr(0, 40));
  return found->second;
}

Index3 shape_of(const std::filesystem::path& path, const KeyValues& values) {
  const auto dimension = whole_number(path, "dimension", needed(path, values, "dimension"));
  const auto sizes = words_of(needed(path, values, "sizes"));
  if (dimension != 2 && dimension != 3)
    fail(Exit::data, "{}: dimension {}; 3 (a volume) or 2 (an image) are read", path.string(), dimension);
  if (sizes.size() != static_cast<std::size_t>(dimension))
    fail(Exit::data, "{}: sizes has {} numbers, dimension says {}", path.string(), sizes.size(), dimension);
  Index3 shape{1, 1, 1};
  for (std::size_t i = 0; i < sizes.size(); ++i) shape[2 - i] = whole_number(path, "sizes", sizes[i]);
  return shape;
}

std::optional<double> micrometres(const std::string& unit) {
  static const std::map<std::string, double> known{{"um", 1},      {"\xC2\xB5m", 1},  {"\xCE\xBCm", 1}, {"micron", 1},
                                                   {"microns", 1}, {"micrometer", 1}, {"nm", 1e-3},     {"mm", 1e3},
                                                   {"cm", 1e4},    {"m", 1e6}};
  const auto found = known.find(unit);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

/// "mm" "mm" "mm" -> the unit, where all are the same.
std::optional<double> common_unit(std::string text) {
  std::replace(text.begin(), text.end(), '"', ' ');
  const auto units = words_of(text);
  if (units.empty() || std::any_of(units.begin(), units.end(), [&](const auto& u) { return u != units.front(); }))
    return std::nullopt;
  return micrometres(units.front());
}

/// Lengths of "(a,b,c) (d,e,f) ...", fastest axis first.
std::vector<double> direction_lengths(const std::string& text) {
  std::vector<double> lengths;
  for (std::size_t open = text.find('('); open != std::string::npos; open = text.find('(', open + 1)) {
    std::string part = text.substr(open + 1, std::min(text.find(')', open), text.size()) - open - 1);
    std::replace(part.begin(), part.end(), ',', ' ');
    double squares = 0;
    for (const auto& w : words_of(part)) squares += std::pow(number_from(w).value_or(NAN), 2);
    lengths.push_back(std::sqrt(squares));
  }
  return lengths;
}

void read_voxel_size(const KeyValues& values, VolumeFile& v) {
  std::vector<double> sizes = direction_lengths(value_or_empty(values, "space directions"));
  if (sizes.empty())
    for (const auto& w : words_of(value_or_empty(values, "spacings"))) sizes.push_back(number_from(w).value_or(NAN));
  if (sizes.empty()) return;
  const bool usable = std::all_of(sizes.begin(), sizes.end(), [](double s) { return std::isfinite(s) && s > 0; });
  const std::string units = value_or_empty(values, "space units");
  const auto unit = common_unit(units.empty() ? value_or_empty(values, "units") : units);
  if (!usable || !unit || sizes.size() < 2) {
    v.notes.emplace_back("spacings or space directions without a common unit: voxel size unknown");
    return;
  }
  v.voxel_size_um = Vec3{(sizes.size() > 2 ? sizes[2] : sizes[0]) * *unit, sizes[1] * *unit, sizes[0] * *unit};
  v.voxel_size_from = "NRRD spacings and space units";
}

struct Encoding {
  bool gzip = false;
};

Encoding encoding_of(const std::filesystem::path& path, const KeyValues& values) {
  const std::string name = lower_case(needed(path, values, "encoding"));
  if (name == "raw") return {false};
  if (name == "gzip" || name == "gz") return {true};
  fail(Exit::data, "{}: encoding '{}' is not read; save as raw or gzip", path.string(), name.substr(0, 40));
}

}  // namespace

VolumeFile open_nrrd(const std::filesystem::path& path) {
  const InputFile file(path);
  const Header h = header_of(file);
  VolumeFile v;
  v.shape = shape_of(path, h.values);
  v.type = type_of(path, needed(path, h.values, "type"));
  const Encoding encoding = encoding_of(path, h.values);
  const std::uint64_t bytes = checked_bytes(path, v.shape, size_of(v.type));
  std::string data = value_or_empty(h.values, "data file");
  if (data.empty()) data = value_or_empty(h.values, "datafile");
  if (data.starts_with("LIST") || data.find('%') != std::string::npos)
    fail(Exit::data, "{}: voxels in a list of files are not read; open the slices themselves", path.string());
  for (const char* key : {"line skip", "byte skip", "lineskip", "byteskip"})
    if (const std::string skip = value_or_empty(h.values, key); !skip.empty() && skip != "0")
      fail(Exit::data, "{}: '{}: {}' is not read", path.string(), key, skip.substr(0, 20));
  const auto data_path = data.empty() ? path : file_named_by(path, data);
  const std::uint64_t offset = data.empty() ? h.data_offset : 0;
  const std::uint64_t stored = InputFile(data_path).size() - offset;
  if (!encoding.gzip && stored != bytes)
    fail(Exit::data, "{}: declares {} {} voxels ({} bytes), but {} has {} bytes of data", path.string(),
         shape_text(v.shape), name_of(v.type), bytes, data_path.string(), stored);
  if (encoding.gzip && bytes / 1040 > stored)
    fail(Exit::data, "{}: declares {} bytes of voxels, which {} compressed bytes cannot hold", path.string(), bytes,
         stored);
  const std::string endian = lower_case(value_or_empty(h.values, "endian"));
  if (size_of(v.type) > 1 && endian != "little" && endian != "big")
    fail(Exit::data, "{}: 'endian' must be little or big, it is '{}'", path.string(), endian);
  v.read = encoding.gzip ? read_inflated(data_path, offset, v.shape, v.type, endian == "big")
                         : read_function(contiguous_planes(data_path, offset, v.shape, v.type, endian == "big"));
  v.two_dimensional = v.shape[0] == 1;
  v.format = "NRRD";
  v.files = {path};
  if (!data.empty()) v.files.push_back(data_path);
  read_voxel_size(h.values, v);
  return v;
}

}  // namespace cathoscope::readers
