/// Figs. 4A and 4B: links between the latent dimensions.

#include "chords.hpp"
#include "drawers.hpp"
#include "plotting.hpp"
#include "study_facts.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/table_rows.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope {

namespace {

constexpr double ring = 0.86;  ///< radius where ribbons end
constexpr double unstable_below = 0.8;

/// How a link is drawn.
enum class Kind { common, one_electrode, different };

struct Link {
  ChordLink chord;
  double r = 0;
  Kind kind = Kind::common;
  std::size_t row = 0;  ///< of latent_links.csv
};

/// State and difference of a pair of latents between the first electrode and this one.
struct Pair {
  std::string state = "none";
  bool different = false;
};

Pair pair_of(const Table& differences, const std::string& second, std::size_t i, std::size_t j) {
  const auto rows = rows_where(
      differences, rows_where(differences, rows_where(differences, "second", second), "i", std::to_string(i)), "j",
      std::to_string(j));
  if (rows.empty()) return {};
  return {field_text(*differences.find("state"), rows[0]), number_at(differences, "different", rows[0]) > 0};
}

/// Significant links of an electrode. `compared`: the electrode whose comparison with the first says what is common.
std::vector<Link> links_of(const Table& links, const Table& differences, const std::string& electrode,
                           const std::string& compared) {
  std::vector<Link> result;
  for (const std::size_t row : rows_where(links, "electrode", electrode)) {
    if (number_at(links, "significant", row) == 0) continue;
    const auto i = static_cast<std::size_t>(number_at(links, "i", row)),
               j = static_cast<std::size_t>(number_at(links, "j", row));
    const double r = number_at(links, "r", row);
    Link link{{i - 1, j - 1, std::abs(r)}, r, Kind::one_electrode, row};
    if (differences.rows() > 0) {
      const Pair pair = pair_of(differences, compared, i, j);
      link.kind = pair.different ? Kind::different : pair.state == "common" ? Kind::common : Kind::one_electrode;
    }
    result.push_back(link);
  }
  return result;
}

std::vector<ChordLink> chords_of(const std::vector<Link>& links) {
  std::vector<ChordLink> chords;
  for (const auto& l : links) chords.push_back(l.chord);
  return chords;
}

const char* kind_name(Kind kind) {
  return kind == Kind::common ? "common" : kind == Kind::different ? "different" : "one_electrode";
}

void add_polygon(TableRows& rows, double ribbon, const Polygon& polygon) {
  for (const auto& p : polygon) rows.add({}, {ribbon, p[0], p[1]});
}

Table link_table(const Table& links, const std::string& electrode, const std::vector<Link>& drawn) {
  TableRows rows({"drawn_as"}, {"i", "j", "r", "ci_low", "ci_high", "p", "q", "significant"});
  for (const std::size_t row : rows_where(links, "electrode", electrode)) {
    const auto at = [&](const char* column) { return number_at(links, column, row); };
    const auto it = std::find_if(drawn.begin(), drawn.end(), [&](const Link& l) { return l.row == row; });
    rows.add({it == drawn.end() ? "no link" : kind_name(it->kind)},
             {at("i"), at("j"), at("r"), at("ci_low"), at("ci_high"), at("p"), at("q"), at("significant")});
  }
  return std::move(rows).table();
}

/// Faint first, so that what differs lies on top.
std::vector<std::size_t> painting_order(const std::vector<Link>& links) {
  std::vector<double> rank;
  for (const auto& l : links) rank.push_back(static_cast<double>(static_cast<int>(l.kind)) * 10 - l.chord.width);
  return sorted_order(rank);
}

std::string ribbon_element(const std::string& name, std::size_t ribbon, const Link& link) {
  const char* const alpha = link.kind == Kind::common ? "0.25" : link.kind == Kind::different ? "1" : "0.55";
  const std::string colour = link.r > 0 ? "positive" : "negative";
  return fmt::format(
      "'{}_ribbons.csv' using (val('ribbon') == {} ? val('x') : NaN):(val('y')) with filledcurves closed fillstyle "
      "transparent solid {} noborder fillcolor rgb {} notitle",
      name, ribbon, alpha, colour);
}

/// "LD1" with the attribute that it follows most, outside the ring.
std::string node_labels(const LatentFacts& facts) {
  std::string text;
  for (std::size_t k = 0; k < facts.latents.size(); ++k) {
    const double angle = node_angle(k, facts.latents.size());
    const auto at = on_circle(angle, 1.08);
    const double side = std::sin(angle);
    const char* const align = std::abs(side) < 0.2 ? "center" : side > 0 ? "left" : "right";
    const double up = 0.055 * std::cos(angle);
    text += fmt::format("set label {} {} at {}, {} {} font small textcolor rgb ink\n", 2 * k + 10,
                        plot_text(facts.latents[k].name), text_of(at[0]), text_of(at[1] + up + 0.045), align);
    text += fmt::format("set label {} {} at {}, {} {} font tiny textcolor rgb grey\n", 2 * k + 11,
                        plot_text(facts.latents[k].leading), text_of(at[0]), text_of(at[1] + up - 0.045), align);
  }
  return text;
}

/// Signs at the middle of the ribbons, on white discs so that they can be read.
std::string signs(const std::vector<Link>& links, const std::vector<Ribbon>& ribbons) {
  std::string text;
  for (std::size_t k = 0; k < links.size(); ++k)
    text += fmt::format("set label {} '{}' at {}, {} center front font 'Arial Bold,8' textcolor rgb {}\n", 100 + k,
                        links[k].r > 0 ? "+" : "−", text_of(ribbons[k].middle[0]), text_of(ribbons[k].middle[1]),
                        links[k].r > 0 ? "positive" : "negative");
  return text;
}

Table sign_table(const std::vector<Link>& links, const std::vector<Ribbon>& ribbons) {
  TableRows rows({}, {"ribbon", "sign", "x", "y"});
  for (std::size_t k = 0; k < links.size(); ++k)
    rows.add({}, {static_cast<double>(k + 1), links[k].r > 0 ? 1.0 : -1.0, ribbons[k].middle[0], ribbons[k].middle[1]});
  return std::move(rows).table();
}

std::string legend(const Figure& f, bool compared) {
  std::string text = next_panel() + place(f, {3, 82, 1, 9}) +
                     "unset border; unset tics; set key off\nset xrange [0:79]\nset yrange [0:8]\n";
  int tag = 1;
  const auto entry = [&](double x, double y, const char* colour, const char* alpha, const char* words) {
    text += fmt::format(
        "set object {0} rectangle from {1}, {2} to {3}, {4} fillstyle transparent solid {5} noborder fillcolor rgb "
        "{6}\nset label {0} '{7}' at {8}, {9} left font tiny\n",
        tag++, x, y, x + 4, y + 2, alpha, colour, words, x + 5, y + 1);
  };
  entry(0, 5, "positive", "1", "+  positive r");
  entry(0, 1, "negative", "1", "−  negative r");
  if (compared) {
    entry(19, 5, "ink", "0.25", "link in both electrodes");
    entry(19, 1, "ink", "0.55", "in this one, r not shown to differ");
    entry(54, 5, "ink", "1", "r differs (q < 0.05)");
  }
  text += fmt::format(
      "set object {0} rectangle from 54, 1 to 58, 3 fillstyle empty border linecolor rgb ink linewidth 0.8\nset label "
      "{0} 'hollow: unstable' at 59, 2 left font tiny\n",
      tag);
  return text + "plot NaN notitle\n";
}

std::string circle_script(const Figure& f, const LatentFacts& facts, const std::vector<Link>& links,
                          const std::vector<Ribbon>& ribbons, std::size_t index, const std::string& electrode) {
  const double half_width = 1.45, scale = 2 * half_width / 85;  // units of the circle a mm
  const double bottom = 11, top = f.height_mm - 7;
  std::string text = place(f, {0, 85, bottom, top}) + "unset border; unset tics; set key off\n" +
                     fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", -half_width, half_width,
                                 -scale * (top - bottom) / 2, scale * (top - bottom) / 2);
  text += fmt::format("set label 1 {} at screen 0.03, screen {:.4f} left textcolor rgb {}\n",
                      plot_text(fmt::format("{} (n = {:.0f}), {} link{}", electrode,
                                            facts.rows.contains(electrode) ? facts.rows.at(electrode) : 0, links.size(),
                                            links.size() == 1 ? "" : "s")),
                      1 - 3.2 / f.height_mm, electrode_colour(index));
  text += node_labels(facts) + signs(links, ribbons);
  std::vector<std::string> elements;
  for (std::size_t k = 0; k < facts.latents.size(); ++k)
    elements.push_back(fmt::format(
        "'{}_nodes.csv' using (val('node') == {} ? val('x') : NaN):(val('y')) with filledcurves closed fillstyle {} "
        "fillcolor rgb '{}' notitle",
        f.name, k + 1,
        facts.latents[k].stability < unstable_below ? "solid 1 border linecolor rgb ink" : "solid 1 noborder",
        facts.latents[k].stability < unstable_below ? "#FFFFFF" : "#555555"));
  for (const std::size_t k : painting_order(links)) elements.push_back(ribbon_element(f.name, k + 1, links[k]));
  if (!links.empty())
    elements.push_back(
        fmt::format("'{}_signs.csv' using (val('x')):(val('y')):(0.042) with circles fillstyle solid 1 noborder "
                    "fillcolor rgb '#FFFFFF' notitle",
                    f.name));
  return text + joined_plots(elements);
}

