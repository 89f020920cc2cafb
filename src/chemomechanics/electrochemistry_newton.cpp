#include "electrochemistry.hpp"
#include "interface.hpp"
#include "tetra.hpp"

#include <Eigen/IterativeLinearSolvers>

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr std::int64_t direct_size = 40'000;
constexpr int max_newton = 25;
constexpr int patience = 14;  // linear iterations after which the preconditioner is built anew

}  // namespace

/// A symmetric, positive definite neighbour of the Jacobian, factored: rows of the content are scaled by the mean slope
/// s = (di/dx) / (di/dphi) of their particle, which would make the Jacobian symmetric if s were uniform.
struct ElectrochemicalSystem::Preconditioner {
  Vector row_scale;  // of each unknown
  Eigen::SimplicialLLT<Eigen::SparseMatrix<double>> direct;
  Eigen::IncompleteCholesky<double> incomplete;
  bool exact = true;
  double dt = 0;
  bool galvanostatic = true;

  [[nodiscard]] Unknowns solve(const Unknowns& r) const {
    if (exact) return direct.solve(r);
    return incomplete.solve(r);
  }
};

InterfaceCurrent ElectrochemicalSystem::current_at(const Facet& facet, const std::array<double, 6>& shape,
                                                   const Unknowns& z, double damage, Contact contact) const {
  double x = 0, phi = voltage(z);
  for (std::size_t a = 0; a < at(mesh_.nodes_per_facet()); ++a) {
    x += shape[a] * z[unknown_[at(facet.inner[a])]];
    phi += shape[a] * drop(z, unknown_[at(facet.outer[a])]);
  }
  return model_.kinetics(phi, x, damage, contact);
}

void ElectrochemicalSystem::add_interface(const Vector& damage, const Unknowns& z, Unknowns& equations, Rows* jacobian,
                                          Rows* symmetric, const Vector& slope_of_particle) const {
  const double scale = 1 / (faraday * model_.c_max);
  const auto n = at(mesh_.nodes_per_facet());
  const auto& rule = triangle_rule(mesh_.order);
  std::size_t point = 0, facet = 0;
  for (const auto& f : mesh_.interface) {
    std::array<std::array<double, 12>, 12> j{}, s{};
    for (const auto& q : rule) {
      const auto shape = triangle_shape(mesh_.order, q.l);
      const auto current = current_at(f, shape, z, damage[point], contact_[point]);
      ++point;
      const double weight = q.weight * f.area * scale;
      for (std::size_t a = 0; a < n; ++a) {
        equations[unknown_[at(f.inner[a])]] += weight * shape[a] * current.i;
        equations[unknown_[at(f.outer[a])]] += weight * shape[a] * current.i;
      }
      if (jacobian == nullptr && symmetric == nullptr) continue;
      const double slope = symmetric != nullptr ? slope_of_particle[at(f.particle)] : 0;
      for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = 0; b < n; ++b) {
          const double w = weight * shape[a] * shape[b];
          j[a][b] += w * current.by_content;
          j[a][n + b] += w * current.by_potential;
          j[n + a][b] += w * current.by_content;
          j[n + a][n + b] += w * current.by_potential;
          s[a][b] += w * slope * slope * current.by_potential;
          s[a][n + b] += w * slope * current.by_potential;
          s[n + a][b] += w * slope * current.by_potential;
          s[n + a][n + b] += w * current.by_potential;
        }
    }
    const auto* entry = &interface_entry_[facet * 4 * n * n];
    for (std::size_t a = 0; a < 2 * n; ++a)
      for (std::size_t b = 0; b < 2 * n; ++b) {
        const auto k = entry[a * 2 * n + b];
        if (jacobian != nullptr) jacobian->valuePtr()[k] += j[a][b];
        if (symmetric != nullptr) symmetric->valuePtr()[k] += s[a][b];
      }
    ++facet;
  }
}

