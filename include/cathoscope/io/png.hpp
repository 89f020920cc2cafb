#pragma once
/// PNG images in memory, for figures and reports.

#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

/// 8-bit pixels, row by row from the top.
struct PngImage {
  std::int64_t width = 0;
  std::int64_t height = 0;
  int channels = 1;  ///< 1 grey, 3 RGB, 4 RGB and opacity
  std::vector<std::uint8_t> pixels;
};

/// The bytes of the PNG file; the same for the same pixels. Throws Error{internal} where the sizes do not fit together.
std::string png_bytes(const PngImage& image);

}  // namespace cathoscope
