#include "block_matrix.hpp"

#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::fem {

namespace {

constexpr std::int64_t range_length = 2048;
constexpr std::int64_t worth_threads = 4 * range_length;
constexpr std::size_t sum_length = 4096;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void multiply_add(const Block& m, const double* x, double* y) {
  y[0] += m[0] * x[0] + m[1] * x[1] + m[2] * x[2];
  y[1] += m[3] * x[0] + m[4] * x[1] + m[5] * x[2];
  y[2] += m[6] * x[0] + m[7] * x[1] + m[8] * x[2];
}

void apply_row(const BlockMatrix& m, std::int64_t row, const double* x, double* y) {
  for (auto k = m.start[at(row)]; k < m.start[at(row) + 1]; ++k)
    multiply_add(m.value[at(k)], x + 3 * static_cast<std::int64_t>(m.column[at(k)]), y);
}

void clear_fixed(double* y, unsigned bits) {
  if ((bits & 1U) != 0) y[0] = 0;
  if ((bits & 2U) != 0) y[1] = 0;
  if ((bits & 4U) != 0) y[2] = 0;
}

}  // namespace

Block& BlockMatrix::at(std::int64_t row, std::int32_t node) {
  const auto begin = column.begin() + start[static_cast<std::size_t>(row)];
  const auto end = column.begin() + start[static_cast<std::size_t>(row) + 1];
  return value[static_cast<std::size_t>(std::lower_bound(begin, end, node) - column.begin())];
}

void over_ranges(std::int64_t count, int threads, const std::function<void(std::int64_t, std::int64_t)>& f) {
  if (threads <= 1 || count < worth_threads) return f(0, count);
  parallel_for((count + range_length - 1) / range_length, threads,
               [&](std::int64_t i) { f(i * range_length, std::min(count, (i + 1) * range_length)); });
}

double dot(const Vector& a, const Vector& b, int threads) {
  const std::size_t sums = (a.size() + sum_length - 1) / sum_length;
  Vector partial(sums, 0.0);
  over_ranges(static_cast<std::int64_t>(sums), a.size() < 400'000 ? 1 : threads,
              [&](std::int64_t begin, std::int64_t end) {
                for (auto s = at(begin); s < at(end); ++s) {
                  double sum = 0;
                  const std::size_t last = std::min(a.size(), (s + 1) * sum_length);
                  for (std::size_t i = s * sum_length; i < last; ++i) sum += a[i] * b[i];
                  partial[s] = sum;
                }
              });
  double total = 0;
  for (const double p : partial) total += p;
  return total;
}

double norm(const Vector& a, int threads) { return std::sqrt(dot(a, a, threads)); }

void add_scaled(Vector& y, double s, const Vector& x, int threads) {
  over_ranges(static_cast<std::int64_t>(y.size()), threads, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = at(begin); i < at(end); ++i) y[i] += s * x[i];
  });
}

void clear_fixed(Vector& v, const FixedBits& fixed, int threads) {
  over_ranges(static_cast<std::int64_t>(fixed.size()), threads, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) clear_fixed(&v[at(3 * i)], fixed[at(i)]);
  });
}

void BlockOperator::apply(const Vector& x, Vector& y) const {
  over_ranges(all->rows(), threads, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = begin; row < end; ++row) {
      double* out = &y[at(3 * row)];
      out[0] = out[1] = out[2] = 0;
      apply_row(*all, row, x.data(), out);
    }
  });
  if (some != nullptr)
    over_ranges(some->rows(), threads, [&](std::int64_t begin, std::int64_t end) {
      for (auto row = begin; row < end; ++row) apply_row(*some, row, x.data(), &y[at(3L * some->node_of(row))]);
    });
  fem::clear_fixed(y, *fixed, threads);
}

std::vector<std::int32_t> row_of_node(const BlockMatrix& matrix, std::size_t nodes) {
  std::vector<std::int32_t> rows(nodes, -1);
  for (std::int64_t r = 0; r < matrix.rows(); ++r) rows[at(matrix.node_of(r))] = static_cast<std::int32_t>(r);
  return rows;
}

SolveReport conjugate_gradients(const BlockOperator& a, const std::function<void(const Vector&, Vector&)>& precondition,
                                const Vector& b, Vector& x, double tolerance, double reference, int max_iterations) {
  const int threads = a.threads;
  const std::size_t n = a.size();
  Vector r(n), z(n), p(n), q(n);
  a.apply(x, q);
  for (std::size_t i = 0; i < n; ++i) r[i] = b[i] - q[i];
  clear_fixed(r, *a.fixed, threads);
  SolveReport report;
  double rz_old = 0;
  for (;; ++report.iterations) {
    report.residual = norm(r, threads) / reference;
    report.converged = report.residual <= tolerance;
    if (report.converged || report.iterations == max_iterations || !std::isfinite(report.residual)) return report;
    precondition(r, z);
    const double rz = dot(r, z, threads);
    const double beta = report.iterations > 0 ? rz / rz_old : 0;
    over_ranges(static_cast<std::int64_t>(n), threads, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = at(begin); i < at(end); ++i) p[i] = z[i] + beta * p[i];
    });
    a.apply(p, q);
    const double curvature = dot(p, q, threads);
    if (!(curvature > 0)) {
      report.indefinite = true;
      return report;
    }
    const double step = rz / curvature;
    add_scaled(x, step, p, threads);
    add_scaled(r, -step, q, threads);
    rz_old = rz;
  }
}

}  // namespace cathoscope::fem
