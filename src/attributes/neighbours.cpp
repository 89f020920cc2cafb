#include "neighbourhood.hpp"

#include <cathoscope/core/parallel.hpp>

#include <nanoflann.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope::attributes {

namespace {

/// Points as nanoflann wants to see them.
struct PointCloud {
  const std::vector<Vec3>& points;

  [[nodiscard]] std::size_t kdtree_get_point_count() const { return points.size(); }
  [[nodiscard]] double kdtree_get_pt(std::size_t i, std::size_t axis) const { return points[i][axis]; }
  template <class B>
  bool kdtree_get_bbox(B&) const {
    return false;
  }
};

using Tree =
    nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, PointCloud>, PointCloud, 3, std::size_t>;

double distance(const Vec3& a, const Vec3& b) {
  return std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/// All others at most as far as the k-th nearest (with a margin for rounding), then ordered by distance and index.
std::vector<Neighbour> nearest_to(std::size_t i, const std::vector<Vec3>& points, const Tree& tree, std::size_t k) {
  std::vector<std::size_t> ids(k + 1);
  std::vector<double> squared(k + 1);
  const std::size_t found = tree.knnSearch(points[i].data(), k + 1, ids.data(), squared.data());
  const double reach = squared[found - 1] * (1 + 1e-12) + std::numeric_limits<double>::min();
  std::vector<std::pair<std::size_t, double>> matches;
  tree.radiusSearch(points[i].data(), reach, matches, nanoflann::SearchParams(32, 0, false));
  std::vector<Neighbour> result;
  for (const auto& match : matches)
    if (match.first != i) result.push_back({match.first, distance(points[i], points[match.first])});
  std::sort(result.begin(), result.end(), [](const Neighbour& a, const Neighbour& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.index < b.index;
  });
  if (result.size() > k) result.resize(k);
  return result;
}

}  // namespace

std::vector<std::vector<Neighbour>> nearest_neighbours(const std::vector<Vec3>& points_um, std::size_t k, int threads) {
  std::vector<std::vector<Neighbour>> result(points_um.size());
  if (points_um.size() < 2) return result;
  const PointCloud cloud{points_um};
  Tree tree(3, cloud, nanoflann::KDTreeSingleIndexAdaptorParams(16));
  tree.buildIndex();
  const std::size_t wanted = std::min(k, points_um.size() - 1);
  constexpr std::int64_t batch = 256;
  const auto n = static_cast<std::int64_t>(points_um.size());
  parallel_for((n + batch - 1) / batch, threads, [&](std::int64_t b) {
    for (std::int64_t i = b * batch; i < std::min(n, (b + 1) * batch); ++i)
      result[static_cast<std::size_t>(i)] = nearest_to(static_cast<std::size_t>(i), points_um, tree, wanted);
  });
  return result;
}

std::vector<double> border_distances(const std::vector<Vec3>& points_um, const Vec3& extent_um, const Faces& physical,
                                     bool two_dimensional, const std::vector<Vec3>& rim_points_um) {
  std::vector<double> result(points_um.size(), std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < points_um.size(); ++i)
    for (std::size_t axis = two_dimensional ? 1 : 0; axis < 3; ++axis) {
      if (!physical[axis][0]) result[i] = std::min(result[i], points_um[i][axis]);
      if (!physical[axis][1]) result[i] = std::min(result[i], extent_um[axis] - points_um[i][axis]);
    }
  if (rim_points_um.empty()) return result;
  const PointCloud cloud{rim_points_um};
  Tree tree(3, cloud, nanoflann::KDTreeSingleIndexAdaptorParams(32));
  tree.buildIndex();
  for (std::size_t i = 0; i < points_um.size(); ++i) {
    std::size_t id = 0;
    double squared = 0;
    tree.knnSearch(points_um[i].data(), 1, &id, &squared);
    result[i] = std::min(result[i], std::sqrt(squared));
  }
  return result;
}

}  // namespace cathoscope::attributes
