#include <cathoscope/chemomechanics/mesh.hpp>
#include <cathoscope/core/error.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <numbers>
#include <random>
#include <string>

using namespace cathoscope;
using namespace cathoscope::fem;

namespace {

SphereMeshSpec octant(double h, double box = 1.5, int order = 2) {
  SphereMeshSpec spec;
  spec.spheres = {{{0, 0, 0}, 1}};
  spec.high = {box, box, box};
  spec.h = h;
  spec.order = order;
  return spec;
}

}  // namespace

// What cutting promises at every h: nothing inverted, nothing lost, angles that elements can live with, and an interface
// that is one closed sheet between one tetrahedron of the particle and one of the binder. 8 degrees: smallest seen is 10.
TEST_CASE("the mesh of three spheres is whole at h = R/2, R/3 and R/4") {
  for (const double h : {0.5, 1.0 / 3, 0.25}) {
    const Mesh mesh = sphere_mesh(sphere_row(1, 2.6, {0.9, 0.5, 0.1}, h, 2));
    const auto q = mesh_quality(mesh);
    CHECK(q.min_dihedral_deg >= 8);
    CHECK(q.max_dihedral_deg <= 160);
    CHECK(q.volume_error < 1e-12);
    CHECK(q.euler == std::vector<int>{1, 1, 1});
    CHECK(q.facets_open_edges == 0);
    const double expected[] = {0.9, 0.5, 0.1};
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(std::abs(q.low_side_share[i] - expected[i]) < (h <= 0.25 ? 0.01 : 0.03));
      // Straight edges cut off caps, in proportion to h^2 (largest seen: 0.44 h^2).
      CHECK(q.particle_volume[i] * 3 / (2 * std::numbers::pi) < 1);
      CHECK(q.particle_volume[i] * 3 / (2 * std::numbers::pi) > 1 - 0.47 * h * h);
    }
  }
}

// Volume and area of the straight-edged octant of a sphere, from an independent implementation of the same method.
TEST_CASE("volume and area of the meshed octant agree with an independent mesher") {
  const double volume[] = {0.948, 0.986, 0.9967}, area[] = {0.972, 0.9926, 0.9983};
  double h = 0.5;
  for (std::size_t i = 0; i < 3; ++i, h /= 2) {
    const auto q = mesh_quality(sphere_mesh(octant(h, 1.5, 1)));
    CHECK(q.particle_volume[0] * 6 / std::numbers::pi == Approx(volume[i]).margin(6e-4));
    CHECK(q.particle_area[0] * 2 / std::numbers::pi == Approx(area[i]).margin(6e-4));
  }
}

TEST_CASE("the interface has nodes of its own on both sides, at the same places, and normals that point outwards") {
  const Mesh mesh = sphere_mesh(octant(0.5));
  REQUIRE_FALSE(mesh.interface.empty());
  for (const auto& f : mesh.interface) {
    for (std::size_t i = 0; i < 6; ++i) {
      const auto in = static_cast<std::size_t>(f.inner[i]), out = static_cast<std::size_t>(f.outer[i]);
      REQUIRE(in != out);
      REQUIRE(length(mesh.nodes[in] - mesh.nodes[out]) == 0);
      REQUIRE(mesh.domain_of_node[in] == 0);
      REQUIRE(mesh.domain_of_node[out] == binder);
      REQUIRE(dot(mesh.nodes[in], f.normal) > 0.5);
    }
    for (std::size_t i = 0; i < 3; ++i) REQUIRE(length(mesh.nodes[static_cast<std::size_t>(f.inner[i])]) == Approx(1));
  }
}

