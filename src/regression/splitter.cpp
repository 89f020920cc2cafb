#include "splitter.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

/// scikit-learn's FEATURE_THRESHOLD, a float32: values nearer than this count as equal.
constexpr float equal_within = 1e-7F;

}  // namespace

Splitter::Splitter(const TrainingData& data, const std::vector<std::uint32_t>& weights, Criterion criterion,
                   std::size_t max_features, NodeRandom random)
    : data_(data), weights_(weights), criterion_(criterion), max_features_(max_features), random_(random) {
  for (std::size_t f = 0; f < data.features; ++f) features_.push_back(static_cast<std::int32_t>(f));
  constants_.resize(data.features);
  bits_.resize(data.rows / 64 + 1);
  slot_.resize(data.rows);
  for (auto* v : {&weight_, &value_, &weighted_, &left_cost_, &right_cost_}) v->resize(data.rows + 2);
  for (auto* v : {&order_, &left_links_, &right_links_, &links_, &spare_rows_}) v->resize(2 * (data.rows + 2));
  for (std::uint32_t k = 0; k < data.rows + 2; ++k) {
    links_[2 * k] = k == 0 ? 0 : k - 1;
    links_[2 * k + 1] = k + 1;
  }
  x_.resize(data.rows);
}

NodeStats Splitter::stats(std::span<const std::uint32_t> rows) const {
  NodeStats s;
  double sum = 0;
  for (const std::uint32_t row : rows) {
    s.weight += weights_[row];
    sum += weights_[row] * data_.target[row];
  }
  if (criterion_ == Criterion::squared_error) {
    s.value = sum / s.weight;
    for (const std::uint32_t row : rows)
      s.impurity += weights_[row] * (data_.target[row] - s.value) * (data_.target[row] - s.value);
  } else {
    double below = 0;
    std::size_t k = 0;
    while (2 * (below + weights_[rows[k]]) < s.weight) below += weights_[rows[k++]];
    const bool between = 2 * (below + weights_[rows[k]]) == s.weight && k + 1 < rows.size();
    s.value = between ? (data_.target[rows[k]] + data_.target[rows[k + 1]]) / 2 : data_.target[rows[k]];
    for (const std::uint32_t row : rows) s.impurity += weights_[row] * std::abs(data_.target[row] - s.value);
  }
  s.impurity /= s.weight;
  return s;
}

void Splitter::load_node(std::span<const std::uint32_t> rows) {
  count_ = rows.size();
  total_weight_ = total_sum_ = 0;
  for (std::size_t k = 0; k < count_; ++k) {
    weight_[k + 1] = weights_[rows[k]];
    value_[k + 1] = data_.target[rows[k]];
    weighted_[k + 1] = weight_[k + 1] * value_[k + 1];
    total_weight_ += weight_[k + 1];
    total_sum_ += weighted_[k + 1];
  }
  if (criterion_ != Criterion::absolute_error) return;
  weight_[count_ + 1] = value_[count_ + 1] = weighted_[count_ + 1] = 0;
  below_weight_ = below_sum_ = 0;
  median_ = 1;
  while (2 * (below_weight_ + weight_[median_]) < total_weight_) {
    below_weight_ += weight_[median_];
    below_sum_ += weighted_[median_++];
  }
}

/// All ranks differ, so a bitmap of them is a sort; where the node is far smaller than the table, keys are sorted.
void Splitter::sort_by(std::size_t feature, std::span<const std::uint32_t> rows) {
  const std::uint32_t* rank = data_.ranks(feature);
  const float* sorted = data_.sorted_values(feature);
  if (bits_.size() > 4 * count_) {
    keys_.resize(count_);
    for (std::size_t k = 0; k < count_; ++k) keys_[k] = std::uint64_t{rank[rows[k]]} << 32 | (k + 1);
    std::sort(keys_.begin(), keys_.end());
    for (std::size_t i = 0; i < count_; ++i) {
      order_[i] = static_cast<std::uint32_t>(keys_[i]);
      x_[i] = sorted[keys_[i] >> 32];
    }
    return;
  }
  for (std::size_t k = 0; k < count_; ++k) {
    const std::uint32_t r = rank[rows[k]];
    bits_[r / 64] |= std::uint64_t{1} << (r % 64);
    slot_[r] = static_cast<std::uint32_t>(k + 1);
  }
  std::size_t i = 0;
  for (std::size_t word = 0; word < bits_.size(); ++word)
    for (; bits_[word] != 0; bits_[word] &= bits_[word] - 1, ++i) {
      const std::size_t r = 64 * word + static_cast<std::size_t>(std::countr_zero(bits_[word]));
      order_[i] = slot_[r];
      x_[i] = sorted[r];
    }
}

bool Splitter::is_gap(std::size_t position) const { return x_[position] > x_[position - 1] + equal_within; }

void Splitter::consider(std::size_t feature, std::size_t position, double proxy, Best& best) const {
  if (!(proxy > best.proxy)) return;
  double threshold = x_[position - 1] / 2.0 + x_[position] / 2.0;
  if (threshold == x_[position]) threshold = x_[position - 1];
  best = {proxy, static_cast<std::int32_t>(feature), position, threshold, 0};
}

