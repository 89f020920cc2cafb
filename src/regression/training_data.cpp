#include "training_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cathoscope {

namespace {

void require_usable(const FeatureRows& rows, const std::vector<double>& target) {
  if (rows.rows == 0) fail(Exit::data, "no rows to fit a forest to");
  if (rows.features == 0) fail(Exit::data, "no columns to fit a forest to");
  if (rows.rows > std::numeric_limits<std::uint32_t>::max() / 2)
    fail(Exit::data, "{} rows: a forest takes at most 2^31", rows.rows);
  if (target.size() != rows.rows) fail(Exit::internal, "{} rows but {} targets", rows.rows, target.size());
  for (std::size_t i = 0; i < target.size(); ++i)
    if (!std::isfinite(target[i])) fail(Exit::data, "the target of row {} is missing or not finite", i + 1);
}

template <class Less>
std::vector<std::uint32_t> order_by(std::size_t n, Less less) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), less);
  return order;
}

}  // namespace

TrainingData training_data(const FeatureRows& rows, const std::vector<double>& target, int threads) {
  require_usable(rows, target);
  TrainingData data;
  data.rows = rows.rows;
  data.features = rows.features;
  data.rank.resize(rows.rows * rows.features);
  data.sorted.resize(rows.rows * rows.features);
  data.target = target;
  data.target_order = order_by(rows.rows, [&](std::uint32_t a, std::uint32_t b) { return target[a] < target[b]; });
  parallel_for(static_cast<std::int64_t>(rows.features), threads, [&](std::int64_t feature) {
    const auto f = static_cast<std::size_t>(feature);
    const auto value = [&](std::uint32_t i) { return rows.values[i * rows.features + f]; };
    const auto order = order_by(rows.rows, [&](std::uint32_t a, std::uint32_t b) { return value(a) < value(b); });
    for (std::size_t r = 0; r < rows.rows; ++r) {
      data.rank[f * rows.rows + order[r]] = static_cast<std::uint32_t>(r);
      data.sorted[f * rows.rows + r] = value(order[r]);
    }
  });
  return data;
}

}  // namespace cathoscope
