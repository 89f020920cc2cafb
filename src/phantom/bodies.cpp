#include "cracks.hpp"
#include "scene.hpp"

#include <cathoscope/core/random.hpp>

namespace cathoscope::phantom_detail {

namespace {

std::vector<float> roughness_in(const Phantom& phantom, const View& view) {
  // The correlation length is two standard deviations of the Gaussian that makes it.
  const double sigma = phantom.config.form.roughness_correlation_um[0] / 2;
  const LatticeField field(stream_key(phantom.seed, {"phantom", "roughness"}), {sigma, sigma, sigma});
  std::vector<float> rough(view.size());
  field.fill(view.box, view.voxel_um, rough.data());
  const auto sd = static_cast<float>(phantom.config.form.roughness_um[0]);
  for (float& r : rough) r = sd * std::clamp(r, -roughness_limit, roughness_limit);
  return rough;
}

/// Voxels whose centres are within `reach` of `centre`, along one axis of the view.
std::array<std::int64_t, 2> span(const View& view, std::size_t axis, double centre, double reach) {
  const auto low = static_cast<std::int64_t>(std::ceil((centre - reach) / view.voxel_um - 0.5));
  const auto high = static_cast<std::int64_t>(std::floor((centre + reach) / view.voxel_um - 0.5)) + 1;
  return {std::max(low, view.box.begin[axis]), std::min(high, view.box.end[axis])};
}

/// Part of a row in which a particle's surface may be: length in its unit frame and place on its map of waves.
struct MappedRow {
  static constexpr std::int64_t longest = 256;
  std::array<float, longest> length, u, v;

  void map(const Particle& particle, float dz, float dy, const View& view, std::int64_t first, std::int64_t count) {
    const Matrix3& m = particle.to_unit;
    const Float3 row{m[0] * dz + m[1] * dy, m[3] * dz + m[4] * dy, m[6] * dz + m[7] * dy};
    // 32-bit indices, because no wide conversion of 64-bit ones exists before AVX-512.
    const auto start = static_cast<std::int32_t>(first), n = static_cast<std::int32_t>(count);
    const double centre = particle.centre_um[2], voxel = view.voxel_um;
    for (std::int32_t k = 0; k < n; ++k) {
      const auto dx = static_cast<float>((static_cast<double>(start + k) + 0.5) * voxel - centre);
      const Float3 q{row[0] + m[2] * dx, row[1] + m[5] * dx, row[2] + m[8] * dx};
      const auto j = static_cast<std::size_t>(k);
      length[j] = std::sqrt(norm2(q));
      map_place(q, u[j], v[j]);
    }
  }
};

struct RowOfBodies {
  std::uint32_t* owner;
  float* rho;
  float* next_rho;
};

/// Claims for particle `index` the voxels of one row in which its normalised radius is the smallest so far.
void claim_row(const Particle& particle, std::uint32_t index, const View& view, std::int64_t z, std::int64_t y,
               float roughest, const float* rough, const RowOfBodies& row) {
  const auto dz = static_cast<float>(view.centre(z) - particle.centre_um[0]);
  const auto dy = static_cast<float>(view.centre(y) - particle.centre_um[1]);
  const float rest = particle.reach_um * particle.reach_um - dz * dz - dy * dy;
  if (rest <= 0) return;
  const auto [begin, end] = span(view, 2, particle.centre_um[2], std::sqrt(static_cast<double>(rest)));
  const float per_radius = 1 / static_cast<float>(particle.radius_um);
  const float limit = 1 + 0.5F * static_cast<float>(view.voxel_um) * per_radius;
  const float farthest = particle.largest_factor * (limit + roughest * per_radius);
  MappedRow mapped;
  for (std::int64_t first = begin; first < end; first += MappedRow::longest) {
    const std::int64_t count = std::min(MappedRow::longest, end - first);
    mapped.map(particle, dz, dy, view, first, count);
    for (std::int64_t k = 0; k < count; ++k) {
      const auto j = static_cast<std::size_t>(k);
      if (mapped.length[j] > farthest) continue;
      const std::int64_t i = first + k - view.box.begin[2];
      const float factor = map_value(particle.radius_factor.data(), mapped.u[j], mapped.v[j]);
      const float smooth = mapped.length[j] / factor - rough[i] * per_radius;
      const float here = smooth > 0 ? smooth : 0;
      if (here >= limit) continue;
      if (here < row.rho[i]) {
        row.next_rho[i] = row.rho[i];
        row.rho[i] = here;
        row.owner[i] = index;
      } else if (here < row.next_rho[i]) {
        row.next_rho[i] = here;
      }
    }
  }
}

void claim(const Particle& particle, std::uint32_t index, const View& view, float roughest,
           const std::vector<float>& rough, Bodies& bodies) {
  const auto reach = static_cast<double>(particle.reach_um);
  const auto [z0, z1] = span(view, 0, particle.centre_um[0], reach);
  const auto [y0, y1] = span(view, 1, particle.centre_um[1], reach);
  const auto n = view.box.shape();
  for (std::int64_t z = z0; z < z1; ++z)
    for (std::int64_t y = y0; y < y1; ++y) {
      const std::int64_t row = ((z - view.box.begin[0]) * n[1] + y - view.box.begin[1]) * n[2];
      claim_row(particle, index, view, z, y, roughest, rough.data() + row,
                {bodies.owner.data() + row, bodies.rho.data() + row, bodies.next_rho.data() + row});
    }
}

/// Index of the given labels' voxel that holds the centre of the view's voxel; beyond the ends the last one.
std::int64_t given_index(const View& view, std::int64_t i, double given_voxel, std::int64_t count) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(view.centre(i) / given_voxel)), 0, count - 1);
}