void ElectrochemicalSystem::evaluate(double dt, const Control& control, const Vector& damage, const Unknowns& z_old,
                                     const Unknowns& z, Unknowns& equations, Rows* jacobian) const {
  Unknowns gained = Unknowns::Zero(size_), state = z;
  gained.head(contents_) = (z - z_old).head(contents_) / dt;
  state[size_ - 1] = 0;
  // Diffusion sees differences only: taken against one node of the particle they keep their digits.
  std::vector<double> level(at(mesh_.particles));
  for (std::int64_t i = contents_; i-- > 0;) level[at(particle_of_[at(i)])] = z[i];
  for (std::int64_t i = 0; i < contents_; ++i) state[i] -= level[at(particle_of_[at(i)])];
  equations = mass_ * gained + diffusion_ * state + conduction_ * state;
  if (jacobian != nullptr) std::copy_n(linear_.valuePtr(), linear_.nonZeros(), jacobian->valuePtr());
  add_interface(damage, z, equations, jacobian, nullptr, {});
  const Eigen::Index v = size_ - 1;
  if (control.galvanostatic) {
    equations[v] -= control.value / (faraday * model_.c_max);
    return;
  }
  equations[v] = z[v] - control.value;
  if (jacobian == nullptr) return;
  for (Rows::InnerIterator e(*jacobian, v); e; ++e) e.valueRef() = e.col() == v ? 1 : 0;
}

Vector ElectrochemicalSystem::slopes_of_particles(const Vector& damage, const Unknowns& z) const {
  Vector content, potential;
  std::size_t point = 0;
  for (const auto& f : mesh_.interface)
    for (const auto& q : triangle_rule(mesh_.order)) {
      const auto shape = triangle_shape(mesh_.order, q.l);
      const auto current = current_at(f, shape, z, damage[point], contact_[point]);
      ++point;
      content.push_back(current.by_content);
      potential.push_back(current.by_potential);
    }
  auto slopes = particle_means(mesh_, content);
  const auto below = particle_means(mesh_, potential);
  for (std::size_t p = 0; p < slopes.size(); ++p) slopes[p] = std::max(slopes[p] / std::max(below[p], 1e-300), 1e-9);
  return slopes;
}

void ElectrochemicalSystem::build_preconditioner(const Control& control, const Vector& damage, const Unknowns& z) {
  auto p = std::make_shared<Preconditioner>();
  const auto slopes = slopes_of_particles(damage, z);
  p->row_scale.assign(at(size_), 1);
  for (std::int64_t i = 0; i < contents_; ++i) p->row_scale[at(i)] = slopes[at(particle_of_[at(i)])];
  Rows m = linear_;
  for (Eigen::Index row = 0; row < contents_; ++row)
    for (Rows::InnerIterator e(m, row); e; ++e) e.valueRef() *= p->row_scale[at(row)];
  Unknowns unused = Unknowns::Zero(size_);
  add_interface(damage, z, unused, nullptr, &m, slopes);
  const Eigen::Index v = size_ - 1;
  if (!control.galvanostatic)
    for (Eigen::Index row = 0; row < size_; ++row)
      for (Rows::InnerIterator e(m, row); e; ++e)
        if (row == v || e.col() == v) e.valueRef() = row == e.col() ? 1 : 0;
  p->exact = size_ <= direct_size;
  p->dt = dt_;
  p->galvanostatic = control.galvanostatic;
  const Eigen::SparseMatrix<double> columns = m;
  if (p->exact) p->direct.compute(columns);
  if (p->exact && p->direct.info() != Eigen::Success) p->exact = false;
  if (!p->exact) p->incomplete.compute(columns);
  preconditioner_ = std::move(p);
}

Unknowns ElectrochemicalSystem::equations(double dt, const Control& control, const Vector& damage,
                                          const Unknowns& z_old, const Unknowns& z) {
  combine(dt);
  Unknowns r;
  evaluate(dt, control, damage, z_old, z, r, nullptr);
  return r;
}

Eigen::SparseMatrix<double, Eigen::RowMajor> ElectrochemicalSystem::derivatives(double dt, const Control& control,
                                                                                const Vector& damage,
                                                                                const Unknowns& z_old,
                                                                                const Unknowns& z) {
  combine(dt);
  Unknowns r;
  Rows j = pattern_;
  evaluate(dt, control, damage, z_old, z, r, &j);
  return j;
}

