#include "linear.hpp"

#include <cathoscope/core/parallel.hpp>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope::latent_detail {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> view(const DataMatrix& m) { return {m.values.data(), m.rows, m.columns}; }

DataMatrix stored(const Matrix& m) {
  DataMatrix result(m.rows(), m.cols());
  Eigen::Map<Matrix>(result.values.data(), m.rows(), m.cols()) = m;
  return result;
}

constexpr std::int64_t block_rows = 8192;

/// Sums of f over blocks of rows, added in the order of blocks.
std::vector<double> block_sums(std::int64_t rows, std::size_t size, int threads,
                               const std::function<void(std::int64_t, std::vector<double>&)>& add_row) {
  const std::int64_t blocks = (rows + block_rows - 1) / block_rows;
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(blocks));
  parallel_for(blocks, threads, [&](std::int64_t b) {
    auto& part = parts[static_cast<std::size_t>(b)];
    part.assign(size, 0.0);
    for (std::int64_t i = b * block_rows; i < std::min(rows, (b + 1) * block_rows); ++i) add_row(i, part);
  });
  std::vector<double> sum(size);
  for (const auto& part : parts)
    for (std::size_t k = 0; k < size; ++k) sum[k] += part[k];
  return sum;
}

struct FirstAxis {
  double value = 0;
  Eigen::VectorXd vector;
};

FirstAxis first_axis(const Eigen::MatrixXd& r, const std::vector<std::int64_t>& members) {
  const auto n = static_cast<Eigen::Index>(members.size());
  Eigen::MatrixXd part(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      part(i, j) = r(members[static_cast<std::size_t>(i)], members[static_cast<std::size_t>(j)]);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(part);
  return {solver.eigenvalues()(n - 1), solver.eigenvectors().col(n - 1)};
}

using Groups = std::vector<std::vector<std::int64_t>>;

std::vector<std::int64_t> joined(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  std::vector<std::int64_t> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  return all;
}

/// Single columns, joined two by two until `count` groups are left.
Groups joined_groups(const Eigen::MatrixXd& r, std::int64_t count) {
  Groups groups;
  std::vector<double> value;
  for (Eigen::Index j = 0; j < r.rows(); ++j) {
    groups.push_back({j});
    value.push_back(r(j, j));
  }
  const auto price = [&](std::size_t a, std::size_t b) {
    return value[a] + value[b] - first_axis(r, joined(groups[a], groups[b])).value;
  };
  std::vector<std::vector<double>> prices(groups.size(), std::vector<double>(groups.size()));
  for (std::size_t a = 0; a < groups.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) prices[a][b] = price(a, b);
  while (static_cast<std::int64_t>(groups.size()) > count) {
    std::size_t first = 0, second = 1;
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = 0; b < a; ++b)
        if (prices[a][b] < prices[second][first] - 1e-12) first = b, second = a;
    groups[first] = joined(groups[first], groups[second]);
    value[first] = first_axis(r, groups[first]).value;
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(second));
    value.erase(value.begin() + static_cast<std::ptrdiff_t>(second));
    prices.erase(prices.begin() + static_cast<std::ptrdiff_t>(second));
    for (auto& row : prices) row.erase(row.begin() + static_cast<std::ptrdiff_t>(second));
    for (std::size_t b = 0; b < groups.size(); ++b)
      if (b != first) prices[std::max(first, b)][std::min(first, b)] = price(first, b);
  }
  return groups;
}

Eigen::MatrixXd directions(const Eigen::MatrixXd& r, const Groups& groups) {
  Eigen::MatrixXd w = Eigen::MatrixXd::Zero(r.rows(), static_cast<Eigen::Index>(groups.size()));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto axis = first_axis(r, groups[g]).vector;
    Eigen::Index largest = 0;
    axis.cwiseAbs().maxCoeff(&largest);
    for (std::size_t m = 0; m < groups[g].size(); ++m)
      w(groups[g][m], static_cast<Eigen::Index>(g)) =
          axis(static_cast<Eigen::Index>(m)) * (axis(largest) < 0 ? -1.0 : 1.0);
  }
  return w;
}

/// The group whose direction a column correlates with most; its own where it would leave that empty.
bool move_columns(const Eigen::MatrixXd& r, Groups& groups) {
  const Eigen::MatrixXd w = directions(r, groups);
  const Eigen::MatrixXd products = r * w;
  bool moved = false;
  Groups next = groups;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const std::int64_t column : groups[g]) {
      std::size_t best = g;
      const auto fit = [&](std::size_t k) {
        const auto i = static_cast<Eigen::Index>(k);
        return std::abs(products(column, i)) / std::sqrt(w.col(i).dot(products.col(i)));
      };
      for (std::size_t k = 0; k < groups.size(); ++k)
        if (fit(k) > fit(best) + 1e-9) best = k;
      if (best == g || next[g].size() == 1) continue;
      next[g].erase(std::find(next[g].begin(), next[g].end(), column));
      next[best] = joined(next[best], {column});
      moved = true;
    }
  groups = std::move(next);
  return moved;
}

}  // namespace

