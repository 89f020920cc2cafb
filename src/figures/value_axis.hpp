#pragma once
/// Axes of values whose size depends on the data: nearly undamaged electrodes have damage of 0.00012. Labels of that width
/// push the title of a vertical axis out of the picture and those of a horizontal one into each other, so they are given in
/// units of a power of ten, which the title then names.

#include <cathoscope/core/table.hpp>

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// The lowest and the highest value that an axis shows; NaN while there is none.
struct Extent {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();

  /// NaN is left out.
  void add(double value);
  void add(const Extent& other);
  [[nodiscard]] Extent with_zero() const;
  /// Both signs alike, for what is drawn on both sides of 0.
  [[nodiscard]] Extent mirrored() const;
};

/// Of the columns' values, in all rows or in those that are named. A column that is absent has none.
Extent extent_of(const Table& table, std::initializer_list<std::string_view> columns);
Extent extent_of(const Table& table, const std::vector<std::size_t>& rows,
                 std::initializer_list<std::string_view> columns);

/// The power of ten in whose units the labels are given: 0 where plain numbers are short.
int label_power(const Extent& extent);
/// A title, as gnuplot's string, with that power: "Damage, × 10⁻⁴".
std::string with_power(const std::string& title, int power);
/// `set xtics` or `set ytics` in units of the power; nothing for 0, which leaves the tics to gnuplot. Tics without labels
/// where another panel has them.
std::string power_tics(const std::string& axis, const Extent& extent, int power, bool labels = true);
/// Title (gnuplot's string; none where it is empty) and tics of an axis.
std::string value_axis(const std::string& axis, const std::string& title, const Extent& extent);

}  // namespace cathoscope
