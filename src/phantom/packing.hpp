#pragma once
/// Balls in a slab: sizes drawn, overlaps removed by repulsion.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/phantom/config.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <vector>

namespace cathoscope::phantom_detail {

struct Ball {
  Vec3 centre_um{};
  double radius_um = 0;
  bool fragment = false;
};

/// Balls that fill `fraction` of the slab [low, high] x extent, in a domain wider by the margin on the sides.
std::vector<Ball> pack(const PhantomConfig& config, std::uint64_t seed, const Vec3& extent_um, double low_um,
                       double high_um, const Context& context);

}  // namespace cathoscope::phantom_detail
