/// Figs. 1B, S7, S11 and damage against depth.

#include "drawers.hpp"
#include "plotting.hpp"
#include "value_axis.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/table_rows.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Bins of an electrode with the densities of its two halves beside: between them lies what is noise.
Table damage_densities(const Table& curves, const std::vector<std::string>& electrodes) {
  TableRows rows({"electrode"}, {"low", "high", "density", "ci_low", "ci_high", "half_low_x", "half_high_x"});
  for (const auto& name : electrodes) {
    const auto own = rows_where(curves, "electrode", name);
    const auto all = rows_where(curves, own, "part", "all");
    const auto low_x = numbers_at(curves, "density", rows_where(curves, own, "part", "low_x"));
    const auto high_x = numbers_at(curves, "density", rows_where(curves, own, "part", "high_x"));
    for (std::size_t k = 0; k < all.size(); ++k) {
      const auto at = [&](const char* column) { return number_at(curves, column, all[k]); };
      rows.add({name}, {at("low"), at("high"), at("density"), at("ci_low"), at("ci_high"),
                        k < low_x.size() ? low_x[k] : nothing, k < high_x.size() ? high_x[k] : nothing});
    }
  }
  return std::move(rows).table();
}

/// Distances from the first electrode, and the largest between halves of one electrode.
std::string distance_label(const Table& summary, const std::vector<std::string>& electrodes) {
  double sham = 0;
  std::string text;
  for (const auto& name : electrodes) {
    const auto own = rows_where(summary, "electrode", name);
    for (const double ks : numbers_at(summary, "ks", rows_where(summary, own, "part", "high_x")))
      if (std::isfinite(ks)) sham = std::max(sham, ks);
    const auto all = rows_where(summary, own, "part", "all");
    if (name == electrodes.front() || all.empty()) continue;
    text += fmt::format("{}KS {}, W1 {}", text.empty() ? "" : "; ", short_number(number_at(summary, "ks", all[0]), 2),
                        short_number(number_at(summary, "wasserstein", all[0]), 2));
  }
  if (!text.empty() && sham > 0) text += fmt::format(" (halves: KS {})", short_number(sham, 2));
  return text;
}

double upper_edge(const Table& densities) {
  double edge = 0;
  for (const double high : densities.numbers("high"))
    if (std::isfinite(high)) edge = std::max(edge, high);
  return edge;
}

/// Each electrode minus the first, by bin, with the largest difference between halves of one electrode. NaN without halves.
Table density_differences(const Table& densities, const std::vector<std::string>& electrodes) {
  TableRows rows({"electrode"}, {"low", "high", "difference", "sham"});
  const auto first = rows_where(densities, "electrode", electrodes.front());
  for (std::size_t e = 1; e < electrodes.size(); ++e) {
    const auto own = rows_where(densities, "electrode", electrodes[e]);
    for (std::size_t k = 0; k < std::min(own.size(), first.size()); ++k) {
      const auto at = [&](const char* column, std::size_t row) { return number_at(densities, column, row); };
      const auto halves = [&](std::size_t row) { return std::abs(at("half_high_x", row) - at("half_low_x", row)); };
      rows.add({electrodes[e]}, {at("low", own[k]), at("high", own[k]), at("density", own[k]) - at("density", first[k]),
                                 std::fmax(halves(own[k]), halves(first[k]))});
    }
  }
  return std::move(rows).table();
}

std::string difference_panel(const Figure& f, const StudyResults& results, const Table& differences,
                             const Table& summary, const std::vector<std::string>& names, double upper) {
  Extent extent = extent_of(differences, {"sham"}).mirrored().with_zero();
  extent.add(extent_of(differences, {"difference"}));
  std::string text =
      place(f, {12, 82, 9, 33}) + value_axis("x", plot_text(target_label(results)), {0, upper}) +
      value_axis("y", "'Difference'", extent) + "set xrange [0:" + text_of(upper) +
      "]\nset offsets 0, 0, graph 0.3, graph 0.05\nset key top right\n" +
      "set arrow from graph 0, first 0 to graph 1, first 0 nohead linewidth 0.5 linecolor rgb grey back\n" +
      fmt::format("set label 2 {} at graph 0.98, graph 0.1 right font tiny\n",
                  verbatim(distance_label(summary, names)));
  std::vector<std::string> elements;
  const std::string middle = "0.5 * (val('low') + val('high'))";
  for (std::size_t e = 1; e < names.size(); ++e) {
    if (e == 1)
      elements.push_back(of_electrode("fig1b_differences.csv", names[e], middle,
                                      "(0):(val('low')):(val('high')):(-val('sham')):(val('sham')) with boxxyerror "
                                      "fillcolor rgb null_band title 'between halves of one electrode'"));
    elements.push_back(of_electrode("fig1b_differences.csv", names[e], middle,
                                    "(val('difference')):(val('low')):(val('high')) with xerrorbars pointtype 7 "
                                    "pointsize 0.01 linewidth 1.3 linecolor rgb " +
                                        std::string(names.size() == 2 ? "ink" : electrode_colour(e)) + " title " +
                                        plot_text(names[e] + " − " + names.front())));
  }
  return text + "set errorbars 0\n" + joined_plots(elements);
}

}  // namespace

