#pragma once
/// What the figures' sources share: rows of tables, panels, labels.

#include <cathoscope/core/table.hpp>
#include <cathoscope/figures/figures.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// Text of a field, whatever the column was read as: an electrode may be called 10.
std::string field_text(const Column& column, std::size_t row);
/// Rows where a text column has a value.
std::vector<std::size_t> rows_where(const Table& table, std::string_view column, const std::string& value);
/// Those of `rows` where another column has a value.
std::vector<std::size_t> rows_where(const Table& table, const std::vector<std::size_t>& rows, std::string_view column,
                                    const std::string& value);
/// A number of a table; NaN where the column is absent or not numeric.
double number_at(const Table& table, std::string_view column, std::size_t row);
std::vector<double> numbers_at(const Table& table, std::string_view column, const std::vector<std::size_t>& rows);

/// Linear interpolation of the sorted finite values, as numpy's quantile; NaN where there are none.
double quantile_of_values(std::vector<double> values, double quantile);
/// Positions that sort `values`, ties in their order.
std::vector<std::size_t> sorted_order(const std::vector<double>& values);

/// A panel's edges in mm from the figure's lower left corner.
struct Panel {
  double left, right, bottom, top;
};
/// Commands that put what is plotted next into the panel.
std::string place(const Figure& figure, const Panel& panel);
/// Forgets the panel before: labels, ranges, tics.
std::string next_panel();
/// Grid of equal panels, row by row from the top: panel `index` of `columns` x `rows` in the area, `gap` mm between.
Panel grid_panel(const Panel& area, std::size_t index, std::size_t columns, std::size_t rows, double gap_x,
                 double gap_y);

/// "Volume (µm³)": an attribute with its unit; the name alone where it has none or is no attribute.
std::string attribute_label(const std::string& attribute);
/// What the axis of the target says.
std::string target_label(const StudyResults& results);
/// "(a, b, c)" as plot elements: joined by commas over lines.
std::string joined_plots(const std::vector<std::string>& elements);
/// `set xtics` or `set ytics` with a name at 1, 2, ...
std::string named_tics(const std::string& axis, const std::vector<std::string>& names, const std::string& options);

/// Room in mm that the longest name takes beside its axis, in the small font: `least`, or more; at most 45, so that long
/// names of users' columns do not leave the figure without a plot.
double room_for_names(const std::vector<std::string>& names, double least);

/// Tics at multiples of 1, 2 or 5 times a power of ten, at most about `most` of them.
std::string tic_step(const std::string& axis, double low, double high, int most);

/// An empty figure of this size, synthetic where an electrode is.
Figure new_figure(const StudyResults& results, double width_mm, double height_mm);
std::vector<std::string> names_of(const StudyResults& results);
/// A plot element of an electrode's rows: the file, the expression of x, and the rest from y on.
std::string of_electrode(const std::string& file, const std::string& electrode, const std::string& x,
                         const std::string& rest);
/// Densities of the electrodes in steps with their bands; columns electrode, low, high, density, ci_low, ci_high.
std::vector<std::string> density_elements(const std::string& file, const std::vector<std::string>& electrodes,
                                          const std::vector<std::string>& titles);

/// Sentences that captions share.
std::string origin_sentence(const StudyResults& results);
/// "10-cycled (n = 114)"
std::string with_n(const std::string& electrode, double n);

}  // namespace cathoscope