Bodies given_bodies_in(const Phantom& phantom, const View& view) {
  const auto& given = *phantom.given_bodies;
  Box box;
  std::array<std::vector<std::int64_t>, 3> from;
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::int64_t i = view.box.begin[a]; i < view.box.end[a]; ++i)
      from[a].push_back(given_index(view, i, given.voxel_size_um[a], given.shape[a]));
    box.begin[a] = from[a].front();
    box.end[a] = from[a].back() + 1;
  }
  const auto labels = given.load(box);
  Bodies bodies{std::vector<std::uint32_t>(view.size()), std::vector<float>(view.size(), never), {}};
  std::size_t i = 0;
  for (std::size_t z = 0; z < from[0].size(); ++z)
    for (std::size_t y = 0; y < from[1].size(); ++y)
      for (std::size_t x = 0; x < from[2].size(); ++x, ++i) {
        const std::uint32_t label = labels(static_cast<std::size_t>(from[0][z] - box.begin[0]),
                                           static_cast<std::size_t>(from[1][y] - box.begin[1]),
                                           static_cast<std::size_t>(from[2][x] - box.begin[2]));
        if (label == 0) continue;
        const Particle& particle = phantom.particles[label - 1];
        const Float3 p{
            static_cast<float>(view.centre(view.box.begin[0] + static_cast<std::int64_t>(z)) - particle.centre_um[0]),
            static_cast<float>(view.centre(view.box.begin[1] + static_cast<std::int64_t>(y)) - particle.centre_um[1]),
            static_cast<float>(view.centre(view.box.begin[2] + static_cast<std::int64_t>(x)) - particle.centre_um[2])};
        bodies.owner[i] = label;
        bodies.rho[i] = std::min(1.0F, std::sqrt(norm2(times(particle.to_unit, p))));
      }
  return bodies;
}

/// Calls f(first voxel, particle, row) for rows of voxels that one particle owns, where wanted(label).
template <class Wanted, class F>
void each_row(const Phantom& phantom, const View& view, const Bodies& bodies, Wanted&& wanted, F&& f) {
  const Waviness wavy = waviness_in(phantom, view);
  const auto n = view.box.shape();
  std::array<float, CrackRow::longest> dx;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const auto start = static_cast<std::size_t>((z * n[1] + y) * n[2]);
      const std::uint32_t* owner = bodies.owner.data() + start;
      for (std::int64_t x = 0; x < n[2];) {
        const std::uint32_t label = owner[x];
        std::int64_t end = x + 1;
        while (end < n[2] && owner[end] == label && end - x < CrackRow::longest) ++end;
        if (label != 0 && wanted(label)) {
          const Particle& particle = phantom.particles[label - 1];
          for (std::int64_t i = x; i < end; ++i)
            dx[static_cast<std::size_t>(i - x)] =
                static_cast<float>(view.centre(view.box.begin[2] + i) - particle.centre_um[2]);
          const std::size_t first = start + static_cast<std::size_t>(x);
          f(first, particle,
            CrackRow{static_cast<float>(view.centre(view.box.begin[0] + z) - particle.centre_um[0]),
                     static_cast<float>(view.centre(view.box.begin[1] + y) - particle.centre_um[1]), dx.data(),
                     bodies.rho.data() + first, wavy.coarse.data() + first, wavy.fine.data() + first, end - x});
        }
        x = end;
      }
    }
}

}  // namespace

