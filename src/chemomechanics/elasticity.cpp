#include "elasticity.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Nodes that share a tetrahedron with one node, ascending.
void neighbours_of(const Mesh& mesh, const Incidence& incidence, std::int64_t node, std::vector<std::int32_t>& out) {
  out.clear();
  for (auto k = incidence.start[at(node)]; k < incidence.start[at(node) + 1]; ++k) {
    const auto& tet = mesh.tets[at(incidence.item[at(k)] / 10)];
    out.insert(out.end(), tet.begin(), tet.begin() + mesh.nodes_per_tet());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

/// Block of nodes a, b of one tetrahedron: V (lambda G + mu G^T + mu tr(G) 1), G = integral of grad N_a (x) grad N_b.
void add_block(const TetIntegrals& integrals, const TetGeometry& g, const Lame& lame, std::size_t a, std::size_t b,
               Block& block) {
  double m[3][3] = {};
  for (const auto& term : integrals.slopes[a][b]) {
    const Point &p = g.gradient[at(term.i)], &q = g.gradient[at(term.j)];
    const double pv[3] = {p.x, p.y, p.z}, qv[3] = {q.x, q.y, q.z};
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) m[i][j] += term.value * pv[i] * qv[j];
  }
  const double trace = m[0][0] + m[1][1] + m[2][2];
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      block[3 * i + j] += g.volume * (lame.lambda * m[i][j] + lame.mu * (m[j][i] + (i == j ? trace : 0)));
}

std::array<Point, 10> shape_gradients(int order, const TetGeometry& g, const Barycentric& l) {
  const auto slopes = tet_shape_slopes(order, l);
  std::array<Point, 10> result{};
  for (std::size_t a = 0; a < 10; ++a)
    for (std::size_t i = 0; i < 4; ++i)
      if (slopes[a][i] != 0) result[a] = result[a] + slopes[a][i] * g.gradient[i];
  return result;
}

/// Gradient of u at a place, [component][direction].
std::array<std::array<double, 3>, 3> gradient_of(const Mesh& mesh, const Vector& u, std::size_t tet,
                                                 const TetGeometry& g, const Barycentric& l) {
  const auto d = shape_gradients(mesh.order, g, l);
  std::array<std::array<double, 3>, 3> result{};
  for (int a = 0; a < mesh.nodes_per_tet(); ++a)
    for (std::size_t i = 0; i < 3; ++i) {
      const double value = u[3 * at(mesh.tets[tet][at(a)]) + i];
      result[i][0] += value * d[at(a)].x;
      result[i][1] += value * d[at(a)].y;
      result[i][2] += value * d[at(a)].z;
    }
  return result;
}

std::array<double, 6> elastic_strain(const std::array<std::array<double, 3>, 3>& grad, double e) {
  return {grad[0][0] - e,
          grad[1][1] - e,
          grad[2][2] - e,
          (grad[1][2] + grad[2][1]) / 2,
          (grad[0][2] + grad[2][0]) / 2,
          (grad[0][1] + grad[1][0]) / 2};
}

std::array<double, 6> stress_of(const Lame& m, const std::array<double, 6>& strain) {
  const double trace = m.lambda * (strain[0] + strain[1] + strain[2]);
  std::array<double, 6> s{};
  for (std::size_t i = 0; i < 6; ++i) s[i] = 2 * m.mu * strain[i] + (i < 3 ? trace : 0);
  return s;
}

}  // namespace

Lame lame_of(double modulus, double nu) { return {modulus * nu / ((1 + nu) * (1 - 2 * nu)), modulus / (2 * (1 + nu))}; }

std::vector<Lame> materials_of(const Mesh& mesh, const Lame& particle, const Lame& binder_material) {
  std::vector<Lame> result;
  for (const auto d : mesh.domain) result.push_back(d == binder ? binder_material : particle);
  return result;
}

Incidence incidence_of(const Mesh& mesh) {
  Incidence in;
  in.start.assign(mesh.nodes.size() + 1, 0);
  const int n = mesh.nodes_per_tet();
  for (const auto& tet : mesh.tets)
    for (int a = 0; a < n; ++a) ++in.start[at(tet[at(a)]) + 1];
  for (std::size_t i = 1; i < in.start.size(); ++i) in.start[i] += in.start[i - 1];
  in.item.resize(at(in.start.back()));
  auto next = in.start;
  for (std::size_t t = 0; t < mesh.tets.size(); ++t)
    for (int a = 0; a < n; ++a) in.item[at(next[at(mesh.tets[t][at(a)])]++)] = static_cast<std::int64_t>(t) * 10 + a;
  return in;
}

