#pragma once
/// Tables of particles: the 24 attributes, declared once, and columns of numbers.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// Declaration of one of the 24 attributes of Li et al. (2022), DOI 10.1126/science.abm8962.
struct AttributeInfo {
  std::string_view name;
  std::string_view unit;   ///< empty: dimensionless
  std::string_view group;  ///< position, chemical, structure, neighbourhood
  std::string_view description;
};

/// The attributes in the order of every table that this program writes.
inline constexpr std::array<AttributeInfo, 24> attribute_list{{
    {"X", "um", "position", "centroid of the particle including its cracks, along x"},
    {"Y", "um", "position", "centroid along y"},
    {"Z", "um", "position", "centroid along the depth axis, from the face named by depth_origin"},
    {"Yaw", "degree", "position", "rotation about z of the principal axes (Z-Y'-X'' intrinsic), in [-90, 90]"},
    {"Pitch", "degree", "position", "rotation about y'"},
    {"Roll", "degree", "position", "rotation about x''"},
    {"EDensity", "grey value", "chemical", "mean of the grey volume over the particle"},
    {"Homogeneity", "1/grey value", "chemical",
     "inverse of the standard deviation of the grey volume over the particle"},
    {"SurfInner", "um^2", "structure", "area of the interface between solid and cracks"},
    {"SurfOuter", "um^2", "structure", "area of the particle's outer boundary"},
    {"Volume", "um^3", "structure", "volume of the particle including its cracks"},
    {"Damage", "", "structure", "crack volume over particle volume"},
    {"Elongation", "", "structure", "longest over shortest axis, sqrt(l1/l3) of the covariance of the voxels"},
    {"Sphericity", "", "structure", "36 pi V^2 / S^3; 1 for a ball"},
    {"VSratio", "", "structure", "V^(1/3) / S^(1/2)"},
    {"RoughInner", "", "structure", "inner surface over the same after smoothing"},
    {"RoughOuter", "", "structure", "outer surface over the same after smoothing"},
    {"Contact", "", "neighbourhood", "share of the outer surface with another particle within the contact distance"},
    {"PDensity", "", "neighbourhood", "share of particles in a cube around the particle"},
    {"DistNearest", "um", "neighbourhood", "mean centre distance to the 6 nearest particles"},
    {"ElongStd", "", "neighbourhood", "standard deviation of Elongation over the 6 nearest particles"},
    {"VolumeStd", "um^3", "neighbourhood", "standard deviation of Volume over the 6 nearest particles"},
    {"OrienIso", "", "neighbourhood",
     "alignment of the long axes of the 6 nearest particles, mean P2; 1 = parallel, 0 = random"},
    {"SphericityStd", "", "neighbourhood", "standard deviation of Sphericity over the 6 nearest particles"},
}};

/// Position of an attribute in `attribute_list`; 24 where the name is none of them.
constexpr std::size_t attribute_index(std::string_view name) {
  std::size_t i = 0;
  while (i < attribute_list.size() && attribute_list[i].name != name) ++i;
  return i;
}

/// One named column: numbers (NaN = missing), 64-bit ids, or text. Exactly one of the three vectors is used.
struct Column {
  std::string name;
  std::string unit;
  std::string description;
  std::vector<double> numbers;
  std::vector<std::uint64_t> ids;
  std::vector<std::string> texts;

  [[nodiscard]] std::size_t size() const { return numbers.size() + ids.size() + texts.size(); }
};

/// Columns of equal length.
struct Table {
  std::vector<Column> columns;

  [[nodiscard]] std::size_t rows() const { return columns.empty() ? 0 : columns.front().size(); }
  /// nullptr where there is no such column.
  [[nodiscard]] const Column* find(std::string_view name) const {
    for (const Column& c : columns)
      if (c.name == name) return &c;
    return nullptr;
  }
  /// The numbers of a column; throws Error{internal} where it is absent or not numeric.
  [[nodiscard]] const std::vector<double>& numbers(std::string_view name) const;
};

}  // namespace cathoscope
