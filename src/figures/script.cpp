#include <cathoscope/figures/script.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

/// Length of the escape sequence at the start of `text`, which begins with a backslash: 0 where it is none.
std::size_t escape_length(std::string_view text) {
  std::size_t digits = 0;
  while (digits < 3 && digits + 1 < text.size() && text[digits + 1] >= '0' && text[digits + 1] <= '7') ++digits;
  if (digits > 0) return digits + 1;
  return text.size() > 1 && std::string_view("abfnrtv\\").find(text[1]) != std::string_view::npos ? 2 : 0;
}

/// What must stand between double quotes: two and more apostrophes (gnuplot 5.4 misreads them doubled), and escape
/// sequences that are to be read. Never a backtick. Length; 0 for all else.
std::size_t special_length(std::string_view text, bool with_escapes) {
  if (text[0] == '\\') return with_escapes ? escape_length(text) : 0;
  std::size_t apostrophes = 0;
  while (apostrophes < text.size() && text[apostrophes] == '\'') ++apostrophes;
  return apostrophes > 1 ? apostrophes : 0;
}

std::string gnuplot_string(std::string_view text, bool with_escapes) {
  std::vector<std::string> pieces;
  std::string plain;
  const auto finish = [&] {
    if (!plain.empty()) pieces.push_back("'" + plain + "'");
    plain.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t length = special_length(text.substr(i), with_escapes); length > 0) {
      finish();
      pieces.push_back(fmt::format("\"{}\"", text.substr(i, length)));
      i += length;
      continue;
    }
    const char c = text[i++];
    if (static_cast<unsigned char>(c) < 32 || c == 127)
      plain += ' ';
    else
      plain.append(c == '\'' ? 2 : 1, c);
  }
  finish();
  if (pieces.empty()) return "''";
  if (pieces.size() == 1) return pieces.front();
  return fmt::format("({})", fmt::join(pieces, "."));
}

}  // namespace

// gnuplot reads escapes in fields of files as it does between double quotes.
std::string verbatim(std::string_view text) { return gnuplot_string(text, true); }

std::string plot_text(std::string_view text) {
  static constexpr std::string_view enhanced = "^_@&~{}\\";
  std::string escaped;
  for (const char c : text) {
    if (enhanced.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return gnuplot_string(escaped, false);
}

std::string short_number(double value, int digits) {
  if (!std::isfinite(value)) return "n/a";
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e6)) return fmt::format("{:.{}e}", value, digits - 1);
  const int before = size < 1 ? 0 : static_cast<int>(std::floor(std::log10(size))) + 1;
  const int leading = size > 0 && size < 1 ? static_cast<int>(-std::floor(std::log10(size))) - 1 : 0;
  return fmt::format("{:.{}f}", value, std::max(0, digits - before + leading));
}

std::string electrode_colour(std::size_t index) { return fmt::format("electrode_{}", index % 6 + 1); }

namespace {

/// The palette of Okabe and Ito, told apart with any colour vision; the first two also in grey.
constexpr const char* style = R"(# Style of all figures. Change it, then draw a figure again: gnuplot fig1b.gp
set encoding utf8
font_family = 'Arial'
font_points = 7
small = ',6'
tiny = ',5'
if (style_again) {
  # within a figure the terminal stays
} else { if (format eq 'svg') {
  set terminal svg size width_mm * 96 / 25.4, height_mm * 96 / 25.4 font font_family.','.font_points fontscale 4. / 3 linewidth 0.7 background '#FFFFFF'
} else {
  set terminal pdfcairo size width_mm / 25.4, height_mm / 25.4 font font_family.','.font_points fontscale 0.75 linewidth 1.1 background '#FFFFFF'
} }

electrode_1 = '#D55E00'
electrode_2 = '#0072B2'
electrode_3 = '#009E73'
electrode_4 = '#CC79A7'
electrode_5 = '#56B4E9'
electrode_6 = '#E69F00'
positive = '#762A83'
negative = '#1B7837'
ink = '#222222'
grey = '#777777'
pale = '#D9D9D9'
null_band = '#C8C8C8'

set border 3 linewidth 0.8 linecolor rgb ink
set tics out nomirror scale 0.5 textcolor rgb ink font small
set xtics offset 0, 0.4
set ytics offset 0.6, 0
set xlabel offset 0, 0.8
set ylabel offset 1.2, 0
set key top right Left reverse samplen 1.2 spacing 1.0 font small textcolor rgb ink
set datafile separator comma
set datafile columnheaders
set style fill solid 1 noborder
set pointintervalbox 0
# Columns by name; rows where a text column has a value.
val(name) = column(name)
at(name, text, value) = strcol(name) eq text ? value : NaN
set palette defined (0 '#440154', 0.25 '#3B528B', 0.5 '#21918C', 0.75 '#5EC962', 1 '#FDE725')
)";

/// Behind everything, and once more in small letters in front, for figures that are full of ink.
constexpr const char* watermark = R"(unset border; unset tics; unset key
set margins 0, 0, 0, 0
set xrange [0:1]; set yrange [0:1]
set label 1 'synthetic' at screen 0.5, 0.5 center rotate by 25 font sprintf(',%.1f', width_mm * 0.42) textcolor rgb '#EBEBEB' back
plot NaN notitle
)";
constexpr const char* watermark_tag = R"(reset
unset border; unset tics; unset key
set margins 0, 0, 0, 0
set xrange [0:1]; set yrange [0:1]
set label 1 'synthetic data' at screen 0.99, 0.99 right rotate by 90 font ',5' textcolor rgb '#B00000' front
plot NaN notitle
)";

}  // namespace

std::string style_text() { return style; }

std::string script_text(const Figure& figure, const std::vector<std::string>& formats) {
  std::string text = fmt::format("# {}: {}\n# Draws {}.csv. Again, after a change here or in style.gp: gnuplot {}.gp\n",
                                 figure.name, verbatim(figure.title), figure.name, figure.name);
  text += fmt::format("if (!exists('format')) {{\n  do for [format in '{}'] {{ load '{}.gp' }}\n  exit\n}}\n",
                      fmt::join(formats, " "), figure.name);
  text += fmt::format("reset\nwidth_mm = {}\nheight_mm = {}\n", text_of(figure.width_mm), text_of(figure.height_mm));
  text += fmt::format("style_again = 0\nload 'style.gp'\nset output '{}.'.format\nset multiplot\nstyle_again = 1\n",
                      figure.name);
  if (figure.synthetic) text += watermark + std::string("reset\nload 'style.gp'\n");
  text += "\n" + figure.script + "\n";
  if (figure.synthetic) text += watermark_tag;
  return text + "unset multiplot\nunset output\n";
}

fs::path run_file(const StudyResults& results, const std::string& stage, const std::string& relative) {
  if (results.electrodes.empty() && stage != "chemomechanics") fail(Exit::no_input, "the run has no electrode");
  const auto slash = relative.find('/');
  for (const std::string& name : {stage, relative.substr(0, slash) + "/" + stage})
    if (const auto why = results.unusable.find(name); why != results.unusable.end())
      fail(Exit::no_input, "{}", why->second);
  fs::path path = results.folder / relative;
  if (!fs::exists(path))
    fail(Exit::no_input, "{} is not there: the stage {} writes it, where the data allow it", relative, stage);
  return path;
}

Table run_table(const StudyResults& results, const std::string& stage, const std::string& relative) {
  return read_csv(run_file(results, stage, relative));
}

std::string run_text(const StudyResults& results, const std::string& stage, const std::string& relative) {
  return read_text(run_file(results, stage, relative));
}

}  // namespace cathoscope
