#pragma once
/// Small-strain isotropic elasticity on a mesh: stiffness, loads, stresses, and the boundary conditions of the box.

#include "block_matrix.hpp"
#include "tetra.hpp"

#include <cathoscope/chemomechanics/mesh.hpp>

#include <functional>
#include <string>

namespace cathoscope::fem {

/// Lame's constants, Pa.
struct Lame {
  double lambda = 0, mu = 0;
  [[nodiscard]] double bulk() const { return lambda + 2 * mu / 3; }
};
Lame lame_of(double modulus, double nu);
/// Of each tetrahedron: particle or binder.
std::vector<Lame> materials_of(const Mesh& mesh, const Lame& particle, const Lame& binder_material);

/// Nodes to (tetrahedron, local node): items are 10 * tetrahedron + node.
struct Incidence {
  std::vector<std::int64_t> start;
  std::vector<std::int64_t> item;
};
Incidence incidence_of(const Mesh& mesh);

/// Zero matrix with a row for every node and a column for every node that shares a tetrahedron; counted, then filled.
BlockMatrix bulk_pattern(const Mesh& mesh, const Incidence& incidence, int threads);
/// Overwrites the values: (lambda div u div v + 2 mu eps(u) : eps(v)). Every block is computed once, by its row.
void assemble_stiffness(const Mesh& mesh, const Incidence& incidence, const std::vector<Lame>& lame, int threads,
                        BlockMatrix& matrix);

/// Linear eigenstrain at a place of a tetrahedron.
using Eigenstrain = std::function<double(std::size_t tet, const Barycentric& l)>;
/// Force of an isotropic eigenstrain: integral of 3 K e div v.
Vector eigenstrain_force(const Mesh& mesh, const Incidence& incidence, const std::vector<Lame>& lame,
                         const Eigenstrain& eigenstrain, int threads);
/// Integral of f v.
Vector body_force(const Mesh& mesh, const std::function<Point(const Point&)>& f);
/// Force of a pressure (positive pushes inwards) on the plane face y_high.
Vector pressure_force(const Mesh& mesh, double pressure);

/// Stress xx, yy, zz, yz, xz, xy at a place of a tetrahedron, Pa.
std::array<double, 6> stress_at(const Mesh& mesh, const std::vector<Lame>& lame, const Vector& u, std::size_t tet,
                                const Barycentric& l, double eigenstrain);
/// Integral of stress : elastic strain / 2.
double elastic_energy(const Mesh& mesh, const std::vector<Lame>& lame, const Vector& u, const Eigenstrain& eigenstrain);

/// Prescribed components under the named condition of the box (`collector_rollers`, `all_rollers`, `clamped_collector`,
/// `free`); z low is always the mirror plane. `free` holds six degrees at three nodes of the collector, without force.
FixedBits box_conditions(const Mesh& mesh, const std::string& mechanical);
/// Rollers on the named faces.
FixedBits rollers(const Mesh& mesh, unsigned faces);

}  // namespace cathoscope::fem
