#include "noise.hpp"

#include <cathoscope/core/random.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::phantom_detail {

namespace {

// Mean over positions of the sum of squared cubic B-spline weights: B7(0) = 151/315.
constexpr double spline_power = 151.0 / 315.0;
// Four bytes: mean 4 * 127.5, variance 4 (256^2 - 1) / 12.
constexpr float byte_mean = 510.0F;
const float byte_scale = static_cast<float>(1.0 / std::sqrt(4.0 * (65536.0 - 1.0) / 12.0));

float from_bytes(std::uint32_t word) {
  const std::uint32_t pairs = (word & 0x00FF00FFU) + ((word >> 8) & 0x00FF00FFU);
  return (static_cast<float>(static_cast<std::int32_t>((pairs & 0xFFFFU) + (pairs >> 16))) - byte_mean) * byte_scale;
}

struct Tap {
  std::int64_t first;  ///< first of four nodes
  std::array<float, 4> weight;
};

Tap tap_at(double lattice_position) {
  const double base = std::floor(lattice_position);
  const double t = lattice_position - base, u = 1 - t;
  return {static_cast<std::int64_t>(base) - 1,
          {static_cast<float>(u * u * u / 6), static_cast<float>((3 * t * t * t - 6 * t * t + 4) / 6),
           static_cast<float>((3 * u * u * u - 6 * u * u + 4) / 6), static_cast<float>(t * t * t / 6)}};
}

std::vector<Tap> taps_of(std::int64_t begin, std::int64_t end, double voxel, double spacing) {
  std::vector<Tap> taps;
  taps.reserve(static_cast<std::size_t>(end - begin));
  for (std::int64_t i = begin; i < end; ++i) taps.push_back(tap_at((static_cast<double>(i) + 0.5) * voxel / spacing));
  return taps;
}

/// Node planes [first, last] blended along x and y over the box: planes x ny x nx values.
struct Planes {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::vector<float> values;
};

void node_row(std::uint64_t key, std::int64_t z, std::int64_t y, std::int64_t first_quad, std::vector<float>& row) {
  for (std::size_t q = 0; q * 4 < row.size(); ++q)
    node_quad(key, z, y, first_quad + static_cast<std::int64_t>(q), row.data() + q * 4);
}

void blend_rows(const float* rows, std::int64_t stride, const std::array<float, 4>& w, std::int64_t n, float* out) {
  const float *a = rows, *b = rows + stride, *c = rows + 2 * stride, *d = rows + 3 * stride;
  for (std::int64_t x = 0; x < n; ++x) out[x] = (w[0] * a[x] + w[1] * b[x]) + (w[2] * c[x] + w[3] * d[x]);
}

Planes blended_planes(std::uint64_t key, const Box& box, const Vec3& voxel, const Vec3& spacing, std::int64_t first_z,
                      std::int64_t last_z) {
  const auto n = box.shape();
  const auto ty = taps_of(box.begin[1], box.end[1], voxel[1], spacing[1]);
  const auto tx = taps_of(box.begin[2], box.end[2], voxel[2], spacing[2]);
  const std::int64_t first_y = ty.front().first, rows = ty.back().first + 4 - first_y;
  const std::int64_t first_quad = tx.front().first >> 2;
  const std::int64_t quads = ((tx.back().first + 3) >> 2) - first_quad + 1;
  Planes planes{first_z, last_z - first_z + 1, {}};
  planes.values.resize(static_cast<std::size_t>(planes.count * n[1] * n[2]));
  std::vector<float> nodes(static_cast<std::size_t>(quads * 4));
  std::vector<float> along_x(static_cast<std::size_t>(rows * n[2]));
  for (std::int64_t z = 0; z < planes.count; ++z) {
    for (std::int64_t y = 0; y < rows; ++y) {
      node_row(key, first_z + z, first_y + y, first_quad, nodes);
      float* out = along_x.data() + y * n[2];
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const Tap& t = tx[static_cast<std::size_t>(x)];
        const float* v = nodes.data() + (t.first - 4 * first_quad);
        out[x] = (t.weight[0] * v[0] + t.weight[1] * v[1]) + (t.weight[2] * v[2] + t.weight[3] * v[3]);
      }
    }
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const Tap& t = ty[static_cast<std::size_t>(y)];
      blend_rows(along_x.data() + (t.first - first_y) * n[2], n[2], t.weight, n[2],
                 planes.values.data() + (z * n[1] + y) * n[2]);
    }
  }
  return planes;
}

Vec3 spacing_at(const Vec3& spacing, double voxel) {
  Vec3 s = spacing;
  for (double& a : s) a = std::max(a, 0.7 * voxel);
  return s;
}

/// Depth to which the sheared lattice has risen at x.
double rise(double x, const std::array<double, 2>& angles, double width) {
  const double a = std::tan(angles[0]), b = std::tan(angles[1]);
  return a * x + (b - a) * x * x / (2 * width);
}

const float unit_variance = static_cast<float>(1.0 / std::sqrt(spline_power * spline_power * spline_power));

}  // namespace

