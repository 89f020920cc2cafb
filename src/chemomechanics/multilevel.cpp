#include "multilevel.hpp"

#include "aggregation.hpp"
#include "chebyshev.hpp"

#include <Eigen/Dense>

#include <algorithm>

namespace cathoscope::fem {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr int smoothing_degree = 2;

using Small = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;

/// Inverse of the diagonal blocks; prescribed components are left alone.
std::vector<Block> inverse_diagonals(const BlockOperator& a) {
  std::vector<Block> inverse(a.fixed->size());
  const auto some = a.some != nullptr ? row_of_node(*a.some, a.fixed->size()) : std::vector<std::int32_t>();
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    const auto node = static_cast<std::int32_t>(i);
    Small block = Eigen::Map<const Small>(const_cast<BlockMatrix*>(a.all)->at(node, node).data());
    if (!some.empty() && some[i] >= 0)
      block += Eigen::Map<const Small>(const_cast<BlockMatrix*>(a.some)->at(some[i], node).data());
    for (int k = 0; k < 3; ++k)
      if (((*a.fixed)[i] >> k & 1) != 0) {
        block.row(k).setZero();
        block.col(k).setZero();
        block(k, k) = 1;
      }
    const Small result = block.inverse();
    Eigen::Map<Small>(inverse[i].data()) = result;
  }
  return inverse;
}

/// Corners that a node lies between; a corner is its own pair.
struct Parents {
  const Mesh& mesh;
  [[nodiscard]] std::array<std::int32_t, 2> of(std::int32_t node) const {
    return node < mesh.corners ? std::array<std::int32_t, 2>{node, node} : mesh.edge_of[at(node - mesh.corners)];
  }
};

/// Nodes that interpolate from each corner.
struct Children {
  std::vector<std::int64_t> start;
  std::vector<std::int32_t> node;
};

Children children_of(const Mesh& mesh) {
  Children c;
  c.start.assign(at(mesh.corners) + 1, 0);
  const Parents parents{mesh};
  const auto nodes = static_cast<std::int32_t>(mesh.nodes.size());
  const auto for_each = [&](const auto& f) {
    for (std::int32_t n = 0; n < nodes; ++n) {
      const auto [a, b] = parents.of(n);
      f(a, n);
      if (b != a) f(b, n);
    }
  };
  for_each([&](std::int32_t p, std::int32_t) { ++c.start[at(p) + 1]; });
  for (std::size_t i = 1; i < c.start.size(); ++i) c.start[i] += c.start[i - 1];
  c.node.resize(at(c.start.back()));
  auto next = c.start;
  for_each([&](std::int32_t p, std::int32_t n) { c.node[at(next[at(p)]++)] = n; });
  return c;
}

/// Row of P^T A P for one corner, as (corner, block) pairs in ascending order.
class CoarseRow {
 public:
  explicit CoarseRow(std::int32_t corners) : place_(at(corners), -1) {}

  void begin() {
    for (const auto c : columns) place_[at(c)] = -1;
    columns.clear();
    blocks.clear();
  }
  void add(std::int32_t corner, double weight, const Block& block) {
    auto& place = place_[at(corner)];
    if (place < 0) {
      place = static_cast<std::int32_t>(columns.size());
      columns.push_back(corner);
      blocks.push_back({});
    }
    for (std::size_t k = 0; k < 9; ++k) blocks[at(place)][k] += weight * block[k];
  }
  void add_row(const BlockMatrix& m, std::int64_t row, double weight, const Parents& parents) {
    for (auto k = m.start[at(row)]; k < m.start[at(row) + 1]; ++k) {
      const auto [a, b] = parents.of(m.column[at(k)]);
      const double w = a == b ? weight : weight / 2;
      add(a, w, m.value[at(k)]);
      if (b != a) add(b, w, m.value[at(k)]);
    }
  }

  std::vector<std::int32_t> columns;
  std::vector<Block> blocks;

 private:
  std::vector<std::int32_t> place_;
};

