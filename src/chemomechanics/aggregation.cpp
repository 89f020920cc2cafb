#include "aggregation.hpp"

#include "chebyshev.hpp"

#include <cathoscope/core/error.hpp>

#include <Eigen/Dense>

#include <algorithm>

namespace cathoscope::fem {

namespace {

constexpr Eigen::Index direct_size = 4500;

std::size_t at(Eigen::Index i) { return static_cast<std::size_t>(i); }

struct Graph {
  std::vector<std::size_t> start{0};
  std::vector<int> neighbour;
};

/// Nodes that a matrix couples within a domain.
Graph graph_of(const AggregationInput& in) {
  const std::size_t nodes = in.domain.size();
  std::vector<int> node_of(at(in.a.rows()));
  for (std::size_t i = 0; i < nodes; ++i)
    std::fill(node_of.begin() + in.first[i], node_of.begin() + in.first[i + 1], static_cast<int>(i));
  Graph g;
  std::vector<int> seen;
  for (std::size_t i = 0; i < nodes; ++i) {
    seen.clear();
    for (int row = in.first[i]; row < in.first[i + 1]; ++row)
      for (SparseRows::InnerIterator e(in.a, row); e; ++e) {
        const int j = node_of[at(e.col())];
        if (j != static_cast<int>(i) && in.domain[static_cast<std::size_t>(j)] == in.domain[i] && e.value() != 0)
          seen.push_back(j);
      }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    g.neighbour.insert(g.neighbour.end(), seen.begin(), seen.end());
    g.start.push_back(g.neighbour.size());
  }
  return g;
}

/// Aggregate of each node: whole neighbourhoods first, then what is left joins one next to it.
std::vector<int> aggregates_of(const Graph& g) {
  const std::size_t n = g.start.size() - 1;
  std::vector<int> aggregate(n, -1);
  int count = 0;
  const auto neighbours = [&](std::size_t i) {
    return std::pair{g.neighbour.begin() + static_cast<std::ptrdiff_t>(g.start[i]),
                     g.neighbour.begin() + static_cast<std::ptrdiff_t>(g.start[i + 1])};
  };
  for (std::size_t i = 0; i < n; ++i) {
    const auto [begin, end] = neighbours(i);
    if (aggregate[i] >= 0 || begin == end) continue;
    if (std::any_of(begin, end, [&](int j) { return aggregate[static_cast<std::size_t>(j)] >= 0; })) continue;
    aggregate[i] = count;
    for (auto j = begin; j != end; ++j) aggregate[static_cast<std::size_t>(*j)] = count;
    ++count;
  }
  const auto roots = aggregate;
  for (std::size_t i = 0; i < n; ++i) {
    if (aggregate[i] >= 0) continue;
    const auto [begin, end] = neighbours(i);
    const auto near = std::find_if(begin, end, [&](int j) { return roots[static_cast<std::size_t>(j)] >= 0; });
    aggregate[i] = near != end ? roots[static_cast<std::size_t>(*near)] : count++;
  }
  return aggregate;
}

/// Orthonormal basis of the modes on each aggregate; its coefficients are the modes of the next level.
struct Tentative {
  SparseRows prolong;
  std::vector<int> first{0};
  std::vector<int> domain;
  Eigen::MatrixXd modes;
};

Tentative tentative_of(const AggregationInput& in, const std::vector<int>& aggregate) {
  const auto count = static_cast<std::size_t>(*std::max_element(aggregate.begin(), aggregate.end()) + 1);
  std::vector<std::vector<int>> rows(count);
  Tentative t;
  t.domain.resize(count);
  for (std::size_t i = 0; i < aggregate.size(); ++i) {
    const auto a = static_cast<std::size_t>(aggregate[i]);
    for (int r = in.first[i]; r < in.first[i + 1]; ++r) rows[a].push_back(r);
    t.domain[a] = in.domain[i];
  }
  const Eigen::Index modes = in.modes.cols();
  Eigen::MatrixXd coarse(static_cast<Eigen::Index>(count) * modes, modes);
  std::vector<Eigen::MatrixXd> bases(count);
  int next = 0;
  for (std::size_t a = 0; a < count; ++a) {
    Eigen::MatrixXd local(static_cast<Eigen::Index>(rows[a].size()), modes);
    for (std::size_t k = 0; k < rows[a].size(); ++k) local.row(static_cast<Eigen::Index>(k)) = in.modes.row(rows[a][k]);
    Eigen::MatrixXd& q = bases[a];
    q.resize(local.rows(), 0);
    for (Eigen::Index m = 0; m < modes; ++m) {
      Eigen::VectorXd v = local.col(m);
      for (int pass = 0; pass < 2; ++pass) v -= (q * (q.transpose() * v)).eval();
      if (v.norm() <= 1e-6 * local.col(m).norm() || v.norm() == 0) continue;
      q.conservativeResize(Eigen::NoChange, q.cols() + 1);
      q.col(q.cols() - 1) = v.normalized();
    }
    coarse.middleRows(next, q.cols()) = q.transpose() * local;
    next += static_cast<int>(q.cols());
    t.first.push_back(next);
  }
  t.modes = coarse.topRows(next);
  t.prolong.resize(in.a.rows(), next);
  std::vector<int> width(at(in.a.rows()), 0);
  for (std::size_t a = 0; a < count; ++a)
    for (const int r : rows[a]) width[static_cast<std::size_t>(r)] = static_cast<int>(bases[a].cols());
  t.prolong.reserve(width);
  for (std::size_t a = 0; a < count; ++a)
    for (std::size_t k = 0; k < rows[a].size(); ++k)
      for (Eigen::Index m = 0; m < bases[a].cols(); ++m)
        t.prolong.insert(rows[a][k], t.first[a] + m) = bases[a](static_cast<Eigen::Index>(k), m);
  t.prolong.makeCompressed();
  return t;
}

double bound_of(const SparseRows& a, const Eigen::VectorXd& inverse_diagonal) {
  return spectral_bound(
      at(a.rows()), [&](const Eigen::VectorXd& x) -> Eigen::VectorXd { return inverse_diagonal.cwiseProduct(a * x); });
}

}  // namespace

Aggregation::Aggregation(AggregationInput in) {
  while (in.a.rows() > direct_size && levels_.size() < 12) {
    Level level;
    level.inverse_diagonal = in.a.diagonal().cwiseInverse();
    level.bound = bound_of(in.a, level.inverse_diagonal);
    auto t = tentative_of(in, aggregates_of(graph_of(in)));
    if (t.prolong.cols() >= in.a.rows() * 9 / 10) break;
    SparseRows correction = in.a * t.prolong;
    correction = ((4.0 / 3 / level.bound) * level.inverse_diagonal).asDiagonal() * correction;
    level.prolong = t.prolong - correction;
    const SparseRows right = in.a * level.prolong;
    AggregationInput next;
    next.a = SparseRows(level.prolong.transpose()) * right;
    next.first = std::move(t.first);
    next.domain = std::move(t.domain);
    next.modes = std::move(t.modes);
    level.a = std::move(in.a);
    levels_.push_back(std::move(level));
    in = std::move(next);
  }
  direct_ = std::make_unique<Eigen::SimplicialLLT<Eigen::SparseMatrix<double>>>(in.a);
  if (direct_->info() != Eigen::Success)
    fail(Exit::not_converged,
         "elasticity: the stiffness on the coarsest level is not positive definite; are the mechanical boundary "
         "conditions enough to hold the body?");
}

void Aggregation::cycle(std::size_t depth, const Eigen::VectorXd& r, Eigen::VectorXd& z) const {
  if (depth == levels_.size()) {
    z = direct_->solve(r);
    return;
  }
  const Level& l = levels_[depth];
  const auto apply = [&](const Eigen::VectorXd& x) -> Eigen::VectorXd { return l.a * x; };
  const auto scale = [&](const Eigen::VectorXd& x) -> Eigen::VectorXd { return l.inverse_diagonal.cwiseProduct(x); };
  z.setZero(r.size());
  Eigen::VectorXd rest = r;
  chebyshev(2, l.bound, apply, scale, z, rest);
  Eigen::VectorXd coarse;
  cycle(depth + 1, l.prolong.transpose() * rest, coarse);
  z += l.prolong * coarse;
  rest = r - l.a * z;
  chebyshev(2, l.bound, apply, scale, z, rest);
}

}  // namespace cathoscope::fem
