/// Given labels as bodies: their moments take the place of the generator's ellipsoids.

#include "cracks.hpp"
#include "drawn_config.hpp"
#include "geometry.hpp"
#include "scene.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>

#include <map>
#include <numbers>

namespace cathoscope {

using namespace phantom_detail;

namespace {

/// Sums over the voxels of one label, in voxels from the origin: exact in 64-bit integers.
struct Sums {
  std::int64_t n = 0;
  std::array<std::int64_t, 3> first{};
  std::array<std::int64_t, 6> second{};  ///< zz, zy, zx, yy, yx, xx
  Index3 low{INT64_MAX, INT64_MAX, INT64_MAX}, high{INT64_MIN, INT64_MIN, INT64_MIN};

  void add(const Index3& p) {
    ++n;
    std::size_t k = 0;
    for (std::size_t a = 0; a < 3; ++a) {
      first[a] += p[a];
      low[a] = std::min(low[a], p[a]);
      high[a] = std::max(high[a], p[a]);
      for (std::size_t b = a; b < 3; ++b) second[k++] += p[a] * p[b];
    }
  }
  void add(const Sums& o) {
    n += o.n;
    for (std::size_t a = 0; a < 3; ++a) {
      first[a] += o.first[a];
      low[a] = std::min(low[a], o.low[a]);
      high[a] = std::max(high[a], o.high[a]);
    }
    for (std::size_t k = 0; k < 6; ++k) second[k] += o.second[k];
  }
};

std::map<std::uint64_t, Sums> sums_of(const GridSource<std::uint64_t>& labels, const Context& context) {
  const auto tiles = blocks(labels.shape, {32, 256, 256});
  std::vector<std::map<std::uint64_t, Sums>> parts(tiles.size());
  parallel_for(static_cast<std::int64_t>(tiles.size()), context.threads, [&](std::int64_t t) {
    context.progress.check_stop();
    const Box& box = tiles[static_cast<std::size_t>(t)];
    const auto values = labels.load(box);
    auto& sums = parts[static_cast<std::size_t>(t)];
    const std::uint64_t* v = values.data();
    Sums* current = nullptr;
    std::uint64_t current_id = 0;
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
        for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x, ++v) {
          if (*v == 0) continue;
          if (current == nullptr || *v != current_id) {
            current_id = *v;
            current = &sums[current_id];
          }
          current->add(Index3{z, y, x});
        }
  });
  std::map<std::uint64_t, Sums> total;
  for (const auto& part : parts)
    for (const auto& [id, sums] : part) total[id].add(sums);
  return total;
}

/// Eigenvalues and unit eigenvectors (rows) of a symmetric 3 x 3 matrix by Jacobi rotations.
void diagonalise(std::array<std::array<double, 3>, 3>& m, std::array<Vec3, 3>& rows) {
  rows = {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};
  for (int sweep = 0; sweep < 32; ++sweep)
    for (std::size_t p = 0; p < 2; ++p)
      for (std::size_t q = p + 1; q < 3; ++q) {
        if (m[p][q] == 0) continue;
        const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::size_t k = 0; k < 3; ++k) {
          const double a = m[k][p], b = m[k][q];
          m[k][p] = c * a - s * b;
          m[k][q] = s * a + c * b;
        }
        for (std::size_t k = 0; k < 3; ++k) {
          const double a = m[p][k], b = m[q][k];
          m[p][k] = c * a - s * b;
          m[q][k] = s * a + c * b;
          const double u = rows[p][k], w = rows[q][k];
          rows[p][k] = c * u - s * w;
          rows[q][k] = s * u + c * w;
        }
        m[p][q] = m[q][p] = 0;
      }
}

