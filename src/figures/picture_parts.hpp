#pragma once
/// What the drawers of pictures share.

#include "slice_views.hpp"

#include <cathoscope/figures/figures.hpp>

#include <string>
#include <vector>

namespace cathoscope {

/// A measured electrode that has a segmentation.
struct PicturedElectrode {
  const ElectrodeResults* results = nullptr;
  ElectrodeGrids grids;
};

/// Electrodes with a segmentation; throws Error{no_input} with the reasons where none has one.
std::vector<PicturedElectrode> pictured_electrodes(const StudyResults& results);

/// gnuplot commands: the panel whose corners, from the top left of the figure in mm, are these.
std::string panel_mm(const Figure& figure, double left, double top, double width, double height);

/// The largest of 1, 2, 5 times a power of ten that is not above `length`.
double round_length(double length);

/// "20 µm"
std::string length_text(double um);

inline constexpr std::array<std::uint8_t, 3> crack_colour{0xE6, 0x3A, 0x9B};
inline constexpr const char* outline_colour = "'#FFD400'";

/// White boxes behind labels on pictures; the SVG terminal knows no other colour.
inline constexpr const char* label_box = "set style textbox opaque noborder fillcolor rgb 'white' margins 0.4, 0.4\n";

/// A field of a CSV file, in quotes where it needs them.
std::string csv_field(const std::string& text);

/// Appends lines to a CSV file: `fields`, then column and row in um. Blank lines stand between outlines; they break lines
/// in gnuplot, and readers of CSV skip them.
void append_outlines(std::string& csv, const SliceView& view, std::uint32_t label, const std::string& fields);

/// A clause of gnuplot's plot: a picture file at its place, the first row on top of an axis that points down.
std::string image_clause(const std::string& file, const SliceView& view, const char* style);

/// Ranges that the view fills; the vertical axis points down.
std::string axes_of(const SliceView& view);

double width_um(const SliceView& view);
double height_um(const SliceView& view);

/// White bar with a dark rim and its length, in the lower left corner; uses arrows and labels from `tag` on.
std::string scale_bar(const SliceView& view, double length, int tag);

/// "10-cycled (synthetic)" for a label.
std::string electrode_title(const ElectrodeResults& electrode);

}  // namespace cathoscope
