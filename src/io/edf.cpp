/// ESRF data format: a text header in braces, then the image; repeated for every frame.

#include "header_text.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>

namespace cathoscope::readers {

namespace {

struct Frame {
  Index3 shape{1, 1, 1};
  ValueType type = ValueType::uint8;
  bool big_endian = false;
  std::uint64_t data_offset = 0;
  std::uint64_t end = 0;  ///< of the frame's bytes
};

constexpr std::uint64_t longest_header = 1 << 20;

ValueType type_of(const std::filesystem::path& path, const std::string& text) {
  // "Long" is 32 bits wide in this format.
  static const std::map<std::string, ValueType> types{
      {"unsignedbyte", ValueType::uint8},  {"signedbyte", ValueType::int8},        {"unsignedshort", ValueType::uint16},
      {"signedshort", ValueType::int16},   {"unsignedinteger", ValueType::uint32}, {"signedinteger", ValueType::int32},
      {"unsignedlong", ValueType::uint32}, {"signedlong", ValueType::int32},       {"unsigned64", ValueType::uint64},
      {"signed64", ValueType::int64},      {"float", ValueType::float32},          {"floatvalue", ValueType::float32},
      {"floatieee32", ValueType::float32}, {"real", ValueType::float32},           {"double", ValueType::float64},
      {"doublevalue", ValueType::float64}, {"doubleieee64", ValueType::float64},   {"float32", ValueType::float32},
      {"float64", ValueType::float64}};
  const auto found = types.find(lower_case(text));
  if (found == types.end()) fail(Exit::data, "{}: DataType '{}' is not known", path.string(), text.substr(0, 40));
  return found->second;
}

/// "key = value ;" items; only the first '=' of an item separates.
KeyValues parsed(std::string_view text) {
  KeyValues values;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    const std::string_view item = text.substr(0, end);
    if (const auto equals = item.find('='); equals != std::string_view::npos)
      values.emplace(lower_case(trimmed(item.substr(0, equals))), trimmed(item.substr(equals + 1)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

/// The text between the braces, and where the data begin.
struct HeaderText {
  std::string text;
  std::uint64_t end = 0;
};

HeaderText header_at(const InputFile& file, std::uint64_t offset) {
  std::string text;
  std::size_t close = std::string::npos;
  while (close == std::string::npos) {
    const std::uint64_t left = std::min(longest_header, file.size() - offset) - text.size();
    if (left == 0) fail(Exit::data, "{}: the header at byte {} is never closed by '}}'", file.path().string(), offset);
    const std::size_t more = static_cast<std::size_t>(std::min<std::uint64_t>(512, left));
    const std::size_t old = text.size();
    text.resize(old + more);
    file.read(offset + old, more, text.data() + old);
    const auto open = text.find_first_not_of(" \t\r\n");
    if (open == std::string::npos || text[open] != '{')
      fail(Exit::data, "{}: no EDF header at byte {}; it begins with '{{'", file.path().string(), offset);
    close = text.find('}', old == 0 ? open : old);
  }
  std::uint64_t end = close + 1;
  if (end < text.size() && text[end] == '\r') ++end;
  if (end < text.size() && text[end] == '\n')
    ++end;
  else if (end == text.size() && offset + end < file.size() && end % 512 != 0)
    ++end;
  const auto open = text.find('{');
  return {text.substr(open + 1, close - open - 1), end};
}

std::uint64_t header_size(const InputFile& file, std::uint64_t offset, const HeaderText& header,
                          const KeyValues& values) {
  const std::string stated = value_or_empty(values, "edf_headersize");
  if (stated.empty()) return header.end;
  const auto size = static_cast<std::uint64_t>(whole_number(file.path(), "EDF_HeaderSize", stated));
  if (size < header.end - 1 || size > file.size() - offset)
    fail(Exit::data, "{}: EDF_HeaderSize = {} does not fit the header at byte {}", file.path().string(), size, offset);
  return size;
}

void check_compression(const std::filesystem::path& path, const KeyValues& values) {
  const std::string c = lower_case(value_or_empty(values, "compression"));
  if (!c.empty() && c != "none" && c != "nocompression" && c != "uncompressed")
    fail(Exit::data, "{}: compressed EDF ({}) is not read; save it uncompressed", path.string(), c.substr(0, 40));
}

std::uint64_t stated_bytes(const std::filesystem::path& path, const KeyValues& values, std::uint64_t computed) {
  for (const char* key : {"edf_binarysize", "size"}) {
    const std::string text = value_or_empty(values, key);
    if (text.empty()) continue;
    const auto stated = static_cast<std::uint64_t>(whole_number(path, key, text));
    if (stated < computed)
      fail(Exit::data, "{}: {} = {}, but the dimensions need {} bytes", path.string(), key, stated, computed);
    return stated;
  }
  return computed;
}

Frame frame_at(const InputFile& file, std::uint64_t offset) {
  const auto& path = file.path();
  const HeaderText header = header_at(file, offset);
  const KeyValues values = parsed(header.text);
  check_compression(path, values);
  Frame f;
  const std::string deep = value_or_empty(values, "dim_3");
  f.shape = {deep.empty() ? 1 : whole_number(path, "Dim_3", deep),
             whole_number(path, "Dim_2", needed(path, values, "dim_2")),
             whole_number(path, "Dim_1", needed(path, values, "dim_1"))};
  f.type = type_of(path, needed(path, values, "datatype"));
  f.big_endian = lower_case(value_or_empty(values, "byteorder")) == "highbytefirst";
  const std::uint64_t bytes = checked_bytes(path, f.shape, size_of(f.type));
  f.data_offset = offset + header_size(file, offset, header, values);
  // A header without a newline after its brace may still fill whole blocks of 512 bytes.
  const std::uint64_t rounded = offset + (header.end + 511) / 512 * 512;
  if (rounded + bytes == file.size() && f.data_offset + bytes != file.size()) f.data_offset = rounded;
  const std::uint64_t stored = stated_bytes(path, values, bytes);
  if (f.data_offset > file.size() || bytes > file.size() - f.data_offset)
    fail(Exit::data,
         "{}: the frame at byte {} needs {} bytes of data from byte {} on, but the file ends at byte {} (truncated?)",
         path.string(), offset, bytes, f.data_offset, file.size());
  f.end = f.data_offset + std::min(stored, file.size() - f.data_offset);
  return f;
}

/// True where only padding follows.
bool only_padding(const InputFile& file, std::uint64_t offset) {
  if (file.size() - offset >= 4096) return false;
  std::string rest(static_cast<std::size_t>(file.size() - offset), '\0');
  file.read(offset, rest.size(), rest.data());
  return rest.find_first_not_of(std::string_view("\0 \r\n", 4)) == std::string::npos;
}

std::vector<Frame> frames_of(const std::filesystem::path& path) {
  const InputFile file(path);
  std::vector<Frame> frames;
  std::uint64_t offset = 0;
  do {
    frames.push_back(frame_at(file, offset));
    offset = frames.back().end;
  } while (!only_padding(file, offset));
  return frames;
}

std::string frame_text(const Frame& f) { return fmt::format("{} x {} {}", f.shape[1], f.shape[2], name_of(f.type)); }

}  // namespace

VolumeFile open_edf(const Paths& files) {
  RawPlanes layout;
  layout.files = std::make_shared<FileSet>(files);
  std::optional<Frame> first;
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (const Frame& f : frames_of(files[i])) {
      if (!first) first = f;
      if (f.shape[1] != first->shape[1] || f.shape[2] != first->shape[2] || f.type != first->type ||
          f.big_endian != first->big_endian)
        fail(Exit::data, "{} is {}, but {} is {}; all frames must be alike", files[i].string(), frame_text(f),
             files.front().string(), frame_text(*first));
      const auto plane_bytes = static_cast<std::uint64_t>(f.shape[1] * f.shape[2]) * size_of(f.type);
      for (std::int64_t z = 0; z < f.shape[0]; ++z)
        layout.planes.push_back({i, {{0, f.data_offset + static_cast<std::uint64_t>(z) * plane_bytes}}});
    }
  }
  VolumeFile v;
  v.shape = {static_cast<std::int64_t>(layout.planes.size()), first->shape[1], first->shape[2]};
  v.type = first->type;
  v.two_dimensional = v.shape[0] == 1;
  v.format = files.size() > 1 ? "EDF slices" : v.two_dimensional ? "EDF image" : "EDF stack";
  v.files = files;
  layout.shape = v.shape;
  layout.type = v.type;
  layout.big_endian = first->big_endian;
  v.read = read_function(std::move(layout));
  return v;
}

}  // namespace cathoscope::readers
