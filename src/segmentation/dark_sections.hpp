#pragma once

#include <cathoscope/core/grid.hpp>

#include <cstdint>
#include <vector>

namespace cathoscope {

/// For each label 0..count of a plane: whether it is nearer in grey to the matrix than to the particles, and so none: its
/// median lies below the midpoint of both (medians of all labels, and of what has none) above the image's matrix, and
/// above that of its own surroundings, `reach` pixels about its box. Pixels outside the field of view are left out.
std::vector<char> dark_sections(const Array3<float>& grey, const Array3<std::uint32_t>& labels,
                                const Array3<std::uint8_t>& inside, std::uint32_t count, std::int64_t reach);

}  // namespace cathoscope