void node_quad(std::uint64_t key, std::int64_t z, std::int64_t y, std::int64_t quad, float* out) {
  const auto words = philox4x32(
      {static_cast<std::uint32_t>(quad), static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(z), 0x9A17U},
      {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
  for (std::size_t i = 0; i < 4; ++i) out[i] = from_bytes(words[i]);
}

LatticeField::LatticeField(std::uint64_t key, const Vec3& sigma_um) : key_(key), spacing_um_(sigma_um) {
  for (double& s : spacing_um_) s *= std::sqrt(3.0);
}

void LatticeField::fill(const Box& box, double voxel_um, float* out) const {
  if (box.empty()) return;
  const auto n = box.shape();
  const Vec3 voxel{voxel_um, voxel_um, voxel_um}, spacing = spacing_at(spacing_um_, voxel_um);
  auto tz = taps_of(box.begin[0], box.end[0], voxel_um, spacing[0]);
  const Planes planes = blended_planes(key_, box, voxel, spacing, tz.front().first, tz.back().first + 3);
  const std::int64_t plane = n[1] * n[2];
  for (std::int64_t z = 0; z < n[0]; ++z) {
    Tap& t = tz[static_cast<std::size_t>(z)];
    for (float& w : t.weight) w *= unit_variance;
    blend_rows(planes.values.data() + (t.first - planes.first) * plane, plane, t.weight, plane, out + z * plane);
  }
}

void LatticeField::fill_sheared(const Box& box, double voxel_um, const std::array<double, 2>& angles, double width_um,
                                float* out) const {
  if (box.empty()) return;
  const auto n = box.shape();
  const Vec3 voxel{voxel_um, voxel_um, voxel_um}, spacing = spacing_at(spacing_um_, voxel_um);
  std::vector<double> risen;
  for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x)
    risen.push_back(rise((static_cast<double>(x) + 0.5) * voxel_um, angles, width_um));
  const auto [least, most] = std::minmax_element(risen.begin(), risen.end());
  const double low = ((static_cast<double>(box.begin[0]) + 0.5) * voxel_um - *most) / spacing[0];
  const double high = ((static_cast<double>(box.end[0]) - 0.5) * voxel_um - *least) / spacing[0];
  const Planes planes = blended_planes(key_, box, voxel, spacing, static_cast<std::int64_t>(std::floor(low)) - 1,
                                       static_cast<std::int64_t>(std::floor(high)) + 2);
  const std::int64_t plane = n[1] * n[2];
  std::vector<Tap> taps(static_cast<std::size_t>(n[2]));
  for (std::int64_t z = 0; z < n[0]; ++z) {
    const double depth = (static_cast<double>(box.begin[0] + z) + 0.5) * voxel_um;
    for (std::size_t x = 0; x < taps.size(); ++x) taps[x] = tap_at((depth - risen[x]) / spacing[0]);
    for (std::int64_t y = 0; y < n[1]; ++y) {
      float* row = out + (z * n[1] + y) * n[2];
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const Tap& t = taps[static_cast<std::size_t>(x)];
        const float* v = planes.values.data() + (t.first - planes.first) * plane + y * n[2] + x;
        row[x] = unit_variance * ((t.weight[0] * v[0] + t.weight[1] * v[plane]) +
                                  (t.weight[2] * v[2 * plane] + t.weight[3] * v[3 * plane]));
      }
    }
  }
}

double LatticeField::at(const Vec3& position_um) const {
  std::array<Tap, 3> tap;
  for (std::size_t a = 0; a < 3; ++a) tap[a] = tap_at(position_um[a] / spacing_um_[a]);
  double sum = 0;
  std::array<float, 4> quad{};
  for (std::size_t z = 0; z < 4; ++z)
    for (std::size_t y = 0; y < 4; ++y)
      for (std::size_t x = 0; x < 4; ++x) {
        const std::int64_t nx = tap[2].first + static_cast<std::int64_t>(x);
        if (x == 0 || (nx & 3) == 0)
          node_quad(key_, tap[0].first + static_cast<std::int64_t>(z), tap[1].first + static_cast<std::int64_t>(y),
                    nx >> 2, quad.data());
        sum += static_cast<double>(tap[0].weight[z] * tap[1].weight[y] * tap[2].weight[x] *
                                   quad[static_cast<std::size_t>(nx & 3)]);
      }
  return sum * static_cast<double>(unit_variance);
}

void add_white(std::uint64_t key, const Box& box, double sd, float* out) {
  const auto n = box.shape();
  const auto factor = static_cast<float>(sd);
  const std::int64_t first_quad = box.begin[2] >> 2, last_quad = (box.end[2] - 1) >> 2;
  std::array<float, 4> quad{};
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      float* row = out + (z * n[1] + y) * n[2];
      for (std::int64_t q = first_quad; q <= last_quad; ++q) {
        node_quad(key, box.begin[0] + z, box.begin[1] + y, q, quad.data());
        const std::int64_t low = std::max(q * 4, box.begin[2]), high = std::min(q * 4 + 4, box.end[2]);
        for (std::int64_t x = low; x < high; ++x)
          row[x - box.begin[2]] += factor * quad[static_cast<std::size_t>(x & 3)];
      }
    }
}

}  // namespace cathoscope::phantom_detail
