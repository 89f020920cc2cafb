#include "background_tree.hpp"

#include <cathoscope/regression/shap.hpp>

#include <algorithm>

namespace cathoscope {

double factorial_weight(int a, int b) {
  double w = 1;
  for (int k = 1; k <= a; ++k) w *= static_cast<double>(k) / (b + k);
  return w / (a + b + 1);
}

namespace {

enum Side : std::uint8_t { undecided, row_side, background_side };

/// A leaf that a mixture of the two rows reaches: needs all of `from_row` from the row, all of the others from the
/// background.
void add_leaf(double value, std::size_t features, const BackgroundScratch& s, double* phi, double* upper) {
  const auto a = static_cast<int>(s.from_row.size()), b = static_cast<int>(s.from_background.size());
  if (phi != nullptr) {
    for (const std::int32_t f : s.from_row) phi[f] += value * factorial_weight(a - 1, b);
    for (const std::int32_t f : s.from_background) phi[f] -= value * factorial_weight(a, b - 1);
  }
  if (upper == nullptr) return;
  const auto add = [&](std::int32_t i, std::int32_t j, double amount) {
    const auto [low, high] = std::minmax({static_cast<std::size_t>(i), static_cast<std::size_t>(j)});
    upper[pair_index(low, high, features)] += amount / 2;
  };
  for (std::size_t i = 0; i < s.from_row.size(); ++i) {
    for (std::size_t j = i + 1; j < s.from_row.size(); ++j)
      add(s.from_row[i], s.from_row[j], value * factorial_weight(a - 2, b));
    for (const std::int32_t other : s.from_background)
      add(s.from_row[i], other, -value * factorial_weight(a - 1, b - 1));
  }
  for (std::size_t i = 0; i < s.from_background.size(); ++i)
    for (std::size_t j = i + 1; j < s.from_background.size(); ++j)
      add(s.from_background[i], s.from_background[j], value * factorial_weight(a, b - 2));
}

}  // namespace

void add_against(const Tree& tree, const float* row, const float* background, std::size_t features,
                 BackgroundScratch& s, double* phi, double* upper) {
  struct Todo {
    std::int32_t node;     ///< -1: give the feature back
    std::int32_t feature;  ///< decided on the way to the node, -1: none
    Side side;
  };
  s.side.assign(features, undecided);
  s.from_row.clear();
  s.from_background.clear();
  std::vector<Todo> stack{{0, -1, undecided}};
  while (!stack.empty()) {
    const Todo todo = stack.back();
    stack.pop_back();
    if (todo.feature >= 0) {
      auto& list = todo.side == row_side ? s.from_row : s.from_background;
      s.side[static_cast<std::size_t>(todo.feature)] = todo.node < 0 ? undecided : todo.side;
      if (todo.node < 0) {
        list.pop_back();
        continue;
      }
      list.push_back(todo.feature);
      stack.push_back({-1, todo.feature, todo.side});
    }
    const auto node = static_cast<std::size_t>(todo.node);
    if (tree.is_leaf(node)) {
      add_leaf(tree.value[node] - tree.value[0], features, s, phi, upper);
      continue;
    }
    const std::int32_t f = tree.feature[node];
    const auto child = [&](const float* of) {
      return of[f] <= tree.threshold[node] ? tree.left[node] : tree.right[node];
    };
    const std::int32_t row_child = child(row), background_child = child(background);
    const std::uint8_t side = s.side[static_cast<std::size_t>(f)];
    if (side != undecided || row_child == background_child) {
      stack.push_back({side == background_side ? background_child : row_child, -1, undecided});
      continue;
    }
    stack.push_back({background_child, f, background_side});
    stack.push_back({row_child, f, row_side});
  }
}

}  // namespace cathoscope
