#include "point_tree.hpp"

#include <algorithm>
#include <cmath>
#include <nanoflann.hpp>
#include <utility>

namespace cathoscope {

namespace {

/// Points as nanoflann wants to see them.
struct Cloud {
  std::vector<std::array<double, 3>> points;
  [[nodiscard]] std::size_t kdtree_get_point_count() const { return points.size(); }
  [[nodiscard]] double kdtree_get_pt(std::size_t i, std::size_t axis) const { return points[i][axis]; }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

using Tree = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Cloud>, Cloud, 3, std::size_t>;

}  // namespace

struct PointTree::Index {
  Cloud cloud;
  Tree tree;
  explicit Index(std::vector<std::array<double, 3>> points)
      : cloud{std::move(points)}, tree(3, cloud, nanoflann::KDTreeSingleIndexAdaptorParams(16)) {
    if (!cloud.points.empty()) tree.buildIndex();
  }
};

PointTree::PointTree(std::vector<std::array<double, 3>> points) : index_(std::make_unique<Index>(std::move(points))) {}
PointTree::PointTree(PointTree&&) noexcept = default;
PointTree::~PointTree() = default;

std::vector<PointTree::Neighbour> PointTree::nearest(std::size_t i, std::size_t count) const {
  const auto& points = index_->cloud.points;
  count = std::min(count, points.size() - 1);
  if (count == 0) return {};
  std::vector<std::size_t> found(count + 1);
  std::vector<double> squared(count + 1);
  const std::size_t got = index_->tree.knnSearch(points[i].data(), count + 1, found.data(), squared.data());
  // Everything as near as the last one, so that ties are decided by index and not by the order of the search.
  std::vector<Neighbour> all = within(i, std::max(std::sqrt(squared[got - 1]) * (1 + 1e-12), 1e-150));
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.distance < b.distance; });
  all.resize(std::min(count, all.size()));
  return all;
}

std::vector<PointTree::Neighbour> PointTree::within(std::size_t i, double radius) const {
  std::vector<std::pair<std::size_t, double>> matches;
  const auto& points = index_->cloud.points;
  index_->tree.radiusSearch(points[i].data(), radius * radius, matches, nanoflann::SearchParams(32, 0, false));
  std::vector<Neighbour> result;
  for (const auto& [index, squared] : matches)
    if (index != i) result.push_back({index, std::sqrt(squared)});
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return result;
}

}  // namespace cathoscope
