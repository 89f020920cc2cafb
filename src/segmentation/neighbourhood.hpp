#pragma once
/// Labels of a block and its surroundings: which voxels lie deep in a particle, and which particle is nearest.

#include "grey.hpp"

#include <cstdint>
#include <vector>

namespace cathoscope {

/// Squared distances in voxels with the label that they lead to, packed into one number so that one pass finds both.
class NearestLabel {
 public:
  /// Sites are the voxels where is_site is not 0, each with its label. Distances up to `limit` voxels (at most 15).
  NearestLabel(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& is_site, double limit);

  /// Squared distance of the voxel to the nearest site; `beyond` where it is farther than the limit.
  static constexpr std::uint32_t beyond = 0xFFFFFFFFu;
  [[nodiscard]] std::uint32_t squared(std::size_t i) const;
  /// Label of that site; the smallest of several equally near.
  [[nodiscard]] std::uint32_t label(std::size_t i) const;

 private:
  std::vector<std::uint32_t> names_;
  Array3<std::uint32_t> packed_;
};

/// 1 where a labelled voxel touches, by face, edge or corner, a voxel of another label (or none) in the field of view.
/// `labels` and `seen` cover the same box; voxels at its edge are judged by the neighbours that are there.
Array3<std::uint8_t> boundary_of(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& seen);

}  // namespace cathoscope
