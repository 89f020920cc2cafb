/// NumPy arrays, format versions 1 to 3 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <map>

namespace cathoscope::readers {

namespace {

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::uint64_t data_offset = 0;
};

/// The value after 'key': in the header, which is a Python dict literal.
std::string value_after(const std::filesystem::path& path, const std::string& text, const std::string& key) {
  auto at = text.find("'" + key + "'");
  if (at == std::string::npos) at = text.find("\"" + key + "\"");
  if (at == std::string::npos) fail(Exit::data, "{}: the header has no '{}'", path.string(), key);
  at = text.find(':', at);
  if (at != std::string::npos) at = text.find_first_not_of(" \t", at + 1);
  if (at == std::string::npos) fail(Exit::data, "{}: the header has no value for '{}'", path.string(), key);
  return text.substr(at);
}

std::string quoted_value(const std::filesystem::path& path, const std::string& value) {
  const char quote = value.front();
  const auto end = value.find(quote, 1);
  if ((quote != '\'' && quote != '"') || end == std::string::npos)
    fail(Exit::data, "{}: holds records or an unknown type ({}); plain numbers are needed", path.string(),
         value.substr(0, 40));
  return value.substr(1, end - 1);
}

std::vector<std::int64_t> tuple_value(const std::filesystem::path& path, const std::string& value) {
  std::vector<std::int64_t> numbers;
  const auto end = value.find(')');
  if (value.front() != '(' || end == std::string::npos) fail(Exit::data, "{}: 'shape' is not a tuple", path.string());
  const char* p = value.data() + 1;
  const char* const last = value.data() + end;
  while (true) {
    while (p < last && (*p == ' ' || *p == ',')) ++p;
    if (p == last) return numbers;
    std::int64_t n = 0;
    const auto r = std::from_chars(p, last, n);
    if (r.ec != std::errc()) fail(Exit::data, "{}: 'shape' holds something else than whole numbers", path.string());
    numbers.push_back(n);
    p = r.ptr;
    if (p < last && *p == 'L') ++p;  // written by Python 2
  }
}

Header header_of(const InputFile& file) {
  const auto& path = file.path();
  const std::string start = file.head(12);
  if (start.size() < 10) fail(Exit::data, "{}: ends within its header", path.string());
  const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(start[i])); };
  const auto version = byte(6);
  if (version < 1 || version > 3) fail(Exit::data, "{}: .npy version {}; 1 to 3 are known", path.string(), version);
  const std::uint64_t prefix = version == 1 ? 10 : 12;
  if (start.size() < prefix) fail(Exit::data, "{}: ends within its header", path.string());
  std::uint64_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  constexpr std::uint64_t longest = 1 << 20;
  if (length > longest || prefix + length > file.size())
    fail(Exit::data, "{}: the header claims {} bytes, but the file has {}", path.string(), length, file.size());
  std::string text(length, '\0');
  file.read(prefix, text.size(), text.data());
  Header h;
  h.descr = quoted_value(path, value_after(path, text, "descr"));
  h.fortran = value_after(path, text, "fortran_order").starts_with("True");
  h.shape = tuple_value(path, value_after(path, text, "shape"));
  h.data_offset = prefix + length;
  return h;
}

ValueType type_of(const std::filesystem::path& path, const std::string& descr) {
  static const std::map<std::string, ValueType> types{
      {"u1", ValueType::uint8}, {"b1", ValueType::uint8},   {"i1", ValueType::int8},   {"u2", ValueType::uint16},
      {"i2", ValueType::int16}, {"u4", ValueType::uint32},  {"i4", ValueType::int32},  {"u8", ValueType::uint64},
      {"i8", ValueType::int64}, {"f4", ValueType::float32}, {"f8", ValueType::float64}};
  const bool ordered = !descr.empty() && std::string("<>|=").find(descr.front()) != std::string::npos;
  const auto found = types.find(ordered ? descr.substr(1) : descr);
  if (found == types.end())
    fail(Exit::data, "{}: values of type '{}' are not read; save as uint8, uint16, float32 or another plain number",
         path.string(), descr);
  return found->second;
}

Index3 shape_of(const std::filesystem::path& path, const std::vector<std::int64_t>& shape) {
  if (shape.size() == 2) return {1, shape[0], shape[1]};
  if (shape.size() == 3) return {shape[0], shape[1], shape[2]};
  fail(Exit::data, "{}: the array has {} dimensions; 3 (a volume) or 2 (an image) are read", path.string(),
       shape.size());
}

/// Copies a box of the file's order (x slowest) into z, y, x order.
void transpose(const char* from, const Index3& n, std::size_t size, char* to) {
  for (std::int64_t x = 0; x < n[2]; ++x)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t z = 0; z < n[0]; ++z, from += size)
        std::copy_n(from, size, to + static_cast<std::size_t>((z * n[1] + y) * n[2] + x) * size);
}

/// Fortran order: on disk the first axis runs fastest. Reads slabs of the slowest axis on disk, with whole runs of the
/// fastest one where they are short, and turns them.
std::function<void(const Box&, void*)> read_fortran(RawPlanes reversed) {
  const std::size_t size = size_of(reversed.type);
  return [read = read_function(std::move(reversed)), size](const Box& box, void* out) {
    const auto n = box.shape();
    constexpr std::int64_t most_values = std::int64_t{1} << 20;
    const std::int64_t step = std::clamp<std::int64_t>(most_values / std::max<std::int64_t>(1, n[0] * n[1]), 1, n[2]);
    std::vector<char> buffer(static_cast<std::size_t>(step * n[0] * n[1]) * size);
    std::vector<char> turned(buffer.size());
    auto* target = static_cast<char*>(out);
    for (std::int64_t x = 0; x < n[2]; x += step) {
      const std::int64_t count = std::min(step, n[2] - x);
      const std::int64_t first = box.begin[2] + x;
      read({{first, box.begin[1], box.begin[0]}, {first + count, box.end[1], box.end[0]}}, buffer.data());
      transpose(buffer.data(), {n[0], n[1], count}, size, turned.data());
      for (std::int64_t row = 0; row < n[0] * n[1]; ++row)
        std::copy_n(turned.data() + static_cast<std::size_t>(row * count) * size,
                    static_cast<std::size_t>(count) * size, target + static_cast<std::size_t>(row * n[2] + x) * size);
    }
  };
}

}  // namespace

VolumeFile open_npy(const std::filesystem::path& path) {
  const InputFile file(path);
  const Header h = header_of(file);
  VolumeFile v;
  v.type = type_of(path, h.descr);
  v.shape = shape_of(path, h.shape);
  const std::uint64_t bytes = checked_bytes(path, v.shape, size_of(v.type));
  if (bytes != file.size() - h.data_offset)
    fail(Exit::data, "{}: shape {} of {} needs {} bytes after the header, but the file has {}", path.string(),
         shape_text(v.shape), name_of(v.type), bytes, file.size() - h.data_offset);
  v.two_dimensional = v.shape[0] == 1;
  v.format = "NumPy array";
  v.files = {path};
  const bool big = h.descr.front() == '>';
  if (h.fortran) {
    v.notes.emplace_back("Fortran order: the slowest axis lies fastest on disk, so reading in slabs is slow");
    v.read = read_fortran(contiguous_planes(path, h.data_offset, {v.shape[2], v.shape[1], v.shape[0]}, v.type, big));
  } else {
    v.read = read_function(contiguous_planes(path, h.data_offset, v.shape, v.type, big));
  }
  return v;
}

}  // namespace cathoscope::readers
