#include "reduced.hpp"

#include "encode.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

namespace cathoscope::report {

namespace {

/// A browser turns surfaces of twice as many triangles without effort.
constexpr std::int64_t most_faces = 600'000;

/// Chunks of a project's HDF5 file are 64 voxels an axis.
constexpr Index3 block_shape{64, 512, 512};

/// The voxel of the fine grid at the centre of voxel i of the coarse one.
std::int64_t centre(std::int64_t i, std::int64_t coarse, std::int64_t fine) {
  return (2 * i + 1) * fine / (2 * coarse);
}

template <class T>
Grid<T> empty_grid(const Index3& fine, const Vec3& voxel_size_um, const Vec3& origin_um, const Index3& shape) {
  Grid<T> grid{array3<T>(shape), {}, origin_um};
  for (std::size_t a = 0; a < 3; ++a)
    grid.voxel_size_um[a] = voxel_size_um[a] * static_cast<double>(fine[a]) / static_cast<double>(shape[a]);
  return grid;
}

/// First coarse index whose centre is at or after `fine_index`.
std::int64_t first_at(std::int64_t fine_index, std::int64_t coarse, std::int64_t fine) {
  std::int64_t i = std::max<std::int64_t>(0, fine_index * coarse / fine - 1);
  while (i < coarse && centre(i, coarse, fine) < fine_index) ++i;
  return i;
}

/// The coarse voxels whose centres lie in a box of the fine grid.
Box centres_in(const Box& box, const Index3& coarse, const Index3& fine) {
  Box r;
  for (std::size_t a = 0; a < 3; ++a) {
    r.begin[a] = first_at(box.begin[a], coarse[a], fine[a]);
    r.end[a] = first_at(box.end[a], coarse[a], fine[a]);
  }
  return r;
}

Grid<std::uint32_t> resampled(const Grid<std::uint32_t>& labels, const Index3& shape) {
  const Index3 fine = labels.shape();
  auto out = empty_grid<std::uint32_t>(fine, labels.voxel_size_um, labels.origin_um, shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x)
        out.values(z, y, x) =
            labels.values(centre(z, shape[0], fine[0]), centre(y, shape[1], fine[1]), centre(x, shape[2], fine[2]));
  return out;
}

/// Adds the means of a block to sums; coarse voxels are told by the tables of an axis.
struct Averager {
  Index3 fine, coarse;
  std::vector<double> sums, counts;

  Averager(const Index3& f, const Index3& c)
      : fine(f), coarse(c), sums(static_cast<std::size_t>(volume_of(c))), counts(sums.size()) {}

  void add(const Box& box, const float* values) {
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y) {
        const std::int64_t row = (z * coarse[0] / fine[0] * coarse[1] + y * coarse[1] / fine[1]) * coarse[2];
        for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x, ++values) {
          const auto at = static_cast<std::size_t>(row + x * coarse[2] / fine[2]);
          sums[at] += static_cast<double>(*values);
          counts[at] += 1;
        }
      }
  }
};

void average_into(Grid<float>& out, const Averager& a) {
  for (std::size_t i = 0; i < a.sums.size(); ++i) out.values.data()[i] = static_cast<float>(a.sums[i] / a.counts[i]);
}

Grid<float> averaged_again(const Grid<float>& grey, const Index3& shape) {
  auto out = empty_grid<float>(grey.shape(), grey.voxel_size_um, grey.origin_um, shape);
  Averager a(grey.shape(), shape);
  a.add(whole(grey.shape()), grey.values.data());
  average_into(out, a);
  return out;
}

std::string label_bytes(const Grid<std::uint32_t>& labels) {
  const Index3 n = labels.shape();
  const std::uint32_t* v = labels.values.data();
  const auto count = static_cast<std::size_t>(volume_of(n));
  std::string bytes(2 * count, '\0');
  for (std::size_t i = 0; i < count; ++i) {
    const bool first = static_cast<std::int64_t>(i) / n[2] % n[1] == 0;
    const std::uint32_t code = v[i] ^ (first ? 0u : v[i - static_cast<std::size_t>(n[2])]);
    bytes[i] = static_cast<char>(code & 255);
    bytes[count + i] = static_cast<char>(code >> 8 & 255);
  }
  return bytes;
}

std::string grey_bytes(const Grid<float>& grey, double low, double high) {
  constexpr double steps = 63;
  const auto count = static_cast<std::size_t>(volume_of(grey.shape()));
  const auto width = static_cast<std::size_t>(grey.shape()[2]);
  std::string bytes(count, '\0');
  int before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % width == 0) before = 0;
    const double share = (static_cast<double>(grey.values.data()[i]) - low) / std::max(high - low, 1e-30);
    const int code = std::isfinite(share) ? static_cast<int>(std::lround(steps * std::clamp(share, 0.0, 1.0))) : 0;
    bytes[i] = static_cast<char>(code - before);
    before = code;
  }
  return bytes;
}

