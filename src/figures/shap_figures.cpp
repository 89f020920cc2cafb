/// Predicted against measured damage, and the SHAP values of single particles.

#include "drawers.hpp"
#include "plotting.hpp"
#include "study_facts.hpp"
#include "swarm.hpp"
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
#include <map>

namespace cathoscope {

namespace {

constexpr std::size_t most_points = 600;  ///< of an electrode in one panel
constexpr std::size_t shown_in_swarm = 10;
constexpr std::size_t shown_dependences = 6;

/// Every k-th index, so that at most `most` remain.
std::vector<std::size_t> thinned(std::size_t n, std::size_t most) {
  std::vector<std::size_t> rows;
  const std::size_t count = std::min(n, most);
  for (std::size_t i = 0; i < count; ++i) rows.push_back(i * n / count);
  return rows;
}

/// An electrode's SHAP values with the attribute values of the same particles.
struct Explained {
  std::string electrode;
  std::vector<std::string> attributes;
  std::map<std::string, std::vector<double>> shap, value;
  std::map<std::string, double> mean_abs;
  std::size_t n = 0;
};

bool is_feature(const std::string& column) {
  return column != "label" && column != "row" && column != "expected_value" && column != "prediction";
}

Explained explained(const StudyResults& results, const ElectrodeResults& e) {
  const Table shap = run_table(results, "regression", e.name + "/shap.csv");
  const auto rows = training_rows(results, e.name);
  if (e.table.empty() || !std::filesystem::exists(e.table))
    fail(Exit::no_input, "the table of particles of {} is not there", e.name);
  const Table table = read_csv(e.table);
  if (rows.size() != shap.rows())
    fail(Exit::data, "{}/shap.csv has {} rows, its forest {}", e.name, shap.rows(), rows.size());
  Explained out{e.name, {}, {}, {}, {}, shap.rows()};
  for (const Column& c : shap.columns) {
    if (!is_feature(c.name)) continue;
    out.attributes.push_back(c.name);
    out.shap[c.name] = c.numbers;
    double sum = 0;
    for (const double phi : c.numbers) sum += std::abs(phi);
    out.mean_abs[c.name] = sum / static_cast<double>(std::max<std::size_t>(shap.rows(), 1));
    for (const std::size_t row : rows)
      out.value[c.name].push_back(row < table.rows() ? number_at(table, c.name, row)
                                                     : std::numeric_limits<double>::quiet_NaN());
  }
  return out;
}

std::vector<Explained> all_explained(const StudyResults& results) {
  std::vector<Explained> all;
  all.reserve(results.electrodes.size());
  for (const auto& e : results.electrodes) all.push_back(explained(results, e));
  if (all.empty()) fail(Exit::no_input, "the run has no electrode");
  return all;
}

/// Attributes with the largest share of the contributions, over all electrodes alike.
std::vector<std::string> leading(const std::vector<Explained>& all, std::size_t most) {
  std::vector<std::string> names;
  std::vector<double> shares;
  for (const Explained& e : all) {
    double sum = 0;
    for (const auto& [name, score] : e.mean_abs) sum += score;
    for (const auto& name : e.attributes) {
      const auto at = std::find(names.begin(), names.end(), name);
      const double share = sum > 0 ? -e.mean_abs.at(name) / sum : 0;  // negative: sorted_order puts the largest first
      if (at != names.end()) {
        shares[static_cast<std::size_t>(at - names.begin())] += share;
        continue;
      }
      names.push_back(name);
      shares.push_back(share);
    }
  }
  std::vector<std::string> result;
  for (const std::size_t i : sorted_order(shares))
    if (result.size() < most) result.push_back(names[i]);
  return result;
}

/// Title and tics for the values of an attribute in all electrodes.
std::string attribute_axis(const std::vector<Explained>& all, const std::string& name) {
  Extent extent;
  for (const auto& e : all)
    if (const auto it = e.value.find(name); it != e.value.end())
      for (const double v : it->second)
        if (std::isfinite(v)) extent.add(v);
  return value_axis("x", plot_text(attribute_label(name)), extent) +
         (label_power(extent) == 0 ? tic_step("x", extent.low, extent.high, 4) : "");
}

/// SHAP values of attributes, or of one, in all electrodes.
Extent shap_extent(const std::vector<Explained>& all, const std::vector<std::string>& names) {
  Extent extent{0, 0};
  for (const auto& e : all)
    for (const auto& name : names)
      if (const auto it = e.shap.find(name); it != e.shap.end())
        for (const double phi : it->second) extent.add(phi);
  return extent;
}

std::string thinned_sentence(const std::vector<Explained>& all) {
  for (const auto& e : all)
    if (e.n > most_points) return fmt::format(" At most {} particles an electrode are drawn.", most_points);
  return "";
}

}  // namespace

/// Predicted against measured damage: each particle by the trees that have not seen it.
FigureResult predicted(const StudyResults& results) {
  if (results.electrodes.empty()) fail(Exit::no_input, "the run has no electrode");
  const std::size_t n = results.electrodes.size(), columns = std::min<std::size_t>(n, 2), lines = (n + 1) / 2;
  TableRows rows({"electrode"}, {"measured", "out_of_bag", "predicted"});
  double largest = 0, smallest = 0;
  Figure f;
  f.name = "predicted";
  f.width_mm = 85;
  f.height_mm = n == 1 ? 78 : 12 + 44 * static_cast<double>(lines);
  f.synthetic = results.synthetic();
  for (const auto& e : results.electrodes) {
    const Table table = run_table(results, "regression", e.name + "/predictions.csv");
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const double measured = number_at(table, "measured", row), guess = number_at(table, "out_of_bag", row);
      rows.add({e.name}, {measured, guess, number_at(table, "predicted", row)});
      largest = std::max({largest, measured, std::isfinite(guess) ? guess : measured});
      smallest = std::min({smallest, measured, std::isfinite(guess) ? guess : measured});
    }
  }
  const Table table = std::move(rows).table();
  f.csv = csv_text(table);
  for (std::size_t e = 0; e < n; ++e) {
    const std::string& name = results.electrodes[e].name;
    const auto facts = regression_facts(results, name);
    const Panel panel = grid_panel({12, 82, 9, f.height_mm - 3}, e, columns, lines, 8, 11);
    f.script +=
        (e > 0 ? next_panel() : "") + place(f, panel) +
        fmt::format("set xrange [{0}:{1}]\nset yrange [{0}:{1}]\n", text_of(smallest), text_of(1.04 * largest)) +
        "set xtics font tiny\nset ytics font tiny\n" + tic_step("x", smallest, largest, 5) +
        tic_step("y", smallest, largest, 5) + "set key off\n" +
        value_axis("x", plot_text("Measured " + results.electrodes[e].target), {smallest, largest}) +
        value_axis("y", e % columns == 0 ? "'Predicted out of bag'" : "", {smallest, largest}) +
        "set arrow from graph 0, graph 0 to graph 1, graph 1 nohead linewidth 0.6 dashtype (4, 3) linecolor rgb grey "
        "back\n";
    f.script += fmt::format("set label 1 {} at graph 0.03, graph 0.95 left textcolor rgb {}\n",
                            plot_text(with_n(name, static_cast<double>(rows_where(table, "electrode", name).size()))),
                            electrode_colour(e));
    f.script += fmt::format(
        "set label 2 'out-of-bag R² {}' at graph 0.03, graph 0.87 left font tiny\nset label 3 'blocks held out: R² {}' "
        "at graph 0.03, graph 0.80 left font tiny\nset label 4 'mean error {}' at graph 0.03, graph 0.73 left font "
        "tiny\n",
        short_number(facts.oob_r2, 2), short_number(facts.spatial_cv_r2, 2), short_number(facts.spatial_cv_mae, 2));
    f.script +=
        joined_plots({fmt::format("'predicted.csv' using (at('electrode', {}, val('measured'))):(val('out_of_bag')) "
                                  "with points pointtype 7 pointsize 0.28 linecolor rgb {} notitle",
                                  verbatim(name), electrode_colour(e))});
  }
  f.caption =
      "Predicted against measured damage of the particles that the forest of seed 0 learnt from, each predicted only "
      "by the trees that have not seen it; dashed: equality. R² of these predictions, and R² and mean absolute error "
      "where whole blocks of the electrode were held out. Source: predictions.csv and regression.json of each "
      "electrode." +
      origin_sentence(results);
  return f;
}

