#include "grey.hpp"
#include "mask.hpp"

#include <cathoscope/segmentation/basins.hpp>
#include <cathoscope/segmentation/components.hpp>
#include <cathoscope/segmentation/distance.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double coarse_voxels = 4.0e6;
constexpr double coarse_pixels = 1.0e6;  // of a plane
constexpr double wanted_across = 24;     // coarse voxels across a particle
constexpr double too_few_across = 16;    // fewer: look again, closer
constexpr double least_across = 5;       // smaller particles are specks
constexpr int attempts = 4;

/// The part of a source that lies in a box.
template <class T>
GridSource<T> part_of(const GridSource<T>& source, const Box& box) {
  GridSource<T> part{box.shape(), source.voxel_size_um, source.origin_um, {}};
  part.read = [read = source.read, low = box.begin](const Box& b, T* out) {
    Box moved = b;
    for (std::size_t a = 0; a < 3; ++a) {
      moved.begin[a] += low[a];
      moved.end[a] += low[a];
    }
    read(moved, out);
  };
  return part;
}

struct Sized {
  double diameter = 0;  ///< of the ball, or disc, of equal size, in voxels
  double weight = 0;    ///< its voxels
};

double weighted_median(std::vector<Sized> sizes) {
  std::sort(sizes.begin(), sizes.end(), [](const Sized& a, const Sized& b) { return a.diameter < b.diameter; });
  double total = 0;
  for (const Sized& s : sizes) total += s.weight;
  double sum = 0;
  for (const Sized& s : sizes)
    if ((sum += s.weight) >= total / 2) return s.diameter;
  return 0;
}

/// Particles of a coarse volume, in voxels: closing over what cracks leave open, holes filled, distance, basin graph.
std::vector<Sized> coarse_particles(const GridSource<float>& coarse, const FieldOfView& inside, const Workspace& w) {
  WatershedConfig chain;
  chain.smooth_um = 0.7;
  const GreyRange range = grey_range(w, coarse, inside);
  if (!(range.high > range.low)) return {};
  ScratchGrid<std::uint8_t> mask = threshold_mask(w, chain, coarse, range, inside);
  const bool plane = w.shape[0] == 1;
  const double closing = 1.5;
  mask = closed_mask(w, mask, closing);
  fill_holes(w, mask, plane ? 60 : std::numeric_limits<std::uint64_t>::max());
  mask = deep_bridges_filled(w, mask, closing);
  const Basins basins = find_basins(w, depth_field(w, mask));
  const auto group = merge_basins(basins.graph, {depth_steps, 0.25});
  std::vector<std::uint64_t> voxels(group.size(), 0);
  for (std::size_t i = 0; i < group.size(); ++i) voxels[group[i]] += basins.graph.basins[i].voxels;
  std::vector<Sized> sizes;
  constexpr double pi = 3.14159265358979323846;
  for (const std::uint64_t n : voxels) {
    const double v = static_cast<double>(n);
    const double diameter = plane ? std::sqrt(4 * v / pi) : std::cbrt(6 * v / pi);
    if (diameter >= least_across) sizes.push_back({diameter, v});
  }
  return sizes;
}

/// The middle of the grid, cut so that it has `most` voxels of `voxel_um`.
Box middle(const WorkingGrid& native, double voxel_um, double most) {
  Box box = whole(native.native_shape);
  for (;;) {
    double n = 1;
    std::size_t longest = 2;
    for (std::size_t a = 0; a < 3; ++a) {
      if (native.native_shape[a] == 1) continue;
      const double length = static_cast<double>(box.shape()[a]) * native.native_um[a];
      n *= length / voxel_um;
      if (length > static_cast<double>(box.shape()[longest]) * native.native_um[longest] &&
          native.native_shape[longest] > 1)
        longest = a;
      if (native.native_shape[longest] == 1) longest = a;
    }
    if (n <= most || box.shape()[longest] < 16) return box;
    const std::int64_t cut = std::max<std::int64_t>(1, box.shape()[longest] / 16);
    box.begin[longest] += cut;
    box.end[longest] -= cut;
  }
}

}  // namespace

std::optional<double> estimated_diameter_um(const GridSource<float>& grey,
                                            const std::optional<GridSource<std::uint8_t>>& field_of_view,
                                            const std::filesystem::path& folder, const Context& context) {
  WorkingGrid native = working_grid_of_voxel(grey.shape, grey.voxel_size_um, {0, 0, 0}, 1);
  const bool plane = grey.shape[0] == 1;
  const double most = plane ? coarse_pixels : coarse_voxels;
  double smallest = std::numeric_limits<double>::max();
  double extent = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    if (grey.shape[a] == 1) continue;
    smallest = std::min(smallest, grey.voxel_size_um[a]);
    extent *= static_cast<double>(grey.shape[a]) * grey.voxel_size_um[a];
  }
  if (extent == 1 && smallest == std::numeric_limits<double>::max()) return std::nullopt;
  double voxel = std::max(smallest, plane ? std::sqrt(extent / most) : std::cbrt(extent / most));
  std::optional<double> found;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const Box box = middle(native, voxel, most);
    const auto part = part_of(grey, box);
    std::optional<GridSource<std::uint8_t>> seen;
    if (field_of_view) seen = part_of(*field_of_view, box);
    const WorkingGrid grid = working_grid_of_voxel(part.shape, part.voxel_size_um, {0, 0, 0}, voxel);
    Grid<float> coarse{resampled(part, seen, grid, context), {1, 1, 1}, {0, 0, 0}};
    Grid<std::uint8_t> mask{array3<std::uint8_t>(grid.shape), {1, 1, 1}, {0, 0, 0}};
    for (std::size_t i = 0; i < mask.values.size(); ++i) {
      mask.values.data()[i] = std::isnan(coarse.values.data()[i]) ? 0 : 1;
      if (mask.values.data()[i] == 0) coarse.values.data()[i] = 0;
    }
    const FieldOfView inside{source_of(std::move(mask)), grid.shape};
    const Workspace w{grid.shape, {1, 1, 1}, block_for(grid.shape, context), folder, &context};
    const auto sizes = coarse_particles(source_of(std::move(coarse)), inside, w);
    const double across = weighted_median(sizes);
    if (across > 0) found = across * voxel;
    const double closer = found ? std::max(smallest, *found / wanted_across) : voxel / 2;
    const bool fine = across >= too_few_across && across < 4 * wanted_across;
    if (fine || closer < smallest || std::abs(closer / voxel - 1) < 0.1) break;
    voxel = std::max(closer, smallest);
  }
  return found;
}

}  // namespace cathoscope
