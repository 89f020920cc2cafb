/// The loss of a JPEG round trip: 8 x 8 cosine transform, rounding by the luminance table of ITU-T T.81, annex K,
/// scaled by quality as libjpeg does.

#include "optics.hpp"

#include <numbers>

namespace cathoscope::phantom_detail {

namespace {

constexpr std::array<int, 64> luminance{16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                        14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                        18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};

std::array<float, 64> steps_of(double quality) {
  const double scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  std::array<float, 64> steps{};
  for (std::size_t i = 0; i < 64; ++i)
    steps[i] = static_cast<float>(std::clamp(std::floor((luminance[i] * scale + 50) / 100), 1.0, 255.0));
  return steps;
}

/// Row k, column i: orthonormal cosine basis.
std::array<float, 64> cosines() {
  std::array<float, 64> c{};
  for (int k = 0; k < 8; ++k)
    for (int i = 0; i < 8; ++i)
      c[static_cast<std::size_t>(k * 8 + i)] =
          static_cast<float>((k == 0 ? std::sqrt(0.125) : 0.5) * std::cos((2 * i + 1) * k * std::numbers::pi / 16));
  return c;
}

using Tile = std::array<float, 64>;

/// c t c^T, or c^T t c.
Tile transformed(const Tile& t, const std::array<float, 64>& c, bool forward) {
  const auto at = [&](std::size_t k, std::size_t i) { return forward ? c[k * 8 + i] : c[i * 8 + k]; };
  Tile rows{}, out{};
  for (std::size_t k = 0; k < 8; ++k)
    for (std::size_t j = 0; j < 8; ++j)
      for (std::size_t i = 0; i < 8; ++i) rows[k * 8 + j] += at(k, i) * t[i * 8 + j];
  for (std::size_t k = 0; k < 8; ++k)
    for (std::size_t j = 0; j < 8; ++j)
      for (std::size_t i = 0; i < 8; ++i) out[k * 8 + j] += rows[k * 8 + i] * at(j, i);
  return out;
}

std::int64_t down8(std::int64_t i) { return (i >> 3) << 3; }

}  // namespace

Box whole_tiles(const Box& box) {
  return {{down8(box.begin[0]), box.begin[1], down8(box.begin[2])},
          {down8(box.end[0] + 7), box.end[1], down8(box.end[2] + 7)}};
}

void quantise_tiles(double quality, const View& view, std::vector<float>& grey) {
  const auto steps = steps_of(quality);
  const auto basis = cosines();
  const auto n = view.box.shape();
  const std::int64_t plane = n[1] * n[2];
  for (std::int64_t y = 0; y < n[1]; ++y)
    for (std::int64_t z = 0; z < n[0]; z += 8)
      for (std::int64_t x = 0; x < n[2]; x += 8) {
        float* corner = grey.data() + z * plane + y * n[2] + x;
        Tile tile{};
        for (std::int64_t i = 0; i < 64; ++i)
          tile[static_cast<std::size_t>(i)] =
              std::clamp(std::round(corner[(i / 8) * plane + i % 8]), 0.0F, 255.0F) - 128;
        tile = transformed(tile, basis, true);
        for (std::size_t i = 0; i < 64; ++i) tile[i] = std::round(tile[i] / steps[i]) * steps[i];
        tile = transformed(tile, basis, false);
        for (std::int64_t i = 0; i < 64; ++i) corner[(i / 8) * plane + i % 8] = tile[static_cast<std::size_t>(i)] + 128;
      }
}

}  // namespace cathoscope::phantom_detail
