#pragma once
/// The best split of one node: random features, all thresholds.

#include "sklearn_random.hpp"
#include "training_data.hpp"

#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/grow.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cathoscope {

/// What a node predicts and how far its rows are from it.
struct NodeStats {
  double weight = 0;    ///< rows, as often as drawn
  double value = 0;     ///< weighted mean or median of the target
  double impurity = 0;  ///< weighted mean square or absolute deviation from it
};

struct Split {
  std::int32_t feature = -1;  ///< -1: no valid split
  double threshold = 0;
  std::size_t left_rows = 0;  ///< after the call the node's first rows are those of the left child
  NodeStats left;
  NodeStats right;
};

/// The random numbers of one tree's nodes.
class NodeRandom {
 public:
  explicit NodeRandom(sklearn::SplitterRandom random) : sklearn_(random), stream_(0) {}
  explicit NodeRandom(Stream stream) : stream_(stream) {}

  std::size_t below(std::size_t n) {
    return sklearn_ ? sklearn_->below(static_cast<std::uint32_t>(n)) : static_cast<std::size_t>(stream_.below(n));
  }

 private:
  std::optional<sklearn::SplitterRandom> sklearn_;
  Stream stream_;
};

/// Finds splits for one tree, node after node. Rows of a node are kept in the order of their target.
class Splitter {
 public:
  Splitter(const TrainingData& data, const std::vector<std::uint32_t>& weights, Criterion criterion,
           std::size_t max_features, NodeRandom random);

  /// Statistics of rows that are in the order of their target.
  [[nodiscard]] NodeStats stats(std::span<const std::uint32_t> rows) const;

  /// The best split, with the node's rows partitioned in place (order kept). `known_constant` is the number of features
  /// known to be constant in the node, on return in its children (scikit-learn's depth-first builder hands it down).
  Split best_split(std::span<std::uint32_t> rows, std::size_t& known_constant);

 private:
  struct Best {
    double proxy;
    std::int32_t feature;
    std::size_t position;
    double threshold;
    std::uint32_t first_right_rank;
  };
  /// Half-weight point of the rows that are left in a list that shrinks row by row.
  struct MedianList;

  void load_node(std::span<const std::uint32_t> rows);
  void sort_by(std::size_t feature, std::span<const std::uint32_t> rows);
  void scan_squared(std::size_t feature, Best& best) const;
  void scan_absolute(std::size_t feature, Best& best);
  void consider(std::size_t feature, std::size_t position, double proxy, Best& best) const;
  [[nodiscard]] bool is_gap(std::size_t position) const;
  void draw_features(std::span<const std::uint32_t> rows, std::size_t& known_constant, Best& best);
  Split partitioned(std::span<std::uint32_t> rows, const Best& best);

  const TrainingData& data_;
  const std::vector<std::uint32_t>& weights_;
  Criterion criterion_;
  std::size_t max_features_;
  NodeRandom random_;
  std::vector<std::int32_t> features_, constants_;

  // The current node, by place in the order of the target; entry 0 and the one after the last are list ends.
  std::size_t count_ = 0;
  double total_weight_ = 0, total_sum_ = 0;
  std::vector<double> weight_, value_, weighted_;
  std::uint32_t median_ = 0;
  double below_weight_ = 0, below_sum_ = 0;
  // The current feature: the node's rows in its order.
  std::vector<std::uint32_t> order_;
  std::vector<float> x_;
  std::vector<double> left_cost_, right_cost_;
  std::vector<std::uint32_t> left_links_, right_links_, links_;
  std::vector<std::uint64_t> bits_, keys_;
  std::vector<std::uint32_t> slot_;
  std::vector<std::uint32_t> spare_rows_;
};

}  // namespace cathoscope