ColumnScale column_scale(const DataMatrix& x, int threads) {
  const auto d = static_cast<std::size_t>(x.columns);
  const auto n = static_cast<double>(x.rows);
  ColumnScale scale;
  scale.mean = block_sums(x.rows, d, threads, [&](std::int64_t i, std::vector<double>& sum) {
    for (std::size_t c = 0; c < d; ++c) sum[c] += x.row(i)[c];
  });
  for (double& m : scale.mean) m /= n;
  scale.sd = block_sums(x.rows, d, threads, [&](std::int64_t i, std::vector<double>& sum) {
    for (std::size_t c = 0; c < d; ++c) sum[c] += (x.row(i)[c] - scale.mean[c]) * (x.row(i)[c] - scale.mean[c]);
  });
  for (double& s : scale.sd) s = std::sqrt(s / n);
  return scale;
}

DataMatrix standardised(const DataMatrix& values, const ColumnScale& scale, int threads) {
  DataMatrix x(values.rows, values.columns);
  parallel_for((x.rows + block_rows - 1) / block_rows, threads, [&](std::int64_t b) {
    for (std::int64_t i = b * block_rows; i < std::min(x.rows, (b + 1) * block_rows); ++i)
      for (std::int64_t c = 0; c < x.columns; ++c) {
        const auto k = static_cast<std::size_t>(c);
        x.row(i)[c] = (values.row(i)[c] - scale.mean[k]) / scale.sd[k];
      }
  });
  return x;
}

SquareMatrix second_moments(const DataMatrix& x, const std::vector<std::int64_t>& index, int threads) {
  const auto d = static_cast<std::size_t>(x.columns);
  const std::int64_t rows = index.empty() ? x.rows : static_cast<std::int64_t>(index.size());
  SquareMatrix result(x.columns, x.columns);
  result.values = block_sums(rows, d * d, threads, [&](std::int64_t i, std::vector<double>& sum) {
    const double* v = x.row(index.empty() ? i : index[static_cast<std::size_t>(i)]);
    for (std::size_t a = 0; a < d; ++a)
      for (std::size_t b = 0; b < d; ++b) sum[a * d + b] += v[a] * v[b];
  });
  for (double& v : result.values) v /= static_cast<double>(rows);
  return result;
}

SquareMatrix mean_of(const std::vector<SquareMatrix>& matrices) {
  SquareMatrix mean(matrices.front().rows, matrices.front().columns);
  for (const auto& m : matrices)
    for (std::size_t i = 0; i < mean.values.size(); ++i)
      mean.values[i] += m.values[i] / static_cast<double>(matrices.size());
  return mean;
}

DataMatrix principal_axes(const SquareMatrix& moments, std::int64_t count) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::MatrixXd(view(moments)));
  Matrix axes(moments.rows, count);
  for (std::int64_t k = 0; k < count; ++k) {
    const Eigen::VectorXd v = solver.eigenvectors().col(moments.rows - 1 - k);
    Eigen::Index largest = 0;
    v.cwiseAbs().maxCoeff(&largest);
    axes.col(k) = v(largest) < 0 ? Eigen::VectorXd(-v) : v;
  }
  return stored(axes);
}

ColumnGroups column_groups(const SquareMatrix& moments, std::int64_t count) {
  constexpr int most_rounds = 100;
  const Eigen::MatrixXd r = view(moments);
  Groups groups = joined_groups(r, count);
  for (int round = 0; round < most_rounds && move_columns(r, groups); ++round) {
  }
  ColumnGroups result{std::vector<std::int64_t>(static_cast<std::size_t>(moments.rows)),
                      stored(Matrix(directions(r, groups)))};
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const auto column : groups[g]) result.group[static_cast<std::size_t>(column)] = static_cast<std::int64_t>(g);
  return result;
}

DataMatrix regression_on_codes(const SquareMatrix& moments, const DataMatrix& a) {
  const Eigen::MatrixXd products = view(a).transpose() * view(moments);
  const Eigen::MatrixXd codes = products * view(a);
  return stored(Matrix(codes.completeOrthogonalDecomposition().solve(products)));
}

ExplainedOrder explained_order(const SquareMatrix& codes, const DataMatrix& products, bool keep_order) {
  // Gram-Schmidt on the moments: what is left of each code and of its products when those before it are known.
  Eigen::MatrixXd s = view(codes), b = view(products);
  const auto k = s.rows();
  std::vector<Eigen::Index> left(static_cast<std::size_t>(k));
  std::iota(left.begin(), left.end(), Eigen::Index{0});
  ExplainedOrder result;
  double total = 0;
  const auto gain = [&](Eigen::Index i) { return s(i, i) > 1e-12 ? b.row(i).squaredNorm() / s(i, i) : 0.0; };
  while (!left.empty()) {
    auto best = left.begin();
    for (auto it = left.begin(); it != left.end() && !keep_order; ++it)
      if (gain(*it) > gain(*best) * (1 + 1e-12)) best = it;
    const Eigen::Index i = *best;
    total += gain(i);
    result.order.push_back(i);
    result.explained.push_back(total);
    left.erase(best);
    if (s(i, i) <= 1e-12) continue;
    const Eigen::VectorXd ratio = s.col(i) / s(i, i);
    const Eigen::RowVectorXd row = b.row(i), line = s.row(i);
    for (const auto j : left) {
      b.row(j) -= ratio(j) * row;
      s.row(j) -= ratio(j) * line;
    }
  }
  return result;
}

}  // namespace cathoscope::latent_detail
