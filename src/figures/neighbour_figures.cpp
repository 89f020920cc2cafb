/// Figs. 2C and S12: what neighbours have to do with damage.

#include "drawers.hpp"
#include "plotting.hpp"
#include "severe_particles.hpp"
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

}  // namespace

namespace {

/// Mean distance of severe neighbours beside its nulls; a row an electrode and limit, the chosen limit first.
Table mean_distances(const Table& summary, const std::vector<std::string>& electrodes) {
  TableRows rows({"electrode"}, {"chosen", "position", "quantile", "threshold", "severe", "mean_distance_um",
                                 "expected_um", "null_low_um", "null_high_um", "p"});
  for (std::size_t e = 0; e < electrodes.size(); ++e) {
    const auto own = rows_where(summary, "electrode", electrodes[e]);
    for (std::size_t k = 0; k < own.size(); ++k) {
      const auto at = [&](const char* column) { return number_at(summary, column, own[k]); };
      const double offset = (static_cast<double>(e) - 0.5 * static_cast<double>(electrodes.size() - 1)) * 0.24;
      rows.add({electrodes[e]}, {at("chosen"), static_cast<double>(k + 1) + offset, at("quantile"), at("threshold"),
                                 at("severe"), at("mean_distance"), at("expected_stratified"),
                                 at("null_low_stratified"), at("null_high_stratified"), at("p_stratified")});
    }
  }
  return std::move(rows).table();
}

/// "chosen: ≥ 0.19", then the quantiles of the sweep.
std::vector<std::string> limit_names(const Table& summary, const std::string& electrode) {
  std::vector<std::string> names;
  for (const std::size_t row : rows_where(summary, "electrode", electrode))
    names.push_back(number_at(summary, "chosen", row) == 1
                        ? "chosen: ≥ " + short_number(number_at(summary, "threshold", row), 2)
                        : text_of(std::round(1000 * number_at(summary, "quantile", row)) / 10) + " %");
  return names;
}

struct DistanceCurves {
  Table table;
  bool corrected = true;  ///< by the edge rule
};

/// Densities of the distances to the three nearest severe particles. Where the edge rule leaves none, those of all of them,
/// computed here from the particles' places.
DistanceCurves distance_curves(const StudyResults& results, const Table& particles) {
  Table curves = run_table(results, "regression", "statistics/fig2c.csv");
  if (curves.rows() > 0) return {std::move(curves), true};
  std::vector<std::vector<double>> distances;
  double largest = 0;
  for (const auto& e : results.electrodes) {
    distances.push_back(severe_distances(severe_particles(particles, e.name)));
    for (const double d : distances.back()) largest = std::max(largest, d);
  }
  if (largest == 0) fail(Exit::no_input, "no electrode has more than one severely damaged particle");
  constexpr int bins = 15;
  const double width = largest / bins;
  TableRows rows({"electrode"}, {"low", "high", "density", "ci_low", "ci_high"});
  for (std::size_t e = 0; e < distances.size(); ++e)
    for (int k = 0; k < bins && largest > 0; ++k) {
      const double low = k * width, high = low + width;
      const auto n = std::count_if(distances[e].begin(), distances[e].end(),
                                   [&](double d) { return d >= low && (d < high || (k == bins - 1 && d <= high)); });
      if (distances[e].empty()) continue;
      rows.add(
          {results.electrodes[e].name},
          {low, high, static_cast<double>(n) / (static_cast<double>(distances[e].size()) * width), nothing, nothing});
    }
  return {std::move(rows).table(), false};
}

}  // namespace