/// The ellipsoid of the same moments; voxel (i) has its centre at i + 0.5 and a variance of 1/12 of its own.
void set_frame(const Sums& sums, const Vec3& voxel, Particle& particle) {
  const auto n = static_cast<double>(sums.n);
  std::array<std::array<double, 3>, 3> m{};
  std::size_t k = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    particle.centre_um[a] = (static_cast<double>(sums.first[a]) / n + 0.5) * voxel[a];
    for (std::size_t b = a; b < 3; ++b, ++k) {
      const double moment = static_cast<double>(sums.second[k]) / n -
                            static_cast<double>(sums.first[a]) / n * (static_cast<double>(sums.first[b]) / n) +
                            (a == b ? 1.0 / 12 : 0.0);
      m[a][b] = m[b][a] = moment * voxel[a] * voxel[b];
    }
  }
  std::array<Vec3, 3> rows;
  diagonalise(m, rows);
  for (std::size_t row = 0; row < 3; ++row) {
    particle.axes_um[row] = std::sqrt(5 * std::max(m[row][row], 1e-12));
    for (std::size_t a = 0; a < 3; ++a)
      particle.to_unit[row * 3 + a] = static_cast<float>(rows[row][a] / particle.axes_um[row]);
  }
}

Particle given_particle(const PhantomConfig& config, std::uint64_t seed, std::uint64_t index, const Sums& sums,
                        const Vec3& voxel) {
  Particle particle;
  set_frame(sums, voxel, particle);
  particle.radius_um =
      std::cbrt(static_cast<double>(sums.n) * voxel[0] * voxel[1] * voxel[2] * 3 / (4 * std::numbers::pi));
  double square = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    const double low = static_cast<double>(sums.low[a]) * voxel[a],
                 high = static_cast<double>(sums.high[a] + 1) * voxel[a];
    const double side = std::max(particle.centre_um[a] - low, high - particle.centre_um[a]);
    square += side * side;
  }
  particle.reach_um = static_cast<float>(std::sqrt(square));
  Stream grains(seed, {"phantom", "grains"}, index);
  particle.grain = draw_grain_map(grains);
  Stream greys(seed, {"phantom", "grey"}, index);
  particle.grey = static_cast<float>(config.grey.particle[0] + config.grey.particle_spread * greys.normal());
  particle.void_grey = static_cast<float>(config.grey.void_level[0] + config.grey.void_spread * greys.normal());
  Stream cracking(seed, {"phantom", "cracks"}, index);
  draw_cracks(config.cracks, cracking, particle);
  return particle;
}

}  // namespace

SemiReal semi_real_phantom(const PhantomConfig& config, std::uint64_t seed, const GridSource<std::uint64_t>& labels,
                           const Context& context) {
  check_config(config);
  const auto sums = sums_of(labels, context);
  if (sums.empty()) fail(Exit::data, "phantom: the given label volume has no label above 0");
  if (sums.size() > UINT32_MAX) fail(Exit::data, "phantom: {} labels are more than 2^32 - 1", sums.size());
  SemiReal result;
  Phantom& phantom = result.phantom;
  phantom.config = drawn_config(config, seed);
  phantom.config.preset = config.preset;
  phantom.seed = seed;
  for (std::size_t a = 0; a < 3; ++a) {
    phantom.config.shape[a] = labels.shape[a];
    phantom.extent_um[a] = static_cast<double>(labels.shape[a]) * labels.voxel_size_um[a];
  }
  phantom.config.voxel_size_um = labels.voxel_size_um[0];
  phantom.electrode_low_um = -10;  // measured shapes fill the volume: no face is in sight
  phantom.electrode_high_um = phantom.extent_um[0] + 10;
  for (const auto& [id, s] : sums) {
    phantom.particles.push_back(given_particle(phantom.config, seed, result.ids.size(), s, labels.voxel_size_um));
    result.ids.push_back(id);
  }
  GridSource<std::uint32_t> dense{labels.shape, labels.voxel_size_um, labels.origin_um, {}};
  dense.read = [labels, ids = std::make_shared<const std::vector<std::uint64_t>>(result.ids)](const Box& box,
                                                                                              std::uint32_t* out) {
    const auto values = labels.load(box);
    std::uint64_t last = 0;
    std::uint32_t last_label = 0;
    for (std::int64_t i = 0; i < box.size(); ++i) {
      const std::uint64_t id = values.data()[i];
      if (id != last) {
        last = id;
        last_label =
            id == 0 ? 0 : static_cast<std::uint32_t>(std::lower_bound(ids->begin(), ids->end(), id) - ids->begin()) + 1;
      }
      out[i] = last_label;
    }
  };
  phantom.given_bodies = std::move(dense);
  return result;
}

}  // namespace cathoscope