/// Encodes at the grid's own size, then at ever coarser ones until the text is short enough.
template <class T, class Encode, class Coarser>
PackedGrid fitted(Grid<T> grid, std::size_t bytes, const Encode& encode, const Coarser& coarser) {
  const Grid<T> full = grid;
  for (;;) {
    PackedGrid packed{grid.shape(), grid.voxel_size_um, grid.origin_um, base64(deflated(encode(grid)))};
    const double voxels = static_cast<double>(volume_of(grid.shape()));
    if (packed.base64.size() <= bytes || voxels <= 8) return packed;
    const double share = static_cast<double>(bytes) / static_cast<double>(packed.base64.size());
    grid = coarser(full, reduced_shape(full.shape(), full.voxel_size_um, voxels * std::min(0.9, share)));
  }
}

/// Faces between neighbouring voxels of different labels, one for each label of the two that is a particle.
std::int64_t faces(const Grid<std::uint32_t>& labels) {
  const Index3 n = labels.shape();
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  const std::uint32_t* v = labels.values.data();
  std::int64_t count = 0;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const Index3 at{z, y, x};
        const std::int64_t i = z * stride[0] + y * stride[1] + x;
        for (std::size_t a = 0; a < 3; ++a) {
          if (at[a] + 1 == n[a]) continue;
          const std::uint32_t here = v[i], next = v[i + stride[a]];
          if (here != next) count += (here != 0 ? 1 : 0) + (next != 0 ? 1 : 0);
        }
      }
  return count;
}

}  // namespace

Index3 reduced_shape(const Index3& shape, const Vec3& voxel_size_um, double voxels) {
  Vec3 length{};
  for (std::size_t a = 0; a < 3; ++a) length[a] = static_cast<double>(shape[a]) * voxel_size_um[a];
  double spacing = std::cbrt(length[0] * length[1] * length[2] / std::max(1.0, voxels));
  for (;; spacing *= 1.01) {  // a flat grid keeps its planes and must give way elsewhere
    Index3 r{};
    for (std::size_t a = 0; a < 3; ++a)
      r[a] = std::clamp<std::int64_t>(std::lround(length[a] / spacing), 1, std::min<std::int64_t>(shape[a], 1024));
    if (static_cast<double>(volume_of(r)) <= std::max(1.0, voxels)) return r;
  }
}

Grid<std::uint32_t> sampled(const GridSource<std::uint32_t>& labels, const Index3& shape, const Context& context) {
  auto out = empty_grid<std::uint32_t>(labels.shape, labels.voxel_size_um, labels.origin_um, shape);
  context.progress.begin("labels for the report", static_cast<std::uint64_t>(volume_of(labels.shape)));
  for (const Box& box : blocks(labels.shape, block_shape)) {
    const Box targets = centres_in(box, shape, labels.shape);
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
    if (targets.empty()) continue;
    const auto values = labels.load(box);
    for (std::int64_t z = targets.begin[0]; z < targets.end[0]; ++z)
      for (std::int64_t y = targets.begin[1]; y < targets.end[1]; ++y)
        for (std::int64_t x = targets.begin[2]; x < targets.end[2]; ++x)
          out.values(z, y, x) = values(centre(z, shape[0], labels.shape[0]) - box.begin[0],
                                       centre(y, shape[1], labels.shape[1]) - box.begin[1],
                                       centre(x, shape[2], labels.shape[2]) - box.begin[2]);
  }
  return out;
}

Grid<float> averaged(const GridSource<float>& grey, const Index3& shape, const Context& context) {
  auto out = empty_grid<float>(grey.shape, grey.voxel_size_um, grey.origin_um, shape);
  Averager averager(grey.shape, shape);
  context.progress.begin("grey values for the report", static_cast<std::uint64_t>(volume_of(grey.shape)));
  for (const Box& box : blocks(grey.shape, block_shape)) {
    averager.add(box, grey.load(box).data());
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
  }
  average_into(out, averager);
  return out;
}

PackedGrid packed_labels(Grid<std::uint32_t> labels, std::size_t bytes) {
  const Grid<std::uint32_t> full = labels;
  while (faces(labels) > most_faces)
    labels = resampled(
        full, reduced_shape(full.shape(), full.voxel_size_um, 0.9 * static_cast<double>(volume_of(labels.shape()))));
  return fitted(std::move(labels), bytes, label_bytes, resampled);
}

PackedGrid packed_grey(Grid<float> grey, double low, double high, std::size_t bytes) {
  PackedGrid packed = fitted(
      std::move(grey), bytes, [&](const Grid<float>& g) { return grey_bytes(g, low, high); }, averaged_again);
  packed.low = low;
  packed.high = high;
  return packed;
}

}  // namespace cathoscope::report
