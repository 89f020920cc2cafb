#include "plotting.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cathoscope {

namespace {

const Column& required_column(const Table& table, std::string_view name) {
  const Column* column = table.find(name);
  if (column == nullptr) fail(Exit::data, "a table of the run has no column '{}'", name);
  return *column;
}

/// Written as a number or not, the same value is meant.
bool same_field(const Column& column, std::size_t row, const std::string& value) {
  if (!column.texts.empty()) return column.texts[row] == value;
  const auto number = number_from(value);
  if (!number) return false;
  return column.ids.empty() ? column.numbers[row] == *number : static_cast<double>(column.ids[row]) == *number;
}

}  // namespace

std::string field_text(const Column& column, std::size_t row) {
  if (!column.texts.empty()) return column.texts[row];
  return column.ids.empty() ? text_of(column.numbers[row]) : std::to_string(column.ids[row]);
}

std::vector<std::size_t> rows_where(const Table& table, const std::vector<std::size_t>& rows, std::string_view column,
                                    const std::string& value) {
  const Column& c = required_column(table, column);
  std::vector<std::size_t> result;
  for (const std::size_t row : rows)
    if (same_field(c, row, value)) result.push_back(row);
  return result;
}

std::vector<std::size_t> rows_where(const Table& table, std::string_view column, const std::string& value) {
  std::vector<std::size_t> all(table.rows());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return rows_where(table, all, column, value);
}

double number_at(const Table& table, std::string_view column, std::size_t row) {
  const Column* c = table.find(column);
  if (c == nullptr) return std::numeric_limits<double>::quiet_NaN();
  if (!c->numbers.empty()) return c->numbers[row];
  return c->ids.empty() ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(c->ids[row]);
}

std::vector<double> numbers_at(const Table& table, std::string_view column, const std::vector<std::size_t>& rows) {
  std::vector<double> result;
  result.reserve(rows.size());
  for (const std::size_t row : rows) result.push_back(number_at(table, column, row));
  return result;
}

double quantile_of_values(std::vector<double> values, double quantile) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }), values.end());
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const double position = quantile * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (position - static_cast<double>(low)) * (values[high] - values[low]);
}

std::vector<std::size_t> sorted_order(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

std::string place(const Figure& figure, const Panel& p) {
  return fmt::format(
      "set lmargin at screen {:.4f}; set rmargin at screen {:.4f}; set bmargin at screen {:.4f}; "
      "set tmargin at screen {:.4f}\n",
      p.left / figure.width_mm, p.right / figure.width_mm, p.bottom / figure.height_mm, p.top / figure.height_mm);
}

std::string next_panel() { return "\nreset\nload 'style.gp'\n"; }

Panel grid_panel(const Panel& area, std::size_t index, std::size_t columns, std::size_t rows, double gap_x,
                 double gap_y) {
  const auto nx = static_cast<double>(columns), ny = static_cast<double>(rows);
  const double width = (area.right - area.left - (nx - 1) * gap_x) / nx;
  const double height = (area.top - area.bottom - (ny - 1) * gap_y) / ny;
  const std::size_t row = index / columns, column = index % columns;
  const double left = area.left + static_cast<double>(column) * (width + gap_x);
  const double top = area.top - static_cast<double>(row) * (height + gap_y);
  return {left, left + width, top - height, top};
}

std::string attribute_label(const std::string& attribute) {
  const std::size_t i = attribute_index(attribute);
  if (i == attribute_list.size() || attribute_list[i].unit.empty()) return attribute;
  std::string unit(attribute_list[i].unit);
  const auto replace = [&](const std::string& from, const std::string& to) {
    if (const auto at = unit.find(from); at != std::string::npos) unit.replace(at, from.size(), to);
  };
  replace("um", "µm");
  replace("^2", "²");
  replace("^3", "³");
  replace("degree", "°");
  return attribute + " (" + unit + ")";
}

std::string target_label(const StudyResults& results) {
  const std::string target = results.electrodes.empty() ? "Damage" : results.electrodes.front().target;
  return target == "Damage" ? "Damage (crack volume / particle volume)" : target;
}

std::string joined_plots(const std::vector<std::string>& elements) {
  return fmt::format("plot {}\n", fmt::join(elements, ", \\\n     "));
}

namespace {

/// gnuplot takes the text of a tic for a format of its number.
std::string percent_doubled(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '%' ? "%%" : std::string(1, c);
  return result;
}

}  // namespace

std::string named_tics(const std::string& axis, const std::vector<std::string>& names, const std::string& options) {
  std::vector<std::string> tics;
  for (std::size_t i = 0; i < names.size(); ++i)
    tics.push_back(fmt::format("{} {}", plot_text(percent_doubled(names[i])), i + 1));
  return fmt::format("set {}tics ({}) {}\n", axis, fmt::join(tics, ", "), options);
}

namespace {

/// Width of a text in Arial, in units of its size. Classes of letters with the widest of each, so never too little by much.
double text_width(const std::string& text) {
  double width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;  // the rest of a sign in UTF-8
    if (std::string_view("fijlrtI .,:;'|()[]-").find(c) != std::string_view::npos)
      width += 0.33;
    else if (std::string_view("mwMW@%").find(c) != std::string_view::npos)
      width += 0.94;
    else
      width += c >= 'A' && c <= 'Z' ? 0.72 : 0.56;
  }
  return width;
}

}  // namespace

