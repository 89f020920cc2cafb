#include "dark_sections.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace cathoscope {

namespace {

std::optional<double> median(std::vector<float>& values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Section {
  std::vector<float> grey;
  std::int64_t top = std::numeric_limits<std::int64_t>::max(), left = top, bottom = -1, right = -1;
};

/// Pixels of each label and its box; those without a label under 0.
std::vector<Section> sections_of(const Array3<float>& grey, const Array3<std::uint32_t>& labels,
                                 const Array3<std::uint8_t>& inside, std::uint32_t count) {
  std::vector<Section> sections(count + 1);
  const Index3 n = shape_of(labels);
  for (std::int64_t y = 0; y < n[1]; ++y)
    for (std::int64_t x = 0; x < n[2]; ++x) {
      if (inside(0, y, x) == 0 || !std::isfinite(grey(0, y, x))) continue;
      Section& s = sections[labels(0, y, x)];
      s.grey.push_back(grey(0, y, x));
      s.top = std::min(s.top, y);
      s.left = std::min(s.left, x);
      s.bottom = std::max(s.bottom, y);
      s.right = std::max(s.right, x);
    }
  return sections;
}

/// Median of what has no label about a section.
std::optional<double> surroundings(const Array3<float>& grey, const Array3<std::uint32_t>& labels,
                                   const Array3<std::uint8_t>& inside, const Section& s, std::int64_t reach) {
  const Index3 n = shape_of(labels);
  std::vector<float> values;
  for (std::int64_t y = std::max<std::int64_t>(0, s.top - reach); y <= std::min(n[1] - 1, s.bottom + reach); ++y)
    for (std::int64_t x = std::max<std::int64_t>(0, s.left - reach); x <= std::min(n[2] - 1, s.right + reach); ++x)
      if (labels(0, y, x) == 0 && inside(0, y, x) != 0 && std::isfinite(grey(0, y, x))) values.push_back(grey(0, y, x));
  return median(values);
}

}  // namespace

std::vector<char> dark_sections(const Array3<float>& grey, const Array3<std::uint32_t>& labels,
                                const Array3<std::uint8_t>& inside, std::uint32_t count, std::int64_t reach) {
  std::vector<char> dark(count + 1, 0);
  std::vector<Section> sections = sections_of(grey, labels, inside, count);
  const auto matrix = median(sections[0].grey);
  std::vector<float> all;
  for (std::uint32_t label = 1; label <= count; ++label)
    all.insert(all.end(), sections[label].grey.begin(), sections[label].grey.end());
  const auto solid = median(all);
  if (!matrix || !solid || *solid <= *matrix) return dark;
  const double half = (*solid - *matrix) / 2;
  for (std::uint32_t label = 1; label <= count; ++label) {
    const auto own = median(sections[label].grey);
    if (!own || *own - *matrix >= half) continue;
    const auto about = surroundings(grey, labels, inside, sections[label], reach);
    dark[label] = !about || *own - *about < half ? 1 : 0;
  }
  return dark;
}

}  // namespace cathoscope
