/// Grey values of the scene: what a perfect instrument would see.

#include "scene.hpp"

#include <cathoscope/core/random.hpp>

namespace cathoscope::phantom_detail {

namespace {

std::vector<float> texture(const Phantom& phantom, const View& view, const char* name, double sigma) {
  std::vector<float> values(view.size());
  LatticeField(stream_key(phantom.seed, {"phantom", "matrix", name}), {sigma, sigma, sigma})
      .fill(view.box, view.voxel_um, values.data());
  return values;
}

/// Carbon, binder, electrolyte: two textures, pores, bright debris too fine to be a particle.
std::vector<float> matrix_grey(const Phantom& phantom, const View& view) {
  const GreyConfig& grey = phantom.config.grey;
  auto out = texture(phantom, view, "fine", grey.texture_fine_um);
  const auto coarse = texture(phantom, view, "coarse", grey.texture_coarse_um);
  const auto pores = texture(phantom, view, "pores", grey.pore_um);
  const auto debris = texture(phantom, view, "debris", grey.debris_um);
  const auto level = static_cast<float>(grey.matrix[0]), a = static_cast<float>(grey.texture_fine),
             b = static_cast<float>(grey.texture_coarse), depth = static_cast<float>(grey.pore_depth),
             height = static_cast<float>(grey.debris_height), pore_from = static_cast<float>(grey.pore_threshold),
             debris_from = static_cast<float>(grey.debris_threshold);
  for (std::size_t i = 0; i < out.size(); ++i) {
    // A pore's wall is a quarter of a standard deviation thick.
    const float pore = std::clamp((pores[i] - pore_from) * 4 + 0.5F, 0.0F, 1.0F);
    const float speck = std::clamp(debris[i] - debris_from, 0.0F, 1.0F);
    out[i] = level + a * out[i] + b * coarse[i] - depth * pore + height * speck;
  }
  return out;
}

/// Replaces what lies beyond the two faces of the electrode by the media there; the faces are wavy.
void lay_outside(const Phantom& phantom, const View& view, std::vector<float>& grey) {
  const double low = phantom.electrode_low_um, high = phantom.electrode_high_um;
  const auto n = view.box.shape();
  const LatticeField wave(stream_key(phantom.seed, {"phantom", "faces"}), {4, 4, 4});
  const LatticeField fine(stream_key(phantom.seed, {"phantom", "outside"}), {0.25, 0.25, 0.5});
  for (std::int64_t z = 0; z < n[0]; ++z) {
    const double depth = view.centre(view.box.begin[0] + z);
    // The waves are 1.5 um at most: planes further inside are all electrode.
    if (depth > low + 1.5 && depth < high - 1.5) continue;
    const Box plane{{view.box.begin[0] + z, view.box.begin[1], view.box.begin[2]},
                    {view.box.begin[0] + z + 1, view.box.end[1], view.box.end[2]}};
    std::vector<float> waves(static_cast<std::size_t>(plane.size())), textures(waves.size());
    wave.fill(plane, view.voxel_um, waves.data());
    fine.fill(plane, view.voxel_um, textures.data());
    float* row = grey.data() + z * n[1] * n[2];
    for (std::size_t i = 0; i < waves.size(); ++i) {
      const double shift = std::clamp(0.4 * static_cast<double>(waves[i]), -1.5, 1.5);
      // The media mix over a micrometre.
      const auto above = static_cast<float>(std::clamp(low + shift - depth + 0.5, 0.0, 1.0));
      const auto below = static_cast<float>(std::clamp(depth - high + shift + 0.5, 0.0, 1.0));
      const float rough = static_cast<float>(phantom.config.grey.outside_texture) * textures[i];
      row[i] += above * (static_cast<float>(phantom.config.grey.above_level) + rough - row[i]);
      row[i] += below * (static_cast<float>(phantom.config.grey.below_level) + rough - row[i]);
    }
  }
}

float grain_of(const Particle& particle, const View& view, const Index3& voxel) {
  Float3 p;
  for (std::size_t a = 0; a < 3; ++a) p[a] = static_cast<float>(view.centre(voxel[a]) - particle.centre_um[a]);
  return grain_at(particle.grain.data(), times(particle.to_unit, p));
}

}  // namespace

float inside_of(const Phantom& phantom, const Bodies& bodies, std::size_t i, double voxel_um) {
  if (bodies.owner[i] == 0) return 0;
  if (phantom.given_bodies) return 1;
  const auto radius = static_cast<float>(phantom.particles[bodies.owner[i] - 1].radius_um);
  return std::clamp(0.5F + (1 - bodies.rho[i]) * radius / static_cast<float>(voxel_um), 0.0F, 1.0F);
}

float coverage_of(const Phantom& phantom, const Bodies& bodies, std::size_t i, double voxel_um) {
  const float inside = inside_of(phantom, bodies, i, voxel_um);
  if (inside <= 0 || phantom.given_bodies || bodies.next_rho[i] > 2) return inside;
  const auto radius = static_cast<float>(phantom.particles[bodies.owner[i] - 1].radius_um),
             h = static_cast<float>(voxel_um);
  // The face between two touching particles is where their normalised radii are equal; the seam is a slit there.
  const float distance = (bodies.next_rho[i] - bodies.rho[i]) * radius / 2,
              half_seam = static_cast<float>(phantom.config.grey.seam_um) / 2;
  const float overlap = std::min(distance + h / 2, half_seam) - std::max(distance - h / 2, -half_seam);
  return inside * (1 - std::clamp(overlap / h, 0.0F, 1.0F));
}

std::vector<float> scene_grey(const Phantom& phantom, const View& view, const Bodies& bodies,
                              const std::vector<float>& crack_coverage) {
  auto grey = matrix_grey(phantom, view);
  lay_outside(phantom, view, grey);
  const auto n = view.box.shape();
  const auto spread = static_cast<float>(phantom.config.grey.grain_spread);
  std::size_t i = 0;
  for (std::int64_t z = view.box.begin[0]; z < view.box.end[0]; ++z)
    for (std::int64_t y = view.box.begin[1]; y < view.box.end[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x, ++i) {
        const float inside = coverage_of(phantom, bodies, i, view.voxel_um);
        if (inside <= 0) continue;
        const Particle& particle = phantom.particles[bodies.owner[i] - 1];
        const float solid = particle.grey + spread * grain_of(particle, view, {z, y, view.box.begin[2] + x});
        const float crack = crack_coverage.empty() ? 0 : crack_coverage[i];
        grey[i] += inside * (solid + crack * (particle.void_grey - solid) - grey[i]);
      }
  return grey;
}

}  // namespace cathoscope::phantom_detail
