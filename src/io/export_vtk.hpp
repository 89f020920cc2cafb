#pragma once
/// What the VTK writers share: named grids that fit together, and particles as points.

#include <cathoscope/io/export.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope::exporting {

/// Shape, voxel size and origin that all grids of a file have.
struct Frame {
  Index3 shape{};
  Vec3 voxel_size_um{};
  Vec3 origin_um{};
  bool operator==(const Frame&) const = default;
};

/// Throws Error{data} where there is no grid, a name cannot be used, or the grids differ.
Frame common_frame(const std::filesystem::path& path, const std::vector<NamedGrid>& grids);

/// The particles of a table for VTK, which orders coordinates x, y, z.
struct Points {
  std::vector<double> xyz;             ///< three a row
  std::vector<const Column*> columns;  ///< of numbers or ids
  std::vector<std::string> left_out;   ///< names of the columns of text
  [[nodiscard]] std::size_t count() const { return xyz.size() / 3; }
};

/// Throws Error{data} where a position is missing or a name cannot be used.
Points points_of(const std::filesystem::path& path, const Table& table);

}  // namespace cathoscope::exporting
