#pragma once
/// Texts and tables in gnuplot scripts, and the style that all figures share.

#include <cathoscope/core/table.hpp>
#include <cathoscope/figures/figures.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace cathoscope {

/// A gnuplot string that shows `text` as it is. Single quotes, because gnuplot runs what stands between backticks in
/// double ones; signs of its enhanced mode are escaped, control characters are blanks.
std::string plot_text(std::string_view text);
/// A gnuplot string expression that equals a field of a file with this text.
std::string verbatim(std::string_view text);
/// A number for a label: `digits` significant digits, no exponent between 1e-4 and 1e6.
std::string short_number(double value, int digits = 3);

/// Name of the colour of an electrode (style.gp defines it): the same in every figure.
std::string electrode_colour(std::size_t index);

/// Text of style.gp.
std::string style_text();
/// Text of NAME.gp.
std::string script_text(const Figure& figure, const std::vector<std::string>& formats);

/// A table of the run, `relative` to OUT. Throws Error{no_input} where the stage that writes it did not run with
/// this configuration.
Table run_table(const StudyResults& results, const std::string& stage, const std::string& relative);
/// Its text, for JSON.
std::string run_text(const StudyResults& results, const std::string& stage, const std::string& relative);
/// Path of a file of the run; throws as run_table.
std::filesystem::path run_file(const StudyResults& results, const std::string& stage, const std::string& relative);

}  // namespace cathoscope
