#pragma once
/// Interface elements of zero thickness between particles and binder: tractions of the cohesive law at the quadrature
/// points, which also carry damage and, elsewhere, the kinetics.

#include "block_matrix.hpp"

#include <cathoscope/chemomechanics/laws.hpp>
#include <cathoscope/chemomechanics/mesh.hpp>

namespace cathoscope::fem {

/// Quadrature points of all facets, facet by facet.
std::size_t points_per_facet(const Mesh& mesh);
std::size_t interface_points(const Mesh& mesh);
/// Area that each point stands for, m^2.
Vector point_areas(const Mesh& mesh);
/// Place of each point.
std::vector<Point> point_places(const Mesh& mesh);

/// Rows of the interface nodes, columns of all nodes of the facets around.
BlockMatrix interface_pattern(const Mesh& mesh);

enum class InterfaceStiffness {
  tangent,  ///< consistent with the tractions: softening on loading
  secant,   ///< positive definite always
};

/// Tractions and stiffness at displacement u with committed damage w (of each point).
struct InterfaceResponse {
  Vector force;       ///< that the interface exerts against the displacement, to be added to K u
  double energy = 0;  ///< that could be recovered, J
};
InterfaceResponse interface_response(const Mesh& mesh, const CohesiveLaw& law, const Vector& u, const Vector& damage,
                                     InterfaceStiffness kind, BlockMatrix& matrix);

/// Jump of the displacement across each point: binder minus particle, m.
std::vector<Jump> jumps_of(const Mesh& mesh, const Vector& u);
Jump normal_of(const Facet& facet);
/// Effective opening of each point, m.
Vector openings_of(const Mesh& mesh, const Vector& u);
/// Damage after monotonic opening up to u; never less than `damage`.
Vector static_damage(const CohesiveLaw& law, const Vector& damage, const Vector& openings);
/// Mean over the interface of each particle.
Vector particle_means(const Mesh& mesh, const Vector& point_values);

}  // namespace cathoscope::fem