/// Fig. 2C: distances between severely damaged neighbours, and whether they are nearer than chance puts them.
FigureResult fig2c(const StudyResults& results) {
  const Table summary = run_table(results, "regression", "statistics/fig2c_summary.csv");
  const Table particles = run_table(results, "regression", "statistics/fig2ab.csv");
  if (summary.rows() == 0) fail(Exit::no_input, "the particles have no positions");
  const DistanceCurves curves = distance_curves(results, particles);
  const auto names = names_of(results);
  Figure f = new_figure(results, 85, 92);
  f.csv = csv_text(curves.table);
  const Table distances = mean_distances(summary, names);
  if (std::isnan(extent_of(distances, {"mean_distance_um"}).high))
    fail(Exit::no_input, "no electrode has the four severely damaged particles that a distance to three others needs");
  f.more.push_back({"fig2c_means.csv", csv_text(distances)});
  const auto limits = limit_names(summary, names.front());
  std::vector<std::string> titles, means;
  for (std::size_t e = 0; e < names.size(); ++e) {
    const auto row = rows_where(summary, rows_where(summary, "electrode", names[e]), "chosen", "1");
    const double severe = row.empty() ? 0 : number_at(summary, "severe", row[0]);
    const double counted = row.empty() ? 0 : number_at(summary, "distances", row[0]);
    titles.push_back(curves.corrected ? fmt::format("{} ({:.0f} severe, {:.0f} distances)", names[e], severe, counted)
                                      : fmt::format("{} ({:.0f} severe)", names[e], severe));
    means.push_back(
        of_electrode("fig2c_means.csv", names[e], "val('position')",
                     "(val('expected_um')):(val('position') - 0.09):(val('position') + "
                     "0.09):(val('null_low_um')):(val('null_high_um')) with boxxyerror fillcolor rgb null_band " +
                         std::string(e == 0 ? "title 'null: damage shuffled within depth and size'" : "notitle")));
    means.push_back(of_electrode(
        "fig2c_means.csv", names[e], "val('position')",
        fmt::format("(val('mean_distance_um')) with points pointtype 7 pointsize 0.45 linecolor rgb {} notitle",
                    electrode_colour(e))));
  }
  f.script =
      place(f, {14.5, 82.5, 51, 89}) + "set xlabel 'Distance to three nearest severe particles (µm)" +
      std::string(curves.corrected ? "" : "; no edge rule") + "'\n" +
      value_axis("y", "'Probability density (µm^{−1})'", extent_of(curves.table, {"density", "ci_high"}).with_zero()) +
      "set xrange [0:*]\nset yrange [0:*]\nset offsets 0, 0, graph 0.2, 0\n";
  if (curves.table.rows() > 0) f.script += joined_plots(density_elements("fig2c.csv", names, titles));
  f.script +=
      next_panel() + place(f, {14.5, 82.5, 9, 38}) +
      value_axis("y", "'Mean distance (µm)'", extent_of(distances, {"mean_distance_um", "null_high_um"}).with_zero()) +
      "set xlabel 'Severe from this damage, or quantile of damage, on'\nset yrange [0:*]\nset offsets 0, 0, graph 0.3, "
      "0\nset key top left\n" +
      fmt::format("set xrange [0.5:{}.5]\n", limits.size()) + "" + named_tics("x", limits, "font tiny");
  f.script += joined_plots(means);
  f.caption = std::string("Above: distances from each severely damaged particle to its three nearest severe ones") +
              (curves.corrected ? ", by the reduced-sample edge rule (particles nearer to the edge than to those "
                                  "neighbours are left out), with pointwise 95 % bootstrap intervals"
                                : ". Every particle is nearer to the edge than to those neighbours, so no edge rule is "
                                  "applied, and distances are too long") +
              ". Below: their mean at the chosen limit and at others, against 95 % of shufflings of damage among "
              "particles of like depth and size (grey): more severe particles are nearer to each other by themselves, "
              "so only a point below its grey bar says that they agglomerate. One limit for all electrodes. Source: "
              "statistics/fig2c.csv, fig2c_summary.csv, fig2ab.csv." +
              origin_sentence(results);
  return f;
}

