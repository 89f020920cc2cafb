#pragma once
/// Tables of particles: the attributes, declared once, and columns of numbers.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// Declaration of an attribute.
struct AttributeInfo {
  std::string_view name;
  std::string_view unit;   ///< empty: dimensionless
  std::string_view group;  ///< one of attribute_groups
  std::string_view description;
};

/// The paper's groups. The last one is the neighbourhood, the others are the particle itself.
inline constexpr std::array<std::string_view, 4> attribute_groups{"position", "chemical", "structure", "neighbourhood"};

/// The attributes in the order of every table that this program writes. The first 24 are those of Li et al. (2022),
/// DOI 10.1126/science.abm8962, as published; further ones stand behind them.
inline constexpr auto attribute_list = std::to_array<AttributeInfo>({
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
});

/// Position of an attribute in `attribute_list`; its size where the name is none of them.
constexpr std::size_t attribute_index(std::string_view name) {
  std::size_t i = 0;
  while (i < attribute_list.size() && attribute_list[i].name != name) ++i;
  return i;
}

static_assert(std::all_of(attribute_list.begin(), attribute_list.end(),
                          [](const AttributeInfo& a) { return &a == &attribute_list[attribute_index(a.name)]; }),
              "two attributes have the same name");
static_assert(std::all_of(attribute_list.begin(), attribute_list.end(),
                          [](const AttributeInfo& a) {
                            return std::find(attribute_groups.begin(), attribute_groups.end(), a.group) !=
                                   attribute_groups.end();
                          }),
              "the group of an attribute is none of attribute_groups");

/// Attributes that cannot be measured without the cracks which define Damage: the leak-free table leaves them out.
inline constexpr std::array<std::string_view, 2> crack_attributes{"SurfInner", "RoughInner"};

constexpr bool contains_cracks(std::string_view attribute) {
  return std::find(crack_attributes.begin(), crack_attributes.end(), attribute) != crack_attributes.end();
}

static_assert(std::all_of(crack_attributes.begin(), crack_attributes.end(),
                          [](std::string_view name) { return attribute_index(name) < attribute_list.size(); }),
              "one of crack_attributes is not in attribute_list");

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
