#include "neighbourhood.hpp"
#include "slab.hpp"

#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

namespace cathoscope::attributes {

namespace {

constexpr std::int64_t parts = 256;  ///< of a voxel edge: cube faces lie on this lattice, so that sums are integers

/// Counts of set pixels below and left of each pixel corner.
class SummedPlane {
 public:
  SummedPlane(std::int64_t ny, std::int64_t nx)
      : nx_(nx), ny_(ny), sums_(static_cast<std::size_t>((ny + 1) * (nx + 1)), 0) {}

  template <class Wanted>
  void fill(const Slab& slab, std::int64_t z, const Wanted& wanted) {
    for (std::int64_t y = 0; y < ny_; ++y) {
      const std::uint32_t* below = sums_.data() + y * (nx_ + 1);
      std::uint32_t* out = sums_.data() + (y + 1) * (nx_ + 1);
      std::uint32_t count = 0;
      std::int64_t x = 0;
      for (const Run& run : slab.row(z, y)) {
        const std::uint32_t one = wanted(run.state);
        for (; x < run.end; ++x) {
          count += one;
          out[x + 1] = below[x + 1] + count;
        }
      }
    }
  }

  /// Set area below (y, x), given in parts of a pixel edge; in parts^2 of a pixel.
  [[nodiscard]] std::int64_t below(std::int64_t y, std::int64_t x) const {
    const std::int64_t iy = std::min(y / parts, ny_ - 1), ix = std::min(x / parts, nx_ - 1);
    const std::int64_t fy = y - iy * parts, fx = x - ix * parts;
    const std::uint32_t* low = sums_.data() + iy * (nx_ + 1) + ix;
    const std::uint32_t* high = low + nx_ + 1;
    return (parts - fy) * ((parts - fx) * low[0] + fx * low[1]) + fy * ((parts - fx) * high[0] + fx * high[1]);
  }

 private:
  std::int64_t nx_, ny_;
  std::vector<std::uint32_t> sums_;
};

/// A cube cut to the volume, in parts of a voxel.
struct CubeSpan {
  std::array<std::int64_t, 3> low, high;
  double volume;  ///< of the whole cube, parts^3
};

CubeSpan span_of(const Vec3& centre, double edge_um, const Vec3& h, const Index3& shape) {
  CubeSpan c{};
  c.volume = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    const double half = 0.5 * edge_um / h[i];
    const std::int64_t low = std::llround((centre[i] - half) * parts), high = std::llround((centre[i] + half) * parts);
    c.volume *= static_cast<double>(high - low);
    c.low[i] = std::clamp<std::int64_t>(low, 0, shape[i] * parts);
    c.high[i] = std::clamp<std::int64_t>(high, 0, shape[i] * parts);
  }
  return c;
}

std::int64_t area_in(const SummedPlane& plane, const CubeSpan& c) {
  return plane.below(c.high[1], c.high[2]) - plane.below(c.low[1], c.high[2]) - plane.below(c.high[1], c.low[2]) +
         plane.below(c.low[1], c.low[2]);
}

struct CubeSums {
  std::atomic<std::int64_t> particles{0}, inside{0};
};

/// Adds plane z to every cube that reaches it. Integers: the order of planes does not matter.
void add_plane(const Slab& slab, std::int64_t z, bool masked, const Index3& shape, const std::vector<CubeSpan>& cubes,
               std::vector<CubeSums>& sums) {
  SummedPlane filled(shape[1], shape[2]), seen(masked ? shape[1] : 0, masked ? shape[2] : 0);
  filled.fill(slab, z, [](State s) { return is_particle(s) ? 1U : 0U; });
  if (masked) seen.fill(slab, z, [](State s) { return s != unseen ? 1U : 0U; });
  for (std::size_t i = 0; i < cubes.size(); ++i) {
    const CubeSpan& c = cubes[i];
    const std::int64_t depth = std::min(c.high[0], (z + 1) * parts) - std::max(c.low[0], z * parts);
    if (depth <= 0) continue;
    const std::int64_t inside = masked ? area_in(seen, c) : (c.high[1] - c.low[1]) * (c.high[2] - c.low[2]);
    sums[i].particles.fetch_add(depth * area_in(filled, c), std::memory_order_relaxed);
    sums[i].inside.fetch_add(depth * inside, std::memory_order_relaxed);
  }
}

}  // namespace

double CubeFilling::density() const {
  return inside > 0 ? particles / inside : std::numeric_limits<double>::quiet_NaN();
}

std::vector<std::vector<CubeFilling>> cube_fillings(const AttributeInputs& inputs, const std::vector<Vec3>& centroids,
                                                    const std::vector<double>& edges_um, const Context& context) {
  const Index3& shape = inputs.labels.shape;
  std::vector<CubeSpan> cubes;
  for (const double edge : edges_um)
    for (const Vec3& c : centroids) cubes.push_back(span_of(c, edge, inputs.labels.voxel_size_um, shape));
  std::vector<CubeSums> sums(cubes.size());
  AccumulatorPool pool(0);
  ReadPlan plan;
  plan.moments = plan.grey = false;
  AttributeInputs labels_only = inputs;
  labels_only.cracks.read = nullptr;
  BufferPool buffers;
  Slab slab;
  const Tiling tiling = tiling_for(shape, 10, context);
  context.progress.begin("attributes: packing", static_cast<std::uint64_t>(volume_of(shape)));
  for (const Box& box : slabs(shape, tiling.thickness)) {
    slab = read_slab(labels_only, plan, box.begin[0], box.end[0], tiling, pool, buffers, context, std::move(slab));
    parallel_for(slab.z_end - slab.z_begin, context.threads, [&](std::int64_t i) {
      add_plane(slab, slab.z_begin + i, inputs.field_of_view.has_value(), shape, cubes, sums);
    });
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
  }
  std::vector<std::vector<CubeFilling>> result(edges_um.size());
  for (std::size_t i = 0; i < cubes.size(); ++i)
    result[i / centroids.size()].push_back({static_cast<double>(sums[i].particles) / cubes[i].volume,
                                            static_cast<double>(sums[i].inside) / cubes[i].volume});
  return result;
}

}  // namespace cathoscope::attributes