namespace {

/// Points of an electrode's leading attributes, beside each other where they would lie on each other.
void add_swarm(const Explained& e, const std::vector<std::string>& names, const Extent& shown, TableRows& rows) {
  for (std::size_t a = 0; a < names.size(); ++a) {
    const auto ranks = relative_ranks(e.value.at(names[a]));
    const auto picked = thinned(e.n, most_points);
    std::vector<double> phi;
    phi.reserve(picked.size());
    for (const std::size_t i : picked) phi.push_back(e.shap.at(names[a])[i]);
    const auto aside = swarm_offsets(phi, shown.low, shown.high, 90, 0.4);
    for (std::size_t i = 0; i < picked.size(); ++i)
      rows.add({e.electrode, names[a]},
               {phi[i], e.value.at(names[a])[picked[i]], ranks[picked[i]], static_cast<double>(a + 1) + aside[i]});
  }
}

std::string swarm_panel(const Figure& f, const Explained& e, const std::vector<std::string>& names, const Extent& shown,
                        const std::string& colour, double top, double panel_height) {
  return place(f, {room_for_names(names, 19), 74, top - panel_height, top}) +
         fmt::format("set yrange [0.4:{}.6]\n", names.size()) + named_tics("y", names, "") + "set xtics font tiny\n" +
         value_axis("x", "'SHAP value: change of the predicted target'", shown) +
         "set key off\nset cbrange [0:1]\nset cbtics ('low' 0, 'high' 1) font tiny scale 0 offset -0.9, 0\nset palette "
         "defined (0 '#3B4CC0', 0.5 "
         "'#DDDDDD', 1 '#B40426')\n" +
         fmt::format(
             "set colorbox user origin screen {:.4f}, screen {:.4f} size screen {:.4f}, screen {:.4f} noborder\n",
             76.0 / 85, (top - panel_height + 4) / f.height_mm, 1.6 / 85, (panel_height - 8) / f.height_mm) +
         "set label 2 'value of the attribute' at screen 0.97, " +
         fmt::format("screen {:.4f} center rotate by 90 font tiny\n", (top - panel_height / 2) / f.height_mm) +
         fmt::format("set label 1 {} at graph 0, graph 1 left offset 0, 0.5 textcolor rgb {}\n",
                     plot_text(with_n(e.electrode, static_cast<double>(e.n))), colour) +
         "set arrow from 0, graph 0 to 0, graph 1 nohead linewidth 0.6 linecolor rgb grey back\nset grid ytics "
         "linewidth 0.4 dashtype 1 linecolor rgb pale\n" +
         joined_plots({fmt::format(
             "'shap_beeswarm.csv' using (at('electrode', {}, val('shap'))):(val('position')):(val('rank')) "
             "with points pointtype 7 pointsize 0.2 linecolor palette notitle",
             verbatim(e.electrode))});
}

}  // namespace