/// Fig. 1B: how damage is distributed in each electrode.
FigureResult fig1b(const StudyResults& results) {
  const Table curves = run_table(results, "regression", "statistics/fig1b.csv");
  const Table summary = run_table(results, "regression", "statistics/fig1b_summary.csv");
  const auto names = names_of(results);
  const bool compared = names.size() > 1;
  Figure f = new_figure(results, 85, compared ? 84 : 60);
  const Table densities = damage_densities(curves, names);
  f.csv = csv_text(densities);
  std::vector<std::string> titles;
  std::string medians;
  for (std::size_t e = 0; e < names.size(); ++e) {
    const auto row = rows_where(summary, rows_where(summary, "electrode", names[e]), "part", "all");
    if (row.empty()) fail(Exit::no_input, "statistics/fig1b_summary.csv has no row for {}", names[e]);
    titles.push_back(with_n(names[e], number_at(summary, "n", row[0])));
    medians += fmt::format(
        "set arrow from first {0}, graph 0 to first {0}, graph 1 nohead linewidth 0.7 dashtype (4, 3) linecolor rgb "
        "{1} back\n",
        text_of(number_at(summary, "median", row[0])), electrode_colour(e));
  }
  const Extent damage{0, upper_edge(densities)};
  f.script = place(f, {12, 82, compared ? 36.0 : 9.0, f.height_mm - 3}) +
             value_axis("y", "'Probability density'", extent_of(densities, {"density", "ci_high"}).with_zero()) +
             "set xrange [0:" + text_of(damage.high) + "]\nset yrange [0:*]\n" + medians +
             (compared ? "set format x ''\n" + power_tics("x", damage, label_power(damage), false)
                       : value_axis("x", plot_text(target_label(results)), damage));
  f.script += joined_plots(density_elements("fig1b.csv", names, titles));
  if (compared) {
    const Table differences = density_differences(densities, names);
    f.more.push_back({"fig1b_differences.csv", csv_text(differences)});
    f.script += next_panel() + difference_panel(f, results, differences, summary, names, damage.high);
  }
  f.caption =
      "Probability density of damage over the particles of each electrode, common bins (Freedman and Diaconis), "
      "integral 1. Bands: pointwise 95 % bootstrap intervals; dashed lines: medians. ";
  if (compared)
    f.caption += "Below: the density minus that of " + names.front() +
                 "; grey: the largest difference between the halves of one electrode (low and high X), where it is "
                 "noise. KS: largest distance of the distribution functions, W1: mean distance of the distributions. ";
  f.caption += "Particles with an excluded flag are left out. Source: statistics/fig1b.csv, fig1b_summary.csv." +
               origin_sentence(results);
  return f;
}

