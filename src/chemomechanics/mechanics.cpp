#include "mechanics.hpp"

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {

constexpr int max_newton = 25;
constexpr int max_linear = 400;

}  // namespace

Mechanics::Mechanics(const Mesh& mesh, std::vector<Lame> lame, const CohesiveLaw& law, FixedBits fixed, int threads)
    : mesh_(mesh),
      lame_(std::move(lame)),
      law_(law),
      fixed_(std::move(fixed)),
      threads_(threads),
      incidence_(incidence_of(mesh)),
      bulk_(bulk_pattern(mesh, incidence_, threads)),
      interface_(interface_pattern(mesh)) {
  assemble_stiffness(mesh_, incidence_, lame_, threads_, bulk_);
}

void Mechanics::set_materials(std::vector<Lame> lame) {
  lame_ = std::move(lame);
  assemble_stiffness(mesh_, incidence_, lame_, threads_, bulk_);
  preconditioner_.reset();
}

Vector Mechanics::load_of(const Eigenstrain& eigenstrain) const {
  return eigenstrain_force(mesh_, incidence_, lame_, eigenstrain, threads_);
}

void Mechanics::prepare(const Vector& damage) {
  const Vector rest(3 * mesh_.nodes.size(), 0.0);
  interface_response(mesh_, law_, rest, damage, InterfaceStiffness::secant, interface_);
  preconditioner_.emplace(mesh_, bulk_, interface_, fixed_, threads_);
}

void Mechanics::evaluate(const Vector& load, const Vector& damage, const Vector& u, InterfaceStiffness kind,
                         Vector& out) {
  const auto response = interface_response(mesh_, law_, u, damage, kind, interface_);
  const FixedBits none(fixed_.size(), 0);
  BlockOperator{&bulk_, nullptr, &none, threads_}.apply(u, out);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += response.force[i] - load[i];
}

Vector Mechanics::residual(const Vector& load, const Vector& damage, const Vector& u) {
  Vector out(u.size());
  evaluate(load, damage, u, InterfaceStiffness::secant, out);
  return out;
}

NewtonReport Mechanics::solve(const Vector& load, const Vector& damage, double tolerance, Vector& u) {
  if (!preconditioner_) prepare(damage);
  NewtonReport report;
  Vector rest(u.size()), step(u.size()), trial(u.size()), free_load = load;
  clear_fixed(free_load, fixed_, threads_);
  // Prescribed displacements load the body too: their forces at rest of everything else count in the reference.
  Vector prescribed = u, forces(u.size());
  for (std::size_t i = 0; i < fixed_.size(); ++i)
    for (std::size_t k = 0; k < 3; ++k)
      if ((fixed_[i] >> k & 1) == 0) prescribed[3 * i + k] = 0;
  BlockOperator{&bulk_, nullptr, &fixed_, threads_}.apply(prescribed, forces);
  const double reference = std::max(norm(free_load, threads_), norm(forces, threads_));
  auto kind = InterfaceStiffness::tangent;
  const auto size_at = [&](const Vector& v, InterfaceStiffness k) {
    evaluate(load, damage, v, k, rest);
    clear_fixed(rest, fixed_, threads_);
    return norm(rest, threads_) / (reference > 0 ? reference : 1);
  };
  report.residual = size_at(u, kind);
  report.residuals.push_back(report.residual);
  const BlockOperator a{&bulk_, &interface_, &fixed_, threads_};
  const auto precondition = [&](const Vector& r, Vector& z) { preconditioner_->apply(r, z); };
  while (report.residual > tolerance && report.iterations < max_newton && std::isfinite(report.residual)) {
    ++report.iterations;
    for (auto& r : rest) r = -r;
    std::fill(step.begin(), step.end(), 0.0);
    const double goal = std::max(0.02 * report.residual, 0.3 * tolerance) * (reference > 0 ? reference : 1);
    auto linear = conjugate_gradients(a, precondition, rest, step, goal, 1, max_linear);
    report.linear_iterations += linear.iterations;
    if (linear.indefinite) {
      report.used_secant = true;
      const Vector right = rest;
      interface_response(mesh_, law_, u, damage, InterfaceStiffness::secant, interface_);
      std::fill(step.begin(), step.end(), 0.0);
      linear = conjugate_gradients(a, precondition, right, step, goal, 1, max_linear);
      report.linear_iterations += linear.iterations;
    }
    double length = 1, size = 0;
    for (int k = 0; k < 6; ++k, length /= 2) {
      trial = u;
      add_scaled(trial, length, step, threads_);
      size = size_at(trial, kind);
      if (size < (1 - 0.1 * length) * report.residual) break;
    }
    u = trial;
    report.residual = size;
    report.residuals.push_back(size);
  }
  report.converged = report.residual <= tolerance;
  if (report.converged) return report;
  const auto larger = [](double p, double q) { return std::abs(p) < std::abs(q); };
  report.worst_node =
      static_cast<std::int32_t>((std::max_element(rest.begin(), rest.end(), larger) - rest.begin()) / 3);
  return report;
}

std::size_t Mechanics::bytes() const {
  return bulk_.value.size() * (sizeof(Block) + 4) + bulk_.start.size() * 8 + incidence_.item.size() * 8;
}

}  // namespace cathoscope::fem
