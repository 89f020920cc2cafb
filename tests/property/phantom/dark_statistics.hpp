#pragma once
/// Cracks and voids in the particles of one slice, from its grey values alone: no labels are needed, so that a measured
/// and a synthetic slice are judged by the same rule, with the same mistakes.

#include "slice_statistics.hpp"

namespace slice {

/// Squared distance along one line to the nearest zero of f, added up axis by axis (Felzenszwalb and Huttenlocher 2012,
/// DOI 10.4086/toc.2012.v008a019).
inline void distance_line(std::vector<double>& f) {
  const auto n = static_cast<std::int64_t>(f.size());
  std::vector<std::int64_t> at(f.size());
  std::vector<double> from(f.size() + 1), out(f.size());
  std::int64_t k = 0;
  from[0] = -1e300;
  from[1] = 1e300;
  const auto value = [&](std::int64_t i) { return f[static_cast<std::size_t>(i)] + static_cast<double>(i * i); };
  for (std::int64_t q = 1; q < n; ++q) {
    double s = 0;
    for (;; --k) {
      const std::int64_t p = at[static_cast<std::size_t>(k)];
      s = (value(q) - value(p)) / static_cast<double>(2 * (q - p));
      if (s > from[static_cast<std::size_t>(k)]) break;
    }
    ++k;
    at[static_cast<std::size_t>(k)] = q;
    from[static_cast<std::size_t>(k)] = s;
    from[static_cast<std::size_t>(k) + 1] = 1e300;
  }
  k = 0;
  for (std::int64_t q = 0; q < n; ++q) {
    while (from[static_cast<std::size_t>(k) + 1] < static_cast<double>(q)) ++k;
    const std::int64_t p = at[static_cast<std::size_t>(k)];
    out[static_cast<std::size_t>(q)] = static_cast<double>((q - p) * (q - p)) + f[static_cast<std::size_t>(p)];
  }
  f = out;
}

/// Distance in pixels of each pixel of the mask to the nearest one outside it; 0 outside.
inline Image distance_inside(const std::vector<char>& mask, std::int64_t rows, std::int64_t columns) {
  std::vector<double> d(mask.size());
  for (std::size_t i = 0; i < mask.size(); ++i) d[i] = mask[i] ? 1e12 : 0;
  const auto along = [&](std::int64_t lines, std::int64_t length, std::int64_t line_step, std::int64_t step) {
    std::vector<double> line(static_cast<std::size_t>(length));
    for (std::int64_t l = 0; l < lines; ++l) {
      for (std::int64_t i = 0; i < length; ++i)
        line[static_cast<std::size_t>(i)] = d[static_cast<std::size_t>(l * line_step + i * step)];
      distance_line(line);
      for (std::int64_t i = 0; i < length; ++i)
        d[static_cast<std::size_t>(l * line_step + i * step)] = line[static_cast<std::size_t>(i)];
    }
  };
  along(rows, columns, columns, 1);
  along(columns, rows, 1, columns);
  Image out{rows, columns, std::vector<float>(mask.size())};
  for (std::size_t i = 0; i < mask.size(); ++i) out.values[i] = static_cast<float>(std::sqrt(d[i]));
  return out;
}

/// 4-connected components of the mask: index of each pixel (-1 outside), and whether each reaches the image's sides.
struct Components {
  std::vector<std::int32_t> index;
  std::vector<std::int64_t> size;
  std::vector<char> at_side;
};

inline Components components(const std::vector<char>& mask, std::int64_t rows, std::int64_t columns) {
  Components c{std::vector<std::int32_t>(mask.size(), -1), {}, {}};
  std::vector<std::int64_t> stack;
  for (std::size_t seed = 0; seed < mask.size(); ++seed) {
    if (!mask[seed] || c.index[seed] >= 0) continue;
    const auto id = static_cast<std::int32_t>(c.size.size());
    c.size.push_back(0);
    c.at_side.push_back(0);
    c.index[seed] = id;
    stack.push_back(static_cast<std::int64_t>(seed));
    while (!stack.empty()) {
      const std::int64_t i = stack.back(), r = i / columns, col = i % columns;
      stack.pop_back();
      ++c.size.back();
      if (r == 0 || col == 0 || r == rows - 1 || col == columns - 1) c.at_side.back() = 1;
      const std::array<std::int64_t, 4> near{r > 0 ? i - columns : -1, r + 1 < rows ? i + columns : -1,
                                             col > 0 ? i - 1 : -1, col + 1 < columns ? i + 1 : -1};
      for (const std::int64_t j : near)
        if (j >= 0 && mask[static_cast<std::size_t>(j)] && c.index[static_cast<std::size_t>(j)] < 0) {
          c.index[static_cast<std::size_t>(j)] = id;
          stack.push_back(j);
        }
    }
  }
  return c;
}

inline std::vector<char> inverse(std::vector<char> mask) {
  for (char& m : mask) m = !m;
  return mask;
}

/// Gaps narrower than twice the radius closed, holes of up to `largest_hole` pixels filled.
inline std::vector<char> filled(const std::vector<char>& bright, std::int64_t rows, std::int64_t columns, float radius,
                                std::int64_t largest_hole) {
  const Image outside = distance_inside(inverse(bright), rows, columns);
  std::vector<char> wide(bright.size()), out(bright.size());
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = outside.values[i] <= radius;
  const Image depth = distance_inside(wide, rows, columns);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = bright[i] || depth.values[i] > radius;
  const Components holes = components(inverse(out), rows, columns);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t hole = holes.index[i];
    if (hole >= 0 && !holes.at_side[static_cast<std::size_t>(hole)] &&
        holes.size[static_cast<std::size_t>(hole)] <= largest_hole)
      out[i] = 1;
  }
  return out;
}

