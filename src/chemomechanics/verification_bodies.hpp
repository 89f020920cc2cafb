#pragma once
/// Bodies that several verification problems use.

#include "mechanics.hpp"

#include <cathoscope/chemomechanics/element_verification.hpp>

namespace cathoscope::fem {

inline constexpr double sphere_radius = 5e-6;
inline constexpr double particle_modulus = 140e9, binder_modulus = 2e9, poisson = 0.3;

/// An eighth of a sphere of `sphere_radius` in a cube of `box` radii, centre at the origin.
SphereMeshSpec octant_spec(double h_over_R, double box, int order);
/// The same without an interface: one material.
Mesh octant_of_one_piece(double h_over_R, int order);
/// A column along x of `length` and the given width, cut in the middle by a plane interface (particle below).
Mesh jointed_column(double length, double width, int cells_along, int cells_across, int order);

/// Sphere with linear misfit -e (it shrinks) in an infinite matrix, with an interface of stiffness `K0` (infinite: 0).
struct MisfitSphere {
  double e = 0, traction = 0;
  [[nodiscard]] Point displacement(const Point& p, bool inside) const;
};
MisfitSphere bonded_misfit(double e, double K0);

/// u at the nodes of a face bit set, zero elsewhere; `place` gives the displacement of a node.
void prescribe(const Mesh& mesh, unsigned faces, const std::function<Point(const Point&)>& place, FixedBits& fixed,
               Vector& u);

struct RelativeErrors {
  double displacement = 0;  ///< L2
  double energy = 0;        ///< energy norm
};
/// Against an exact displacement and its gradient-free stress: by quadrature over all tetrahedra.
RelativeErrors errors_against(const Mesh& mesh, const std::vector<Lame>& lame, const Vector& u,
                              const Eigenstrain& eigenstrain,
                              const std::function<Point(std::size_t, const Point&)>& exact_displacement,
                              const std::function<std::array<double, 6>(std::size_t, const Point&)>& exact_stress);
Point place_of(const Mesh& mesh, std::size_t tet, const Barycentric& l);

}  // namespace cathoscope::fem
