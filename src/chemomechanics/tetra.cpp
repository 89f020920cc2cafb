#include "tetra.hpp"

#include <cmath>

namespace cathoscope::fem {

double dot(const Point& a, const Point& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
double length(const Point& a) { return std::sqrt(dot(a, a)); }
Point cross(const Point& a, const Point& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

TetGeometry geometry_of(const Point& a, const Point& b, const Point& c, const Point& d) {
  const Point u = b - a, v = c - a, w = d - a;
  const double six = dot(u, cross(v, w));
  TetGeometry g;
  g.volume = six / 6;
  g.gradient[1] = (1 / six) * cross(v, w);
  g.gradient[2] = (1 / six) * cross(w, u);
  g.gradient[3] = (1 / six) * cross(u, v);
  g.gradient[0] = -1 * (g.gradient[1] + g.gradient[2] + g.gradient[3]);
  return g;
}

const std::array<TetPoint, 14>& tet_rule() {
  static const auto rule = [] {
    std::array<TetPoint, 14> r;
    std::size_t n = 0;
    const auto corners = [&](double a, double w) {
      for (std::size_t i = 0; i < 4; ++i, ++n) {
        r[n] = {{a, a, a, a}, w};
        r[n].l[i] = 1 - 3 * a;
      }
    };
    corners(0.31088591926330060980, 0.11268792571801585080);
    corners(0.09273525031089122640, 0.07349304311636194955);
    const double a = 0.04550370412564964949;
    for (const auto& e : tet_edges) {
      r[n] = {{a, a, a, a}, 0.04254602077708146644};
      for (const int i : e) r[n].l[static_cast<std::size_t>(i)] = 0.5 - a;
      ++n;
    }
    return r;
  }();
  return rule;
}

const std::vector<TrianglePoint>& triangle_rule(int order) {
  static const std::vector<TrianglePoint> corners{{{1, 0, 0}, 1.0 / 3}, {{0, 1, 0}, 1.0 / 3}, {{0, 0, 1}, 1.0 / 3}};
  static const auto gauss = [] {
    std::vector<TrianglePoint> r;
    const auto add = [&](double a, double w) {
      for (std::size_t i = 0; i < 3; ++i) {
        r.push_back({{a, a, a}, w});
        r.back().l[i] = 1 - 2 * a;
      }
    };
    add(0.44594849091596488632, 0.22338158967801146570);
    add(0.09157621350977074346, 0.10995174365532186764);
    return r;
  }();
  return order == 2 ? gauss : corners;
}

std::array<double, 10> tet_shape(int order, const Barycentric& l) {
  std::array<double, 10> n{};
  for (std::size_t i = 0; i < 4; ++i) n[i] = order == 2 ? l[i] * (2 * l[i] - 1) : l[i];
  if (order == 2)
    for (std::size_t e = 0; e < 6; ++e)
      n[4 + e] = 4 * l[static_cast<std::size_t>(tet_edges[e][0])] * l[static_cast<std::size_t>(tet_edges[e][1])];
  return n;
}

std::array<std::array<double, 4>, 10> tet_shape_slopes(int order, const Barycentric& l) {
  std::array<std::array<double, 4>, 10> d{};
  for (std::size_t i = 0; i < 4; ++i) d[i][i] = order == 2 ? 4 * l[i] - 1 : 1;
  if (order == 2)
    for (std::size_t e = 0; e < 6; ++e) {
      const auto i = static_cast<std::size_t>(tet_edges[e][0]), j = static_cast<std::size_t>(tet_edges[e][1]);
      d[4 + e][i] = 4 * l[j];
      d[4 + e][j] = 4 * l[i];
    }
  return d;
}

std::array<double, 6> triangle_shape(int order, const std::array<double, 3>& l) {
  std::array<double, 6> n{};
  for (std::size_t i = 0; i < 3; ++i) n[i] = order == 2 ? l[i] * (2 * l[i] - 1) : l[i];
  if (order == 2)
    for (std::size_t e = 0; e < 3; ++e)
      n[3 + e] =
          4 * l[static_cast<std::size_t>(triangle_edges[e][0])] * l[static_cast<std::size_t>(triangle_edges[e][1])];
  return n;
}

namespace {

TetIntegrals integrals_of(int order) {
  TetIntegrals r;
  const std::size_t n = order == 2 ? 10 : 4;
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      std::array<std::array<double, 4>, 4> slopes{};
      for (const auto& p : tet_rule()) {
        const auto shape = tet_shape(order, p.l);
        const auto d = tet_shape_slopes(order, p.l);
        r.mass[a][b] += p.weight * shape[a] * shape[b];
        for (std::size_t i = 0; i < 4; ++i)
          for (std::size_t j = 0; j < 4; ++j) slopes[i][j] += p.weight * d[a][i] * d[b][j];
      }
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j) {
          // Slopes are linear in l and zero for most pairs; what is zero by sum is zero to rounding.
          const bool has = std::abs(slopes[i][j]) > 1e-14;
          if (has) r.slopes[a][b].push_back({static_cast<std::int8_t>(i), static_cast<std::int8_t>(j), slopes[i][j]});
        }
    }
  return r;
}

}  // namespace

const TetIntegrals& tet_integrals(int order) {
  static const TetIntegrals linear = integrals_of(1), quadratic = integrals_of(2);
  return order == 2 ? quadratic : linear;
}

double Mesh::volume(std::size_t tet) const { return geometry_of(*this, tet).volume; }

}  // namespace cathoscope::fem