/// SHAP values of single particles, a row an attribute.
FigureResult shap_beeswarm(const StudyResults& results) {
  const auto all = all_explained(results);
  TableRows rows({"electrode", "attribute"}, {"shap", "value", "rank", "position"});
  Figure f;
  f.name = "shap_beeswarm";
  f.width_mm = 85;
  f.synthetic = results.synthetic();
  std::size_t lines = 0;
  for (const auto& e : all) lines = std::max(lines, std::min(shown_in_swarm, e.attributes.size()));
  const double panel_height = 5.2 * static_cast<double>(lines) + 3;
  f.height_mm = 6 + static_cast<double>(all.size()) * (panel_height + 13);
  for (std::size_t k = 0; k < all.size(); ++k) {
    auto names = leading({all[k]}, shown_in_swarm);
    std::reverse(names.begin(), names.end());
    const Extent shown = shap_extent({all[k]}, names);
    add_swarm(all[k], names, shown, rows);
    const double top = f.height_mm - 8 - static_cast<double>(k) * (panel_height + 13);
    f.script +=
        (k > 0 ? next_panel() : "") + swarm_panel(f, all[k], names, shown, electrode_colour(k), top, panel_height);
  }
  f.csv = csv_text(std::move(rows).table());
  f.caption = fmt::format(
                  "SHAP values of the {} attributes with the largest mean absolute value: a point is a particle of the "
                  "training rows of the forest of seed 0; its colour is the rank of the particle's attribute value. "
                  "Values of one particle add up to its prediction minus the mean prediction.{} Source: shap.csv and "
                  "forest.json of each electrode.",
                  lines, thinned_sentence(all)) +
              origin_sentence(results);
  return f;
}

