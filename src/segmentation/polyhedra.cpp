#include "polyhedra.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace cathoscope {

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr std::uint16_t least_peak = static_cast<std::uint16_t>(seed_probability * 1000);

double length(const Vec3& v) { return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

Vec3 voxel_of(std::int64_t i, const Index3& n) {
  return {static_cast<double>(i / (n[1] * n[2])), static_cast<double>(i / n[2] % n[1]), static_cast<double>(i % n[2])};
}

Vec3 unit(const Vec3& v) {
  const double l = length(v);
  return {v[0] / l, v[1] / l, v[2] / l};
}

/// Directions in space of growing rows and columns of a family's images, from its largest plane.
std::array<Vec3, 2> image_axes(const PlaneFamily& family, const Index3& n) {
  const LatticePlane p = lattice_plane(family, n, plane_count(family, n) / 2);
  const LatticeRow& a = p.rows.front();
  const LatticeRow* wide = &a;
  for (const LatticeRow& r : p.rows)
    if (r.count > wide->count) wide = &r;
  const auto between_voxels = [&](std::int64_t i, std::int64_t j) {
    const Vec3 u = voxel_of(i, n), v = voxel_of(j, n);
    return Vec3{v[0] - u[0], v[1] - u[1], v[2] - u[2]};
  };
  Vec3 column{0, 0, 0}, row{0, 0, 0};
  if (wide->count > 1) column = unit(between_voxels(wide->first, wide->first + wide->step));
  if (p.rows.size() > 1) {
    row = between_voxels(a.first, p.rows[1].first);
    const double along = row[0] * column[0] + row[1] * column[1] + row[2] * column[2];
    row = unit({row[0] - along * column[0], row[1] - along * column[1], row[2] - along * column[2]});
  }
  return {row, column};
}

/// One peak a group of basins, most probable first.
std::vector<StarPolyhedron> peaks_of(const Workspace& w, const Array3<float>& probability,
                                     const ScratchGrid<std::uint8_t>& mask) {
  const Basins basins = find_basins(w, seed_field(w, probability, mask));
  const auto group = merge_basins(basins.graph, {seed_height * 1000, 0, least_peak});
  std::vector<std::size_t> best(group.size(), group.size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    std::size_t& b = best[group[i]];
    if (b == group.size() || basins.graph.basins[i].peak > basins.graph.basins[b].peak) b = i;
  }
  std::vector<std::size_t> kept;
  for (std::size_t g = 0; g < group.size(); ++g)
    if (group[g] == g && basins.graph.basins[best[g]].peak >= least_peak) kept.push_back(best[g]);
  std::stable_sort(kept.begin(), kept.end(),
                   [&](auto a, auto b) { return basins.graph.basins[a].peak > basins.graph.basins[b].peak; });
  std::vector<StarPolyhedron> peaks;
  for (const std::size_t b : kept) {
    const std::int64_t i = basins.graph.basins[b].root;
    peaks.push_back({{i / (w.shape[1] * w.shape[2]), i / w.shape[2] % w.shape[1], i % w.shape[2]},
                     static_cast<float>(basins.graph.basins[b].peak) / 1000,
                     {}});
  }
  return peaks;
}

std::int64_t linear(const Index3& v, const Index3& n) { return (v[0] * n[1] + v[1]) * n[2] + v[2]; }

std::int64_t plane_through(const PlaneFamily& family, const Index3& v, const Index3& n) {
  std::int64_t k = 0;
  for (std::size_t a = 0; a < 3; ++a)
    if (family.normal[a] != 0) k += family.normal[a] > 0 ? v[a] : n[a] - 1 - v[a];
  return k;
}

/// Distances along the 32 rays at a voxel of a plane.
std::vector<float> rays_at(const LatticePlane& plane, const StarFields& fields, std::int64_t voxel) {
  RowGather gather(plane, fields.grid, fields.rows, fields.columns);
  const auto cells = static_cast<std::size_t>(fields.rows * fields.columns);
  std::vector<float> values, distances;
  for (const LatticeRow& row : plane.rows) {
    const std::int64_t offset = voxel - row.first;
    const std::int64_t m = offset / row.step;
    if (offset != m * row.step || m < 0 || m >= row.count) continue;
    for (std::size_t k = 0; k < star_rays; ++k) {
      gather(row, fields.distances.data() + k * cells, values);
      distances.push_back(std::max(0.0F, values[static_cast<std::size_t>(m)]));
    }
    return distances;
  }
  return distances;
}

struct Rays {
  std::vector<Vec3> directions;
  std::vector<float> distances;
};

/// Rays of every peak from the planes of one family, added to those it has.
void add_rays(const WorkingVolume& volume, const StarPredictor& predict, const PlaneFamily& family, std::int64_t least,
              const std::vector<StarPolyhedron>& peaks, const Context& context, std::vector<Rays>& rays) {
  const Index3 n = volume.shape();
  std::map<std::int64_t, std::vector<std::size_t>> on_plane;
  for (std::size_t i = 0; i < peaks.size(); ++i) on_plane[plane_through(family, peaks[i].centre, n)].push_back(i);
  const std::vector<std::pair<std::int64_t, std::vector<std::size_t>>> planes(on_plane.begin(), on_plane.end());
  const auto [row, column] = image_axes(family, n);
  std::array<Vec3, star_rays> directions{};
  for (std::size_t k = 0; k < star_rays; ++k) {
    const double angle = 2 * pi * static_cast<double>(k) / star_rays;
    for (std::size_t a = 0; a < 3; ++a) directions[k][a] = std::cos(angle) * column[a] + std::sin(angle) * row[a];
  }
  context.progress.begin("rays of view " + family.name, planes.size());
  parallel_for(static_cast<std::int64_t>(planes.size()), context.threads, [&](std::int64_t i) {
    const auto& [k, members] = planes[static_cast<std::size_t>(i)];
    const LatticePlane plane = lattice_plane(family, n, k);
    if (std::min(plane.image_rows, plane.image_columns) >= least) {
      const StarFields fields = predict(plane_image(volume, plane), true);
      for (const std::size_t peak : members) {
        const auto found = rays_at(plane, fields, linear(peaks[peak].centre, n));
        rays[peak].distances.insert(rays[peak].distances.end(), found.begin(), found.end());
        rays[peak].directions.insert(rays[peak].directions.end(), directions.begin(), directions.end());
      }
    }
    context.progress.advance();
  });
}

Box box_of(const StarPolyhedron& p, const Index3& n) {
  const auto reach = static_cast<std::int64_t>(std::ceil(p.farthest()));
  return grown({p.centre, {p.centre[0] + 1, p.centre[1] + 1, p.centre[2] + 1}}, {reach, reach, reach}, n);
}

/// Voxels of a polyhedron, as a mask over its box.
struct Body {
  Box box;
  std::vector<bool> in;
  std::int64_t voxels = 0;
};

template <class F>
void for_each_voxel(const Box& box, const F& f) {
  std::size_t i = 0;
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
      for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x, ++i) f(i, Index3{z, y, x});
}

