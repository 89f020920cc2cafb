#pragma once
/// Rows of voxels as runs of equal state. All streaming work is done on these: its cost grows with the number of
/// particle boundaries, not with the number of voxels.

#include <cstdint>
#include <span>
#include <vector>

namespace cathoscope::attributes {

/// State of a voxel: 0 outside any particle; 2 label for solid, 2 label + 1 for crack.
using State = std::uint32_t;

inline constexpr State background = 0;
inline constexpr State unseen = 0xFFFFFFFF;  ///< outside the field of view: surfaces towards it are not counted
inline constexpr State beyond = 0xFFFFFFFE;  ///< behind a physical face of the volume

inline std::uint32_t label_of(State s) { return s >> 1; }
inline bool is_crack(State s) { return (s & 1) != 0; }
inline bool is_particle(State s) { return s != background && s < beyond; }

/// A run ends before `end` and begins where the previous one of its row ended.
struct Run {
  State state;
  std::int32_t end;
};

/// One row as stored; cracks and field of view may be absent (nullptr).
struct RowInput {
  const std::uint32_t* labels;
  const std::uint8_t* cracks;
  const std::uint8_t* field_of_view;
  std::int32_t size;
};

/// Appends the runs that partition the row.
void append_runs(const RowInput& row, std::vector<Run>& runs);

}  // namespace cathoscope::attributes
