#include "alignment.hpp"

#include <cmath>
#include <limits>

namespace cathoscope::latent_detail {

std::vector<std::int64_t> best_assignment(const DataMatrix& gain) {
  const auto n = static_cast<std::size_t>(gain.rows);
  const auto cost = [&](std::size_t i, std::size_t j) { return -gain.values[(i - 1) * n + (j - 1)]; };
  // Potentials u, v; match[j] = row of column j; 0 stands for none.
  std::vector<double> u(n + 1), v(n + 1);
  std::vector<std::size_t> match(n + 1), way(n + 1);
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<double> least(n + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> used(n + 1);
    std::size_t at = 0;
    match[0] = i;
    do {
      used[at] = true;
      std::size_t next = 0;
      double step = std::numeric_limits<double>::infinity();
      for (std::size_t j = 1; j <= n; ++j) {
        if (used[j]) continue;
        const double reduced = cost(match[at], j) - u[match[at]] - v[j];
        if (reduced < least[j]) least[j] = reduced, way[j] = at;
        if (least[j] < step) step = least[j], next = j;
      }
      for (std::size_t j = 0; j <= n; ++j) {
        if (used[j])
          u[match[j]] += step, v[j] -= step;
        else
          least[j] -= step;
      }
      at = next;
    } while (match[at] != 0);
    for (; at != 0; at = way[at]) match[at] = match[way[at]];
  }
  std::vector<std::int64_t> result(n);
  for (std::size_t j = 1; j <= n; ++j) result[match[j] - 1] = static_cast<std::int64_t>(j - 1);
  return result;
}

namespace {

struct Standard {
  std::vector<double> mean, sd;
};

Standard standard_of(const DataMatrix& m) {
  const auto k = static_cast<std::size_t>(m.columns);
  Standard s{std::vector<double>(k), std::vector<double>(k)};
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::size_t c = 0; c < k; ++c) s.mean[c] += m.row(i)[c] / static_cast<double>(m.rows);
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::size_t c = 0; c < k; ++c)
      s.sd[c] += (m.row(i)[c] - s.mean[c]) * (m.row(i)[c] - s.mean[c]) / static_cast<double>(m.rows);
  for (double& v : s.sd) v = std::sqrt(v);
  return s;
}

}  // namespace

DataMatrix cross_correlations(const DataMatrix& a, const DataMatrix& b) {
  const Standard sa = standard_of(a), sb = standard_of(b);
  DataMatrix r(a.columns, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t p = 0; p < a.columns; ++p)
      for (std::int64_t q = 0; q < b.columns; ++q)
        r.row(p)[q] += (a.row(i)[p] - sa.mean[static_cast<std::size_t>(p)]) *
                       (b.row(i)[q] - sb.mean[static_cast<std::size_t>(q)]) / static_cast<double>(a.rows);
  for (std::int64_t p = 0; p < a.columns; ++p)
    for (std::int64_t q = 0; q < b.columns; ++q) {
      const double scale = sa.sd[static_cast<std::size_t>(p)] * sb.sd[static_cast<std::size_t>(q)];
      r.row(p)[q] = scale > 0 ? r.row(p)[q] / scale : 0;
    }
  return r;
}

Matching matched_columns(const DataMatrix& a, const DataMatrix& b) {
  const DataMatrix r = cross_correlations(a, b);
  DataMatrix gain = r;
  for (double& v : gain.values) v = std::abs(v);
  Matching m{best_assignment(gain), {}};
  for (std::size_t i = 0; i < m.column.size(); ++i)
    m.correlation.push_back(r.row(static_cast<std::int64_t>(i))[m.column[i]]);
  return m;
}

}  // namespace cathoscope::latent_detail