Body body_of(const StarPolyhedron& p, const Index3& n) {
  Body body{box_of(p, n), {}, 0};
  body.in.assign(static_cast<std::size_t>(body.box.size()), false);
  for_each_voxel(body.box, [&](std::size_t i, const Index3& v) {
    body.in[i] = contains(p, v);
    body.voxels += body.in[i] ? 1 : 0;
  });
  return body;
}

struct Kept {
  StarPolyhedron polyhedron;
  Box box;
  std::int64_t voxels = 0;
};

bool is_suppressed(const Body& body, const std::vector<Kept>& kept, double most) {
  for (const Kept& k : kept) {
    if (intersect(body.box, k.box).empty()) continue;
    std::int64_t both = 0;
    for_each_voxel(body.box,
                   [&](std::size_t i, const Index3& v) { both += body.in[i] && contains(k.polyhedron, v) ? 1 : 0; });
    if (static_cast<double>(both) > most * static_cast<double>(std::min(body.voxels, k.voxels))) return true;
  }
  return false;
}

/// Paints a body where no earlier one stands.
void paint(const Body& body, std::uint32_t id, const ScratchGrid<std::uint32_t>& ids) {
  Array3<std::uint32_t> values = ids.padded(body.box, 0);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (body.in[i] && values.data()[i] == 0) values.data()[i] = id;
  ids.write(body.box, values.data());
}

Watershed numbered(const Workspace& w, const ScratchGrid<std::uint32_t>& ids, std::size_t count,
                   std::uint64_t least_voxels) {
  std::vector<std::uint64_t> voxels(count + 1, 0);
  std::vector<std::uint32_t> order;
  for (const Box& slab : slabs(w.shape, 64))
    for (const std::uint32_t id : ids.padded(slab, 0))
      if (voxels[id]++ == 0 && id != 0) order.push_back(id);
  Watershed result{ids, std::vector<std::uint32_t>(count + 1, 0), 0};
  for (const std::uint32_t id : order)
    if (voxels[id] >= least_voxels) result.label_of[id] = ++result.count;
  return result;
}

}  // namespace

