#pragma once
/// Connected components of a mask, on its runs.

#include "bit_mask.hpp"

#include <cstdint>
#include <vector>

namespace cathoscope::attributes {

enum class Connectivity { faces, corners };  ///< 6 or 26 neighbours

/// A run of set voxels of a row, and the component it belongs to.
struct ComponentRun {
  std::int32_t z, y, begin, end;
  std::uint32_t component;  ///< 0 ... count - 1, in order of first voxel
};

struct Components {
  std::vector<ComponentRun> runs;  ///< in z, y, x order
  std::uint32_t count = 0;
};

Components components_of(const BitMask& mask, Connectivity connectivity);

/// The components for which keep[component] is set.
BitMask selected(const Components& components, const std::vector<bool>& keep, const Index3& shape);

}  // namespace cathoscope::attributes