std::string comparison_sentence(const LatentFacts& facts, const std::string& second) {
  for (const auto& c : facts.comparisons)
    if (c.second == second)
      return fmt::format(
          " {:.0f} of {} pairs differ between {} and {}; the largest difference of atanh r is {}, between two halves "
          "of one electrode, where it is noise, up to {}. Total correlation (more intertwined = more): {} and {} nats, "
          "p of the difference {}.",
          c.different_pairs, facts.latents.size() * (facts.latents.size() - 1) / 2, c.first, c.second,
          short_number(c.largest_abs_delta_z, 2), short_number(facts.largest_sham_delta_z, 2),
          short_number(facts.total_correlation.at(c.first), 2), short_number(facts.total_correlation.at(c.second), 2),
          short_number(c.total_correlation_p, 2));
  return "";
}

FigureResult circle(const StudyResults& results, std::size_t index, const std::string& name) {
  if (index >= results.electrodes.size())
    fail(Exit::no_input, "the run has {} electrode{}", results.electrodes.size(),
         results.electrodes.size() == 1 ? "" : "s");
  const LatentFacts facts = latent_facts(results);
  const Table table = run_table(results, "latent", "latent_links.csv");
  const Table differences =
      results.electrodes.size() > 1 ? run_table(results, "latent", "latent_differences.csv") : Table{};
  const std::string& electrode = results.electrodes[index].name;
  const std::string compared =
      results.electrodes.size() > 1 ? results.electrodes[std::max<std::size_t>(index, 1)].name : "";
  const auto links = links_of(table, differences, electrode, compared);
  double fullest = 0;  // one width of r for all electrodes
  for (const auto& e : results.electrodes)
    fullest = std::max(fullest,
                       fullest_node(chords_of(links_of(table, differences, e.name, compared)), facts.latents.size()));
  const std::size_t nodes = facts.latents.size();
  const double sector = 2 * std::numbers::pi / static_cast<double>(std::max<std::size_t>(nodes, 1));
  const double arc_of_one = std::min(0.5 * sector, 0.9 * sector / std::max(fullest, 1e-9));
  const auto ribbons = chord_ribbons(chords_of(links), nodes, ring, arc_of_one);
  TableRows ribbon_rows({}, {"ribbon", "x", "y"}), node_rows({}, {"node", "x", "y"});
  for (std::size_t k = 0; k < ribbons.size(); ++k)
    add_polygon(ribbon_rows, static_cast<double>(k + 1), ribbons[k].outline);
  for (std::size_t k = 0; k < nodes; ++k)
    add_polygon(node_rows, static_cast<double>(k + 1), node_arc(k, nodes, 0.88, 0.97, 0.92));

  Figure f;
  f.name = name;
  f.width_mm = 85;
  f.height_mm = 92;
  f.synthetic = results.synthetic();
  f.csv = csv_text(link_table(table, electrode, links));
  f.more = {{name + "_ribbons.csv", csv_text(std::move(ribbon_rows).table())},
            {name + "_signs.csv", csv_text(sign_table(links, ribbons))},
            {name + "_nodes.csv", csv_text(std::move(node_rows).table())}};
  f.script = circle_script(f, facts, links, ribbons, index, electrode) + legend(f, results.electrodes.size() > 1);
  f.caption = fmt::format(
                  "Correlations between the {} latent dimensions in {} (n = {:.0f} particles; below each its leading "
                  "attribute). A ribbon is a significant link (q < 0.05 and |r| ≥ 0.1), its width |r|, on one scale "
                  "for all electrodes; purple and +: positive, green and −: negative. Faint: a link in both "
                  "electrodes; solid: the pair's r differs between electrodes (labels permuted, q < 0.05); in between: "
                  "significant in this electrode only, which is not yet a difference. Hollow nodes: latents that other "
                  "restarts of the training do not give again (stability below 0.8). Mode {}.",
                  nodes, electrode, facts.rows.contains(electrode) ? facts.rows.at(electrode) : 0, facts.mode) +
              comparison_sentence(facts, compared) +
              " Source: latent_links.csv, latent_differences.csv, latent_summary.json." + origin_sentence(results);
  return f;
}

}  // namespace

FigureResult fig4a(const StudyResults& results) { return circle(results, 0, "fig4a"); }
FigureResult fig4b(const StudyResults& results) { return circle(results, 1, "fig4b"); }

}  // namespace cathoscope