BlockMatrix bulk_pattern(const Mesh& mesh, const Incidence& incidence, int threads) {
  BlockMatrix m;
  const auto nodes = static_cast<std::int64_t>(mesh.nodes.size());
  m.start.assign(at(nodes) + 1, 0);
  over_ranges(nodes, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> near;
    for (auto i = begin; i < end; ++i) {
      neighbours_of(mesh, incidence, i, near);
      m.start[at(i) + 1] = static_cast<std::int64_t>(near.size());
    }
  });
  for (std::size_t i = 1; i < m.start.size(); ++i) m.start[i] += m.start[i - 1];
  m.column.resize(at(m.start.back()));
  m.value.resize(at(m.start.back()));
  over_ranges(nodes, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> near;
    for (auto i = begin; i < end; ++i) {
      neighbours_of(mesh, incidence, i, near);
      std::copy(near.begin(), near.end(), m.column.begin() + m.start[at(i)]);
    }
  });
  return m;
}

void assemble_stiffness(const Mesh& mesh, const Incidence& incidence, const std::vector<Lame>& lame, int threads,
                        BlockMatrix& matrix) {
  const auto& integrals = tet_integrals(mesh.order);
  over_ranges(matrix.rows(), threads, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = begin; row < end; ++row) {
      std::fill(matrix.value.begin() + matrix.start[at(row)], matrix.value.begin() + matrix.start[at(row) + 1],
                Block{});
      for (auto k = incidence.start[at(row)]; k < incidence.start[at(row) + 1]; ++k) {
        const auto tet = at(incidence.item[at(k)] / 10), a = at(incidence.item[at(k)] % 10);
        const auto g = geometry_of(mesh, tet);
        for (int b = 0; b < mesh.nodes_per_tet(); ++b)
          add_block(integrals, g, lame[tet], a, at(b), matrix.at(row, mesh.tets[tet][at(b)]));
      }
    }
  });
}

Vector eigenstrain_force(const Mesh& mesh, const Incidence& incidence, const std::vector<Lame>& lame,
                         const Eigenstrain& eigenstrain, int threads) {
  // Per tetrahedron first, then gathered by node in the order of the incidence: the same sum for any number of threads.
  std::vector<std::array<Point, 10>> of_tet(mesh.tets.size());
  over_ranges(static_cast<std::int64_t>(mesh.tets.size()), threads, [&](std::int64_t begin, std::int64_t end) {
    for (auto t = at(begin); t < at(end); ++t) {
      const auto g = geometry_of(mesh, t);
      for (const auto& p : tet_rule()) {
        const double e = eigenstrain(t, p.l);
        if (e == 0) continue;
        const auto d = shape_gradients(mesh.order, g, p.l);
        for (std::size_t a = 0; a < 10; ++a)
          of_tet[t][a] = of_tet[t][a] + (p.weight * g.volume * 3 * lame[t].bulk() * e) * d[a];
      }
    }
  });
  Vector f(3 * mesh.nodes.size(), 0.0);
  for (std::size_t i = 0; i < mesh.nodes.size(); ++i)
    for (auto k = incidence.start[i]; k < incidence.start[i + 1]; ++k) {
      const Point& p = of_tet[at(incidence.item[at(k)] / 10)][at(incidence.item[at(k)] % 10)];
      f[3 * i] += p.x;
      f[3 * i + 1] += p.y;
      f[3 * i + 2] += p.z;
    }
  return f;
}

Vector body_force(const Mesh& mesh, const std::function<Point(const Point&)>& f) {
  Vector result(3 * mesh.nodes.size(), 0.0);
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const auto& tet = mesh.tets[t];
    const double volume = mesh.volume(t);
    for (const auto& p : tet_rule()) {
      Point x;
      for (std::size_t i = 0; i < 4; ++i) x = x + p.l[i] * mesh.nodes[at(tet[i])];
      const Point value = p.weight * volume * f(x);
      const auto shape = tet_shape(mesh.order, p.l);
      for (int a = 0; a < mesh.nodes_per_tet(); ++a) {
        double* out = &result[3 * at(tet[at(a)])];
        out[0] += shape[at(a)] * value.x;
        out[1] += shape[at(a)] * value.y;
        out[2] += shape[at(a)] * value.z;
      }
    }
  }
  return result;
}

