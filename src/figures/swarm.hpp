#pragma once
/// Points of a bee swarm: where they go beside their line, and what rank their colour shows.

#include <vector>

namespace cathoscope {

/// Offsets that spread points of like value: bins between low and high, in each one point in the middle, then one on either
/// side in turn. The fullest bin reaches `half_width`.
std::vector<double> swarm_offsets(const std::vector<double>& values, double low, double high, int bins,
                                  double half_width);

/// Rank of each value over the number of finite ones less one, equal values alike; NaN stays. 0.5 where all are equal.
std::vector<double> relative_ranks(const std::vector<double>& values);

}  // namespace cathoscope
