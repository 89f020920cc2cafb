#pragma once
/// Grey and shape statistics of one slice, the same for a measured and a synthetic one.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

namespace slice {

struct Image {
  std::int64_t rows = 0, columns = 0;
  std::vector<float> values;
  [[nodiscard]] float at(std::int64_t r, std::int64_t c) const {
    return values[static_cast<std::size_t>(std::clamp<std::int64_t>(r, 0, rows - 1) * columns +
                                           std::clamp<std::int64_t>(c, 0, columns - 1))];
  }
};

inline Image gaussian(const Image& in, double sigma) {
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma));
  std::vector<float> w;
  for (std::int64_t i = -reach; i <= reach; ++i)
    w.push_back(static_cast<float>(std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma))));
  const float sum = std::accumulate(w.begin(), w.end(), 0.0F);
  for (float& v : w) v /= sum;
  Image across = in, out = in;
  for (std::int64_t r = 0; r < in.rows; ++r)
    for (std::int64_t c = 0; c < in.columns; ++c) {
      float v = 0;
      for (std::int64_t k = -reach; k <= reach; ++k) v += w[static_cast<std::size_t>(k + reach)] * in.at(r, c + k);
      across.values[static_cast<std::size_t>(r * in.columns + c)] = v;
    }
  for (std::int64_t r = 0; r < in.rows; ++r)
    for (std::int64_t c = 0; c < in.columns; ++c) {
      float v = 0;
      for (std::int64_t k = -reach; k <= reach; ++k) v += w[static_cast<std::size_t>(k + reach)] * across.at(r + k, c);
      out.values[static_cast<std::size_t>(r * in.columns + c)] = v;
    }
  return out;
}

/// Pixels whose whole square of edge 2 radius + 1 satisfies the mask.
inline std::vector<char> eroded(const std::vector<char>& mask, std::int64_t rows, std::int64_t columns,
                                std::int64_t radius) {
  std::vector<char> across(mask.size()), out(mask.size());
  const auto run = [&](const std::vector<char>& from, std::vector<char>& to, bool along_rows) {
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c) {
        char all = 1;
        for (std::int64_t k = -radius; k <= radius && all; ++k) {
          const std::int64_t rr = along_rows ? r : r + k, cc = along_rows ? c + k : c;
          if (rr < 0 || cc < 0 || rr >= rows || cc >= columns || !from[static_cast<std::size_t>(rr * columns + cc)])
            all = 0;
        }
        to[static_cast<std::size_t>(r * columns + c)] = all;
      }
  };
  run(mask, across, true);
  run(across, out, false);
  return out;
}

inline double quantile(std::vector<double> v, double q) {
  if (v.empty()) return NAN;
  const auto k = static_cast<std::ptrdiff_t>(q * static_cast<double>(v.size() - 1));
  std::nth_element(v.begin(), v.begin() + k, v.end());
  return v[static_cast<std::size_t>(k)];
}

inline double otsu(const Image& image, const std::vector<char>& inside) {
  std::array<double, 256> h{};
  for (std::size_t i = 0; i < inside.size(); ++i)
    if (inside[i]) ++h[static_cast<std::size_t>(std::clamp(image.values[i], 0.0F, 255.0F))];
  double n = 0, sum = 0, below = 0, below_sum = 0, best = -1, at = 0;
  for (std::size_t v = 0; v < 256; ++v) {
    n += h[v];
    sum += h[v] * static_cast<double>(v);
  }
  for (std::size_t v = 0; v < 255; ++v) {
    below += h[v];
    below_sum += h[v] * static_cast<double>(v);
    if (below == 0 || below == n) continue;
    const double d = below_sum / below - (sum - below_sum) / (n - below), between = below * (n - below) * d * d;
    if (between > best) {
      best = between;
      at = static_cast<double>(v) + 1;
    }
  }
  return at;
}

struct GreyStatistics {
  double solid = 0, matrix = 0;              ///< medians
  double solid_noise = 0, matrix_noise = 0;  ///< sd after removal of the trend (Gaussian, 12 pixels)
  std::array<double, 2> lag2{};              ///< autocorrelation at 2 pixels along columns (x), rows (depth)
  double edge_p10 = 0, edge_median = 0;      ///< sigma of an error function across edges, pixels
  double solid_share = 0;                    ///< of the field of view
};