/// The hill top that the steepest ascent from each pixel of the mask ends at; -1 outside.
inline std::vector<std::int64_t> summits(const Image& height, const std::vector<char>& mask) {
  std::vector<std::int64_t> up(mask.size(), -1);
  for (std::int64_t r = 0; r < height.rows; ++r)
    for (std::int64_t c = 0; c < height.columns; ++c) {
      const std::int64_t i = r * height.columns + c;
      if (!mask[static_cast<std::size_t>(i)]) continue;
      std::int64_t best = i;
      for (std::int64_t dr = -1; dr <= 1; ++dr)
        for (std::int64_t dc = -1; dc <= 1; ++dc) {
          if (r + dr < 0 || c + dc < 0 || r + dr >= height.rows || c + dc >= height.columns) continue;
          const std::int64_t j = i + dr * height.columns + dc;
          if (height.values[static_cast<std::size_t>(j)] > height.values[static_cast<std::size_t>(best)]) best = j;
        }
      up[static_cast<std::size_t>(i)] = best;
    }
  for (std::int64_t& top : up)
    while (top >= 0 && up[static_cast<std::size_t>(top)] >= 0 && up[static_cast<std::size_t>(top)] != top)
      top = up[static_cast<std::size_t>(top)];
  return up;
}

struct DarkStatistics {
  std::vector<double> widths;    ///< pixels: twice the distance to the bright at every pixel of a middle line
  std::vector<double> radial;    ///< of every dark pixel: distance from the section's centre over its mean radius
  std::vector<double> porosity;  ///< of every section
  std::vector<double> darkness;  ///< of every dark pixel: (solid - grey) / (solid - matrix), smoothed by one pixel
};

inline void append(DarkStatistics& to, const DarkStatistics& from) {
  to.widths.insert(to.widths.end(), from.widths.begin(), from.widths.end());
  to.radial.insert(to.radial.end(), from.radial.begin(), from.radial.end());
  to.porosity.insert(to.porosity.end(), from.porosity.begin(), from.porosity.end());
  to.darkness.insert(to.darkness.end(), from.darkness.begin(), from.darkness.end());
}

/// A pixel is dark below `solid` - 0.3 (solid - matrix), and two pixels inside its section.
inline DarkStatistics dark_statistics(const Image& image, double solid, double matrix) {
  const Image smooth = gaussian(image, 1);
  const auto n = image.values.size();
  const double half = (solid + matrix) / 2, dark_below = solid - 0.3 * (solid - matrix);
  std::vector<char> bright(n), padding(n);
  for (std::size_t i = 0; i < n; ++i) {
    bright[i] = static_cast<double>(smooth.values[i]) >= half;
    padding[i] = image.values[i] == 99.0F;
  }
  padding = eroded(padding, image.rows, image.columns, 3);
  const Image from_padding = distance_inside(inverse(padding), image.rows, image.columns);
  const auto mask = filled(bright, image.rows, image.columns, 8, 2500);
  const Image depth = distance_inside(mask, image.rows, image.columns);
  const auto top = summits(gaussian(depth, 9), mask);
  struct Section {
    double n = 0, r = 0, c = 0, dark = 0;
    bool cut = false;
  };
  std::map<std::int64_t, Section> sections;
  for (std::size_t i = 0; i < n; ++i) {
    if (top[i] < 0) continue;
    const auto r = static_cast<std::int64_t>(i) / image.columns, c = static_cast<std::int64_t>(i) % image.columns;
    Section& s = sections[top[i]];
    ++s.n;
    s.r += static_cast<double>(r);
    s.c += static_cast<double>(c);
    s.cut = s.cut || r < 8 || c < 8 || r >= image.rows - 8 || c >= image.columns - 8 || from_padding.values[i] < 20;
  }
  // Sections of 4 um and more; flat media beyond the faces are no sections.
  const auto wanted = [&](const Section& s) { return !s.cut && s.n >= 2565 && s.n < 40000; };
  DarkStatistics out;
  std::vector<char> dark(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (top[i] < 0 || depth.values[i] <= 6 || static_cast<double>(smooth.values[i]) >= dark_below) continue;
    Section& s = sections[top[i]];
    if (!wanted(s)) continue;
    dark[i] = 1;
    ++s.dark;
    const double r = static_cast<double>(static_cast<std::int64_t>(i) / image.columns) - s.r / s.n,
                 c = static_cast<double>(static_cast<std::int64_t>(i) % image.columns) - s.c / s.n;
    out.radial.push_back(std::hypot(r, c) / std::sqrt(s.n / 3.14159265358979));
    out.darkness.push_back((solid - static_cast<double>(smooth.values[i])) / (solid - matrix));
  }
  for (const auto& [id, s] : sections)
    if (wanted(s)) out.porosity.push_back(s.dark / s.n);
  const Components specks = components(dark, image.rows, image.columns);
  for (std::size_t i = 0; i < n; ++i)  // single specks are noise
    if (dark[i] && specks.size[static_cast<std::size_t>(specks.index[i])] < 12) dark[i] = 0;
  const Image width = distance_inside(dark, image.rows, image.columns);
  for (std::int64_t r = 1; r < image.rows - 1; ++r)
    for (std::int64_t c = 1; c < image.columns - 1; ++c) {
      const float here = width.at(r, c);
      if (here <= 0) continue;
      const bool across = here >= width.at(r, c - 1) && here > width.at(r, c + 1);
      const bool down = here >= width.at(r - 1, c) && here > width.at(r + 1, c);
      if (across || down) out.widths.push_back(2 * static_cast<double>(here));
    }
  return out;
}

}  // namespace slice
