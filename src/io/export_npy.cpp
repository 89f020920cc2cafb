#include <cathoscope/io/export.hpp>

#include "export_stream.hpp"
#include "voxel_types.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace cathoscope {

namespace {

using exporting::ByteWriter;

template <class T>
std::string npy_type() {
  return fmt::format("{}{}", sizeof(T) == 1 ? "|" : "<", exporting::type_code<T>("u", "i", "f", sizeof(T)));
}

/// The head of a .npy file (NumPy enhancement proposal 1): version 1.0 where the description is Latin-1 and short, 2.0
/// where it is long, 3.0 where it is UTF-8; padded so that the data begin at a multiple of 64 bytes.
std::string npy_head(const std::string& type, const std::string& shape) {
  std::string text = "{'descr': " + type + ", 'fortran_order': False, 'shape': " + shape + ", }";
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
  const bool small = text.size() < 65000;
  const std::size_t size_bytes = ascii && small ? 2 : 4;
  const std::size_t used = 8 + size_bytes + text.size() + 1;
  text.append((64 - used % 64) % 64, ' ');
  text += '\n';
  std::string head = "\x93NUMPY";
  head += static_cast<char>(!ascii ? 3 : small ? 1 : 2);
  head += '\0';
  for (std::size_t i = 0; i < size_bytes; ++i) head += static_cast<char>((text.size() >> (8 * i)) & 0xff);
  return head + text;
}

/// UTF-8 as code points; a broken sequence becomes U+FFFD.
std::u32string code_points(const std::string& text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : -1;
    char32_t point = more <= 0 ? lead : lead & (0x3fU >> more);
    int read = 0;
    while (read < more && i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) {
      point = (point << 6) | (static_cast<unsigned char>(text[i++]) & 0x3fU);
      ++read;
    }
    out += more < 0 || read < more || point > 0x10ffff ? U'\ufffd' : point;
  }
  return out;
}

/// A column and how NumPy stores it.
struct Field {
  const Column* column = nullptr;
  std::vector<std::u32string> texts;
  std::size_t bytes = 8;
  std::string type = "<f8";
};

Field field_of(const Column& column) {
  Field f{&column, {}, 8, column.ids.empty() ? "<f8" : "<u8"};
  if (column.texts.empty()) return f;
  std::size_t width = 1;
  for (const std::string& text : column.texts) {
    f.texts.push_back(code_points(text));
    width = std::max(width, f.texts.back().size());
  }
  f.bytes = 4 * width;
  f.type = fmt::format("<U{}", width);
  return f;
}

/// A Python string literal.
std::string quoted(const std::string& name) {
  std::string out = "'";
  for (const char c : name) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::vector<Field> fields_of(const std::filesystem::path& path, const Table& table) {
  std::vector<Field> fields;
  std::set<std::string> names;
  for (const Column& column : table.columns) {
    if (column.name.empty() || !names.insert(column.name).second)
      fail(Exit::data, "{}: column name '{}' is empty or occurs twice", path.string(), column.name);
    if (column.size() != table.rows())
      fail(Exit::data, "{}: column {} has {} rows, the first column {}", path.string(), column.name, column.size(),
           table.rows());
    fields.push_back(field_of(column));
  }
  if (fields.empty()) fail(Exit::data, "{}: cannot export a table without columns", path.string());
  return fields;
}

void append_value(const Field& field, std::size_t row, std::string& out) {
  const auto append = [&](const void* value, std::size_t bytes) { out.append(static_cast<const char*>(value), bytes); };
  if (!field.texts.empty()) {
    const std::u32string& text = field.texts[row];
    append(text.data(), 4 * text.size());
    out.append(field.bytes - 4 * text.size(), '\0');
  } else if (!field.column->ids.empty()) {
    append(&field.column->ids[row], 8);
  } else {
    append(&field.column->numbers[row], 8);
  }
}

}  // namespace

template <class T>
void write_npy(const std::filesystem::path& path, const GridSource<T>& grid) {
  exporting::check_not_empty(path, grid.shape);
  ByteWriter out(path);
  out.write(npy_head(fmt::format("'{}'", npy_type<T>()),
                     fmt::format("({}, {}, {})", grid.shape[0], grid.shape[1], grid.shape[2])));
  exporting::for_each_box(grid, [&](const Box& box, const T* values) {
    out.write(values, static_cast<std::size_t>(box.size()) * sizeof(T));
    return true;
  });
  out.finish();
}

void write_npy(const std::filesystem::path& path, const Table& table) {
  const std::vector<Field> fields = fields_of(path, table);
  std::string type = "[";
  for (const Field& f : fields) type += fmt::format("({}, '{}'), ", quoted(f.column->name), f.type);
  ByteWriter out(path);
  out.write(npy_head(type + "]", fmt::format("({},)", table.rows())));
  std::string row;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    row.clear();
    for (const Field& f : fields) append_value(f, i, row);
    out.write(row);
  }
  out.finish();
}

#define CATHOSCOPE_INSTANTIATE(T) template void write_npy<T>(const std::filesystem::path&, const GridSource<T>&);
CATHOSCOPE_OF_VOXEL_TYPES(CATHOSCOPE_INSTANTIATE)
CATHOSCOPE_INSTANTIATE(std::uint64_t)
CATHOSCOPE_INSTANTIATE(std::int64_t)
#undef CATHOSCOPE_INSTANTIATE

}  // namespace cathoscope