/// sigma of the best lo + (hi - lo) Phi((t - t0) / sigma) through a profile sampled at t = -reach .. reach.
inline double edge_sigma(const std::vector<double>& profile) {
  const auto n = static_cast<std::int64_t>(profile.size());
  const auto middle = static_cast<double>(n / 2);
  double best = 1e300, best_sigma = 0;
  for (double sigma = 0.6; sigma < 8; sigma *= 1.12)
    for (double t0 = -3; t0 <= 3; t0 += 0.5) {
      double sp = 0, spp = 0, sy = 0, spy = 0, syy = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double p = 0.5 * (1 + std::erf((static_cast<double>(i) - middle - t0) / (sigma * std::sqrt(2.0))));
        const double y = profile[static_cast<std::size_t>(i)];
        sp += p;
        spp += p * p;
        sy += y;
        spy += p * y;
        syy += y * y;
      }
      const auto m = static_cast<double>(n);
      const double var = spp - sp * sp / m, cov = spy - sp * sy / m;
      if (cov <= 0) continue;
      const double error = syy - sy * sy / m - cov * cov / var;
      if (error < best) {
        best = error;
        best_sigma = sigma;
      }
    }
  return best_sigma;
}

inline GreyStatistics grey_statistics(const Image& image) {
  GreyStatistics s;
  const auto n = image.values.size();
  std::vector<char> padding(n), inside(n), bright(n), dark(n);
  for (std::size_t i = 0; i < n; ++i) padding[i] = image.values[i] == 99.0F;
  padding = eroded(padding, image.rows, image.columns, 3);
  std::vector<char> field(n);
  for (std::size_t i = 0; i < n; ++i) field[i] = !padding[i];
  inside = eroded(field, image.rows, image.columns, 8);
  // The electrode only: the media beyond the foils are no matrix.
  for (std::int64_t r = 0; r < image.rows; ++r)
    if (r < 60 || r > image.rows - 110) std::fill_n(inside.begin() + r * image.columns, image.columns, 0);
  const Image smooth = gaussian(image, 2);
  const double threshold = otsu(smooth, inside);
  double solid_count = 0, count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    bright[i] = inside[i] && static_cast<double>(smooth.values[i]) >= threshold;
    dark[i] = inside[i] && static_cast<double>(smooth.values[i]) < threshold;
    solid_count += bright[i];
    count += inside[i];
  }
  s.solid_share = solid_count / count;
  const auto solid = eroded(bright, image.rows, image.columns, 7), matrix = eroded(dark, image.rows, image.columns, 7);
  const auto of = [&](const std::vector<char>& mask, double& median, double& noise) {
    std::vector<double> v;
    Image masked = image, weight = image;
    for (std::size_t i = 0; i < n; ++i) {
      if (mask[i]) v.push_back(static_cast<double>(image.values[i]));
      masked.values[i] = mask[i] ? image.values[i] : 0;
      weight.values[i] = mask[i] ? 1.0F : 0.0F;
    }
    median = quantile(v, 0.5);
    const Image top = gaussian(masked, 12), bottom = gaussian(weight, 12);
    Image rest = image;
    double square = 0;
    for (std::size_t i = 0; i < n; ++i) {
      rest.values[i] = mask[i] ? image.values[i] - top.values[i] / bottom.values[i] : 0;
      square += static_cast<double>(rest.values[i]) * static_cast<double>(rest.values[i]);
    }
    noise = std::sqrt(square / static_cast<double>(v.size()));
    return rest;
  };
  of(matrix, s.matrix, s.matrix_noise);
  const Image rest = of(solid, s.solid, s.solid_noise);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::size_t step = axis == 0 ? 2 : 2 * static_cast<std::size_t>(image.columns);
    double product = 0, a = 0, b = 0;
    for (std::size_t i = 0; i + step < n; ++i)
      if (solid[i] && solid[i + step]) {
        product += static_cast<double>(rest.values[i] * rest.values[i + step]);
        a += static_cast<double>(rest.values[i] * rest.values[i]);
        b += static_cast<double>(rest.values[i + step] * rest.values[i + step]);
      }
    s.lag2[axis] = product / std::sqrt(a * b);
  }
  std::vector<double> sigmas;
  std::int64_t seen = 0;
  for (std::int64_t r = 14; r < image.rows - 14; ++r)
    for (std::int64_t c = 14; c < image.columns - 14; ++c) {
      const auto i = static_cast<std::size_t>(r * image.columns + c);
      if (!bright[i] || !(dark[i - 1] || dark[i + 1] || dark[i - static_cast<std::size_t>(image.columns)])) continue;
      if (++seen % 9 != 0) continue;
      double gr = static_cast<double>(smooth.at(r + 2, c) - smooth.at(r - 2, c)),
             gc = static_cast<double>(smooth.at(r, c + 2) - smooth.at(r, c - 2));
      const double g = std::hypot(gr, gc);
      if (g < 20) continue;
      gr /= g;
      gc /= g;
      std::vector<double> profile;
      for (int t = -10; t <= 10; ++t) {
        // Three neighbouring profiles are averaged: half the noise, no blur across the edge.
        double v = 0;
        for (int k = -1; k <= 1; ++k) {
          const double rr = static_cast<double>(r) + t * gr - k * gc, cc = static_cast<double>(c) + t * gc + k * gr;
          const auto r0 = static_cast<std::int64_t>(std::floor(rr)), c0 = static_cast<std::int64_t>(std::floor(cc));
          const double fr = rr - std::floor(rr), fc = cc - std::floor(cc);
          v += (1 - fr) *
                   ((1 - fc) * static_cast<double>(image.at(r0, c0)) + fc * static_cast<double>(image.at(r0, c0 + 1))) +
               fr * ((1 - fc) * static_cast<double>(image.at(r0 + 1, c0)) +
                     fc * static_cast<double>(image.at(r0 + 1, c0 + 1)));
        }
        profile.push_back(v / 3);
      }
      // A free surface: bright inside, dark outside at the ends of the profile.
      if (profile.front() > 120 || profile.back() < 150) continue;
      sigmas.push_back(edge_sigma(profile));
    }
  s.edge_p10 = quantile(sigmas, 0.1);
  s.edge_median = quantile(sigmas, 0.5);
  return s;
}

