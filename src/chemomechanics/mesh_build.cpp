/// From plain tetrahedra to a mesh: an order of nodes that keeps neighbours near, doubled nodes, middles of edges, facets.
#include "tetra.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

struct Bounds {
  Point low, high;
};

Bounds bounds_of(const Tetrahedra& t) {
  Bounds b{t.vertices.front(), t.vertices.front()};
  for (const auto& p : t.vertices) {
    b.low = {std::min(b.low.x, p.x), std::min(b.low.y, p.y), std::min(b.low.z, p.z)};
    b.high = {std::max(b.high.x, p.x), std::max(b.high.y, p.y), std::max(b.high.z, p.z)};
  }
  return b;
}

double positive_volume(const Tetrahedra& t, std::size_t i) {
  const auto& c = t.corners[i];
  const auto p = [&](std::size_t k) { return t.vertices[at(c[k])]; };
  const double v = dot(p(1) - p(0), cross(p(2) - p(0), p(3) - p(0))) / 6;
  const double edge = length(p(1) - p(0)) + length(p(2) - p(0)) + length(p(3) - p(0));
  if (!(v > 1e-9 * edge * edge * edge))
    fail(Exit::data, "mesh: tetrahedron {} is flat or turned inside out (volume {:.3g} m3, edges of {:.3g} m)", i + 1,
         v, edge / 3);
  return v;
}

/// Ranks of the vertices along x, then y, then z, in slabs as thick as an element.
std::vector<std::int32_t> order_of(const Tetrahedra& t, const Bounds& b, double cell) {
  std::vector<std::int32_t> order(t.vertices.size());
  std::iota(order.begin(), order.end(), 0);
  const auto slab = [&](double v, double low) { return std::floor((v - low) / cell + 0.5); };
  std::sort(order.begin(), order.end(), [&](std::int32_t i, std::int32_t j) {
    const Point &p = t.vertices[at(i)], &q = t.vertices[at(j)];
    const double px = slab(p.x, b.low.x), qx = slab(q.x, b.low.x), py = slab(p.y, b.low.y), qy = slab(q.y, b.low.y);
    return px != qx ? px < qx : py != qy ? py < qy : p.z != q.z ? p.z < q.z : i < j;
  });
  return order;
}

/// (vertex, domain) pairs that occur, sorted by the order of vertices: each is a node of the mesh.
struct DoubledNodes {
  std::vector<std::int64_t> start;   // of each vertex (by rank) among the pairs
  std::vector<std::int32_t> domain;  // of each pair
  std::vector<std::int32_t> rank;    // of each vertex
  std::vector<std::int32_t> vertex;  // of each pair

  [[nodiscard]] std::int32_t node(std::int32_t v, std::int32_t d) const {
    for (auto i = start[at(rank[at(v)])];; ++i)
      if (domain[static_cast<std::size_t>(i)] == d) return static_cast<std::int32_t>(i);
  }
  [[nodiscard]] bool shared(std::int32_t v) const { return start[at(rank[at(v)]) + 1] - start[at(rank[at(v)])] > 1; }
};

DoubledNodes doubled(const Tetrahedra& t, const std::vector<std::int32_t>& order) {
  DoubledNodes d;
  d.rank.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) d.rank[at(order[i])] = static_cast<std::int32_t>(i);
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  for (std::size_t i = 0; i < t.corners.size(); ++i)
    for (const auto v : t.corners[i]) pairs.emplace_back(d.rank[at(v)], t.domain[i]);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  d.start.assign(order.size() + 1, 0);
  for (const auto& [r, domain] : pairs) {
    ++d.start[at(r) + 1];
    d.domain.push_back(domain);
    d.vertex.push_back(order[at(r)]);
  }
  std::partial_sum(d.start.begin(), d.start.end(), d.start.begin());
  return d;
}

struct SideOfFace {
  std::array<std::int32_t, 3> key;  // vertices, sorted
  std::int32_t tet;
};

/// Faces of tetrahedra whose three vertices all belong to more than one domain, sorted so that partners are neighbours.
std::vector<SideOfFace> candidate_faces(const Tetrahedra& t, const DoubledNodes& nodes) {
  std::vector<SideOfFace> sides;
  for (std::size_t i = 0; i < t.corners.size(); ++i)
    for (std::size_t skip = 0; skip < 4; ++skip) {
      SideOfFace s{{}, static_cast<std::int32_t>(i)};
      for (std::size_t k = 0, n = 0; k < 4; ++k)
        if (k != skip) s.key[n++] = t.corners[i][k];
      if (!nodes.shared(s.key[0]) || !nodes.shared(s.key[1]) || !nodes.shared(s.key[2])) continue;
      std::sort(s.key.begin(), s.key.end());
      sides.push_back(s);
    }
  std::sort(sides.begin(), sides.end(),
            [](const auto& a, const auto& b) { return a.key != b.key ? a.key < b.key : a.tet < b.tet; });
  return sides;
}

Facet facet_of(const Tetrahedra& t, const DoubledNodes& nodes, std::array<std::int32_t, 3> v,
               std::int32_t particle_tet) {
  const auto p = [&](std::size_t i) { return t.vertices[at(v[i])]; };
  Point inside;
  for (const auto c : t.corners[at(particle_tet)]) inside = inside + 0.25 * t.vertices[at(c)];
  if (dot(cross(p(1) - p(0), p(2) - p(0)), p(0) - inside) < 0) std::swap(v[1], v[2]);
  const Point n = cross(p(1) - p(0), p(2) - p(0));
  Facet f;
  f.particle = t.domain[at(particle_tet)];
  f.area = length(n) / 2;
  f.normal = (1 / length(n)) * n;
  for (std::size_t i = 0; i < 3; ++i) {
    f.inner[i] = nodes.node(v[i], f.particle);
    f.outer[i] = nodes.node(v[i], binder);
  }
  return f;
}

