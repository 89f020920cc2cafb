#pragma once
/// Shape functions and quadrature on straight tetrahedra and triangles, in barycentric coordinates.

#include <cathoscope/chemomechanics/mesh.hpp>

namespace cathoscope::fem {

using Barycentric = std::array<double, 4>;

/// Corners of the edges, in the order of the nodes 4..9.
inline constexpr std::array<std::array<int, 2>, 6> tet_edges{{{0, 1}, {1, 2}, {0, 2}, {0, 3}, {1, 3}, {2, 3}}};
inline constexpr std::array<std::array<int, 2>, 3> triangle_edges{{{0, 1}, {1, 2}, {2, 0}}};

/// Gradients of the barycentric coordinates, and the volume.
struct TetGeometry {
  std::array<Point, 4> gradient{};
  double volume = 0;
};
TetGeometry geometry_of(const Point& a, const Point& b, const Point& c, const Point& d);
inline TetGeometry geometry_of(const Mesh& mesh, std::size_t tet) {
  const auto& n = mesh.tets[tet];
  const auto at = [&](std::size_t i) { return mesh.nodes[static_cast<std::size_t>(n[i])]; };
  return geometry_of(at(0), at(1), at(2), at(3));
}

/// One point of a rule; weights add to 1.
struct TetPoint {
  Barycentric l{};
  double weight = 0;
};
struct TrianglePoint {
  std::array<double, 3> l{};
  double weight = 0;
};
/// 14 points, exact to degree 5 (Walkington 2000).
const std::array<TetPoint, 14>& tet_rule();
/// Order 2: 6 points, exact to degree 4 (Dunavant 1985, DOI 10.1002/nme.1620210612). Order 1: the three corners.
const std::vector<TrianglePoint>& triangle_rule(int order);

std::array<double, 10> tet_shape(int order, const Barycentric& l);
/// d N_a / d l_i
std::array<std::array<double, 4>, 10> tet_shape_slopes(int order, const Barycentric& l);
std::array<double, 6> triangle_shape(int order, const std::array<double, 3>& l);

/// Integrals over a tetrahedron of unit volume.
struct TetIntegrals {
  /// of dN_a/dl_i dN_b/dl_j, as the few terms that are not zero
  struct Term {
    std::int8_t i, j;
    double value;
  };
  std::array<std::array<std::vector<Term>, 10>, 10> slopes;
  std::array<std::array<double, 10>, 10> mass{};
};
const TetIntegrals& tet_integrals(int order);

}  // namespace cathoscope::fem
