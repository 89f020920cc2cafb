#pragma once
/// How much of its convex hull a set of voxels fills.

#include <cathoscope/core/box.hpp>

#include <vector>

namespace cathoscope {

/// The hull as the meeting of 128 slabs (32 in a plane), evenly spread: a per cent larger than the hull of a ball.
class ConvexBound {
 public:
  explicit ConvexBound(bool plane);

  void add(double z, double y, double x);
  /// Points of the grid within the bound, over the box that holds all that was added.
  [[nodiscard]] double points(const Box& box) const;

 private:
  std::vector<Vec3> directions_;
  std::vector<double> low_, high_;
};

}  // namespace cathoscope
