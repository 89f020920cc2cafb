#include "tetra.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

/// The six angles between faces, in degrees.
std::array<double, 6> dihedral_angles(const TetGeometry& g) {
  std::array<double, 6> angles{};
  for (std::size_t e = 0; e < 6; ++e) {
    const Point &a = g.gradient[at(tet_edges[e][0])], &b = g.gradient[at(tet_edges[e][1])];
    const double cosine = std::clamp(-dot(a, b) / (length(a) * length(b)), -1.0, 1.0);
    angles[e] = std::acos(cosine) * 180 / std::numbers::pi;
  }
  return angles;
}

void angles_and_volumes(const Mesh& mesh, MeshQuality& q) {
  std::vector<double> smallest;
  double sum = 0, least = 1e300;
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const auto g = geometry_of(mesh, t);
    const auto angles = dihedral_angles(g);
    const auto [low, high] = std::minmax_element(angles.begin(), angles.end());
    smallest.push_back(*low);
    q.max_dihedral_deg = std::max(q.max_dihedral_deg, *high);
    sum += g.volume;
    least = std::min(least, g.volume);
    if (mesh.domain[t] != binder) q.particle_volume[at(mesh.domain[t])] += g.volume;
  }
  q.min_dihedral_deg = *std::min_element(smallest.begin(), smallest.end());
  const auto percentile = smallest.begin() + static_cast<std::ptrdiff_t>(smallest.size() / 100);
  std::nth_element(smallest.begin(), percentile, smallest.end());
  q.percentile1_dihedral_deg = *percentile;
  q.min_volume = least * static_cast<double>(mesh.tets.size()) / sum;
  const Point size = mesh.high - mesh.low;
  const bool shell = std::any_of(mesh.faces.begin(), mesh.faces.end(), [](auto f) { return (f & outer) != 0; });
  q.volume_error = shell ? 0 : std::abs(sum - size.x * size.y * size.z) / (size.x * size.y * size.z);
}

/// Vertices - edges + facets of each particle, and edges that are open though they lie on no common face.
void topology(const Mesh& mesh, MeshQuality& q) {
  std::vector<std::set<std::int32_t>> vertices(at(mesh.particles));
  std::vector<std::map<std::array<std::int32_t, 2>, int>> edges(at(mesh.particles));
  for (const auto& f : mesh.interface) {
    ++q.euler[at(f.particle)];
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int32_t a = f.inner[i], b = f.inner[(i + 1) % 3];
      vertices[at(f.particle)].insert(a);
      ++edges[at(f.particle)][{std::min(a, b), std::max(a, b)}];
    }
  }
  for (std::size_t p = 0; p < vertices.size(); ++p) {
    q.euler[p] += static_cast<int>(vertices[p].size()) - static_cast<int>(edges[p].size());
    for (const auto& [e, count] : edges[p])
      if (count != 2 && !(count == 1 && (mesh.faces[at(e[0])] & mesh.faces[at(e[1])]) != 0)) ++q.facets_open_edges;
  }
}

void areas(const Mesh& mesh, MeshQuality& q) {
  for (const auto& f : mesh.interface) {
    q.particle_area[at(f.particle)] += f.area;
    for (const auto& p : triangle_rule(2)) {
      double y = 0;
      for (std::size_t i = 0; i < 3; ++i) y += p.l[i] * mesh.nodes[at(f.inner[i])].y;
      if (y < 0) q.low_side_share[at(f.particle)] += p.weight * f.area;
    }
  }
  for (std::size_t p = 0; p < q.particle_area.size(); ++p) q.low_side_share[p] /= q.particle_area[p];
}

}  // namespace

MeshQuality mesh_quality(const Mesh& mesh) {
  MeshQuality q;
  const auto n = at(mesh.particles);
  q.particle_volume.assign(n, 0);
  q.particle_area.assign(n, 0);
  q.low_side_share.assign(n, 0);
  q.euler.assign(n, 0);
  angles_and_volumes(mesh, q);
  topology(mesh, q);
  areas(mesh, q);
  return q;
}

}  // namespace cathoscope::fem