Box box_of(const Particle& particle, double voxel_um, const Index3& shape) {
  Box box;
  for (std::size_t a = 0; a < 3; ++a) {
    const double reach = static_cast<double>(particle.reach_um) + voxel_um;
    box.begin[a] = static_cast<std::int64_t>(std::floor((particle.centre_um[a] - reach) / voxel_um));
    box.end[a] = static_cast<std::int64_t>(std::ceil((particle.centre_um[a] + reach) / voxel_um)) + 1;
  }
  return intersect(box, whole(shape));
}

Bodies bodies_in(const Phantom& phantom, const View& view) {
  if (phantom.given_bodies) return given_bodies_in(phantom, view);
  Bodies bodies{std::vector<std::uint32_t>(view.size()), std::vector<float>(view.size(), never),
                std::vector<float>(view.size(), never)};
  const auto rough = roughness_in(phantom, view);
  const float roughest = roughness_limit * static_cast<float>(phantom.config.form.roughness_um[0]);
  for (std::size_t i = 0; i < phantom.particles.size(); ++i)
    claim(phantom.particles[i], static_cast<std::uint32_t>(i + 1), view, roughest, rough, bodies);
  return bodies;
}

Waviness waviness_in(const Phantom& phantom, const View& view) {
  const auto field = [&](const char* name, double sigma) {
    std::vector<float> values(view.size());
    LatticeField(stream_key(phantom.seed, {"phantom", "waviness", name}), {sigma, sigma, sigma})
        .fill(view.box, view.voxel_um, values.data());
    const auto sd = static_cast<float>(phantom.config.cracks.wobble_um);
    for (float& v : values) v *= sd;
    return values;
  };
  auto coarse = field("coarse", coarse_sigma_um);
  auto fine = field("fine", fine_sigma_um);
  for (float& v : fine) v *= fine_share;
  return {std::move(coarse), std::move(fine)};
}

CrackField cracks_in(const Phantom& phantom, const View& view, const Bodies& bodies, bool with_coverage) {
  CrackField field{std::vector<std::uint8_t>(view.size()), std::vector<float>(with_coverage ? view.size() : 0)};
  const auto h = static_cast<float>(view.voxel_um);
  const auto cracked = [&](std::uint32_t label) { return phantom.particles[label - 1].opening > 0; };
  each_row(phantom, view, bodies, cracked, [&](std::size_t first, const Particle& particle, const CrackRow& row) {
    cracks_at(particle, row, h, field.hit.data() + first, with_coverage ? field.coverage.data() + first : nullptr);
  });
  for (std::size_t i = 0; i < field.hit.size(); ++i)
    if (bodies.rho[i] > 1) field.hit[i] = 0;
  return field;
}

void each_onset(const Phantom& phantom, const View& view, const Bodies& bodies, std::uint32_t label,
                const std::function<void(const float*, std::int64_t)>& f) {
  std::array<float, CrackRow::longest> onset;
  const auto this_one = [&](std::uint32_t owner) { return owner == label; };
  each_row(phantom, view, bodies, this_one, [&](std::size_t, const Particle& particle, const CrackRow& row) {
    onsets_in(particle, row, onset.data());
    std::int64_t inside = 0;
    for (std::int64_t i = 0; i < row.count; ++i)
      if (row.rho[i] <= 1) onset[static_cast<std::size_t>(inside++)] = onset[static_cast<std::size_t>(i)];
    f(onset.data(), inside);
  });
}

}  // namespace cathoscope::phantom_detail
