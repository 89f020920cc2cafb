/// PNG images in memory, by libpng's simplified interface.

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/png.hpp>

#include <png.h>

namespace cathoscope {

std::string png_bytes(const PngImage& image) {
  const std::int64_t size = image.width * image.height * image.channels;
  const bool known = image.channels == 1 || image.channels == 3 || image.channels == 4;
  if (!known || image.width < 1 || image.height < 1 || size != static_cast<std::int64_t>(image.pixels.size()))
    fail(Exit::internal, "a PNG of {} x {} pixels with {} channels got {} values", image.width, image.height,
         image.channels, image.pixels.size());
  png_image head{};
  head.version = PNG_IMAGE_VERSION;
  head.width = static_cast<png_uint_32>(image.width);
  head.height = static_cast<png_uint_32>(image.height);
  head.format = image.channels == 1 ? PNG_FORMAT_GRAY : image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(head), '\0');
  png_alloc_size_t used = bytes.size();
  if (png_image_write_to_memory(&head, bytes.data(), &used, 0, image.pixels.data(), 0, nullptr) == 0)
    fail(Exit::internal, "a PNG of {} x {} pixels cannot be written: {}", image.width, image.height, head.message);
  bytes.resize(used);
  return bytes;
}

}  // namespace cathoscope