double room_for_names(const std::vector<std::string>& names, double least) {
  constexpr double small_mm = 6 * 25.4 / 72, tics_and_edge = 3.5, most = 45;
  double room = least;
  for (const auto& name : names) room = std::max(room, small_mm * text_width(name) + tics_and_edge);
  return std::min(room, most);
}

std::string origin_sentence(const StudyResults& results) {
  std::string synthetic;
  for (const auto& e : results.electrodes)
    if (!e.synthetic.empty()) synthetic += (synthetic.empty() ? "" : ", ") + e.name;
  std::string text;
  if (results.electrodes.size() > 1) text = " There is one electrode of each kind: intervals cover its particles only.";
  if (!synthetic.empty()) text += " Synthetic, not measured: " + synthetic + ".";
  return text;
}

std::string with_n(const std::string& electrode, double n) { return fmt::format("{} (n = {:.0f})", electrode, n); }

Figure new_figure(const StudyResults& results, double width_mm, double height_mm) {
  Figure f;
  f.width_mm = width_mm;
  f.height_mm = height_mm;
  f.synthetic = results.synthetic();
  return f;
}

/// A plot element of an electrode's rows: expressions of x and y, and the rest.
std::string of_electrode(const std::string& file, const std::string& electrode, const std::string& x,
                         const std::string& rest) {
  return fmt::format("'{}' using (at('electrode', {}, {})):{}", file, verbatim(electrode), x, rest);
}

/// Densities in steps with their bands.
std::vector<std::string> density_elements(const std::string& file, const std::vector<std::string>& electrodes,
                                          const std::vector<std::string>& titles) {
  std::vector<std::string> elements;
  const std::string middle = "0.5 * (val('low') + val('high'))";
  for (std::size_t e = 0; e < electrodes.size(); ++e)
    elements.push_back(of_electrode(file, electrodes[e], middle,
                                    "(val('density')):(val('low')):(val('high')):(val('ci_low')):(val('ci_high')) with "
                                    "boxxyerror fillstyle transparent solid 0.22 noborder fillcolor rgb " +
                                        electrode_colour(e) + " notitle"));
  for (std::size_t e = 0; e < electrodes.size(); ++e)
    elements.push_back(of_electrode(file, electrodes[e], middle,
                                    fmt::format("(val('density')) with histeps linewidth 1.2 linecolor rgb {} title {}",
                                                electrode_colour(e), plot_text(titles[e]))));
  return elements;
}

std::vector<std::string> names_of(const StudyResults& results) {
  std::vector<std::string> names;
  names.reserve(results.electrodes.size());
  for (const auto& e : results.electrodes) names.push_back(e.name);
  return names;
}

std::string tic_step(const std::string& axis, double low, double high, int most) {
  if (!(high > low)) return "";
  const double rough = (high - low) / most, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {5.0, 2.0, 1.0})
    if (nice * power >= rough * (1 - 1e-9)) step = nice * power;
  return fmt::format("set {}tics {}\n", axis, text_of(step));
}

}  // namespace cathoscope