/// P^T A P on the corners as a scalar matrix; prescribed unknowns keep only their diagonal.
SparseRows coarse_matrix(const Mesh& mesh, const BlockOperator& a) {
  const auto children = children_of(mesh);
  const Parents parents{mesh};
  const auto some = row_of_node(*a.some, mesh.nodes.size());
  CoarseRow row(mesh.corners);
  SparseRows result(3 * mesh.corners, 3 * mesh.corners);
  const auto gather = [&](std::int32_t corner) {
    row.begin();
    for (auto k = children.start[at(corner)]; k < children.start[at(corner) + 1]; ++k) {
      const auto child = children.node[at(k)];
      const double weight = child < mesh.corners ? 1 : 0.5;
      row.add_row(*a.all, child, weight, parents);
      if (some[at(child)] >= 0) row.add_row(*a.some, some[at(child)], weight, parents);
    }
  };
  std::vector<int> width(3 * at(mesh.corners));
  for (std::int32_t c = 0; c < mesh.corners; ++c) {
    // The width is that of the linear elements: corners of tetrahedra around, and of facets across the interface.
    row.begin();
    for (auto k = a.all->start[at(c)]; k < a.all->start[at(c) + 1]; ++k)
      if (a.all->column[at(k)] < mesh.corners) row.add(a.all->column[at(k)], 0, {});
    if (some[at(c)] >= 0)
      for (auto k = a.some->start[at(some[at(c)])]; k < a.some->start[at(some[at(c)]) + 1]; ++k)
        if (a.some->column[at(k)] < mesh.corners) row.add(a.some->column[at(k)], 0, {});
    for (std::size_t k = 0; k < 3; ++k) width[3 * at(c) + k] = 3 * static_cast<int>(row.columns.size());
  }
  result.reserve(width);
  std::vector<std::size_t> order;
  for (std::int32_t c = 0; c < mesh.corners; ++c) {
    gather(c);
    order.resize(row.columns.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
    std::sort(order.begin(), order.end(), [&](auto i, auto j) { return row.columns[i] < row.columns[j]; });
    for (int i = 0; i < 3; ++i) {
      const bool row_fixed = ((*a.fixed)[at(c)] >> i & 1) != 0;
      for (const auto k : order)
        for (int j = 0; j < 3; ++j) {
          const std::int32_t other = row.columns[k];
          const bool diagonal = other == c && i == j;
          const bool fixed = row_fixed || ((*a.fixed)[at(other)] >> j & 1) != 0;
          if (!fixed || diagonal) result.insert(3 * c + i, 3 * other + j) = row.blocks[k][at(3 * i + j)];
        }
    }
  }
  result.makeCompressed();
  return result;
}

/// Three translations and three rotations at the corners, zero where displacement is prescribed.
Eigen::MatrixXd rigid_modes(const Mesh& mesh, const FixedBits& fixed) {
  Eigen::MatrixXd modes = Eigen::MatrixXd::Zero(3 * mesh.corners, 6);
  const Point centre = 0.5 * (mesh.low + mesh.high);
  const double scale = 1 / length(mesh.high - mesh.low);
  for (std::int32_t c = 0; c < mesh.corners; ++c) {
    const Point p = scale * (mesh.nodes[at(c)] - centre);
    auto rows = modes.middleRows<3>(3 * c);
    rows.leftCols<3>().setIdentity();
    rows.rightCols<3>() << 0, p.z, -p.y, -p.z, 0, p.x, p.y, -p.x, 0;
    for (int k = 0; k < 3; ++k)
      if ((fixed[at(c)] >> k & 1) != 0) rows.row(k).setZero();
  }
  return modes;
}

AggregationInput aggregation_input(const Mesh& mesh, const BlockOperator& a) {
  AggregationInput in;
  in.a = coarse_matrix(mesh, a);
  for (std::int32_t c = 0; c <= mesh.corners; ++c) in.first.push_back(3 * c);
  in.domain.assign(mesh.domain_of_node.begin(), mesh.domain_of_node.begin() + mesh.corners);
  in.modes = rigid_modes(mesh, *a.fixed);
  return in;
}

}  // namespace

struct Multilevel::Parts {
  const Mesh& mesh;
  const FixedBits& fixed;
  BlockMatrix some;
  BlockOperator a;
  std::vector<Block> inverse;
  Children children;
  double bound = 0;
  Aggregation coarse;