namespace {

/// Moran's I and the correlation with the neighbours: one row an electrode and statistic.
Table coupling_rows(const Table& table, const std::vector<std::string>& electrodes) {
  TableRows rows({"electrode", "statistic"}, {"position", "observed", "expected", "null_low", "null_high", "p"});
  const std::vector<std::string> statistics{"moran", "neighbour_correlation"};
  for (std::size_t s = 0; s < statistics.size(); ++s)
    for (std::size_t e = 0; e < electrodes.size(); ++e)
      for (const std::size_t row :
           rows_where(table, rows_where(table, "electrode", electrodes[e]), "statistic", statistics[s])) {
        const auto at = [&](const char* column) { return number_at(table, column, row); };
        const double offset = (static_cast<double>(e) - 0.5 * static_cast<double>(electrodes.size() - 1)) * 0.3;
        rows.add({electrodes[e], statistics[s]},
                 {static_cast<double>(s + 1) + offset, at("observed"), at("expected_stratified"),
                  at("null_low_stratified"), at("null_high_stratified"), at("p_stratified")});
      }
  return std::move(rows).table();
}

/// Moran's I and the correlation beside their nulls, with p above.
std::string coupling_panel(const Figure& f, const std::vector<std::string>& names, const Table& coupling,
                           double legend) {
  std::vector<std::string> elements;
  std::string labels;
  for (std::size_t e = 0; e < names.size(); ++e) {
    elements.push_back(
        of_electrode("figs12_coupling.csv", names[e], "val('position')",
                     "(val('expected')):(val('position') - 0.1):(val('position') + "
                     "0.1):(val('null_low')):(val('null_high')) with boxxyerror fillcolor rgb null_band " +
                         std::string(e == 0 ? "title 'null: damage shuffled within depth and size'" : "notitle")));
    elements.push_back(
        of_electrode("figs12_coupling.csv", names[e], "val('position')",
                     fmt::format("(val('observed')) with points pointtype 7 pointsize 0.5 linecolor rgb {} title {}",
                                 electrode_colour(e), plot_text(names[e]))));
  }
  for (std::size_t row = 0; row < coupling.rows(); ++row)
    labels += fmt::format("set label {} {} at first {}, graph 1.02 center font tiny textcolor rgb grey\n", row + 2,
                          verbatim("p = " + short_number(number_at(coupling, "p", row), 2)),
                          text_of(number_at(coupling, "position", row)));
  return place(f, {14.5, 82.5, f.height_mm - 30 - legend, f.height_mm - 4 - legend}) +
         value_axis("y", "'Coupling of damage'",
                    extent_of(coupling, {"observed", "null_low", "null_high"}).with_zero()) +
         "set xrange [0.5:2.5]\nset offsets 0, 0, graph 0.1, graph 0.1\nset xtics "
         "('Moran’s I' 1, 'r(particle, 6 neighbours)' 2)\nset key at screen 0.55, screen 0.995 center top "
         "vertical\nset arrow from graph 0, first 0 to graph 1, first 0 nohead linewidth 0.6 "
         "linecolor rgb grey back\n" +
         labels + joined_plots(elements);
}

/// Semivariance against distance beside its null.
std::string variogram_panel(const Figure& f, const Table& table, const std::string& electrode,
                            const std::string& colour, double top) {
  const auto own = rows_where(table, rows_where(table, "electrode", electrode), "statistic", "variogram");
  const std::string rows_of = "strcol('statistic') eq 'variogram' ? val('lag_um') : NaN";
  std::string s = next_panel() + place(f, {14.5, 82.5, top - 28, top}) +
                  value_axis("y", "'Semivariance of damage'",
                             extent_of(table, own, {"observed", "null_high_stratified"}).with_zero()) +
                  "set yrange [0:*]\nset xrange [0:*]\nset xlabel 'Distance between particles (µm)'\nset offsets 0, 0, "
                  "graph 0.35, 0\nset key top right\n";
  s += "set label 2 " + plot_text(electrode) + " at graph 0.02, graph 0.94 left textcolor rgb " + colour + "\n";
  s += joined_plots(
      {of_electrode("figs12.csv", electrode, "(" + rows_of + ")",
                    "(val('null_low_stratified')):(val('null_high_stratified')) with filledcurves fillcolor rgb "
                    "null_band title '95 % of the null'"),
       of_electrode("figs12.csv", electrode, "(" + rows_of + ")",
                    "(val('expected_stratified')) with lines linewidth 0.8 dashtype (4, 3) linecolor rgb grey title "
                    "'its mean'"),
       of_electrode("figs12.csv", electrode, "(" + rows_of + ")",
                    "(val('observed')) with linespoints pointtype 7 pointsize 0.35 linewidth 1.1 linecolor rgb " +
                        colour + " title 'observed'")});
  return s;
}

}  // namespace

/// Fig. S12: is damage alike among neighbours?
FigureResult figs12(const StudyResults& results) {
  const Table table = run_table(results, "regression", "statistics/figs12.csv");
  if (table.rows() == 0) fail(Exit::no_input, "the particles have no positions");
  const auto names = names_of(results);
  const Table coupling = coupling_rows(table, names);
  const double legend = 3.4 * static_cast<double>(names.size() + 1);
  Figure f = new_figure(results, 85, 38 + legend + 38 * static_cast<double>(names.size()));
  f.csv = csv_text(table);
  f.more.push_back({"figs12_coupling.csv", csv_text(coupling)});
  f.script = coupling_panel(f, names, coupling, legend);
  for (std::size_t e = 0; e < names.size(); ++e)
    f.script += variogram_panel(f, table, names[e], electrode_colour(e),
                                f.height_mm - 38 - legend - 38 * static_cast<double>(e));
  f.caption =
      "Is a particle's damage like its neighbours'? Above: Moran's I on the graph of the six nearest neighbours, and "
      "the correlation of damage with the mean damage of the six nearest. Below: half the mean squared difference of "
      "damage against distance; below the grey band, particles at that distance are more alike than chance makes them. "
      "Grey: 95 % of shufflings of damage among particles of like depth and size, so that a trend with depth is not "
      "counted as clustering. p is one-sided. The published figure of this number is not described in the text; this "
      "is our reading of it. Source: statistics/figs12.csv." +
      origin_sentence(results);
  return f;
}

}  // namespace cathoscope
