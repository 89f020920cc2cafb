#include "tree_paths.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace cathoscope {

namespace {

/// Depth-first walk: arrive(node) at every node, enter(node, child_is_left) and leave() for every edge down and up.
template <class Arrive, class Enter, class Leave>
void walk(const Tree& tree, Arrive arrive, Enter enter, Leave leave) {
  std::vector<std::pair<std::size_t, int>> stack{{0, 0}};  // node, children done
  arrive(std::size_t{0});
  while (!stack.empty()) {
    auto& [node, done] = stack.back();
    if (tree.is_leaf(node) || done == 2) {
      stack.pop_back();
      if (!stack.empty()) leave();
      continue;
    }
    const bool is_left = done++ == 0;
    const auto child = static_cast<std::size_t>(is_left ? tree.left[node] : tree.right[node]);
    enter(node, is_left);
    arrive(child);
    stack.emplace_back(child, 0);
  }
}

}  // namespace

float float_at_most(double threshold) {
  constexpr float lowest = std::numeric_limits<float>::lowest(), highest = std::numeric_limits<float>::max();
  if (threshold >= highest) return highest;
  if (threshold < lowest) return -std::numeric_limits<float>::infinity();
  const auto near = static_cast<float>(threshold);
  return near <= threshold ? near : std::nextafterf(near, -std::numeric_limits<float>::infinity());
}

std::vector<std::size_t> path_lengths(const Tree& tree) {
  const std::int32_t features = *std::max_element(tree.feature.begin(), tree.feature.end()) + 1;
  std::vector<int> uses(static_cast<std::size_t>(std::max(features, 1)), 0);
  std::vector<std::size_t> way, lengths;
  std::size_t different = 0;
  walk(
      tree,
      [&](std::size_t node) {
        if (tree.is_leaf(node)) lengths.push_back(different);
      },
      [&](std::size_t node, bool) {
        way.push_back(static_cast<std::size_t>(tree.feature[node]));
        if (uses[way.back()]++ == 0) ++different;
      },
      [&] {
        if (--uses[way.back()] == 0) --different;
        way.pop_back();
      });
  return lengths;
}

void for_each_path(const Tree& tree, const std::function<void(std::size_t, const std::vector<PathFeature>&)>& at) {
  std::vector<PathFeature> path;
  std::vector<std::pair<std::size_t, PathFeature>> undo;  // place in path, what was there (path's end: nothing)
  const auto enter = [&](std::size_t node, bool is_left) {
    const std::int32_t feature = tree.feature[node];
    const auto found = std::find_if(path.begin(), path.end(), [&](const auto& p) { return p.feature == feature; });
    const auto place = static_cast<std::size_t>(found - path.begin());
    undo.emplace_back(place, found == path.end() ? PathFeature{-1, 0, 0, 0} : *found);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    if (found == path.end()) path.push_back({feature, -infinity, infinity, 1});
    PathFeature& p = path[place];
    const float threshold = float_at_most(tree.threshold[node]);
    const double left = left_share(tree, node);
    p.share *= is_left ? left : 1 - left;
    if (is_left)
      p.up_to = std::min(p.up_to, threshold);
    else
      p.above = std::max(p.above, threshold);
  };
  const auto leave = [&] {
    const auto& [place, before] = undo.back();
    if (before.feature < 0)
      path.pop_back();
    else
      path[place] = before;
    undo.pop_back();
  };
  walk(
      tree, [&](std::size_t node) { at(node, path); }, enter, leave);
}

std::vector<LeafPath> leaf_paths(const Tree& tree) {
  std::vector<LeafPath> leaves;
  for_each_path(tree, [&](std::size_t node, const std::vector<PathFeature>& path) {
    if (tree.is_leaf(node)) leaves.push_back({tree.value[node], tree.value[node] - tree.value[0], path});
  });
  return leaves;
}

}  // namespace cathoscope
