#include "fields3.hpp"
#include "particle_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope::attributes {

namespace {

/// Shell outside the particle that gives the local matrix level, in voxels: clear of the blur, yet near.
constexpr double shell_from = 2.5, shell_to = 8;
constexpr std::size_t fewest_shell_voxels = 50;

double largest_voxel(const Vec3& h) { return std::max({h[0], h[1], h[2]}); }

std::optional<double> median_of(const std::vector<float>& grey, const BitMask& where) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(where.count()));
  const Index3& s = where.shape();
  for_each_set(where, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    values.push_back(grey[static_cast<std::size_t>((z * s[1] + y) * s[2] + x)]);
  });
  if (values.size() < fewest_shell_voxels) return std::nullopt;
  return nth_smallest(values, values.size() / 2);
}

struct LocalContrast {
  double solid, matrix;

  /// 0 in the matrix, 1 in the solid.
  [[nodiscard]] double fraction(float grey) const { return (grey - matrix) / (solid - matrix); }
};

std::optional<LocalContrast> local_contrast(const Neighbourhood& n) {
  const auto solid = median_of(n.grey, eroded(eroded(n.solid)));
  if (!solid) return std::nullopt;
  const double h = largest_voxel(n.voxel_size_um);
  const BitMask particles = n.envelope | n.others;
  const BitMask shell = within(n.envelope, n.voxel_size_um, shell_to * h, n.matrix) -
                        within(particles, n.voxel_size_um, shell_from * h, n.matrix);
  const auto matrix = median_of(n.grey, shell);
  if (!matrix || *matrix == *solid) return std::nullopt;
  return LocalContrast{*solid, *matrix};
}

/// Standard deviation of the blur from the mean step of u across the half level: along the axes of a surface of all
/// orientations the mean step is 2/3 of the gradient, and a blurred edge has gradient 1 / (sqrt(2 pi) sigma).
double edge_blur(const Neighbourhood& n, const LocalContrast& c) {
  const Index3& s = n.envelope.shape();
  const BitMask seen = n.solid | n.matrix;
  const std::array<std::int64_t, 3> stride{s[1] * s[2], s[2], 1};
  double slope = 0;
  std::int64_t count = 0;
  for_each_set(dilated(n.envelope) - eroded(n.envelope), [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    const std::array<std::int64_t, 3> next{z + 1, y + 1, x + 1};
    if (!seen.at(z, y, x)) return;
    const std::int64_t i = z * stride[0] + y * stride[1] + x;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (next[axis] >= s[axis]) continue;
      if (!seen.at(axis == 0 ? z + 1 : z, axis == 1 ? y + 1 : y, axis == 2 ? x + 1 : x)) continue;
      const double a = c.fraction(n.grey[static_cast<std::size_t>(i)]);
      const double b = c.fraction(n.grey[static_cast<std::size_t>(i + stride[axis])]);
      if ((a >= 0.5) == (b >= 0.5)) continue;
      slope += std::abs(a - b) / n.voxel_size_um[axis];
      ++count;
    }
  });
  if (count == 0 || slope <= 0) return missing;
  return static_cast<double>(count) / (1.5 * slope * std::sqrt(2 * std::numbers::pi));
}

/// F with its outer boundary moved to the half level of the grey values, within a band around it. Cracks and other
/// particles are left alone: they have no such level there.
BitMask grey_envelope(const Neighbourhood& n, const LocalContrast& c, double sigma_um) {
  const double band = std::max(2 * sigma_um, 1.5 * largest_voxel(n.voxel_size_um));
  const BitMask open =
      within(n.matrix, n.voxel_size_um, band, n.solid) | within(n.envelope, n.voxel_size_um, band, n.matrix);
  const BitMask near_crack = within(n.cracks, n.voxel_size_um, band, open);
  const BitMask near_other = dilated(dilated(n.others));
  const BitMask free = open - near_crack - near_other;
  const Index3& s = n.envelope.shape();
  BitMask bright(s);
  for_each_set(free, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    if (c.fraction(n.grey[static_cast<std::size_t>((z * s[1] + y) * s[2] + x)]) >= 0.5) bright.set(z, y, x);
  });
  return (n.envelope - free) | bright;
}

/// Surface of a mask against the matrix, the other particles and its own cracks' mouths: everything not in it.
double surface(const BitMask& mask, const BitMask& seen, const CroftonWeights& weights) {
  return area_of(count_pairs(mask, seen - mask), weights);
}

double inner_ratio(const Neighbourhood& n, double sigma_um, const CroftonWeights& weights) {
  // a rim of zeros is all that smoothing needs to see beyond the envelope
  const Box box = grown(bounds_of(n.envelope), {1, 1, 1}, n.envelope.shape());
  const BitMask envelope = cropped(n.envelope, box), cracks = cropped(n.cracks, box);
  Field crack = smoothed(field_of(cracks), n.voxel_size_um, sigma_um);
  const Field inside = smoothed(field_of(envelope), n.voxel_size_um, sigma_um);
  for_each_set(envelope, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    const float weight = inside.row(z, y)[x];
    float& value = crack.row(z, y)[x];
    value = weight > 0 ? value / weight : 0;
  });
  const BitMask smooth = largest(crack, envelope, cracks.count());
  const double smooth_area = area_of(count_pairs(smooth, envelope - smooth), weights);
  const double raw_area = area_of(count_pairs(cracks, envelope - cracks), weights);
  return smooth_area > 0 ? raw_area / smooth_area : missing;
}

}  // namespace

bool smoothing_acts(const Vec3& voxel_size_um, double sigma_um) {
  return sigma_um >= 0.5 * largest_voxel(voxel_size_um);
}

Index3 roughness_reach(const Vec3& voxel_size_um, double sigma_um) {
  Index3 reach = smoothing_reach(voxel_size_um, sigma_um);
  const double shell = (shell_to + 1) * largest_voxel(voxel_size_um);
  for (std::size_t i = 0; i < 3; ++i)
    reach[i] = std::max(reach[i] + 2, static_cast<std::int64_t>(std::ceil(shell / voxel_size_um[i])));
  return reach;
}

Roughness roughness_of(const Neighbourhood& n, double sigma_um, bool grey_is_phases, double inner_area_um2,
                       const CroftonWeights& weights) {
  Roughness r;
  BitMask body = n.envelope;
  if (!n.grey.empty() && !grey_is_phases) {
    if (const auto contrast = local_contrast(n)) {
      r.edge_blur_um = edge_blur(n, *contrast);
      body = grey_envelope(n, *contrast, sigma_um);
      r.from_grey = true;
    }
  }
  const BitMask seen = n.envelope | n.others | n.matrix;
  const double raw = surface(body, seen, weights);
  const bool smoothing = smoothing_acts(n.voxel_size_um, sigma_um);
  if (smoothing) {
    const BitMask smooth = largest(smoothed(field_of(body), n.voxel_size_um, sigma_um), seen, body.count());
    const double smooth_area = surface(smooth, seen, weights);
    if (smooth_area > 0) r.outer = raw / smooth_area;
  }
  if (raw > 0) r.outer_legacy = surface(median27(body), seen, weights) / raw;
  const Vec3& h = n.voxel_size_um;
  const double face = std::cbrt(std::pow(h[0] * h[1] * h[2], 2));
  if (smoothing && inner_area_um2 >= 10 * face) r.inner = inner_ratio(n, sigma_um, weights);
  return r;
}

}  // namespace cathoscope::attributes
