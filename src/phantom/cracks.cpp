#include "cracks.hpp"

namespace cathoscope::phantom_detail {

namespace {

constexpr float tip = 0.15F;  // length over which a crack closes towards its tip, over the radius
constexpr float growth = 8;   // widened at most to this multiple of the drawn width

/// Distance from the middle of a feature over its half-width there, and that half-width.
struct Nearness {
  float ratio = never;
  float half_width_um = 0;
};

float ramp(float x) { return std::clamp(x, 0.0F, 1.0F); }

Nearness near_core(const Crack& crack, const CrackPoint& at) {
  const Float3 q = times(crack.frame, at.p);
  const float rough = (at.wavy_coarse * crack.wobble[0] + at.wavy_fine * crack.wobble[1]) / crack.half_width_um;
  return {std::max(0.0F, std::sqrt(norm2(q)) + rough), crack.half_width_um};
}

Nearness near_radial(const Crack& crack, const CrackPoint& at, float radius) {
  const float out = dot(crack.frame.data() + 3, at.p) / radius;
  const float aside = std::abs(dot(crack.frame.data() + 6, at.p)) / radius;
  const float open =
      ramp((out - crack.inner) / tip) * ramp((crack.outer - out) / tip) * ramp((crack.along - aside) / tip);
  const float half_width = crack.half_width_um * open;
  if (half_width < 1e-3F) return {};
  const float offset = dot(crack.frame.data(), at.p) + crack.offset_um + crack.wobble[0] * at.wavy_coarse +
                       crack.wobble[1] * at.wavy_fine;
  return {std::abs(offset) / half_width, half_width};
}

Nearness near_grains(const Crack& crack, const CrackPoint& at) {
  const float half_width = crack.half_width_um * ramp((at.rho - crack.inner) / tip);
  if (half_width < 1e-3F) return {};
  float nearest = never, second = never;
  std::size_t a = 0, b = 0;
  for (std::size_t i = 0; i < crack.grains.size(); ++i) {
    const Float3& g = crack.grains[i];
    const float d = norm2({at.p[0] - g[0], at.p[1] - g[1], at.p[2] - g[2]});
    if (d < nearest) {
      second = nearest;
      b = a;
      nearest = d;
      a = i;
    } else if (d < second) {
      second = d;
      b = i;
    }
  }
  const Float3 &ga = crack.grains[a], &gb = crack.grains[b];
  const float apart = std::sqrt(norm2({ga[0] - gb[0], ga[1] - gb[1], ga[2] - gb[2]}));
  const float wavy = crack.wobble[0] * at.wavy_coarse + crack.wobble[1] * at.wavy_fine;
  return {std::abs((second - nearest) / (2 * apart) + wavy) / half_width, half_width};
}

Nearness nearness(const Particle& particle, const Crack& crack, const CrackPoint& at) {
  switch (crack.kind) {
    case Crack::Kind::core: return near_core(crack, at);
    case Crack::Kind::radial: return near_radial(crack, at, static_cast<float>(particle.radius_um));
    case Crack::Kind::grains: return near_grains(crack, at);
  }
  return {};
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
  core.wobble = {static_cast<float>(std::min(0.8, mean)), static_cast<float>(std::min(0.8, mean))};
  return core;
}

Crack draw_radial(const CrackConfig& config, Stream& draw, const Particle& particle, const Interval& outer) {
  Crack crack;
  crack.kind = Crack::Kind::radial;
  const auto frame = frame_about(unit_vector(draw), draw);
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t a = 0; a < 3; ++a) crack.frame[row * 3 + a] = static_cast<float>(frame[row][a]);
  crack.half_width_um = static_cast<float>(draw.uniform(config.width_um[0], config.width_um[1]) / 2);
  crack.inner = static_cast<float>(draw.uniform(config.inner[0], config.inner[1]));
  crack.outer = static_cast<float>(std::max(draw.uniform(outer[0], outer[1]), static_cast<double>(crack.inner + 0.2F)));
  crack.along = static_cast<float>(draw.uniform(0.3, 1.0));
  crack.offset_um = static_cast<float>(draw.uniform(-0.12, 0.12) * particle.radius_um);
  for (float& w : crack.wobble) w = static_cast<float>(draw.uniform(0.3, 1.0) * (draw.uniform() < 0.5 ? -1 : 1));
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

float onset_at(const Particle& particle, const CrackPoint& point) {
  const auto count = static_cast<float>(particle.cracks.size());
  float onset = never;
  for (std::size_t k = 0; k < particle.cracks.size(); ++k) {
    const auto first = static_cast<float>(k);
    if (first >= onset) break;
    const float ratio = nearness(particle, particle.cracks[k], point).ratio;
    if (ratio <= 1)
      onset = std::min(onset, first + ratio);
    else if (ratio <= growth)
      onset = std::min(onset, count + ratio - 1);
  }
  return onset;
}

float coverage_at(const Particle& particle, const CrackPoint& point, float h_um) {
  const auto opening = static_cast<float>(particle.opening), count = static_cast<float>(particle.cracks.size());
  const float half = h_um / 2;
  float solid = 1;
  for (std::size_t k = 0; k < particle.cracks.size() && static_cast<float>(k) < opening; ++k) {
    const Nearness near = nearness(particle, particle.cracks[k], point);
    if (near.ratio == never) continue;
    const float width = near.half_width_um * widened(opening, static_cast<float>(k), count);
    const float distance = near.ratio * near.half_width_um;
    const float overlap = std::min(distance + half, width) - std::max(distance - half, -width);
    if (overlap > 0) solid *= 1 - std::min(1.0F, overlap / h_um);
  }
  return 1 - solid;
}

}  // namespace cathoscope::phantom_detail
