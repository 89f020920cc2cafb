#pragma once
/// Where a voxel of the run's volume lies in the user's file: axes, depth, crop, bin.

#include <cathoscope/core/box.hpp>
#include <cathoscope/io/volume_file.hpp>
#include <cathoscope/volume/volume.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace cathoscope::volumes {

/// Order "z, y, x" below means after `axes` and `depth_axis`: z is the depth of the electrode.
struct Frame {
  std::array<std::size_t, 3> stored_axis{0, 1, 2};  ///< which axis of the file becomes z, y, x
  Index3 full{0, 0, 0};                             ///< the whole file, z, y, x
  Box used;                                         ///< crop, cut to whole bins; voxels of the file, z, y, x
  Index3 bin{1, 1, 1};
  Index3 shape{0, 0, 0};  ///< after crop and bin

  /// The position among z, y, x of the file's slowest axis.
  [[nodiscard]] std::size_t slowest() const;
  /// The voxels of the file (z, y, x) behind a box of the result.
  [[nodiscard]] Box before_bin(const Box& box) const;
  /// The same box with the file's axes in the file's order.
  [[nodiscard]] Box as_stored(const Box& box) const;
  /// Distances in values between neighbours in z, y, x within a dense buffer of `as_stored(box)`.
  [[nodiscard]] Index3 strides(const Box& box) const;
  /// A buffer of the stored box is already the result.
  [[nodiscard]] bool is_plain() const {
    return stored_axis == std::array<std::size_t, 3>{0, 1, 2} && bin == Index3{1, 1, 1};
  }
};

/// Throws Error{data} where the crop is empty or leaves the file, or the bin is larger than what is left.
Frame frame_of(const VolumeFile& file, const std::string& axes, const std::string& depth_axis,
               const std::optional<std::array<Range, 3>>& crop, std::int64_t bin);

/// The file's triple in the order z, y, x.
template <class T>
std::array<T, 3> ordered(const Frame& frame, const std::array<T, 3>& stored) {
  return {stored[frame.stored_axis[0]], stored[frame.stored_axis[1]], stored[frame.stored_axis[2]]};
}

}  // namespace cathoscope::volumes
