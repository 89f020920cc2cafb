#pragma once
/// What the exporting writers share: boxes in file order, partial files that vanish on failure, checked bytes.

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/grid.hpp>
#include <cathoscope/io/files.hpp>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cathoscope::exporting {

static_assert(std::endian::native == std::endian::little, "the formats are written in the byte order of the machine");

/// What a writer holds of a grid at once.
inline constexpr std::int64_t box_bytes = std::int64_t{256} << 20;

/// Boxes that tile a grid in the order of its voxels: slabs of up to 64 whole planes, or bands of rows where one plane
/// is larger than `limit` bytes.
std::vector<Box> boxes_in_file_order(const Index3& shape, std::int64_t value_bytes, std::int64_t limit = box_bytes);

inline constexpr std::int64_t chunk_edge = 64;

/// Boxes of whole chunks of `edge` voxels an axis, as many along x and then y as stay within `limit` bytes (at least one):
/// each chunk is compressed once.
std::vector<Box> boxes_of_chunks(const Index3& shape, std::int64_t value_bytes, std::int64_t limit = box_bytes,
                                 std::int64_t edge = chunk_edge);

/// Throws Error{data} where a grid has no voxels: no format here can say so.
void check_not_empty(const std::filesystem::path& path, const Index3& shape);

/// Reads a grid in file order and hands over each box with its values, until `f` returns false.
template <class T, class F>
void for_each_box(const GridSource<T>& grid, F&& f) {
  std::unique_ptr<T[]> values;
  std::int64_t room = 0;
  for (const Box& box : boxes_in_file_order(grid.shape, sizeof(T))) {
    if (box.size() > room) {
      room = box.size();
      values.reset(new T[static_cast<std::size_t>(room)]);
    }
    grid.read(box, values.get());
    if (!f(box, values.get())) return;
  }
}

/// The name of a value type in a format: its word for unsigned, signed or floating, and a size, as in "UInt8".
template <class T>
std::string type_code(const char* unsigned_word, const char* signed_word, const char* float_word, std::size_t size) {
  const char* word = std::is_floating_point_v<T> ? float_word : std::is_signed_v<T> ? signed_word : unsigned_word;
  return fmt::format("{}{}", word, size);
}

/// The file beside `path` that becomes `path` by finish(), or is removed.
class PartialFile {
 public:
  explicit PartialFile(std::filesystem::path path) : path_(std::move(path)), partial_(partial_name(path_)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }        ///< for messages
  [[nodiscard]] const std::filesystem::path& partial() const { return partial_; }  ///< to write to
  void finish();

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  bool finished_ = false;
};

/// A partial file that is written byte after byte. Throws Error{cannot_create} and Error{write_error}.
class ByteWriter {
 public:
  explicit ByteWriter(const std::filesystem::path& path);

  void write(const void* bytes, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Closes, and gives the file its name.
  void finish();

 private:
  struct Closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  PartialFile target_;  // declared first: the file is closed before it is removed
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace cathoscope::exporting