double StarPolyhedron::farthest() const { return reach.empty() ? 0 : *std::max_element(reach.begin(), reach.end()); }

std::size_t DirectionMap::cell_of(double z, double y, double x) {
  const std::array<double, 3> v{z, y, x};
  std::size_t axis = 0;
  for (std::size_t a = 1; a < 3; ++a)
    if (std::abs(v[a]) > std::abs(v[axis])) axis = a;
  const double scale = 1 / std::abs(v[axis]);
  const auto bin = [&](double t) {
    return std::min<std::size_t>(edge - 1, static_cast<std::size_t>((t * scale + 1) / 2 * edge));
  };
  const std::size_t face = 2 * axis + (v[axis] < 0 ? 1 : 0);
  return (face * edge + bin(v[(axis + 1) % 3])) * edge + bin(v[(axis + 2) % 3]);
}

Vec3 DirectionMap::direction(std::size_t cell) {
  const std::size_t face = cell / (edge * edge);
  const std::size_t axis = face / 2;
  const auto middle = [](std::size_t b) { return (2 * static_cast<double>(b) + 1) / edge - 1; };
  Vec3 v{};
  v[axis] = face % 2 == 0 ? 1 : -1;
  v[(axis + 1) % 3] = middle(cell / edge % edge);
  v[(axis + 2) % 3] = middle(cell % edge);
  return unit(v);
}

std::vector<float> reach_of(const std::vector<Vec3>& rays, const std::vector<float>& distances) {
  std::vector<float> reach(rays.empty() ? 0 : DirectionMap::size, 0.0F);
  for (std::size_t c = 0; c < reach.size(); ++c) {
    const Vec3 d = DirectionMap::direction(c);
    std::array<std::pair<double, std::size_t>, 3> nearest;
    nearest.fill({-2, 0});
    for (std::size_t r = 0; r < rays.size(); ++r) {
      const double cosine = d[0] * rays[r][0] + d[1] * rays[r][1] + d[2] * rays[r][2];
      if (cosine <= nearest[2].first) continue;
      nearest[2] = {cosine, r};
      if (nearest[2].first > nearest[1].first) std::swap(nearest[2], nearest[1]);
      if (nearest[1].first > nearest[0].first) std::swap(nearest[1], nearest[0]);
    }
    double sum = 0;
    double weights = 0;
    for (const auto& [cosine, r] : nearest) {
      if (cosine < -1.5) continue;
      const double weight = 1 / (std::acos(std::clamp(cosine, -1.0, 1.0)) + 0.02);
      sum += weight * double{distances[r]};
      weights += weight;
    }
    reach[c] = static_cast<float>(sum / weights);
  }
  return reach;
}

bool contains(const StarPolyhedron& p, const Index3& voxel) {
  const auto z = static_cast<double>(voxel[0] - p.centre[0]);
  const auto y = static_cast<double>(voxel[1] - p.centre[1]);
  const auto x = static_cast<double>(voxel[2] - p.centre[2]);
  const double squared = z * z + y * y + x * x;
  if (p.reach.empty()) return false;
  if (squared == 0) return true;
  const double reach = double{p.reach[DirectionMap::cell_of(z, y, x)]};
  return squared <= reach * reach;
}

Watershed polyhedra_instances(const Workspace& w, const WorkingVolume& volume, const StarPredictor& predict,
                              const std::string& views, const Array3<float>& probability,
                              const ScratchGrid<std::uint8_t>& mask, double suppression, std::uint64_t least_voxels) {
  auto peaks = peaks_of(w, probability, mask);
  const auto families = plane_families(views);
  std::vector<Rays> rays(peaks.size());
  for (const PlaneFamily& family : families)
    add_rays(volume, predict, family, least_width(w.shape, families.size()), peaks, *w.context, rays);
  parallel_for(static_cast<std::int64_t>(peaks.size()), w.context->threads, [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    peaks[k].reach = reach_of(rays[k].directions, rays[k].distances);
  });
  const ScratchGrid<std::uint32_t> ids(w);
  std::vector<Kept> kept;
  w.context->progress.begin("polyhedra", peaks.size());
  for (StarPolyhedron& peak : peaks) {
    const Body body = body_of(peak, w.shape);
    w.context->progress.advance();
    if (body.voxels == 0 || is_suppressed(body, kept, suppression)) continue;
    kept.push_back({std::move(peak), body.box, body.voxels});
    paint(body, static_cast<std::uint32_t>(kept.size()), ids);
  }
  return numbered(w, ids, kept.size(), least_voxels);
}

}  // namespace cathoscope