void Splitter::scan_squared(std::size_t feature, Best& best) const {
  double weight = 0, sum = 0;
  for (std::size_t i = 1; i < count_; ++i) {
    weight += weight_[order_[i - 1]];
    sum += weighted_[order_[i - 1]];
    if (!is_gap(i)) continue;
    const double rest = total_sum_ - sum;
    consider(feature, i, sum * sum / weight + rest * rest / (total_weight_ - weight), best);
  }
}

/// Deleting a row moves the median by a bounded number of steps, because weights are counts: O(1) a row.
struct Splitter::MedianList {
  const double *weight, *value, *weighted;
  std::uint32_t* links;  ///< [2 k] = place before k, [2 k + 1] = place after k
  std::uint32_t median;
  double below_weight, below_sum, total_weight, total_sum;

  void remove(std::uint32_t k) {
    const std::uint32_t before = links[2 * k], after = links[2 * k + 1];
    links[2 * before + 1] = after;
    links[2 * after] = before;
    total_weight -= weight[k];
    total_sum -= weighted[k];
    below_weight -= k < median ? weight[k] : 0;
    below_sum -= k < median ? weighted[k] : 0;
    if (k == median) median = after;  // the end of the list has weight 0 and is left below
    while (2 * below_weight > total_weight || (weight[median] == 0 && below_weight > 0)) {
      median = links[2 * median];
      below_weight -= weight[median];
      below_sum -= weighted[median];
    }
    while (2 * (below_weight + weight[median]) < total_weight) {
      below_weight += weight[median];
      below_sum += weighted[median];
      median = links[2 * median + 1];
    }
  }
  /// Sum of the weighted absolute deviations from the median.
  [[nodiscard]] double cost() const {
    return total_sum - 2 * below_sum + value[median] * (2 * below_weight - total_weight);
  }
};

void Splitter::scan_absolute(std::size_t feature, Best& best) {
  const auto list = [&](std::vector<std::uint32_t>& links) {
    std::copy_n(links_.begin(), 2 * (count_ + 2), links.begin());
    return MedianList{weight_.data(), value_.data(), weighted_.data(), links.data(), median_,
                      below_weight_,  below_sum_,    total_weight_,    total_sum_};
  };
  MedianList left = list(left_links_), right = list(right_links_);
  for (std::size_t i = 1; i < count_; ++i) {  // two independent chains side by side
    left.remove(order_[count_ - i]);
    left_cost_[count_ - i] = left.cost();
    right.remove(order_[i - 1]);
    right_cost_[i] = right.cost();
  }
  for (std::size_t i = 1; i < count_; ++i)
    if (is_gap(i)) consider(feature, i, -(left_cost_[i] + right_cost_[i]), best);
}

/// scikit-learn's draw without replacement (BestSplitter.node_split): features_ holds first the constants drawn, the
/// constants known, the constants found here, then the candidates, at the end those visited.
void Splitter::draw_features(std::span<const std::uint32_t> rows, std::size_t& known_constant, Best& best) {
  std::size_t last = data_.features, visited = 0, found = 0, drawn = 0, constant = known_constant;
  while (last > constant && (visited < max_features_ || visited <= found + drawn)) {
    ++visited;
    std::size_t j = drawn + random_.below(last - found - drawn);
    if (j < known_constant) {
      std::swap(features_[drawn++], features_[j]);
      continue;
    }
    j += found;
    const std::int32_t feature = features_[j];
    const auto f = static_cast<std::size_t>(feature);
    sort_by(f, rows);
    if (x_[count_ - 1] <= x_[0] + equal_within) {
      features_[j] = features_[constant];
      features_[constant++] = feature;
      ++found;
      continue;
    }
    std::swap(features_[--last], features_[j]);
    if (criterion_ == Criterion::squared_error)
      scan_squared(f, best);
    else
      scan_absolute(f, best);
    if (best.feature == feature) best.first_right_rank = data_.ranks(f)[rows[order_[best.position] - 1]];
  }
  std::copy_n(constants_.begin(), known_constant, features_.begin());
  std::copy_n(features_.begin() + static_cast<std::ptrdiff_t>(known_constant), found,
              constants_.begin() + static_cast<std::ptrdiff_t>(known_constant));
  known_constant = constant;
}

Split Splitter::partitioned(std::span<std::uint32_t> rows, const Best& best) {
  const std::uint32_t* rank = data_.ranks(static_cast<std::size_t>(best.feature));
  std::size_t left = 0, right = 0;
  for (const std::uint32_t row : rows) {
    if (rank[row] < best.first_right_rank)
      rows[left++] = row;
    else
      spare_rows_[right++] = row;
  }
  std::copy_n(spare_rows_.begin(), right, rows.begin() + static_cast<std::ptrdiff_t>(left));
  return {best.feature, best.threshold, left, stats(rows.first(left)), stats(rows.subspan(left))};
}

Split Splitter::best_split(std::span<std::uint32_t> rows, std::size_t& known_constant) {
  load_node(rows);
  Best best{-std::numeric_limits<double>::infinity(), -1, 0, 0, 0};
  draw_features(rows, known_constant, best);
  return best.feature < 0 ? Split{} : partitioned(rows, best);
}

}  // namespace cathoscope