TEST_CASE("a whole sphere has Euler number 2, and a shell ends on its outer sphere") {
  SphereMeshSpec whole;
  whole.spheres = {{{0.03, -0.02, 0.01}, 1}};
  whole.low = {-1.7, -1.7, -1.7};
  whole.high = {1.7, 1.7, 1.7};
  whole.h = 0.5;
  whole.order = 1;
  CHECK(mesh_quality(sphere_mesh(whole)).euler == std::vector<int>{2});

  auto shell = octant(0.25, 2.1);
  shell.shell_end = {{{0, 0, 0}, 2}};
  const Mesh mesh = sphere_mesh(shell);
  double volume = 0, farthest = 0;
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) volume += mesh.volume(t);
  for (const auto& p : mesh.nodes) farthest = std::max(farthest, length(p));
  CHECK(farthest == Approx(2).epsilon(1e-12));
  CHECK(volume == Approx(std::numbers::pi / 6 * 8).epsilon(0.01));
  CHECK(mesh_quality(mesh).min_dihedral_deg >= 8);
}

TEST_CASE("what cannot be meshed is refused with a reason") {
  auto spec = octant(0.5);
  spec.high = {1.05, 1.5, 1.5};
  CHECK_THROWS_WITH(sphere_mesh(spec), Catch::Contains("x high"));
  CHECK_THROWS_WITH(sphere_mesh(sphere_row(1, 2.2, {0.5, 0.5}, 0.5, 2)), Catch::Contains("apart"));
  Tetrahedra flat;
  flat.vertices = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}};
  flat.corners = {{0, 1, 2, 3}};
  flat.domain = {binder};
  CHECK_THROWS_WITH(make_mesh(flat, 2), Catch::Contains("flat"));
}

TEST_CASE("a mesh written for Gmsh reads back the same") {
  auto spec = sphere_row(5e-6, 2.6, {0.9, 0.1}, 0.5, 1);
  const auto tets = cut_spheres(spec);
  const Mesh direct = make_mesh(tets, 2), back = make_mesh(read_msh(msh_text(tets), "t.msh"), 2);
  REQUIRE(direct.nodes.size() == back.nodes.size());
  REQUIRE(direct.interface.size() == back.interface.size());
  CHECK(mesh_quality(direct).particle_area[1] == Approx(mesh_quality(back).particle_area[1]).epsilon(1e-13));
  CHECK(mesh_quality(direct).low_side_share[0] == Approx(mesh_quality(back).low_side_share[0]).epsilon(1e-9));
}

TEST_CASE("a damaged mesh file is refused at the line where it is wrong") {
  const std::string good = msh_text(cut_spheres(octant(0.75, 1.5)));
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& reason) {
    std::string bad = good;
    const auto p = bad.find(from);
    REQUIRE(p != std::string::npos);
    bad.replace(p, from.size(), to);
    CHECK_THROWS_WITH(read_msh(bad, "t.msh"), Catch::Contains(reason));
  };
  refused("4.1 0 8", "2.2 0 8", "t.msh:2: version 2.2");
  refused("4.1 0 8", "4.1 1 8", "binary");
  refused("particle_1", "active_1", "active_1");
  refused("$Nodes\n1 ", "$Nodes\n99999999 ", "cut short");
  refused("$EndNodes", "$EndNode", "expected $EndNodes");
  refused("3 2 4 ", "3 2 11 ", "type 11");
  refused("3 2 4 ", "3 7 4 ", "no physical group");
  for (std::size_t keep = 0; keep < good.size(); keep += good.size() / 97)
    CHECK_THROWS_AS(read_msh(good.substr(0, keep), "t.msh"), Error);
}

TEST_CASE("random damage to a mesh file ends in a mesh or a reason, never in a crash") {
  const std::string good = msh_text(cut_spheres(octant(0.75, 1.5)));
  std::mt19937 random(7);
  const std::string letters = "0123456789.- \n$e";
  for (int k = 0; k < 300; ++k) {
    std::string bad = good;
    for (int n = 0; n < 4; ++n) bad[random() % bad.size()] = letters[random() % letters.size()];
    try {
      make_mesh(read_msh(bad, "t.msh"), 2);
    } catch (const Error& e) {
      CHECK(e.exit() == Exit::data);
    }
  }
}