struct ShapeStatistics {
  double diameter_um = 0, aspect_median = 0, porosity = 0, area_fraction = 0, touching = 0;
  std::int64_t sections = 0;
};

/// Sections of at least 2 um across that do not touch the image's sides.
inline ShapeStatistics shape_statistics(const std::vector<std::uint32_t>& labels,
                                        const std::vector<std::uint8_t>& cracks, std::int64_t rows,
                                        std::int64_t columns, double voxel_um, double gap_um) {
  struct Section {
    double n = 0, crack = 0, r = 0, c = 0, rr = 0, cc = 0, rc = 0;
    bool cut = false, touches = false;
  };
  std::map<std::uint32_t, Section> sections;
  std::int64_t top = rows, bottom = 0;
  const auto gap = static_cast<std::int64_t>(gap_um / voxel_um);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto i = static_cast<std::size_t>(r * columns + c);
      const std::uint32_t id = labels[i];
      if (id == 0) continue;
      Section& s = sections[id];
      const auto dr = static_cast<double>(r), dc = static_cast<double>(c);
      ++s.n;
      s.crack += cracks[i];
      s.r += dr;
      s.c += dc;
      s.rr += dr * dr;
      s.cc += dc * dc;
      s.rc += dr * dc;
      s.cut = s.cut || r == 0 || c == 0 || r == rows - 1 || c == columns - 1;
      top = std::min(top, r);
      bottom = std::max(bottom, r);
      for (std::int64_t k = 1; k <= gap; ++k) {
        const std::uint32_t right = c + k < columns ? labels[i + static_cast<std::size_t>(k)] : 0;
        const std::uint32_t below = r + k < rows ? labels[i + static_cast<std::size_t>(k * columns)] : 0;
        for (const std::uint32_t other : {right, below})
          if (other != 0 && other != id) s.touches = sections[other].touches = true;
      }
    }
  ShapeStatistics out;
  std::vector<double> aspects;
  double area = 0, touching = 0, porosity = 0;
  for (const auto& [id, s] : sections) {
    area += s.n;
    const double diameter = 2 * std::sqrt(s.n / 3.14159265358979) * voxel_um;
    if (s.cut || diameter < 3) continue;
    const double mr = s.r / s.n, mc = s.c / s.n;
    const double a = s.rr / s.n - mr * mr, b = s.cc / s.n - mc * mc, c = s.rc / s.n - mr * mc;
    const double root = std::sqrt((a - b) * (a - b) / 4 + c * c);
    aspects.push_back(std::sqrt(((a + b) / 2 + root) / ((a + b) / 2 - root)));
    out.diameter_um += diameter;
    porosity += s.crack / s.n;
    touching += s.touches ? 1 : 0;
    ++out.sections;
  }
  const auto n = static_cast<double>(out.sections);
  out.diameter_um /= n;
  out.porosity = porosity / n;
  out.touching = touching / n;
  out.aspect_median = quantile(aspects, 0.5);
  out.area_fraction = area / (static_cast<double>(bottom - top + 1) * static_cast<double>(columns));
  return out;
}

}  // namespace slice