std::vector<Facet> facets_of(const Tetrahedra& t, const DoubledNodes& nodes) {
  const auto sides = candidate_faces(t, nodes);
  std::vector<Facet> facets;
  for (std::size_t i = 0; i < sides.size();) {
    std::size_t end = i + 1;
    while (end < sides.size() && sides[end].key == sides[i].key) ++end;
    if (end - i > 2)
      fail(Exit::data, "mesh: {} tetrahedra share one face (tetrahedron {} is one of them)", end - i, sides[i].tet + 1);
    if (end - i == 2) {
      const auto a = sides[i].tet, b = sides[i + 1].tet;
      const auto da = t.domain[at(a)], db = t.domain[at(b)];
      if (da != db && da != binder && db != binder)
        fail(Exit::data, "mesh: particles {} and {} touch at tetrahedra {} and {}; leave binder between them", da + 1,
             db + 1, a + 1, b + 1);
      if (da != db) facets.push_back(facet_of(t, nodes, sides[i].key, da == binder ? b : a));
    }
    i = end;
  }
  std::sort(facets.begin(), facets.end(), [](const Facet& a, const Facet& b) {
    return a.particle != b.particle ? a.particle < b.particle : a.inner < b.inner;
  });
  return facets;
}

std::uint8_t faces_at(const Point& p, const Mesh& m, const std::vector<Sphere>& shell_end) {
  const double near = 1e-7 * length(m.high - m.low);
  unsigned bits = 0;
  const auto add = [&](double a, double b, unsigned bit) { bits |= std::abs(a - b) < near ? bit : 0U; };
  add(p.x, m.low.x, x_low);
  add(p.x, m.high.x, x_high);
  add(p.y, m.low.y, y_low);
  add(p.y, m.high.y, y_high);
  add(p.z, m.low.z, z_low);
  add(p.z, m.high.z, z_high);
  for (const auto& s : shell_end) add(length(p - s.centre), s.radius, outer);
  return static_cast<std::uint8_t>(bits);
}

using Edge = std::array<std::int32_t, 2>;

Edge edge_between(std::int32_t a, std::int32_t b) { return a < b ? Edge{a, b} : Edge{b, a}; }

void add_middles(Mesh& m) {
  for (const auto& tet : m.tets)
    for (const auto& e : tet_edges) m.edge_of.push_back(edge_between(tet[at(e[0])], tet[at(e[1])]));
  std::sort(m.edge_of.begin(), m.edge_of.end());
  m.edge_of.erase(std::unique(m.edge_of.begin(), m.edge_of.end()), m.edge_of.end());
  m.edge_of.shrink_to_fit();
  for (const auto& [a, b] : m.edge_of) {
    m.nodes.push_back(0.5 * (m.nodes[at(a)] + m.nodes[at(b)]));
    m.domain_of_node.push_back(m.domain_of_node[at(a)]);
    m.faces.push_back(m.faces[at(a)] & m.faces[at(b)]);
  }
  const auto middle = [&](std::int32_t a, std::int32_t b) {
    const auto e = edge_between(a, b);
    return m.corners +
           static_cast<std::int32_t>(std::lower_bound(m.edge_of.begin(), m.edge_of.end(), e) - m.edge_of.begin());
  };
  for (auto& tet : m.tets)
    for (std::size_t e = 0; e < 6; ++e) tet[4 + e] = middle(tet[at(tet_edges[e][0])], tet[at(tet_edges[e][1])]);
  for (auto& f : m.interface)
    for (std::size_t e = 0; e < 3; ++e) {
      f.inner[3 + e] = middle(f.inner[at(triangle_edges[e][0])], f.inner[at(triangle_edges[e][1])]);
      f.outer[3 + e] = middle(f.outer[at(triangle_edges[e][0])], f.outer[at(triangle_edges[e][1])]);
    }
}

}  // namespace

Mesh make_mesh(const Tetrahedra& t, int order, const std::vector<Sphere>& shell_end) {
  if (t.corners.empty()) fail(Exit::data, "mesh: there is no tetrahedron");
  double volume = 0;
  for (std::size_t i = 0; i < t.corners.size(); ++i) volume += positive_volume(t, i);
  const Bounds b = bounds_of(t);
  Mesh m;
  m.order = order;
  m.low = b.low;
  m.high = b.high;
  const auto nodes = doubled(t, order_of(t, b, std::cbrt(6 * volume / static_cast<double>(t.corners.size()))));
  m.corners = static_cast<std::int32_t>(nodes.vertex.size());
  m.domain_of_node = nodes.domain;
  for (const auto v : nodes.vertex) {
    m.nodes.push_back(t.vertices[at(v)]);
    m.faces.push_back(faces_at(m.nodes.back(), m, shell_end));
  }
  m.domain = t.domain;
  m.particles = *std::max_element(t.domain.begin(), t.domain.end()) + 1;
  for (std::size_t i = 0; i < t.corners.size(); ++i) {
    auto& tet = m.tets.emplace_back();
    for (std::size_t k = 0; k < 4; ++k) tet[k] = nodes.node(t.corners[i][k], t.domain[i]);
  }
  m.interface = facets_of(t, nodes);
  if (order == 2) add_middles(m);
  return m;
}

}  // namespace cathoscope::fem
