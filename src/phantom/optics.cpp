#include "optics.hpp"

#include <cathoscope/core/random.hpp>

#include <numbers>

namespace cathoscope::phantom_detail {

namespace {

/// Gaussian weights out to three standard deviations, summing to one; one weight where sigma is tiny.
std::vector<float> gaussian(double sigma_voxels) {
  const auto reach = static_cast<int>(std::ceil(3 * sigma_voxels));
  std::vector<double> w;
  double sum = 0;
  for (int i = -reach; i <= reach; ++i) {
    w.push_back(sigma_voxels > 0 ? std::exp(-0.5 * i * i / (sigma_voxels * sigma_voxels)) : 1);
    sum += w.back();
  }
  std::vector<float> weights;
  for (const double v : w) weights.push_back(static_cast<float>(v / sum));
  return weights;
}

/// out[i] = sum over taps w[k] in[i + k stride], for n values; symmetric weights.
void weigh(const float* in, std::int64_t stride, const std::vector<float>& w, std::int64_t n, float* out) {
  const std::size_t middle = w.size() / 2;
  const float* centre = in + static_cast<std::int64_t>(middle) * stride;
  for (std::int64_t i = 0; i < n; ++i) out[i] = w[middle] * centre[i];
  for (std::size_t k = 1; k <= middle; ++k) {
    const float weight = w[middle + k];
    const float *before = centre - static_cast<std::int64_t>(k) * stride,
                *after = centre + static_cast<std::int64_t>(k) * stride;
    for (std::int64_t i = 0; i < n; ++i) out[i] += weight * (before[i] + after[i]);
  }
}

/// Separable filter without edge treatment: the result is smaller by the reach of the weights on every side.
std::vector<float> filtered(const std::vector<float>& in, Index3& shape, const std::vector<float>& w) {
  const auto reach = static_cast<std::int64_t>(w.size() / 2);
  if (reach == 0) return in;
  const Index3 n{shape[0] - 2 * reach, shape[1] - 2 * reach, shape[2] - 2 * reach};
  const std::int64_t plane = shape[1] * shape[2];
  std::vector<float> along_z(static_cast<std::size_t>(plane)), along_y(static_cast<std::size_t>(n[1] * shape[2])),
      out(static_cast<std::size_t>(volume_of(n)));
  for (std::int64_t z = 0; z < n[0]; ++z) {
    weigh(in.data() + z * plane, plane, w, plane, along_z.data());
    weigh(along_z.data(), shape[2], w, n[1] * shape[2], along_y.data());
    for (std::int64_t y = 0; y < n[1]; ++y)
      weigh(along_y.data() + y * shape[2], 1, w, n[2], out.data() + (z * n[1] + y) * n[2]);
  }
  shape = n;
  return out;
}

std::vector<float> blur_weights(const Phantom& p, double voxel_um) {
  return gaussian(p.config.optics.blur_um[0] / voxel_um);
}

/// The blurred image blurred once more by the width of the fringe: one Gaussian of both variances.
std::vector<float> soft_weights(const Phantom& p, double voxel_um) {
  return gaussian(std::hypot(p.config.optics.blur_um[0], p.config.optics.fringe_um) / voxel_um);
}

bool has_fringe(const Phantom& p) { return p.config.optics.fringe[0] > 0; }

std::vector<float> cropped(const std::vector<float>& in, const Index3& shape, std::int64_t margin) {
  const Box box{{margin, margin, margin}, {shape[0] - margin, shape[1] - margin, shape[2] - margin}};
  std::vector<float> out(static_cast<std::size_t>(box.size()));
  copy_box(in.data(), shape, box, out.data());
  return out;
}

double length_um(const Phantom& p, double voxel_um, double length) {
  return p.config.noise.unit == "voxels" ? length * voxel_um : length;
}

std::vector<float> noise_field(const Phantom& p, const View& view, const char* name, const Vec3& sigma) {
  std::vector<float> values(view.size());
  LatticeField(stream_key(p.seed, {"phantom", "noise", name}), sigma).fill(view.box, view.voxel_um, values.data());
  return values;
}

void add(std::vector<float>& grey, const std::vector<float>& field, double sd) {
  const auto factor = static_cast<float>(sd);
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] += factor * field[i];
}

/// Pulls grey values towards 105 in smooth blobs, where the reconstruction lost contrast.
void lose_contrast(const Phantom& p, const View& view, std::vector<float>& grey) {
  const auto most = static_cast<float>(p.config.artefacts.contrast_loss[0]);
  if (most <= 0) return;
  const double sigma = p.config.artefacts.contrast_range_um / 2;
  const auto blobs = noise_field(p, view, "contrast", {sigma, sigma, sigma});
  for (std::size_t i = 0; i < grey.size(); ++i) {
    // Blobs are where the field exceeds one standard deviation: a sixth of the volume.
    const float w = most * std::clamp(blobs[i] - 0.7F, 0.0F, 1.0F);
    grey[i] += w * (105 + 0.15F * (grey[i] - 105) - grey[i]);
  }
}

void add_streaks(const Phantom& p, const View& view, std::vector<float>& grey) {
  const NoiseConfig& noise = p.config.noise;
  if (noise.streak_sd[0] <= 0) return;
  const double length = length_um(p, view.voxel_um, noise.streak_length),
               width = length_um(p, view.voxel_um, noise.streak_width);
  const double radians = std::numbers::pi / 180;
  std::vector<float> streaks(view.size());
  LatticeField(stream_key(p.seed, {"phantom", "noise", "streaks"}), {width, 2 * width, length / 2})
      .fill_sheared(view.box, view.voxel_um, {noise.streak_angles[0] * radians, noise.streak_angles[1] * radians},
                    p.extent_um[2], streaks.data());
  add(grey, streaks, noise.streak_sd[0]);
}

/// Rings about the axis of rotation, which is along y: arcs in the (z, x) plane, another pattern in every row of the
/// detector.
void add_rings(const Phantom& p, const View& view, std::vector<float>& grey) {
  const NoiseConfig& noise = p.config.noise;
  if (noise.ring_sd[0] <= 0) return;
  const double width = length_um(p, view.voxel_um, noise.ring_width);
  Stream draw(p.seed, {"phantom", "ring centre"});
  const double cz = p.extent_um[0] * draw.uniform(-1, 2), cx = p.extent_um[2] * draw.uniform(0, 1);
  const LatticeField pattern(stream_key(p.seed, {"phantom", "noise", "rings"}), {1, width, width});
  const auto n = view.box.shape();
  const auto factor = static_cast<float>(noise.ring_sd[0]);
  // The pattern is sampled four times a width and read off at the nearest sample.
  const double step = width / 4;
  const auto samples = static_cast<std::int64_t>(3 * std::hypot(p.extent_um[0], p.extent_um[2]) / step) + 2;
  std::vector<std::int64_t> ring(static_cast<std::size_t>(n[0] * n[2]));
  std::int64_t least = samples, most = 0;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t x = 0; x < n[2]; ++x) {
      const double r = std::hypot(view.centre(view.box.begin[0] + z) - cz, view.centre(view.box.begin[2] + x) - cx);
      const auto s = static_cast<std::int64_t>(r / step);
      ring[static_cast<std::size_t>(z * n[2] + x)] = s;
      least = std::min(least, s);
      most = std::max(most, s);
    }
  std::vector<float> line(static_cast<std::size_t>(most - least + 1));
  for (std::int64_t y = 0; y < n[1]; ++y) {
    for (std::size_t s = 0; s < line.size(); ++s)
      line[s] =
          factor * static_cast<float>(pattern.at({0.5, view.centre(view.box.begin[1] + y),
                                                  (static_cast<double>(least) + static_cast<double>(s) + 0.5) * step}));
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t x = 0; x < n[2]; ++x)
        grey[static_cast<std::size_t>((z * n[1] + y) * n[2] + x)] +=
            line[static_cast<std::size_t>(ring[static_cast<std::size_t>(z * n[2] + x)] - least)];
  }
}

}  // namespace

