#pragma once
/// Bytes as text of a page.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope::report {

std::string base64(std::string_view bytes);

/// A zlib stream (RFC 1950), which browsers inflate with DecompressionStream("deflate").
std::string deflated(std::string_view bytes);

/// SHA-256 of a text as Content-Security-Policy names it: 'sha256-<base64>'.
std::string policy_hash(std::string_view script);

using Colour = std::array<std::uint8_t, 3>;

/// A picture of at most 256 colours, row by row from the top.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<Colour> colours;
  std::vector<std::uint8_t> pixels;  ///< [height][width], indices of colours
};

/// As a PNG file.
std::string png(const Picture& picture);

}  // namespace cathoscope::report