/// SHAP value against attribute value for the leading attributes.
FigureResult shap_dependence(const StudyResults& results) {
  const auto all = all_explained(results);
  const auto names = leading(all, shown_dependences);
  const std::size_t lines = (names.size() + 1) / 2;
  TableRows rows({"electrode", "attribute"}, {"value", "shap"});
  for (const auto& e : all)
    for (const auto& name : names) {
      if (!e.shap.contains(name)) continue;
      for (const std::size_t i : thinned(e.n, most_points))
        rows.add({e.electrode, name}, {e.value.at(name)[i], e.shap.at(name)[i]});
    }
  Figure f;
  f.name = "shap_dependence";
  f.width_mm = 85;
  f.height_mm = 10 + 37 * static_cast<double>(lines);
  f.synthetic = results.synthetic();
  f.csv = csv_text(std::move(rows).table());
  const int power = label_power(shap_extent(all, names));  // one for all panels, of which each second has a title
  for (std::size_t k = 0; k < names.size(); ++k) {
    f.script +=
        (k > 0 ? next_panel() : "") + place(f, grid_panel({12, 81.5, 8, f.height_mm - 7}, k, 2, lines, 11, 10)) +
        "set key off\n" + attribute_axis(all, names[k]) +
        (k % 2 == 0 ? "set ylabel " + with_power("'SHAP value'", power) + "\n" : "") +
        power_tics("y", shap_extent(all, {names[k]}), power) +
        "set xtics font tiny\nset ytics font tiny\nset offsets graph 0.03, graph 0.03, graph 0.05, graph 0.05\nset "
        "arrow from graph 0, first 0 to graph 1, first 0 nohead linewidth 0.6 linecolor rgb grey back\n";
    std::vector<std::string> elements;
    for (std::size_t e = 0; e < all.size(); ++e)
      elements.push_back(
          fmt::format("'shap_dependence.csv' using (strcol('attribute') eq {} ? at('electrode', {}, val('value')) : "
                      "NaN):(val('shap')) with points pointtype {} pointsize 0.22 linecolor rgb {} notitle",
                      verbatim(names[k]), verbatim(all[e].electrode), e % 2 == 0 ? 7 : 6, electrode_colour(e)));
    f.script += joined_plots(elements);
  }
  f.script += next_panel() + place(f, {11, 83, f.height_mm - 5, f.height_mm - 1}) +
              "unset border; unset tics\nset xrange [0:1]\nset yrange [0:1]\nset key at screen 0.5, screen 0.995 "
              "center top horizontal\n";
  std::vector<std::string> legend;
  for (std::size_t e = 0; e < all.size(); ++e)
    legend.push_back(fmt::format("NaN with points pointtype {} pointsize 0.5 linecolor rgb {} title {}",
                                 e % 2 == 0 ? 7 : 6, electrode_colour(e),
                                 plot_text(with_n(all[e].electrode, static_cast<double>(all[e].n)))));
  f.script += joined_plots(legend);
  f.caption =
      "SHAP value of a particle's attribute against the attribute's value, for the attributes that contribute most "
      "over all electrodes: what the forest of seed 0 learnt about them. Path-dependent values can credit an attribute "
      "for what a correlated one does." +
      thinned_sentence(all) + " Source: shap.csv and forest.json of each electrode." + origin_sentence(results);
  return f;
}

}  // namespace cathoscope