std::int64_t optics_halo(const Phantom& phantom, double voxel_um) {
  const auto weights = has_fringe(phantom) ? soft_weights(phantom, voxel_um) : blur_weights(phantom, voxel_um);
  return static_cast<std::int64_t>(weights.size() / 2);
}

std::vector<float> through_optics(const Phantom& phantom, double voxel_um, const Box& outer, const Box& inner,
                                  const std::vector<float>& scene) {
  Index3 shape = outer.shape();
  auto sharp = filtered(scene, shape, blur_weights(phantom, voxel_um));
  if (!has_fringe(phantom)) return sharp;
  auto out = cropped(sharp, shape, (shape[0] - inner.shape()[0]) / 2);
  shape = outer.shape();
  const auto soft = filtered(scene, shape, soft_weights(phantom, voxel_um));
  const auto strength = static_cast<float>(phantom.config.optics.fringe[0]);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += strength * (out[i] - soft[i]);
  return out;
}

void add_scan_effects(const Phantom& p, const View& view, std::vector<float>& grey) {
  const NoiseConfig& noise = p.config.noise;
  const double sigma = length_um(p, view.voxel_um, noise.sigma), across = sigma * noise.anisotropy[0];
  const double range = length_um(p, view.voxel_um, noise.low_range[0]);
  lose_contrast(p, view, grey);
  if (noise.sd[0] > 0) add(grey, noise_field(p, view, "correlated", {across, sigma, sigma}), noise.sd[0]);
  if (noise.low_sd[0] > 0) add(grey, noise_field(p, view, "drift", {range, range, range}), noise.low_sd[0]);
  add_streaks(p, view, grey);
  add_rings(p, view, grey);
  if (noise.white[0] > 0)
    add_white(stream_key(p.seed, {"phantom", "noise", "white"}), view.box, noise.white[0], grey.data());
}

void pad_outside(const Phantom& p, const View& view, float* grey) {
  const double radius = p.config.artefacts.padding_radius * p.extent_um[2];
  if (p.config.artefacts.padding_share < 1) return;
  const auto n = view.box.shape();
  const auto padding = static_cast<float>(p.config.artefacts.padding_grey);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t x = 0; x < n[2]; ++x) {
      const double dz = view.centre(view.box.begin[0] + z) - p.extent_um[0] / 2;
      const double dx = view.centre(view.box.begin[2] + x) - p.extent_um[2] / 2;
      if (dz * dz + dx * dx <= radius * radius) continue;
      for (std::int64_t y = 0; y < n[1]; ++y) grey[(z * n[1] + y) * n[2] + x] = padding;
    }
}

}  // namespace cathoscope::phantom_detail
