#include "interface.hpp"

#include "tetra.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Nodes of a facet on both sides; signs say which side they count for in the jump.
struct BothSides {
  std::array<std::int32_t, 12> node{};
  std::size_t half = 0;
  BothSides(const Mesh& mesh, const Facet& f) : half(at(mesh.nodes_per_facet())) {
    for (std::size_t a = 0; a < half; ++a) {
      node[a] = f.outer[a];
      node[half + a] = f.inner[a];
    }
  }
  [[nodiscard]] double sign(std::size_t a) const { return a < half ? 1 : -1; }
};

/// Shape functions at the points of the rule.
const std::vector<std::array<double, 6>>& shapes_at_points(int order) {
  static const auto tabulate = [](int o) {
    std::vector<std::array<double, 6>> shapes;
    for (const auto& p : triangle_rule(o)) shapes.push_back(triangle_shape(o, p.l));
    return shapes;
  };
  static const auto linear = tabulate(1), quadratic = tabulate(2);
  return order == 2 ? quadratic : linear;
}

Jump jump_at(const Mesh& mesh, const Facet& f, const std::array<double, 6>& shape, const Vector& u) {
  Jump jump{};
  for (std::size_t a = 0; a < at(mesh.nodes_per_facet()); ++a)
    for (std::size_t i = 0; i < 3; ++i) jump[i] += shape[a] * (u[3 * at(f.outer[a]) + i] - u[3 * at(f.inner[a]) + i]);
  return jump;
}

/// The law as it would be without further damage: stiffness of unloading, and of contact where closed.
CohesiveTraction unloading_at(const CohesiveLaw& law, const Jump& jump, const Jump& normal, double w) {
  const double now = law.static_growth(w, CohesiveLaw::opening(jump, normal));
  auto t = law.traction(jump, normal, w);
  const double k = std::max(law.secant(now), 1e-6 * law.stiffness);
  const bool closed = jump[0] * normal[0] + jump[1] * normal[1] + jump[2] * normal[2] < 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      const double nn = normal[i] * normal[j];
      t.tangent[i][j] = k * ((i == j ? 1 : 0) - (closed ? nn : 0)) + (closed ? law.stiffness * nn : 0);
    }
  return t;
}

/// Energy that closing again would give back, J/m^2.
double recoverable(const CohesiveTraction& t, const Jump& jump) {
  return 0.5 * (t.traction[0] * jump[0] + t.traction[1] * jump[1] + t.traction[2] * jump[2]);
}

using FacetBlocks = std::array<std::array<Block, 6>, 6>;

void add_blocks(const std::array<double, 6>& shape, double weight, const Tangent& tangent, std::size_t half,
                FacetBlocks& blocks) {
  for (std::size_t a = 0; a < half; ++a)
    for (std::size_t b = 0; b < half; ++b) {
      const double s = weight * shape[a] * shape[b];
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) blocks[a][b][3 * i + j] += s * tangent[i][j];
    }
}

}  // namespace

std::size_t points_per_facet(const Mesh& mesh) { return triangle_rule(mesh.order).size(); }
std::size_t interface_points(const Mesh& mesh) { return mesh.interface.size() * points_per_facet(mesh); }

Vector point_areas(const Mesh& mesh) {
  Vector areas;
  for (const auto& f : mesh.interface)
    for (const auto& p : triangle_rule(mesh.order)) areas.push_back(p.weight * f.area);
  return areas;
}

std::vector<Point> point_places(const Mesh& mesh) {
  std::vector<Point> places;
  for (const auto& f : mesh.interface)
    for (const auto& p : triangle_rule(mesh.order)) {
      Point place;
      for (std::size_t i = 0; i < 3; ++i) place = place + p.l[i] * mesh.nodes[at(f.inner[i])];
      places.push_back(place);
    }
  return places;
}

BlockMatrix interface_pattern(const Mesh& mesh) {
  std::map<std::int32_t, std::vector<std::int32_t>> near;
  for (const auto& f : mesh.interface) {
    const BothSides sides(mesh, f);
    for (std::size_t a = 0; a < 2 * sides.half; ++a)
      near[sides.node[a]].insert(near[sides.node[a]].end(), sides.node.begin(),
                                 sides.node.begin() + static_cast<std::ptrdiff_t>(2 * sides.half));
  }
  BlockMatrix m;
  for (auto& [node, columns] : near) {
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    m.row_node.push_back(node);
    m.column.insert(m.column.end(), columns.begin(), columns.end());
    m.start.push_back(static_cast<std::int64_t>(m.column.size()));
  }
  m.value.resize(m.column.size());
  return m;
}

