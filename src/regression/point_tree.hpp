#pragma once
/// Nearest neighbours among points in space.

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace cathoscope {

class PointTree {
 public:
  explicit PointTree(std::vector<std::array<double, 3>> points);
  PointTree(PointTree&&) noexcept;
  ~PointTree();

  struct Neighbour {
    std::size_t index = 0;
    double distance = 0;
  };
  /// The `count` points nearest to point `i`, itself not counted; fewer where there are not so many. Nearest first,
  /// equal distances by index.
  [[nodiscard]] std::vector<Neighbour> nearest(std::size_t i, std::size_t count) const;
  /// All points within `radius` of point `i`, itself not counted, in the order of their index.
  [[nodiscard]] std::vector<Neighbour> within(std::size_t i, double radius) const;

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

}  // namespace cathoscope