namespace {

/// Attributes of the profile of inference in the order of the table.
std::vector<std::string> attributes_in(const Table& table, const std::vector<std::size_t>& rows) {
  std::vector<std::string> names;
  const Column& column = *table.find("attribute");
  for (const std::size_t row : rows)
    if (std::find(names.begin(), names.end(), field_text(column, row)) == names.end())
      names.push_back(field_text(column, row));
  return names;
}

/// Rows of the first profile: the one that inference uses.
std::vector<std::size_t> rows_of_inference(const Table& table) {
  if (table.rows() == 0) fail(Exit::no_input, "there are no attributes to show");
  return rows_where(table, "profile", field_text(*table.find("profile"), 0));
}

Table selected_rows(const Table& table, const std::vector<std::size_t>& rows) {
  Table result;
  for (const Column& c : table.columns) {
    Column out{c.name, c.unit, c.description, {}, {}, {}};
    for (const std::size_t row : rows) {
      if (!c.numbers.empty()) out.numbers.push_back(c.numbers[row]);
      if (!c.ids.empty()) out.ids.push_back(c.ids[row]);
      if (!c.texts.empty()) out.texts.push_back(c.texts[row]);
    }
    result.columns.push_back(std::move(out));
  }
  return result;
}

std::string attribute_panel(const StudyResults& results, const std::string& attribute, const Table& summary,
                            const std::vector<std::size_t>& rows, const Table& curves) {
  std::string counts, median_marks;
  double low = std::numeric_limits<double>::max(), high = -low, largest = 0;
  for (const std::size_t row : rows_where(curves, "attribute", attribute)) {
    low = std::min(low, number_at(curves, "low", row));
    high = std::max(high, number_at(curves, "high", row));
    largest = std::max({largest, number_at(curves, "density", row), std::fmax(0, number_at(curves, "ci_high", row))});
  }
  std::vector<std::string> elements;
  const auto names = names_of(results);
  double distance = nothing;
  for (std::size_t e = 0; e < names.size(); ++e) {
    const auto row = rows_where(summary, rows_where(summary, rows, "attribute", attribute), "electrode", names[e]);
    if (row.empty()) continue;
    if (e > 0) distance = number_at(summary, "wasserstein", row[0]);
    counts += fmt::format("{}{:.0f}", counts.empty() ? "n = " : ", ", number_at(summary, "n", row[0]));
    median_marks += fmt::format(
        "set arrow from first {0}, graph -0.005 to first {0}, graph 0.10 nohead linewidth 1.4 linecolor rgb {1} "
        "front\n",
        text_of(number_at(summary, "median", row[0])), electrode_colour(e));
    const std::string x =
        fmt::format("strcol('attribute') eq {} ? 0.5 * (val('low') + val('high')) : NaN", verbatim(attribute));
    elements.push_back(of_electrode("figs7.csv", names[e], "(" + x + ")",
                                    "(val('density')):(val('low')):(val('high')):(val('ci_low')):(val('ci_high')) with "
                                    "boxxyerror fillstyle transparent solid 0.22 noborder fillcolor rgb " +
                                        electrode_colour(e) + " notitle"));
    elements.push_back(
        of_electrode("figs7.csv", names[e], "(" + x + ")",
                     "(val('density')) with histeps linewidth 0.9 linecolor rgb " + electrode_colour(e) + " notitle"));
  }
  if (names.size() == 2 && std::isfinite(distance)) counts += "; W1 " + short_number(distance, 2);
  const std::string labels =
      fmt::format("set label 9 {} at graph 1, graph 1.07 right font tiny textcolor rgb grey\n", verbatim(counts));
  const Extent extent{low, high};
  const int power = label_power(extent);
  return "set xlabel " + with_power(plot_text(attribute_label(attribute)), power) +
         fmt::format(" offset 0, 0.6\nset xtics font tiny\nunset ytics\nset xrange [{}:{}]\nset yrange [0:{}]\n",
                     text_of(low), text_of(high), text_of(1.05 * largest)) +
         tic_step("x", low, high, 4) + power_tics("x", extent, power) + labels + median_marks +
         (elements.empty() ? "" : joined_plots(elements));
}

}  // namespace

/// Fig. S7: the attributes of both electrodes.
FigureResult figs7(const StudyResults& results) {
  const Table curves = run_table(results, "regression", "statistics/figs7.csv");
  const Table summary = run_table(results, "regression", "statistics/figs7_summary.csv");
  const auto rows = rows_of_inference(curves), summary_rows = rows_of_inference(summary);
  const auto attributes = attributes_in(curves, rows);
  constexpr std::size_t columns = 4;
  const std::size_t lines = (attributes.size() + columns - 1) / columns;
  Figure f = new_figure(results, 178, 19 + 33 * static_cast<double>(lines));
  const Table shown = selected_rows(curves, rows);
  f.csv = csv_text(shown);
  const Panel area{6, 176, 10, f.height_mm - 11};
  for (std::size_t i = 0; i < attributes.size(); ++i)
    f.script += (i > 0 ? next_panel() : "") + place(f, grid_panel(area, i, columns, lines, 5, 12)) + "set key off\n" +
                attribute_panel(results, attributes[i], summary, summary_rows, shown);
  f.script += next_panel() + place(f, {6, 176, f.height_mm - 6, f.height_mm - 2}) +
              "unset border; unset tics\nset key at screen 0.5, screen 0.985 center top horizontal\nset xrange "
              "[0:1]\nset yrange [0:1]\n";
  std::vector<std::string> legend;
  for (std::size_t e = 0; e < results.electrodes.size(); ++e)
    legend.push_back(fmt::format("NaN with lines linewidth 1.5 linecolor rgb {} title {}", electrode_colour(e),
                                 plot_text(results.electrodes[e].name)));
  f.script += joined_plots(legend);
  f.caption =
      "Probability density of each attribute in each electrode, common bins, integral 1; bands: pointwise 95 % "
      "bootstrap intervals; thick marks on the axis: medians; n: values that are not missing; W1: mean distance "
      "between the distributions, in the unit of the axis. Definitions of the profile " +
      field_text(*curves.find("profile"), 0) + ". Source: statistics/figs7.csv, figs7_summary.csv." +
      origin_sentence(results);
  return f;
}

