#include "electrochemistry.hpp"

#include "elasticity.hpp"
#include "interface.hpp"
#include "tetra.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double content_in(const Mesh& mesh, const Unknowns& z, const std::vector<std::int64_t>& unknown, std::size_t tet,
                  const Barycentric& l) {
  const auto shape = tet_shape(mesh.order, l);
  double x = 0;
  for (int a = 0; a < mesh.nodes_per_tet(); ++a) x += shape[at(a)] * z[unknown[at(mesh.tets[tet][at(a)])]];
  return x;
}
}  // namespace

ElectrochemicalSystem::ElectrochemicalSystem(const Mesh& mesh, ElectrochemicalModel model)
    : mesh_(mesh), model_(std::move(model)) {
  number_unknowns();
  for (const auto& p : point_places(mesh_)) contact_.push_back(p.y < 0 ? Contact::high : Contact::low);
  make_pattern();
  assemble_constant();
}

void ElectrochemicalSystem::number_unknowns() {
  unknown_.assign(mesh_.nodes.size(), -1);
  for (std::size_t n = 0; n < mesh_.nodes.size(); ++n)
    if (mesh_.domain_of_node[n] != binder) {
      unknown_[n] = size_++;
      particle_of_.push_back(mesh_.domain_of_node[n]);
    }
  contents_ = size_;
  bool has_collector = false;
  for (std::size_t n = 0; n < mesh_.nodes.size(); ++n) {
    if (mesh_.domain_of_node[n] != binder) continue;
    const bool collector = (mesh_.faces[n] & model_.collector) != 0;
    has_collector = has_collector || collector;
    if (!collector) unknown_[n] = size_++;
  }
  if (!has_collector) fail(Exit::data, "mesh: no binder touches the collector (the face y low)");
  for (auto& u : unknown_) u = u < 0 ? size_ : u;
  ++size_;
}

void ElectrochemicalSystem::make_pattern() {
  const auto bulk = bulk_pattern(mesh_, incidence_of(mesh_), 1);
  const auto across = interface_pattern(mesh_);
  const auto row_of = row_of_node(across, mesh_.nodes.size());
  std::vector<std::vector<int>> collector_columns(1);
  const auto columns_of = [&](std::int32_t node, std::vector<int>& columns) {
    for (auto k = bulk.start[at(node)]; k < bulk.start[at(node) + 1]; ++k)
      columns.push_back(static_cast<int>(unknown_[at(bulk.column[at(k)])]));
    if (row_of[at(node)] < 0) return;
    const auto r = at(row_of[at(node)]);
    for (auto k = across.start[r]; k < across.start[r + 1]; ++k)
      columns.push_back(static_cast<int>(unknown_[at(across.column[at(k)])]));
  };
  const auto tidy = [](std::vector<int>& c) {
    std::sort(c.begin(), c.end());
    c.erase(std::unique(c.begin(), c.end()), c.end());
  };
  std::vector<std::vector<int>> rows(at(size_));
  for (std::int32_t n = 0; n < static_cast<std::int32_t>(mesh_.nodes.size()); ++n)
    columns_of(n, rows[at(unknown_[at(n)])]);
  std::vector<int> widths;
  for (auto& r : rows) {
    tidy(r);
    widths.push_back(static_cast<int>(r.size()));
  }
  pattern_.resize(size_, size_);
  pattern_.reserve(widths);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const int j : rows[i]) pattern_.insert(static_cast<Eigen::Index>(i), j) = 0;
  pattern_.makeCompressed();
  const auto entry = [&](std::int64_t row, std::int64_t column) {
    return &pattern_.coeffRef(row, column) - pattern_.valuePtr();
  };
  const auto n = at(mesh_.nodes_per_facet());
  for (const auto& f : mesh_.interface)
    for (std::size_t a = 0; a < 2 * n; ++a)
      for (std::size_t b = 0; b < 2 * n; ++b)
        interface_entry_.push_back(entry(unknown_[at(a < n ? f.inner[a] : f.outer[a - n])],
                                         unknown_[at(b < n ? f.inner[b] : f.outer[b - n])]));
}

namespace {

/// Share of a tetrahedron at y < 0, by its quadrature points.
double low_share(const Mesh& mesh, std::size_t tet) {
  double share = 0;
  for (const auto& q : tet_rule()) {
    double y = 0;
    for (std::size_t i = 0; i < 4; ++i) y += q.l[i] * mesh.nodes[at(mesh.tets[tet][i])].y;
    if (y < 0) share += q.weight;
  }
  return share;
}

double laplace(const TetIntegrals& integrals, const TetGeometry& g, std::size_t a, std::size_t b) {
  double sum = 0;
  for (const auto& term : integrals.slopes[a][b])
    sum += term.value * dot(g.gradient[at(term.i)], g.gradient[at(term.j)]);
  return g.volume * sum;
}

}  // namespace

