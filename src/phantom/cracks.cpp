#include "cracks.hpp"

namespace cathoscope::phantom_detail {

namespace {

constexpr float tip = 0.15F;       // length over which a crack closes towards its inner end and sides, over the radius
constexpr float taper = 0.45F;     // the same towards its outer end
constexpr float stellate = 0.25F;  // how far a core reaches between grains, over its radius
constexpr float core_rim = 4;      // grains matter out to this multiple of a core's radius
constexpr float growth = 8;        // widened at most to this multiple of the drawn width

/// Of a feature at each point of a row: distance from its middle over its half-width there, and that half-width.
struct Nearness {
  std::array<float, CrackRow::longest> ratio;
  std::array<float, CrackRow::longest> half_width_um;
};

constexpr float far_away = 1e30F;
constexpr float closed_um = 1e-3F;  // narrower is no crack

float ramp(float x) {
  const float above = x > 0 ? x : 0;
  return above < 1 ? above : 1;
}

float ratio_of(float distance, float half_width) {
  const float divisor = half_width > closed_um ? half_width : closed_um;
  return half_width > closed_um ? distance / divisor : far_away;
}

void near_core(const Particle& particle, const Crack& crack, const CrackRow& row, Nearness& out) {
  const Matrix3& f = crack.frame;
  const Float3 base{f[0] * row.dz + f[1] * row.dy, f[3] * row.dz + f[4] * row.dy, f[6] * row.dz + f[7] * row.dy};
  const float inverse = 1 / crack.half_width_um, coarse = crack.wobble[0] * inverse, fine = crack.wobble[1] * inverse;
  for (std::int64_t i = 0; i < row.count; ++i) {
    const float a = base[0] + f[2] * row.dx[i], b = base[1] + f[5] * row.dx[i], c = base[2] + f[8] * row.dx[i];
    out.ratio[static_cast<std::size_t>(i)] = std::sqrt(a * a + b * b + c * c);
    out.half_width_um[static_cast<std::size_t>(i)] = crack.half_width_um / crack.steepness;
  }
  for (std::int64_t i = 0; i < row.count; ++i) {
    float& r = out.ratio[static_cast<std::size_t>(i)];
    if (r < core_rim) {
      const Float3 q = times(particle.to_unit, {row.dz, row.dy, row.dx[i]});
      r *= std::clamp(1 - stellate * grain_at(particle.grain.data(), q), 0.3F, 2.0F);
    }
    const float ragged = r + coarse * row.wavy_coarse[i] + fine * row.wavy_fine[i];
    r = ragged > 0 ? ragged : 0;
  }
}

void near_radial(const Crack& crack, const CrackRow& row, float radius, Nearness& out) {
  const Matrix3& f = crack.frame;
  const float base = f[0] * row.dz + f[1] * row.dy + crack.offset_um, per_radius = 1 / radius;
  const float base_out = f[3] * row.dz + f[4] * row.dy, base_aside = f[6] * row.dz + f[7] * row.dy;
  const float inner = crack.inner, outer = crack.outer, along = crack.along;
  for (std::int64_t i = 0; i < row.count; ++i) {
    const float reach = (base_out + f[5] * row.dx[i]) * per_radius;
    const float aside = std::abs(base_aside + f[8] * row.dx[i]) * per_radius;
    const float open = ramp((reach - inner) / tip) * ramp((outer - reach) / taper) * ramp((along - aside) / tip);
    const float distance =
        std::abs(base + f[2] * row.dx[i] + crack.wobble[0] * row.wavy_coarse[i] + crack.wobble[1] * row.wavy_fine[i]);
    const float pinched = 1 + crack.pinch * row.wavy_coarse[i];
    const float half_width = crack.half_width_um * open * (pinched > 0 ? pinched : 0);
    out.ratio[static_cast<std::size_t>(i)] = ratio_of(distance, half_width);
    out.half_width_um[static_cast<std::size_t>(i)] = half_width;
  }
}

/// Between the grains: half the difference of the distances to the two nearest centres (walls widen where three meet).
void near_grains(const Crack& crack, const CrackRow& row, Nearness& out) {
  std::array<float, CrackRow::longest> nearest, second;
  const auto n = static_cast<std::size_t>(row.count);
  std::fill_n(nearest.begin(), n, far_away);
  std::fill_n(second.begin(), n, far_away);
  for (const Float3& g : crack.grains) {
    const float aside = (row.dz - g[0]) * (row.dz - g[0]) + (row.dy - g[1]) * (row.dy - g[1]);
    for (std::size_t i = 0; i < n; ++i) {
      const float d = aside + (row.dx[i] - g[2]) * (row.dx[i] - g[2]);
      const float larger = d > nearest[i] ? d : nearest[i];
      second[i] = larger < second[i] ? larger : second[i];
      nearest[i] = d < nearest[i] ? d : nearest[i];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    const float wavy = crack.wobble[0] * row.wavy_coarse[i] + crack.wobble[1] * row.wavy_fine[i];
    const float half_width = crack.half_width_um * ramp((row.rho[i] - crack.inner) / tip);
    out.ratio[i] = ratio_of(std::abs((std::sqrt(second[i]) - std::sqrt(nearest[i])) / 2 + wavy), half_width);
    out.half_width_um[i] = half_width;
  }
}

void find_nearness(const Particle& particle, const Crack& crack, const CrackRow& row, Nearness& out) {
  switch (crack.kind) {
    case Crack::Kind::core: return near_core(particle, crack, row, out);
    case Crack::Kind::radial: return near_radial(crack, row, static_cast<float>(particle.radius_um), out);
    case Crack::Kind::grains: return near_grains(crack, row, out);
  }
}

/// Opening at which feature k of `count` reaches a point of this ratio.
float onset_of(float ratio, float k, float count) {
  const float late = ratio <= growth ? count + ratio - 1 : never;
  return ratio <= 1 ? k + ratio : late;
}

/// Width of feature k over its drawn width at an opening.
float widened(float opening, float k, float count) {
  if (opening <= k) return 0;
  if (opening < count) return std::min(1.0F, opening - k);
  return std::min(growth, 1 + (opening - count));
}

Crack draw_core(const CrackConfig& config, Stream& draw, const Particle& particle) {
  Crack core;
  core.kind = Crack::Kind::core;
  const double mean = particle.radius_um * draw.uniform(config.void_radius[0], config.void_radius[1]);
  const auto frame = frame_about(unit_vector(draw), draw);
  for (std::size_t row = 0; row < 3; ++row) {
    const double axis = mean * std::exp(0.25 * draw.normal());
    for (std::size_t a = 0; a < 3; ++a) core.frame[row * 3 + a] = static_cast<float>(frame[row][a] / axis);
  }
  core.half_width_um = static_cast<float>(mean);
  // The wall is as ragged as grains leave it, but a small core is not all raggedness.
  core.wobble = {static_cast<float>(std::min(1.3, 1.3 * mean)), static_cast<float>(std::min(2.8, 2.8 * mean))};
  // A field of standard deviation s that a Gaussian of sigma correlates has a slope of s sqrt(3 / 2) / sigma.
  core.steepness = std::hypot(
      1.0F, core.wobble[1] * static_cast<float>(config.wobble_um) * fine_share * std::sqrt(1.5F) / fine_sigma_um);
  return core;
}

Crack draw_radial(const CrackConfig& config, Stream& draw, const Particle& particle, const Interval& outer) {
  Crack crack;
  crack.kind = Crack::Kind::radial;
  const auto frame = frame_about(unit_vector(draw), draw);
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t a = 0; a < 3; ++a) crack.frame[row * 3 + a] = static_cast<float>(frame[row][a]);
  const double narrow = std::log(config.width_um[0]), wide = std::log(config.width_um[1]);
  crack.half_width_um = static_cast<float>(std::exp(draw.uniform(narrow, wide)) / 2);
  crack.inner = static_cast<float>(draw.uniform(config.inner[0], config.inner[1]));
  crack.outer = static_cast<float>(std::max(draw.uniform(outer[0], outer[1]), static_cast<double>(crack.inner + 0.2F)));
  crack.along = static_cast<float>(draw.uniform(0.3, 1.0));
  crack.offset_um = static_cast<float>(draw.uniform(-0.12, 0.12) * particle.radius_um);
  for (float& w : crack.wobble) w = static_cast<float>(draw.uniform(0.3, 1.0) * (draw.uniform() < 0.5 ? -1 : 1));
  if (config.wobble_um > 0)
    crack.pinch = static_cast<float>(config.pinch / config.wobble_um * (draw.uniform() < 0.5 ? -1 : 1));
  return crack;
}

Crack draw_grains(const CrackConfig& config, Stream& draw, const Particle& particle, bool crushed) {
  Crack crack;
  crack.kind = Crack::Kind::grains;
  const double scale = particle.radius_um / 4.75;  // the numbers are meant for the median particle
  auto count = static_cast<int>(std::lround(draw.uniform(config.grains[0], config.grains[1]) * (crushed ? 2 : 1)));
  count = std::clamp(static_cast<int>(count * std::clamp(scale * scale, 0.3, 1.5)), 4, 90);
  for (int i = 0; i < count; ++i) {
    const Vec3 d = scaled(unit_vector(draw), particle.reach_um * std::cbrt(draw.uniform()));
    crack.grains.push_back({static_cast<float>(d[0]), static_cast<float>(d[1]), static_cast<float>(d[2])});
  }
  crack.half_width_um = static_cast<float>(draw.uniform(config.grain_width_um[0], config.grain_width_um[1]) / 2);
  crack.inner = crushed ? -1.0F : static_cast<float>(draw.uniform(config.grain_depth[0], config.grain_depth[1]));
  crack.wobble = {static_cast<float>(draw.uniform(0.2, 0.6)), static_cast<float>(draw.uniform(0.2, 0.6))};
  return crack;
}

}  // namespace

void draw_cracks(const CrackConfig& config, Stream& draw, Particle& particle) {
  particle.severe = draw.uniform() < config.severe_share[0];
  const bool crushed = draw.uniform() < config.pulverised_share && particle.severe;
  if (draw.uniform() < config.void_share && particle.radius_um > config.void_from_radius_um)
    particle.cracks.push_back(draw_core(config, draw, particle));
  const std::uint64_t mild = draw.poisson(config.radial_mild);
  for (std::uint64_t i = 0; i < mild; ++i) particle.cracks.push_back(draw_radial(config, draw, particle, config.outer));
  std::size_t natural = particle.cracks.size();
  const std::uint64_t severe = std::max<std::uint64_t>(1, draw.poisson(config.radial_severe));
  for (std::uint64_t i = 0; i < severe; ++i)
    particle.cracks.push_back(draw_radial(config, draw, particle, config.outer_severe));
  if (particle.severe) natural = particle.cracks.size();
  // Every particle can break between its grains in the end, so that any target can be met.
  const bool between_grains = draw.uniform() < config.grain_share;
  particle.cracks.push_back(draw_grains(config, draw, particle, crushed));
  if (particle.severe && (between_grains || crushed)) natural = particle.cracks.size();
  particle.natural_opening = static_cast<double>(natural);
}

void onsets_in(const Particle& particle, const CrackRow& row, float* onset) {
  Nearness near;
  const auto count = static_cast<float>(particle.cracks.size());
  std::fill_n(onset, row.count, never);
  for (std::size_t k = 0; k < particle.cracks.size(); ++k) {
    find_nearness(particle, particle.cracks[k], row, near);
    const auto first = static_cast<float>(k);
    for (std::int64_t i = 0; i < row.count; ++i) {
      const float here = onset_of(near.ratio[static_cast<std::size_t>(i)], first, count);
      onset[i] = here < onset[i] ? here : onset[i];
    }
  }
}

void cracks_at(const Particle& particle, const CrackRow& row, float h_um, std::uint8_t* hit, float* coverage) {
  Nearness near;
  std::array<float, CrackRow::longest> onset, solid;
  onset.fill(never);
  solid.fill(1);
  const auto opening = static_cast<float>(particle.opening), count = static_cast<float>(particle.cracks.size());
  const float half = h_um / 2, per_voxel = 1 / h_um;
  for (std::size_t k = 0; k < particle.cracks.size() && static_cast<float>(k) < opening; ++k) {
    find_nearness(particle, particle.cracks[k], row, near);
    const float scale = widened(opening, static_cast<float>(k), count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(row.count); ++i) {
      const float here = onset_of(near.ratio[i], static_cast<float>(k), count);
      onset[i] = here < onset[i] ? here : onset[i];
      const float width = near.half_width_um[i] * scale, distance = near.ratio[i] * near.half_width_um[i];
      const float high = distance + half < width ? distance + half : width;
      const float low = distance - half > -width ? distance - half : -width;
      solid[i] *= 1 - ramp((high - low) * per_voxel);
    }
  }
  for (std::int64_t i = 0; i < row.count; ++i) hit[i] = onset[static_cast<std::size_t>(i)] < opening ? 1 : 0;
  if (coverage)
    for (std::int64_t i = 0; i < row.count; ++i) coverage[i] = 1 - solid[static_cast<std::size_t>(i)];
}

}  // namespace cathoscope::phantom_detail
