#pragma once
/// Conforming tetrahedral meshes of spheres in a box: particles, the binder around them, and the interface between, with
/// its nodes doubled. Lengths in metres.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cathoscope::fem {

struct Point {
  double x = 0, y = 0, z = 0;
  friend Point operator+(const Point& a, const Point& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Point operator-(const Point& a, const Point& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Point operator*(double s, const Point& a) { return {s * a.x, s * a.y, s * a.z}; }
};
double dot(const Point& a, const Point& b);
double length(const Point& a);
Point cross(const Point& a, const Point& b);

struct Sphere {
  Point centre;
  double radius = 0;
};

/// Faces of the outer box as bits of Mesh::faces; `outer` is the sphere that a shell ends at.
enum Face : std::uint8_t { x_low = 1, x_high = 2, y_low = 4, y_high = 8, z_low = 16, z_high = 32, outer = 64 };

/// Spheres in a box. A sphere lies whole inside the box or has its centre on faces, which then are mirror planes.
struct SphereMeshSpec {
  std::vector<Sphere> spheres;
  Point low, high;
  double h = 0;                     ///< edge of a lattice cube; rounded so that whole cubes fill the box
  int order = 2;                    ///< 2: quadratic elements of ten nodes; 1: linear ones of four. Edges are straight.
  std::vector<Sphere> shell_end{};  ///< at most one: everything outside it is left out
};

inline constexpr int binder = -1;  ///< domain of the binder; particles are 0, 1, ...

/// Plain tetrahedra, before nodes of the interface are doubled.
struct Tetrahedra {
  std::vector<Point> vertices;
  std::vector<std::array<std::int32_t, 4>> corners;
  std::vector<std::int32_t> domain;  ///< of each tetrahedron: `binder`, or the number of a particle
};

/// A triangle of the interface. Nodes: three corners, then the middles of 01, 12, 20; the same order on both sides.
struct Facet {
  std::int32_t particle = 0;
  std::array<std::int32_t, 6> inner{};  ///< on the particle
  std::array<std::int32_t, 6> outer{};  ///< on the binder, at the same places
  Point normal;                         ///< unit, from the particle into the binder
  double area = 0;
};

/// Mesh of a given order. Nodes: corners first, then middles of edges. A tetrahedron has its corners, then the middles
/// of 01, 12, 02, 03, 13, 23 (the order of VTK). Every domain has nodes of its own.
struct Mesh {
  int order = 2;
  std::int32_t corners = 0;
  std::int32_t particles = 0;
  Point low, high;
  std::vector<Point> nodes;
  std::vector<std::int32_t> domain_of_node;
  std::vector<std::uint8_t> faces;                   ///< bits of Face, of each node
  std::vector<std::array<std::int32_t, 2>> edge_of;  ///< corners that the nodes from `corners` on lie between
  std::vector<std::array<std::int32_t, 10>> tets;    ///< the first nodes_per_tet() count
  std::vector<std::int32_t> domain;                  ///< of each tetrahedron
  std::vector<Facet> interface;
  [[nodiscard]] int nodes_per_tet() const { return order == 2 ? 10 : 4; }
  [[nodiscard]] int nodes_per_facet() const { return order == 2 ? 6 : 3; }
  [[nodiscard]] double volume(std::size_t tet) const;
};

/// Lattice of cubes of six tetrahedra; nodes near a sphere are moved onto it, what still crosses it is cut.
/// Throws Error{config} where a sphere is too near a face or another sphere for this h.
Tetrahedra cut_spheres(const SphereMeshSpec& spec);

/// Doubles the nodes of the interface, adds middles of edges, finds facets and faces. Nodes are numbered along x.
/// Throws Error{data} where a tetrahedron is flat, two particles touch, or more than two tetrahedra share a face.
Mesh make_mesh(const Tetrahedra& tets, int order, const std::vector<Sphere>& shell_end = {});
Mesh sphere_mesh(const SphereMeshSpec& spec);

/// The row of spheres of the model: radius R, centres `spacing` R apart along x, half of it (z = 0 is a mirror plane),
/// offset so that the plane y = 0 leaves the share coverage[i] of sphere i at y < 0 (Archimedes' hat-box theorem).
SphereMeshSpec sphere_row(double radius, double spacing, const std::vector<double>& coverage, double h_over_R,
                          int order);

struct MeshQuality {
  double min_dihedral_deg = 180, max_dihedral_deg = 0, percentile1_dihedral_deg = 0;
  double min_volume = 0;                ///< over h^3 of a mean tetrahedron
  double volume_error = 0;              ///< |sum of volumes - box| / box; 0 for shells
  std::vector<double> particle_volume;  ///< m^3
  std::vector<double> particle_area;    ///< of the interface, m^2
  std::vector<double> low_side_share;   ///< of the interface at y < 0, by quadrature
  std::vector<int> euler;               ///< of the interface of each particle: 2 a sphere, 1 a half or an octant
  std::int64_t facets_open_edges = 0;   ///< edges of the interface that only one facet has and that lie on no face
};
MeshQuality mesh_quality(const Mesh& mesh);

/// Text mesh of Gmsh, version 4.1, linear tetrahedra, lengths in micrometres. Volumes are told apart by the names of
/// their physical groups: `binder`, and one group a particle whose name begins with `particle` (in the order of their
/// tags). Throws Error{data} naming the line; sizes that the file states are checked against what it holds.
Tetrahedra read_msh(std::string_view text, const std::string& name);
Tetrahedra read_msh(const std::filesystem::path& path);
std::string msh_text(const Tetrahedra& tets);

/// A named field for ParaView: `components` values a node, or a tetrahedron.
struct NamedField {
  std::string name;
  std::vector<double> values;
  int components = 1;
};
/// The mesh as a .vtu file (XML with raw appended data), lengths in micrometres; `domain` is always among the cells.
void write_vtu(const std::filesystem::path& path, const Mesh& mesh, const std::vector<NamedField>& node_fields,
               const std::vector<NamedField>& cell_fields);

}  // namespace cathoscope::fem