  Parts(const Mesh& m, const BlockMatrix& all, const BlockMatrix& interface, const FixedBits& f, int threads)
      : mesh(m),
        fixed(f),
        some(interface),
        a{&all, &some, &f, threads},
        inverse(inverse_diagonals(a)),
        children(children_of(m)),
        coarse(aggregation_input(m, a)) {
    bound = spectral_bound(a.size(), [&](const Eigen::VectorXd& x) -> Eigen::VectorXd { return scaled(product(x)); });
  }

  [[nodiscard]] Eigen::VectorXd product(const Eigen::VectorXd& x) const {
    Vector in(x.data(), x.data() + x.size()), out(in.size());
    clear_fixed(in, fixed, a.threads);
    a.apply(in, out);
    return Eigen::Map<const Eigen::VectorXd>(out.data(), x.size());
  }

  [[nodiscard]] Eigen::VectorXd scaled(const Eigen::VectorXd& r) const {
    Eigen::VectorXd z(r.size());
    over_ranges(static_cast<std::int64_t>(inverse.size()), a.threads, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i)
        z.segment<3>(3 * i) = Eigen::Map<const Small>(inverse[at(i)].data()) * r.segment<3>(3 * i);
    });
    return z;
  }

  /// P^T r
  [[nodiscard]] Eigen::VectorXd restricted(const Eigen::VectorXd& r) const {
    Eigen::VectorXd coarse_r = Eigen::VectorXd::Zero(3 * mesh.corners);
    for (std::int32_t c = 0; c < mesh.corners; ++c) {
      for (auto k = children.start[at(c)]; k < children.start[at(c) + 1]; ++k) {
        const auto child = children.node[at(k)];
        coarse_r.segment<3>(3 * c) += (child < mesh.corners ? 1 : 0.5) * r.segment<3>(3 * child);
      }
      for (int k = 0; k < 3; ++k)
        if ((fixed[at(c)] >> k & 1) != 0) coarse_r[3 * c + k] = 0;
    }
    return coarse_r;
  }

  void add_prolonged(const Eigen::VectorXd& coarse_z, Eigen::VectorXd& z) const {
    const Parents parents{mesh};
    for (std::int32_t n = 0; n < static_cast<std::int32_t>(mesh.nodes.size()); ++n) {
      const auto [p, q] = parents.of(n);
      for (int k = 0; k < 3; ++k)
        if ((fixed[at(n)] >> k & 1) == 0) z[3 * n + k] += 0.5 * (coarse_z[3 * p + k] + coarse_z[3 * q + k]);
    }
  }
};

Multilevel::Multilevel(const Mesh& mesh, const BlockMatrix& all, const BlockMatrix& some, const FixedBits& fixed,
                       int threads)
    : parts_(std::make_unique<Parts>(mesh, all, some, fixed, threads)) {}
Multilevel::~Multilevel() = default;
Multilevel::Multilevel(Multilevel&&) noexcept = default;
Multilevel& Multilevel::operator=(Multilevel&&) noexcept = default;

void Multilevel::apply(const Vector& r, Vector& out) const {
  const Parts& p = *parts_;
  const auto apply = [&](const Eigen::VectorXd& x) { return p.product(x); };
  const auto scale = [&](const Eigen::VectorXd& x) { return p.scaled(x); };
  const Eigen::VectorXd right = Eigen::Map<const Eigen::VectorXd>(r.data(), static_cast<Eigen::Index>(r.size()));
  Eigen::VectorXd z = Eigen::VectorXd::Zero(right.size()), rest = right, coarse;
  chebyshev(smoothing_degree, p.bound, apply, scale, z, rest);
  rest = right - p.product(z);
  p.coarse.solve(p.restricted(rest), coarse);
  p.add_prolonged(coarse, z);
  rest = right - p.product(z);
  chebyshev(smoothing_degree, p.bound, apply, scale, z, rest);
  std::copy(z.data(), z.data() + z.size(), out.begin());
  clear_fixed(out, p.fixed, p.a.threads);
}

}  // namespace cathoscope::fem
