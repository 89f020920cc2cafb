#pragma once
/// Training rows sorted once a forest: every node then sorts by small integers.

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cathoscope {

struct TrainingData {
  std::size_t rows = 0;
  std::size_t features = 0;
  std::vector<std::uint32_t> rank;          ///< [feature][row]: place of the row in the feature's order, all different
  std::vector<float> sorted;                ///< [feature][rank]: value
  std::vector<double> target;               ///< [row]
  std::vector<std::uint32_t> target_order;  ///< rows in the order of their target

  [[nodiscard]] const std::uint32_t* ranks(std::size_t f) const { return rank.data() + f * rows; }
  [[nodiscard]] const float* sorted_values(std::size_t f) const { return sorted.data() + f * rows; }
};

TrainingData training_data(const FeatureRows& rows, const std::vector<double>& target, int threads);

}  // namespace cathoscope
