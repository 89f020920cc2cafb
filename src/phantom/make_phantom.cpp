/// From a configuration to particles: what is drawn once a volume, packing, shapes, cracks.

#include "cracks.hpp"
#include "packing.hpp"
#include "scene.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/table.hpp>

#include "drawn_config.hpp"

#include <atomic>
#include <numbers>
#include <numeric>

namespace cathoscope {

using namespace phantom_detail;

namespace {

/// Strength and direction of alignment at a place.
struct Director {
  std::array<LatticeField, 3> direction;
  LatticeField strength;

  static LatticeField field(std::uint64_t seed, const char* name, double range_um) {
    const double sigma = range_um / 2;
    return {stream_key(seed, {"phantom", "director", name}), {sigma, sigma, sigma}};
  }
  Director(std::uint64_t seed, double range)
      : direction{field(seed, "z", range), field(seed, "y", range), field(seed, "x", range)},
        strength(field(seed, "strength", range)) {}

  /// Long axis of a particle here: a random direction pulled towards the local director.
  [[nodiscard]] Vec3 long_axis(const Vec3& p, double alignment, Stream& draw) const {
    const Vec3 random = unit_vector(draw);
    if (alignment <= 0) return random;
    const Vec3 local{direction[0].at(p), direction[1].at(p), direction[2].at(p)};
    const double length = std::max(std::sqrt(phantom_detail::dot(local, local)), 1e-6);
    const double pull = 4 * alignment * std::clamp(0.5 + 0.5 * strength.at(p), 0.0, 1.0) / length;
    const double side = phantom_detail::dot(local, random) < 0 ? -1 : 1;
    Vec3 axis;
    for (std::size_t a = 0; a < 3; ++a) axis[a] = random[a] + side * pull * local[a];
    return scaled(axis, 1 / std::sqrt(phantom_detail::dot(axis, axis)));
  }
};

void set_axes(const FormConfig& form, const Director& director, Stream& draw, Particle& particle) {
  const double spread = particle.fragment ? form.axis_spread_fragments : form.axis_spread;
  std::array<double, 3> logs{spread * draw.normal(), spread * draw.normal(), spread * draw.normal()};
  std::sort(logs.rbegin(), logs.rend());
  const double mean = (logs[0] + logs[1] + logs[2]) / 3;
  const auto frame = frame_about(director.long_axis(particle.centre_um, form.alignment, draw), draw);
  for (std::size_t row = 0; row < 3; ++row) {
    particle.axes_um[row] = particle.radius_um * std::exp(logs[row] - mean);
    for (std::size_t a = 0; a < 3; ++a)
      particle.to_unit[row * 3 + a] = static_cast<float>(frame[row][a] / particle.axes_um[row]);
  }
}

/// Radius factor 1 + sum over degrees l, two waves each, of (amplitude / l) N(0, 1) cos(l angle + phase).
void set_waves(const FormConfig& form, Stream& draw, Particle& particle) {
  struct Wave {
    Vec3 pole;
    double height, degree, phase;
  };
  const double amplitude = form.harmonics * std::exp(form.harmonics_spread * draw.normal());
  std::vector<Wave> waves;
  for (std::int64_t l = 2; l <= form.degree; ++l)
    for (int k = 0; k < 2; ++k) {
      const Vec3 pole = unit_vector(draw);
      const double height = amplitude / static_cast<double>(l) * draw.normal();
      waves.push_back({pole, height, static_cast<double>(l), draw.uniform(0, 2 * std::numbers::pi)});
    }
  const double relief = form.grain_relief_um / particle.radius_um / 1.5;  // nodes have 1.5 standard deviations
  particle.radius_factor.reserve(map_nodes * map_nodes);
  for (int j = 0; j < map_nodes; ++j)
    for (int i = 0; i < map_nodes; ++i) {
      const Vec3 u = map_direction(i, j);
      double factor = 1;
      for (const Wave& w : waves)
        factor +=
            w.height * std::cos(w.degree * std::acos(std::clamp(phantom_detail::dot(u, w.pole), -1.0, 1.0)) + w.phase);
      const double grain = static_cast<double>(particle.grain[particle.radius_factor.size()]);
      factor += relief * std::clamp(grain, -3.0, 3.0);
      particle.radius_factor.push_back(static_cast<float>(std::clamp(factor, 0.6, 1.4)));
    }
  const auto [least, most] = std::minmax_element(particle.radius_factor.begin(), particle.radius_factor.end());
  particle.least_factor = *least;
  particle.largest_factor = *most;
}

Particle make_particle(const PhantomConfig& config, std::uint64_t seed, std::size_t index, const Ball& ball,
                       const Director& director) {
  Particle particle;
  particle.centre_um = ball.centre_um;
  particle.radius_um = ball.radius_um;
  particle.fragment = ball.fragment;
  Stream grains(seed, {"phantom", "grains"}, index);
  particle.grain = draw_grain_map(grains);
  Stream shape(seed, {"phantom", "shape"}, index);
  set_axes(config.form, director, shape, particle);
  set_waves(config.form, shape, particle);
  const double rough = roughness_limit * config.form.roughness_um[0];
  particle.reach_um =
      static_cast<float>(particle.axes_um[0] * static_cast<double>(particle.largest_factor) + rough + 0.05);
  Stream greys(seed, {"phantom", "grey"}, index);
  particle.grey = static_cast<float>(config.grey.particle[0] + config.grey.particle_spread * greys.normal());
  particle.void_grey = static_cast<float>(config.grey.void_level[0] + config.grey.void_spread * greys.normal());
  Stream cracking(seed, {"phantom", "cracks"}, index);
  draw_cracks(config.cracks, cracking, particle);
  return particle;
}

/// Some 0.3 um of the ball at least is inside the volume.
bool reaches_in(const Ball& ball, const Vec3& extent) {
  double square = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    const double outside = std::max({0.0, -ball.centre_um[a], ball.centre_um[a] - extent[a]});
    square += outside * outside;
  }
  return std::sqrt(square) < ball.radius_um - 0.3;
}

std::vector<Particle> made_particles(const PhantomConfig& config, std::uint64_t seed, const std::vector<Ball>& balls,
                                     const Vec3& extent, int threads) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < balls.size(); ++i)
    if (reaches_in(balls[i], extent)) kept.push_back(i);
  std::sort(kept.begin(), kept.end(),
            [&](std::size_t a, std::size_t b) { return balls[a].centre_um < balls[b].centre_um; });
  const Director director(seed, config.form.alignment_range_um);
  std::vector<Particle> particles(kept.size());
  parallel_for(static_cast<std::int64_t>(kept.size()), threads, [&](std::int64_t i) {
    const std::size_t k = kept[static_cast<std::size_t>(i)];
    particles[static_cast<std::size_t>(i)] = make_particle(config, seed, k, balls[k], director);
  });
  return particles;
}