InterfaceResponse interface_response(const Mesh& mesh, const CohesiveLaw& law, const Vector& u, const Vector& damage,
                                     InterfaceStiffness kind, BlockMatrix& matrix) {
  InterfaceResponse response;
  response.force.assign(u.size(), 0.0);
  std::fill(matrix.value.begin(), matrix.value.end(), Block{});
  const auto row_of = [&](std::int32_t node) {
    return std::lower_bound(matrix.row_node.begin(), matrix.row_node.end(), node) - matrix.row_node.begin();
  };
  const auto& rule = triangle_rule(mesh.order);
  const auto& shapes = shapes_at_points(mesh.order);
  std::size_t point = 0;
  for (const auto& f : mesh.interface) {
    const BothSides sides(mesh, f);
    const Jump normal = normal_of(f);
    FacetBlocks blocks{};
    std::array<Jump, 6> force{};
    for (std::size_t q = 0; q < rule.size(); ++q, ++point) {
      const Jump jump = jump_at(mesh, f, shapes[q], u);
      const auto t = kind == InterfaceStiffness::tangent ? law.traction(jump, normal, damage[point])
                                                         : unloading_at(law, jump, normal, damage[point]);
      const double weight = rule[q].weight * f.area;
      response.energy += weight * recoverable(t, jump);
      add_blocks(shapes[q], weight, t.tangent, sides.half, blocks);
      for (std::size_t a = 0; a < sides.half; ++a)
        for (std::size_t i = 0; i < 3; ++i) force[a][i] += weight * shapes[q][a] * t.traction[i];
    }
    for (std::size_t a = 0; a < 2 * sides.half; ++a) {
      const auto row = row_of(sides.node[a]);
      for (std::size_t i = 0; i < 3; ++i)
        response.force[3 * at(sides.node[a]) + i] += sides.sign(a) * force[a % sides.half][i];
      for (std::size_t b = 0; b < 2 * sides.half; ++b) {
        auto& out = matrix.at(row, sides.node[b]);
        const auto& in = blocks[a % sides.half][b % sides.half];
        for (std::size_t k = 0; k < 9; ++k) out[k] += sides.sign(a) * sides.sign(b) * in[k];
      }
    }
  }
  return response;
}

Jump normal_of(const Facet& facet) { return {facet.normal.x, facet.normal.y, facet.normal.z}; }

std::vector<Jump> jumps_of(const Mesh& mesh, const Vector& u) {
  std::vector<Jump> jumps;
  for (const auto& f : mesh.interface)
    for (const auto& shape : shapes_at_points(mesh.order)) jumps.push_back(jump_at(mesh, f, shape, u));
  return jumps;
}

Vector openings_of(const Mesh& mesh, const Vector& u) {
  const auto jumps = jumps_of(mesh, u);
  const std::size_t n = points_per_facet(mesh);
  Vector openings(jumps.size());
  for (std::size_t i = 0; i < jumps.size(); ++i)
    openings[i] = CohesiveLaw::opening(jumps[i], normal_of(mesh.interface[i / n]));
  return openings;
}

Vector static_damage(const CohesiveLaw& law, const Vector& damage, const Vector& openings) {
  Vector w(damage.size());
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = law.static_growth(damage[i], openings[i]);
  return w;
}

Vector particle_means(const Mesh& mesh, const Vector& point_values) {
  Vector sum(at(mesh.particles), 0.0), area(at(mesh.particles), 0.0);
  const auto areas = point_areas(mesh);
  const std::size_t n = points_per_facet(mesh);
  for (std::size_t i = 0; i < areas.size(); ++i) {
    const auto p = at(mesh.interface[i / n].particle);
    sum[p] += areas[i] * point_values[i];
    area[p] += areas[i];
  }
  for (std::size_t p = 0; p < sum.size(); ++p) sum[p] /= area[p];
  return sum;
}

}  // namespace cathoscope::fem