void ElectrochemicalSystem::assemble_constant() {
  mass_ = diffusion_ = conduction_ = linear_ = pattern_;
  const auto& integrals = tet_integrals(mesh_.order);
  // Conductivity over F c_max, so that rows of the potential have the unit of rows of the content: m^3/s.
  const double scale = 1 / (faraday * model_.c_max);
  for (std::size_t t = 0; t < mesh_.tets.size(); ++t) {
    const auto g = geometry_of(mesh_, t);
    const bool particle = mesh_.domain[t] != binder;
    if (particle) volume_ += g.volume;
    const double share = particle ? 0 : low_share(mesh_, t);
    const double sigma = scale * (share * model_.sigma_high + (1 - share) * model_.sigma_low);
    for (int a = 0; a < mesh_.nodes_per_tet(); ++a)
      for (int b = 0; b < mesh_.nodes_per_tet(); ++b) {
        const auto i = unknown_[at(mesh_.tets[t][at(a)])], j = unknown_[at(mesh_.tets[t][at(b)])];
        if (particle)
          mass_.coeffRef(i, j) += g.volume * integrals.mass[at(a)][at(b)];
        else
          conduction_.coeffRef(i, j) += sigma * laplace(integrals, g, at(a), at(b));
      }
  }
  assemble_diffusion(uniform(0.5, 0));
}

void ElectrochemicalSystem::assemble_diffusion(const Unknowns& z) {
  const auto& integrals = tet_integrals(mesh_.order);
  std::fill_n(diffusion_.valuePtr(), diffusion_.nonZeros(), 0.0);
  for (std::size_t t = 0; t < mesh_.tets.size(); ++t) {
    if (mesh_.domain[t] == binder) continue;
    const auto g = geometry_of(mesh_, t);
    double d = 0;
    for (const auto& q : tet_rule()) d += q.weight * model_.diffusivity(content_in(mesh_, z, unknown_, t, q.l));
    for (int a = 0; a < mesh_.nodes_per_tet(); ++a)
      for (int b = 0; b < mesh_.nodes_per_tet(); ++b)
        diffusion_.coeffRef(unknown_[at(mesh_.tets[t][at(a)])], unknown_[at(mesh_.tets[t][at(b)])]) +=
            d * laplace(integrals, g, at(a), at(b));
  }
  dt_ = 0;
}

void ElectrochemicalSystem::combine(double dt) {
  if (dt == dt_) return;
  const double *m = mass_.valuePtr(), *d = diffusion_.valuePtr(), *c = conduction_.valuePtr();
  double* l = linear_.valuePtr();
  for (Eigen::Index k = 0; k < linear_.nonZeros(); ++k) l[k] = m[k] / dt + d[k] + c[k];
  dt_ = dt;
}

Unknowns ElectrochemicalSystem::uniform(double x, double potential) const {
  Unknowns z = Unknowns::Zero(size_);
  z.head(contents_).setConstant(x);
  z[size_ - 1] = potential;
  return z;
}

Unknowns ElectrochemicalSystem::moved(const Unknowns& z, const Unknowns& change, double length) const {
  Unknowns result = z + length * change;
  result.segment(contents_, size_ - 1 - contents_).array() -= length * change[size_ - 1];
  return result;
}

void ElectrochemicalSystem::forget() {
  preconditioner_.reset();
  dt_ = 0;
}

Vector ElectrochemicalSystem::mean_content(const Unknowns& z) const {
  Vector sum(at(mesh_.particles), 0.0), volume(at(mesh_.particles), 0.0);
  Unknowns ones = Unknowns::Zero(size_);
  ones.head(contents_).setOnes();
  const Unknowns weight = mass_ * ones;
  for (std::int64_t i = 0; i < contents_; ++i) {
    sum[at(particle_of_[at(i)])] += weight[i] * z[i];
    volume[at(particle_of_[at(i)])] += weight[i];
  }
  for (std::size_t p = 0; p < sum.size(); ++p) sum[p] /= volume[p];
  return sum;
}

double ElectrochemicalSystem::total_content(const Unknowns& z) const {
  Unknowns content = z;
  content.tail(size_ - contents_).setZero();
  return (mass_ * content).sum();
}

Vector ElectrochemicalSystem::content_at_points(const Unknowns& z) const {
  Vector x;
  for (const auto& f : mesh_.interface)
    for (const auto& q : triangle_rule(mesh_.order)) {
      const auto shape = triangle_shape(mesh_.order, q.l);
      double value = 0;
      for (int a = 0; a < mesh_.nodes_per_facet(); ++a) value += shape[at(a)] * z[unknown_[at(f.inner[at(a)])]];
      x.push_back(value);
    }
  return x;
}

Vector ElectrochemicalSystem::surface_content(const Unknowns& z) const {
  return particle_means(mesh_, content_at_points(z));
}

double ElectrochemicalSystem::interface_current(const Unknowns& z, const Vector& damage) const {
  Unknowns equations = Unknowns::Zero(size_);
  add_interface(damage, z, equations, nullptr, nullptr, {});
  return equations.head(contents_).sum() * faraday * model_.c_max;
}

double ElectrochemicalSystem::collector_current(const Unknowns& z) const {
  Unknowns potential = z;
  potential.head(contents_).setZero();
  potential[size_ - 1] = 0;
  return (conduction_ * potential)[size_ - 1] * faraday * model_.c_max;
}

}  // namespace cathoscope::fem
