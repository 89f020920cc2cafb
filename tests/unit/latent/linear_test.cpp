#include "../../../src/latent/linear.hpp"

#include "../../../src/latent/alignment.hpp"
#include "planted.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace cathoscope;
using namespace cathoscope::latent_detail;
using namespace test;

namespace {

DataMatrix matrix(std::int64_t rows, std::int64_t columns, std::vector<double> values) {
  DataMatrix m(rows, columns);
  m.values = std::move(values);
  return m;
}

}  // namespace

TEST_CASE("groups of columns are found, whatever the order of the columns") {
  const auto p = planted_electrode("e", 2000, 0.5, 3).electrode;
  const auto scale = column_scale(p.values, 1);
  const SquareMatrix r = second_moments(standardised(p.values, scale, 1), {}, 1);
  const auto groups = column_groups(r, 9);
  std::size_t c = 0;
  for (const int size : group_sizes()) {
    for (int m = 1; m < size; ++m) CHECK(groups.group[c + static_cast<std::size_t>(m)] == groups.group[c]);
    c += static_cast<std::size_t>(size);
  }
  std::vector<std::int64_t> order(22);
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin(), order.begin() + 7, order.end());
  SquareMatrix mixed(22, 22);
  for (std::int64_t i = 0; i < 22; ++i)
    for (std::int64_t j = 0; j < 22; ++j)
      mixed.row(i)[j] = r.row(order[static_cast<std::size_t>(i)])[order[static_cast<std::size_t>(j)]];
  const auto other = column_groups(mixed, 9);
  for (std::size_t i = 0; i < 22; ++i)
    for (std::size_t j = 0; j < 22; ++j)
      CHECK((other.group[i] == other.group[j]) ==
            (groups.group[static_cast<std::size_t>(order[i])] == groups.group[static_cast<std::size_t>(order[j])]));
}

TEST_CASE("as many groups as columns are the columns themselves") {
  const SquareMatrix r = matrix(3, 3, {1, 0.9, 0.2, 0.9, 1, 0.1, 0.2, 0.1, 1});
  const auto groups = column_groups(r, 3);
  auto sorted = groups.group;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == std::vector<std::int64_t>{0, 1, 2});
  const auto two = column_groups(r, 2);
  CHECK(two.group[0] == two.group[1]);
  CHECK(two.group[0] != two.group[2]);
}

TEST_CASE("moments do not depend on threads, and rows can be chosen") {
  const auto p = planted_electrode("e", 20000, 0, 4).electrode;
  CHECK(second_moments(p.values, {}, 1).values == second_moments(p.values, {}, 4).values);
  CHECK(column_scale(p.values, 1).sd == column_scale(p.values, 3).sd);
  std::vector<std::int64_t> all(20000);
  std::iota(all.begin(), all.end(), 0);
  CHECK(second_moments(p.values, all, 2).values == second_moments(p.values, {}, 2).values);
}

TEST_CASE("explained shares of orthogonal codes add up, and codes are ordered by what they add") {
  // Code 2 explains 0.5 + 0.32 = 0.82 of the two columns, code 1 0.1 + 0.1 = 0.2 (products squared).
  const auto e =
      explained_order(matrix(2, 2, {1, 0, 0, 1}),
                      matrix(2, 2, {std::sqrt(0.1), std::sqrt(0.1), std::sqrt(0.5), std::sqrt(0.32)}), false);
  CHECK(e.order == std::vector<std::int64_t>{1, 0});
  CHECK(e.explained[0] == Approx(0.82));
  CHECK(e.explained[1] == Approx(1.02));
  // A code that repeats another adds nothing.
  const auto twice = explained_order(matrix(2, 2, {1, 1, 1, 1}), matrix(2, 1, {0.6, 0.6}), true);
  CHECK(twice.explained[0] == Approx(0.36));
  CHECK(twice.explained[1] == Approx(0.36));
}

TEST_CASE("the best assignment is that of trying all") {
  Stream draw(9, {"assignment"});
  for (int trial = 0; trial < 50; ++trial) {
    DataMatrix gain(5, 5);
    for (double& v : gain.values) v = trial % 2 == 0 ? draw.uniform() : static_cast<double>(draw.below(3));
    const auto value = [&](const std::vector<std::int64_t>& column) {
      double sum = 0;
      for (std::int64_t i = 0; i < 5; ++i) sum += gain.row(i)[column[static_cast<std::size_t>(i)]];
      return sum;
    };
    std::vector<std::int64_t> order{0, 1, 2, 3, 4};
    double best = -1;
    do best = std::max(best, value(order));
    while (std::next_permutation(order.begin(), order.end()));
    CHECK(value(best_assignment(gain)) == Approx(best).epsilon(1e-12));
  }
}

TEST_CASE("columns are matched through permutation and sign") {
  const auto p = planted_electrode("e", 500, 0, 8).factors;
  DataMatrix q(p.rows, p.columns);
  for (std::int64_t i = 0; i < p.rows; ++i)
    for (std::int64_t k = 0; k < p.columns; ++k)
      q.row(i)[(k + 4) % p.columns] = (k % 2 == 0 ? -2 : 3) * p.row(i)[k] + 1;
  const auto m = matched_columns(p, q);
  for (std::int64_t k = 0; k < p.columns; ++k) {
    CHECK(m.column[static_cast<std::size_t>(k)] == (k + 4) % p.columns);
    CHECK(m.correlation[static_cast<std::size_t>(k)] == Approx(k % 2 == 0 ? -1 : 1).epsilon(1e-12));
  }
}