namespace {

/// Correlations with their places in the figure; `n` becomes the largest number of particles of each electrode.
Table correlation_rows(const Table& table, const std::vector<std::string>& names,
                       const std::vector<std::string>& attributes, std::vector<double>& n) {
  TableRows rows({"electrode", "attribute"}, {"position", "n", "pearson", "ci_low", "ci_high", "p", "q", "spearman"});
  n.assign(names.size(), 0);
  for (std::size_t e = 0; e < names.size(); ++e)
    for (const std::size_t row : rows_where(table, "electrode", names[e])) {
      const std::string attribute = field_text(*table.find("attribute"), row);
      const auto at = [&](const char* column) { return number_at(table, column, row); };
      const auto place = std::find(attributes.begin(), attributes.end(), attribute) - attributes.begin();
      if (place == std::ssize(attributes)) continue;
      const double offset = (0.5 * static_cast<double>(names.size() - 1) - static_cast<double>(e)) *
                            (0.72 / static_cast<double>(std::max<std::size_t>(2, names.size())));
      n[e] = std::max(n[e], at("n"));
      rows.add({names[e], attribute}, {static_cast<double>(place + 1) + offset, at("n"), at("pearson"), at("ci_low"),
                                       at("ci_high"), at("p"), at("q"), at("spearman")});
    }
  return std::move(rows).table();
}

/// Intervals, points, holes where not significant, crosses of ranks.
std::vector<std::string> correlation_elements(const std::vector<std::string>& names, const std::vector<double>& n) {
  std::vector<std::string> elements;
  for (std::size_t e = 0; e < names.size(); ++e) {
    const std::string colour = electrode_colour(e);
    elements.push_back(of_electrode("figs11.csv", names[e], "val('pearson')",
                                    "(val('position')):(val('ci_low')):(val('ci_high')) with xerrorbars pointtype 7 "
                                    "pointsize 0.01 linewidth 0.9 linecolor rgb " +
                                        colour + " notitle"));
    elements.push_back(of_electrode("figs11.csv", names[e], "val('pearson')",
                                    "(val('position')) with points pointtype 7 pointsize 0.4 linecolor rgb " + colour +
                                        " title " + plot_text(with_n(names[e], n[e]))));
    elements.push_back(
        of_electrode("figs11.csv", names[e], "(val('q') >= 0.05 ? val('pearson') : NaN)",
                     "(val('position')) with points pointtype 7 pointsize 0.22 linecolor rgb '#FFFFFF' notitle"));
    elements.push_back(of_electrode(
        "figs11.csv", names[e], "val('spearman')",
        "(val('position')) with points pointtype 2 pointsize 0.35 linewidth 0.7 linecolor rgb " + colour + " notitle"));
  }
  return elements;
}

}  // namespace

/// Fig. S11: every attribute against damage.
FigureResult figs11(const StudyResults& results) {
  const Table all = run_table(results, "regression", "statistics/figs11.csv");
  const Table table = selected_rows(all, rows_of_inference(all));
  std::vector<std::size_t> every(table.rows());
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
  std::vector<std::string> attributes = attributes_in(table, every);
  // What no electrode could measure (most of it in images) has no row.
  std::erase_if(attributes, [&](const std::string& name) {
    const auto own = rows_where(table, "attribute", name);
    return std::all_of(own.begin(), own.end(),
                       [&](std::size_t r) { return std::isnan(number_at(table, "pearson", r)); });
  });
  std::reverse(attributes.begin(), attributes.end());  // the first at the top
  const auto names = names_of(results);
  std::vector<double> n;
  const Table rows = correlation_rows(table, names, attributes, n);
  const double legend = names.size() > 2 ? 3.4 * static_cast<double>(names.size()) : 4;
  Figure f = new_figure(results, 85, 19 + legend + 4.2 * static_cast<double>(attributes.size()));
  f.csv = csv_text(rows);
  f.script =
      place(f, {room_for_names(attributes, 20), 82, 9, f.height_mm - 3 - legend}) +
      "set errorbars 0\nset xlabel 'Correlation with " +
      (results.electrodes.front().target == "Damage" ? std::string("damage") : std::string("the target")) +
      ", r'\nset xrange [-1:1]\n" + fmt::format("set yrange [0.3:{}.7]\n", attributes.size()) +
      named_tics("y", attributes, "") +
      "set key at graph 0.5, screen 0.995 center top horizontal\nset grid ytics linewidth 0.4 dashtype 1 linecolor rgb "
      "pale\nset arrow from 0, graph 0 to 0, graph 1 nohead linewidth 0.6 linecolor rgb grey back\n";
  f.script += joined_plots(correlation_elements(names, n));
  f.caption =
      "Pearson correlation of each attribute with damage over the particles, with 95 % intervals by Fisher's z; "
      "hollow: not significant at a false discovery rate of 5 % over all correlations shown; crosses: Spearman's rank "
      "correlation. Intervals take particles as independent. Source: statistics/figs11.csv." +
      origin_sentence(results);
  return f;
}

