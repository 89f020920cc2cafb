/// Grey PNG slices through libpng.

#include "block_cache.hpp"
#include "input_file.hpp"
#include "readers.hpp"

#include <cathoscope/core/error.hpp>

#include <png.h>

#include <bit>
#include <cstring>

namespace cathoscope::readers {

namespace {

struct PngHeader {
  std::int64_t height = 0;
  std::int64_t width = 0;
  ValueType type = ValueType::uint8;
  bool operator==(const PngHeader&) const = default;
};

std::int64_t big_endian_32(const std::string& bytes, std::size_t at) {
  std::int64_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(bytes[at + i]);
  return v;
}

/// From the fixed 33 bytes of signature and IHDR.
PngHeader header_of(const std::filesystem::path& path) {
  const InputFile file(path);
  const std::string head = file.head(33);
  if (head.size() < 33 || !head.starts_with("\x89PNG\r\n\x1a\n") || head.substr(12, 4) != "IHDR")
    fail(Exit::data, "{}: not a PNG file, or cut within its header ({} bytes)", path.string(), file.size());
  const int depth = head[24], colour = head[25];
  if (colour != PNG_COLOR_TYPE_GRAY)
    fail(Exit::data, "{}: a PNG with colours, palette or transparency; save as 8- or 16-bit grey", path.string());
  if (depth != 8 && depth != 16)
    fail(Exit::data, "{}: a PNG with {} bits a pixel; save as 8- or 16-bit grey", path.string(), depth);
  PngHeader h{big_endian_32(head, 20), big_endian_32(head, 16), depth == 8 ? ValueType::uint8 : ValueType::uint16};
  const auto bytes = checked_bytes(path, {1, h.height, h.width}, size_of(h.type));
  if (bytes / 1040 > file.size())  // deflate cannot shrink more
    fail(Exit::data, "{}: declares {} x {} pixels, which its {} bytes cannot hold", path.string(), h.height, h.width,
         file.size());
  return h;
}

struct Source {
  const char* at;
  const char* end;
};

void take_bytes(png_structp png, png_bytep out, std::size_t n) {
  auto& s = *static_cast<Source*>(png_get_io_ptr(png));
  if (static_cast<std::size_t>(s.end - s.at) < n) png_error(png, "the file is truncated");
  std::memcpy(out, s.at, n);
  s.at += n;
}

[[noreturn]] void keep_error(png_structp png, png_const_charp text) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = text;
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

/// Nothing in here has a destructor: libpng leaves by longjmp. False where the file is bad.
bool decode(png_structp png, png_infop info, Source* source, png_bytep* rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_read_fn(png, source, take_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
  png_read_info(png, info);
  png_set_interlace_handling(png);
  if (std::endian::native == std::endian::little) png_set_swap(png);
  png_read_update_info(png, info);
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

std::vector<char> decoded(const std::filesystem::path& path, const PngHeader& expected) {
  if (header_of(path) != expected) fail(Exit::data, "{}: has changed since it was opened", path.string());
  const InputFile file(path);
  const std::string bytes = file.head(file.size());
  const std::size_t row_bytes = static_cast<std::size_t>(expected.width) * size_of(expected.type);
  std::vector<char> plane(row_bytes * static_cast<std::size_t>(expected.height));
  std::vector<png_bytep> rows;
  for (std::int64_t y = 0; y < expected.height; ++y)
    rows.push_back(reinterpret_cast<png_bytep>(plane.data() + static_cast<std::size_t>(y) * row_bytes));
  std::string message;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message, keep_error, ignore_warning);
  if (png == nullptr) fail(Exit::no_memory, "{}: no memory to read it", path.string());
  png_infop info = png_create_info_struct(png);
  Source source{bytes.data(), bytes.data() + bytes.size()};
  const bool good = info != nullptr && decode(png, info, &source, rows.data());
  png_destroy_read_struct(&png, &info, nullptr);
  if (!good) fail(Exit::data, "{}: cannot be read: {}", path.string(), message);
  return plane;
}

void require_equal(const Paths& files, const PngHeader& first) {
  for (const auto& f : files)
    if (const PngHeader h = header_of(f); h != first)
      fail(Exit::data, "{} is {} x {} {}, but {} is {} x {} {}; all slices must be alike", f.string(), h.height,
           h.width, name_of(h.type), files.front().string(), first.height, first.width, name_of(first.type));
}

struct Decoder {
  Paths files;
  PngHeader header;
  BlockCache cache;
};

}  // namespace

VolumeFile open_png(const Paths& files) {
  auto decoder = std::make_shared<Decoder>();
  decoder->files = files;
  decoder->header = header_of(files.front());
  require_equal(files, decoder->header);
  VolumeFile v;
  v.shape = {static_cast<std::int64_t>(files.size()), decoder->header.height, decoder->header.width};
  v.type = decoder->header.type;
  v.two_dimensional = files.size() == 1;
  v.format = v.two_dimensional ? "PNG image" : "PNG slices";
  v.files = files;
  v.read = [decoder, size = size_of(v.type)](const Box& box, void* out) {
    const PngHeader& h = decoder->header;
    auto* target = static_cast<char*>(out);
    const std::size_t part = static_cast<std::size_t>(box.end[2] - box.begin[2]) * size;
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z) {
      const auto plane =
          decoder->cache.get({z, 0}, [&] { return decoded(decoder->files[static_cast<std::size_t>(z)], h); });
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y, target += part)
        std::memcpy(target, plane->data() + static_cast<std::size_t>(y * h.width + box.begin[2]) * size, part);
    }
  };
  return v;
}

}  // namespace cathoscope::readers
