#include "picture_parts.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace cathoscope {

namespace {

/// volume.h5, where the electrode has one that belongs to this configuration.
std::optional<std::filesystem::path> volume_of(const StudyResults& results, const ElectrodeResults& e) {
  try {
    return run_file(results, "volume", e.name + "/volume.h5");
  } catch (const Error& error) {
    if (error.exit() != Exit::no_input) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<PicturedElectrode> pictured_electrodes(const StudyResults& results) {
  std::vector<PicturedElectrode> list;
  std::string why;
  for (const auto& e : results.electrodes) {
    if (e.is_table) {
      why += (why.empty() ? "" : "; ") + e.name + " was given as a table and has no volume";
      continue;
    }
    try {
      const auto segmentation = run_file(results, "segmentation", e.name + "/segmentation.h5");
      list.push_back({&e, open_grids(segmentation, volume_of(results, e))});
    } catch (const Error& error) {
      if (error.exit() != Exit::no_input) throw;
      why += (why.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (list.empty()) fail(Exit::no_input, "{}", why.empty() ? "the study has no electrode" : why);
  return list;
}

std::string panel_mm(const Figure& f, double left, double top, double width, double height) {
  return fmt::format(
      "set lmargin at screen {}\nset rmargin at screen {}\nset tmargin at screen {}\nset bmargin at screen {}\n",
      text_of(left / f.width_mm), text_of((left + width) / f.width_mm), text_of(1 - top / f.height_mm),
      text_of(1 - (top + height) / f.height_mm));
}

double round_length(double length) {
  if (!(length > 0)) return 1;
  const double scale = std::pow(10, std::floor(std::log10(length)));
  return (length >= 5 * scale ? 5 : length >= 2 * scale ? 2 : 1) * scale;
}

std::string length_text(double um) { return short_number(um, 1) + " µm"; }

/// Lines of `NAME.csv`: blank lines between outlines, which break lines in gnuplot and which readers of CSV skip.
void append_outlines(std::string& csv, const SliceView& view, std::uint32_t label, const std::string& fields) {
  for (const auto& line : outlines_of(view, label)) {
    for (const auto& [column, row] : line)
      csv += fmt::format("{},{},{}\n", fields, text_of(view.left_um + column * view.pixel_width_um),
                         text_of(view.top_um + row * view.pixel_height_um));
    csv += "\n";
  }
}

/// One picture file as gnuplot draws it, the first row on top of an axis that points down.
std::string image_clause(const std::string& file, const SliceView& v, const char* style) {
  return fmt::format("'{}' binary filetype=png flipy dx={} dy={} origin=({}, {}) {}", file, text_of(v.pixel_width_um),
                     text_of(v.pixel_height_um), text_of(v.left_um + v.pixel_width_um / 2),
                     text_of(v.top_um + v.pixel_height_um / 2), style);
}

std::string axes_of(const SliceView& v) {
  return fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", text_of(v.left_um),
                     text_of(v.left_um + static_cast<double>(v.width) * v.pixel_width_um),
                     text_of(v.top_um + static_cast<double>(v.height) * v.pixel_height_um), text_of(v.top_um));
}

double width_um(const SliceView& v) { return static_cast<double>(v.width) * v.pixel_width_um; }
double height_um(const SliceView& v) { return static_cast<double>(v.height) * v.pixel_height_um; }

/// White bar with a dark rim, in the lower left corner of the panel of `v`.
std::string scale_bar(const SliceView& v, double length, int tag) {
  const double x = v.left_um + 0.04 * width_um(v), y = v.top_um + 0.95 * height_um(v);
  std::string s;
  for (const auto& [width, colour] : {std::pair{3.2, "'black'"}, std::pair{1.8, "'white'"}})
    s += fmt::format("set arrow {} from {}, {} to {}, {} nohead linewidth {} linecolor rgb {} front\n", tag++,
                     text_of(x), text_of(y), text_of(x + length), text_of(y), width, colour);
  return s + fmt::format("set label {} {} at {}, {} center offset 0, 0.7 font small textcolor rgb ink front boxed\n",
                         tag, plot_text(length_text(length)), text_of(x + length / 2), text_of(y));
}

/// A field of a CSV file.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string s = "\"";
  for (const char c : text) s += c == '"' ? "\"\"" : std::string(1, c);
  return s + "\"";
}

std::string electrode_title(const ElectrodeResults& e) {
  return e.synthetic.empty() ? e.name : e.name + " (synthetic)";
}

}  // namespace cathoscope