namespace {

/// Median and quartiles of damage in slices of equal count by depth.
Table depth_profile(const Table& particles, const std::vector<std::string>& electrodes) {
  TableRows rows({"electrode"}, {"Z", "n", "median", "lower_quartile", "upper_quartile"});
  for (const auto& name : electrodes) {
    const auto own = rows_where(particles, "electrode", name);
    const auto z = numbers_at(particles, "Z", own), damage = numbers_at(particles, "damage", own);
    const auto order = sorted_order(z);
    const std::size_t slices = std::clamp<std::size_t>(order.size() / 12, 1, 10);
    for (std::size_t s = 0; s < slices; ++s) {
      std::vector<double> depth, values;
      for (std::size_t i = s * order.size() / slices; i < (s + 1) * order.size() / slices; ++i) {
        depth.push_back(z[order[i]]);
        values.push_back(damage[order[i]]);
      }
      rows.add({name},
               {quantile_of_values(depth, 0.5), static_cast<double>(values.size()), quantile_of_values(values, 0.5),
                quantile_of_values(values, 0.25), quantile_of_values(values, 0.75)});
    }
  }
  return std::move(rows).table();
}

}  // namespace

/// Damage against depth.
FigureResult damage_depth(const StudyResults& results) {
  if (std::any_of(results.electrodes.begin(), results.electrodes.end(),
                  [](const auto& e) { return e.two_dimensional; }))
    return MissingFigure{"damage_depth", "Damage against depth", "a 2-D image has no depth"};
  const Table particles = run_table(results, "regression", "statistics/fig2ab.csv");
  if (particles.rows() == 0) fail(Exit::no_input, "the particles have no positions");
  const auto names = names_of(results);
  Figure f = new_figure(results, 85, 2 + 46 * static_cast<double>(names.size()));
  f.csv = csv_text(particles);
  f.more.push_back({"damage_depth_profile.csv", csv_text(depth_profile(particles, names))});
  for (std::size_t e = 0; e < names.size(); ++e) {
    const auto own = rows_where(particles, "electrode", names[e]);
    const double top = f.height_mm - 4 - 46 * static_cast<double>(e);
    f.script +=
        (e > 0 ? next_panel() : "") + place(f, {12, 82.5, top - 33, top}) + "set xlabel 'Depth Z (µm)'\n" +
        value_axis("y", plot_text(results.electrodes[e].target), extent_of(particles, own, {"damage"}).with_zero()) +
        "set xrange [0:*]\nset yrange [0:*]\nset key top right\n" +
        fmt::format("set label 2 {} at graph 0.02, graph 0.95 left textcolor rgb {}\n",
                    plot_text(with_n(names[e], static_cast<double>(own.size()))), electrode_colour(e));
    f.script += joined_plots(
        {of_electrode("damage_depth_profile.csv", names[e], "val('Z')",
                      "(val('lower_quartile')):(val('upper_quartile')) with filledcurves fillstyle transparent solid "
                      "0.25 noborder fillcolor rgb " +
                          electrode_colour(e) + " title 'quartiles'"),
         of_electrode("damage_depth.csv", names[e], "val('Z')",
                      "(val('damage')) with points pointtype 7 pointsize 0.22 linecolor rgb grey notitle"),
         of_electrode("damage_depth_profile.csv", names[e], "val('Z')",
                      "(val('median')) with linespoints pointtype 7 pointsize 0.35 linewidth 1.3 linecolor rgb " +
                          electrode_colour(e) + " title 'median'")});
  }
  f.caption =
      "Damage of each particle against its depth (Z, from the face that depth_origin names), with median and quartiles "
      "over slices of equal count. Quartiles are the spread of particles, not an uncertainty. Source: "
      "statistics/fig2ab.csv." +
      origin_sentence(results);
  return f;
}

}  // namespace cathoscope