/// Voxels that each particle owns on a grid of the given voxel size; index = label.
std::vector<std::atomic<std::int64_t>> owned_voxels(const Phantom& phantom, double voxel_um, const Context& context) {
  const auto tiles = blocks(shape_at(phantom, voxel_um), {64, 64, 64});
  std::vector<std::atomic<std::int64_t>> owned(phantom.particles.size() +
                                               1);  // sums of integers: the same in any order
  parallel_for(static_cast<std::int64_t>(tiles.size()), context.threads, [&](std::int64_t t) {
    context.progress.check_stop();
    const View view{tiles[static_cast<std::size_t>(t)], voxel_um};
    const Bodies bodies = bodies_in(phantom, view);
    for (std::size_t i = 0; i < view.size(); ++i)
      if (const std::uint32_t label = label_of(bodies, i)) ++owned[label];
  });
  return owned;
}

bool owns_a_voxel(const Phantom& phantom, std::size_t index, double h) {
  const View view{box_of(phantom.particles[index], h, shape_at(phantom, h)), h};
  if (view.box.empty()) return false;
  const Bodies bodies = bodies_in(phantom, view);
  for (std::size_t i = 0; i < view.size(); ++i)
    if (label_of(bodies, i) == index + 1) return true;
  return false;
}

}  // namespace

Phantom with_voxels_at(Phantom phantom, double voxel_size_um, const Context& context) {
  // Looked at coarsely first: only slivers are looked at finely.
  const auto owned = owned_voxels(phantom, std::max(voxel_size_um, 0.5), context);
  constexpr std::int64_t sure = 8;
  std::vector<char> keep(phantom.particles.size(), 1);
  parallel_for(static_cast<std::int64_t>(keep.size()), context.threads, [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    if (owned[k + 1] < sure) keep[k] = owns_a_voxel(phantom, k, voxel_size_um) ? 1 : 0;
  });
  std::vector<Particle> kept;
  for (std::size_t k = 0; k < keep.size(); ++k)
    if (keep[k] != 0) kept.push_back(std::move(phantom.particles[k]));
  phantom.particles = std::move(kept);
  return phantom;
}

Phantom make_phantom(const PhantomConfig& config, std::uint64_t seed, const Context& context) {
  check_config(config);
  Phantom phantom;
  phantom.config = drawn_config(config, seed);
  phantom.seed = seed;
  for (std::size_t a = 0; a < 3; ++a)
    phantom.extent_um[a] = static_cast<double>(config.shape[a]) * config.voxel_size_um;
  Stream gaps(seed, {"phantom", "gaps"});
  const Interval& gap = config.packing.foil_gap_um;
  phantom.electrode_low_um = gaps.uniform(gap[0], gap[1]);
  phantom.electrode_high_um = phantom.extent_um[0] - gaps.uniform(gap[0], gap[1]);
  const auto balls =
      pack(phantom.config, seed, phantom.extent_um, phantom.electrode_low_um, phantom.electrode_high_um, context);
  phantom.particles = made_particles(phantom.config, seed, balls, phantom.extent_um, context.threads);
  phantom = with_voxels_at(std::move(phantom), config.voxel_size_um, context);
  if (phantom.particles.empty())
    fail(Exit::config,
         "phantom: no particle lies in the volume of {} x {} x {} voxels; enlarge shape or packing.fraction",
         config.shape[0], config.shape[1], config.shape[2]);
  return phantom;
}

}  // namespace cathoscope
