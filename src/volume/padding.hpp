#pragma once
/// Constant padding around the field of view.
///
/// Reconstructed slices are padded with an exact constant outside of the field of view, from the image border inwards.
/// Per slice: a voxel that holds the constant, and so does every voxel between it and the border in its row or column,
/// is a candidate; it counts where more than 95 % of its 9 x 9 neighbourhood are candidates, and where a slice has
/// enough of them; the result is dilated by 6 voxels, because the rim of the field of view is unreliable. A volume of
/// 16 or fewer different values is segmented, not grey: its constant regions are phases, and nothing is masked.

#include <cathoscope/core/grid.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace cathoscope::volumes {

/// Finds the padding value from whole slices, fed one at a time.
template <class T>
class PaddingSurvey {
 public:
  void add(const T* plane, std::int64_t height, std::int64_t width);
  /// The constant that most corners of slices hold, or nothing.
  [[nodiscard]] std::optional<T> value() const;

 private:
  void count_values(const T* plane, std::int64_t n);
  void vote(T value);

  static constexpr std::size_t few = 16;
  std::vector<T> values_;  ///< different values seen, at most few + 1
  std::vector<std::pair<T, std::int64_t>> votes_;
};

/// outside[i] = 1 where voxel i of the slice is padding. Returns how many are.
template <class T>
std::int64_t mark_padding(const T* plane, std::int64_t height, std::int64_t width, T value, std::uint8_t* outside);

}  // namespace cathoscope::volumes
