#include "convex_bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

ConvexBound::ConvexBound(bool plane) {
  constexpr double pi = 3.14159265358979323846;
  constexpr double golden = 2.39996322972865332;  // pi (3 - sqrt 5)
  const int count = plane ? 32 : 128;
  for (int i = 0; i < count; ++i) {
    const double up = plane ? 0 : (i + 0.5) / count;  // a half sphere: slabs have two sides
    const double angle = plane ? pi * i / count : golden * i;
    const double across = std::sqrt(1 - up * up);
    directions_.push_back({up, across * std::sin(angle), across * std::cos(angle)});
  }
  low_.assign(directions_.size(), std::numeric_limits<double>::max());
  high_.assign(directions_.size(), std::numeric_limits<double>::lowest());
}

void ConvexBound::add(double z, double y, double x) {
  for (std::size_t i = 0; i < directions_.size(); ++i) {
    const double at = directions_[i][0] * z + directions_[i][1] * y + directions_[i][2] * x;
    low_[i] = std::min(low_[i], at);
    high_[i] = std::max(high_[i], at);
  }
}

double ConvexBound::points(const Box& box) const {
  constexpr double slack = 1e-9;
  double count = 0;
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y) {
      auto from = static_cast<double>(box.begin[2]);
      auto to = static_cast<double>(box.end[2] - 1);
      for (std::size_t i = 0; i < directions_.size() && from <= to; ++i) {
        const double rest = directions_[i][0] * static_cast<double>(z) + directions_[i][1] * static_cast<double>(y);
        const double slope = directions_[i][2];
        if (std::abs(slope) < 1e-12) {
          if (rest < low_[i] - slack || rest > high_[i] + slack) to = from - 1;
          continue;
        }
        const double a = (low_[i] - rest) / slope;
        const double b = (high_[i] - rest) / slope;
        from = std::max(from, std::ceil(std::min(a, b) - slack));
        to = std::min(to, std::floor(std::max(a, b) + slack));
      }
      if (from <= to) count += to - from + 1;
    }
  return count;
}

}  // namespace cathoscope