ElectrochemicalReport ElectrochemicalSystem::step(double dt, const Control& control, const Vector& damage,
                                                  double tolerance, double reference_current, Unknowns& z) {
  if (model_.diffusivity.measured_curve) assemble_diffusion(z);
  combine(dt);
  ElectrochemicalReport report;
  const double reference = reference_current / (faraday * model_.c_max);
  const Unknowns z_old = z;
  Unknowns now = z, r, correction;
  if (!control.galvanostatic) now[size_ - 1] = control.value;
  Rows j = pattern_;
  evaluate(dt, control, damage, z_old, now, r, &j);
  const auto size_of = [&] { return r.lpNorm<1>() / reference; };
  report.residual = size_of();
  report.residuals.push_back(report.residual);
  bool fresh = false;
  while (report.residual > tolerance && report.iterations < max_newton && std::isfinite(report.residual)) {
    ++report.iterations;
    const bool stale = !preconditioner_ || preconditioner_->galvanostatic != control.galvanostatic ||
                       dt > 1.6 * preconditioner_->dt || dt < preconditioner_->dt / 1.6;
    if (stale) {
      build_preconditioner(control, damage, now);
      fresh = true;
    }
    const auto& p = *preconditioner_;
    const Unknowns scale = Eigen::Map<const Unknowns>(p.row_scale.data(), size_);
    const double goal = std::clamp(0.1 * tolerance / report.residual, 1e-10, 1e-2);
    const int linear =
        bicgstab([&](const Unknowns& x) -> Unknowns { return scale.cwiseProduct(j * x); },
                 [&](const Unknowns& x) { return p.solve(x); }, scale.cwiseProduct(-r), correction, goal, 200);
    report.linear_iterations += std::abs(linear);
    if ((linear < 0 || linear > patience) && !fresh) preconditioner_.reset();
    // The potential moves by 0.1 V at most: beyond that the exponentials tell nothing.
    const double largest = correction.tail(size_ - contents_).cwiseAbs().maxCoeff();
    double length = largest > 0.1 ? 0.1 / largest : 1;
    const Unknowns from = now;
    const double before = report.residual;
    for (int k = 0; k < 5; ++k, length /= 2) {
      now = moved(from, correction, length);
      evaluate(dt, control, damage, z_old, now, r, &j);
      report.residual = size_of();
      if (report.residual < before * 1.5) break;
    }
    report.residuals.push_back(report.residual);
  }
  report.converged = report.residual <= tolerance;
  if (report.converged) {
    z = now;
    return report;
  }
  Eigen::Index worst = 0;
  r.cwiseAbs().maxCoeff(&worst);
  const auto found = std::find(unknown_.begin(), unknown_.end(), static_cast<std::int64_t>(worst));
  report.worst_node = worst == size_ - 1 ? -1 : static_cast<std::int32_t>(found - unknown_.begin());
  return report;
}

int bicgstab(const std::function<Unknowns(const Unknowns&)>& a,
             const std::function<Unknowns(const Unknowns&)>& precondition, const Unknowns& b, Unknowns& x,
             double tolerance, int max_iterations) {
  x = Unknowns::Zero(b.size());
  Unknowns r = b, p = b;
  const Unknowns shadow = b;
  const double goal = tolerance * b.norm();
  double rho = shadow.dot(r);
  for (int k = 1; k <= max_iterations; ++k) {
    const Unknowns p_hat = precondition(p), v = a(p_hat);
    const double alpha = rho / shadow.dot(v);
    if (!std::isfinite(alpha)) return -k;
    r -= alpha * v;
    x += alpha * p_hat;
    if (r.norm() <= goal) return k;
    const Unknowns r_hat = precondition(r), t = a(r_hat);
    const double omega = t.dot(r) / t.squaredNorm();
    x += omega * r_hat;
    r -= omega * t;
    if (r.norm() <= goal) return k;
    const double rho_next = shadow.dot(r), beta = rho_next / rho * (alpha / omega);
    if (!std::isfinite(beta)) return -k;
    p = r + beta * (p - omega * v);
    rho = rho_next;
  }
  return -max_iterations;
}

}  // namespace cathoscope::fem