Vector pressure_force(const Mesh& mesh, double pressure) {
  Vector result(3 * mesh.nodes.size(), 0.0);
  if (pressure == 0) return result;
  for (const auto& tet : mesh.tets)
    for (std::size_t skip = 0; skip < 4; ++skip) {
      std::array<std::size_t, 3> c{};
      for (std::size_t k = 0, n = 0; k < 4; ++k)
        if (k != skip) c[n++] = k;
      if ((mesh.faces[at(tet[c[0]])] & mesh.faces[at(tet[c[1]])] & mesh.faces[at(tet[c[2]])] & y_high) == 0) continue;
      const auto p = [&](std::size_t i) { return mesh.nodes[at(tet[c[i]])]; };
      const double force = pressure * length(cross(p(1) - p(0), p(2) - p(0))) / 2 / 3;
      // A uniform load goes to the middles of edges in quadratic triangles, to the corners in linear ones.
      for (std::size_t a = 0; a < 10 && mesh.order == 2; ++a)
        if (a >= 4 && at(tet_edges[a - 4][0]) != skip && at(tet_edges[a - 4][1]) != skip)
          result[3 * at(tet[a]) + 1] -= force;
      for (std::size_t i = 0; i < 3 && mesh.order == 1; ++i) result[3 * at(tet[c[i]]) + 1] -= force;
    }
  return result;
}

std::array<double, 6> stress_at(const Mesh& mesh, const std::vector<Lame>& lame, const Vector& u, std::size_t tet,
                                const Barycentric& l, double eigenstrain) {
  return stress_of(lame[tet], elastic_strain(gradient_of(mesh, u, tet, geometry_of(mesh, tet), l), eigenstrain));
}

double elastic_energy(const Mesh& mesh, const std::vector<Lame>& lame, const Vector& u,
                      const Eigenstrain& eigenstrain) {
  double energy = 0;
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const auto g = geometry_of(mesh, t);
    for (const auto& p : tet_rule()) {
      const auto strain = elastic_strain(gradient_of(mesh, u, t, g, p.l), eigenstrain(t, p.l));
      const auto stress = stress_of(lame[t], strain);
      double density = 0;
      for (std::size_t i = 0; i < 6; ++i) density += (i < 3 ? 0.5 : 1.0) * stress[i] * strain[i];
      energy += p.weight * g.volume * density;
    }
  }
  return energy;
}

FixedBits rollers(const Mesh& mesh, unsigned faces) {
  FixedBits fixed(mesh.nodes.size(), 0);
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    const unsigned on = mesh.faces[i] & faces;
    unsigned bits = 0;
    if ((on & (x_low | x_high)) != 0) bits |= 1U;
    if ((on & (y_low | y_high)) != 0) bits |= 2U;
    if ((on & (z_low | z_high)) != 0) bits |= 4U;
    fixed[i] = static_cast<std::uint8_t>(bits);
  }
  return fixed;
}

namespace {

/// Holds what is left of rigid motion once z low is a mirror: x, y at one corner of the collector and y at another.
void hold_still(const Mesh& mesh, FixedBits& fixed) {
  std::int32_t first = -1, second = -1;
  for (std::int32_t i = 0; i < mesh.corners; ++i) {
    if ((mesh.faces[at(i)] & y_low) == 0 || (mesh.faces[at(i)] & z_low) == 0) continue;
    const auto x = [&](std::int32_t n) { return mesh.nodes[at(n)].x; };
    if (first < 0 || x(i) < x(first)) first = i;
    if (second < 0 || x(i) > x(second)) second = i;
  }
  if (first < 0 || first == second)
    fail(Exit::data, "mesh: the collector (y low) has no edge on the mirror plane z low");
  fixed[at(first)] |= 3U;
  fixed[at(second)] |= 2U;
}

}  // namespace

FixedBits box_conditions(const Mesh& mesh, const std::string& mechanical) {
  if (mechanical == "all_rollers") return rollers(mesh, x_low | x_high | y_low | y_high | z_low | z_high);
  if (mechanical == "collector_rollers") return rollers(mesh, x_low | x_high | y_low | z_low | z_high);
  if (mechanical != "clamped_collector" && mechanical != "free")
    fail(Exit::config, "boundary.mechanical: '{}' is not known", mechanical);
  FixedBits fixed = rollers(mesh, z_low);
  if (mechanical == "free") {
    hold_still(mesh, fixed);
    return fixed;
  }
  for (std::size_t i = 0; i < fixed.size(); ++i)
    if ((mesh.faces[i] & y_low) != 0) fixed[i] = 7;
  return fixed;
}

}  // namespace cathoscope::fem
