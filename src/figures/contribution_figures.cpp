/// Fig. 4C: what each attribute contributes, in both profiles; the share of the neighbourhood; sham differences.

#include "drawers.hpp"
#include "plotting.hpp"
#include "published_scores.hpp"
#include "study_facts.hpp"
#include "value_axis.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/table_rows.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// The order of Fig. 4C of Li et al. (2022), DOI 10.1126/science.abm8962: the particle's own attributes, then those of its
/// neighbourhood.
constexpr std::array<std::string_view, 21> display_order{
    "Z",          "Roll",       "Pitch",      "Yaw",        "Homogeneity", "EDensity",  "VSratio",
    "Sphericity", "Elongation", "RoughOuter", "RoughInner", "SurfOuter",   "SurfInner", "Volume",
    "PDensity",   "ElongStd",   "Contact",    "OrienIso",   "DistNearest", "VolumeStd", "SphericityStd"};

enum class Part { own, neighbourhood, unknown };

Part part_of(const std::string& name) {
  const std::size_t at = attribute_index(name);
  if (at == attribute_list.size()) return Part::unknown;
  return attribute_list[at].group == "neighbourhood" ? Part::neighbourhood : Part::own;
}

/// Attributes of the tables: the particle's own, then those of its neighbourhood, each in the published order with
/// further ones behind; then columns that are no attributes, as they come.
std::vector<std::string> shown_attributes(const std::vector<Table>& tables) {
  std::vector<std::string> present;
  for (const Table& t : tables)
    for (std::size_t row = 0; row < t.rows(); ++row) {
      const std::string name = field_text(*t.find("attribute"), row);
      if (std::find(present.begin(), present.end(), name) == present.end()) present.push_back(name);
    }
  const auto rank = [](const std::string& name) {
    return std::pair(part_of(name),
                     std::find(display_order.begin(), display_order.end(), name) - display_order.begin());
  };
  std::stable_sort(present.begin(), present.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return present;
}

/// How many of them come before the neighbourhood's; 0 where there are columns that are no attributes.
std::size_t own_attributes(const std::vector<std::string>& names) {
  const auto count = [&](Part part) {
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [&](const std::string& name) { return part_of(name) == part; }));
  };
  return count(Part::unknown) == 0 ? count(Part::own) : 0;
}

double offset_of(std::size_t e, std::size_t electrodes) {
  return (static_cast<double>(e) - 0.5 * static_cast<double>(electrodes - 1)) * bar_spacing(electrodes);
}

struct Contributions4c {
  std::vector<Table> scores;  ///< by electrode
  Table runs, differences;    ///< of all
  std::vector<std::string> attributes;
  std::string profile;  ///< paper, or that of inference
};

Contributions4c read_contributions(const StudyResults& results, bool paper) {
  Contributions4c c;
  for (const auto& e : results.electrodes)
    c.scores.push_back(
        run_table(results, "regression", e.name + (paper ? "/contributions_paper.csv" : "/contributions.csv")));
  if (c.scores.empty()) fail(Exit::no_input, "the run has no electrode");
  c.profile = paper ? "paper" : regression_facts(results, results.electrodes.front().name).profile;
  c.runs = run_table(results, "regression", "contribution_runs.csv");
  if (results.electrodes.size() > 1) c.differences = run_table(results, "regression", "contribution_differences.csv");
  c.attributes = shown_attributes(c.scores);
  return c;
}

double place_of(const std::vector<std::string>& attributes, const std::string& name) {
  return static_cast<double>(std::find(attributes.begin(), attributes.end(), name) - attributes.begin()) + 1;
}

Table score_rows(const StudyResults& results, const Contributions4c& c) {
  TableRows rows({"electrode", "attribute"},
                 {"position", "mean_abs_shap", "sd_seeds", "sd_subsets", "ci_low", "ci_high", "null_floor", "q"});
  for (std::size_t e = 0; e < c.scores.size(); ++e)
    for (const std::string& name : c.attributes)
      for (const std::size_t row : rows_where(c.scores[e], "attribute", name)) {
        const auto at = [&](const char* column) { return number_at(c.scores[e], column, row); };
        rows.add({results.electrodes[e].name, name},
                 {place_of(c.attributes, name) + offset_of(e, c.scores.size()), at("mean_abs_shap"), at("sd_seeds"),
                  at("sd_subsets"), at("ci_low"), at("ci_high"), at("null_floor"), at("q")});
      }
  return std::move(rows).table();
}

/// The single runs: squares for seeds on the left of the bar, triangles for subsets on its right.
Table run_rows(const StudyResults& results, const Contributions4c& c) {
  TableRows rows({"electrode", "kind", "attribute"}, {"run", "position", "mean_abs_shap"});
  const double aside = 0.22 * bar_spacing(c.scores.size());
  for (std::size_t e = 0; e < c.scores.size(); ++e) {
    const auto own =
        rows_where(c.runs, rows_where(c.runs, "electrode", results.electrodes[e].name), "profile", c.profile);
    for (const std::size_t row : own) {
      const std::string name = field_text(*c.runs.find("attribute"), row), kind = field_text(*c.runs.find("kind"), row);
      rows.add({results.electrodes[e].name, kind, name},
               {number_at(c.runs, "run", row),
                place_of(c.attributes, name) + offset_of(e, c.scores.size()) + (kind == "seed" ? -aside : aside),
                number_at(c.runs, "mean_abs_shap", row)});
    }
  }
  return std::move(rows).table();
}

/// Largest difference between halves of one electrode, by attribute; NaN where there is none.
double sham_of(const StudyResults& results, const std::string& attribute, bool paper) {
  double largest = nothing;
  for (const auto& e : results.electrodes) {
    if (paper) continue;  // shams are of the profile of inference
    const auto facts = regression_facts(results, e.name);
    if (const auto it = facts.sham.find(attribute); it != facts.sham.end())
      largest = std::fmax(largest, std::abs(it->second.value));
  }
  return largest;
}

Table difference_rows(const StudyResults& results, const Contributions4c& c, bool paper) {
  TableRows rows({"second", "attribute"}, {"position", "mean", "sd", "ci_low", "ci_high", "q", "sham"});
  for (std::size_t e = 1; e < results.electrodes.size(); ++e) {
    const std::string& second = results.electrodes[e].name;
    for (const std::size_t row : rows_where(c.differences, "second", second)) {
      const std::string profile = field_text(*c.differences.find("profile"), row);
      if ((profile == "paper") != (c.profile == "paper")) continue;
      const std::string name = field_text(*c.differences.find("attribute"), row);
      const auto at = [&](const char* column) { return number_at(c.differences, column, row); };
      rows.add({second, name},
               {place_of(c.attributes, name) + offset_of(e - 1, results.electrodes.size() - 1), at("mean"), at("sd"),
                at("ci_low"), at("ci_high"), at("q"), sham_of(results, name, paper)});
    }
  }
  return std::move(rows).table();
}

/// Between a particle's own attributes and its neighbours', up to `height` of the panel.
std::string group_marks(const Contributions4c& c, double height) {
  const std::size_t own = own_attributes(c.attributes);
  if (own == 0 || own == c.attributes.size()) return "";
  return fmt::format(
      "set arrow 1 from {0}.5, graph 0 to {0}.5, graph {1} nohead linewidth 0.8 dashtype (4, 3) linecolor rgb "
      "grey back\n",
      own, height);
}

std::string range_of(const Contributions4c& c) { return fmt::format("set xrange [0.4:{}.6]\n", c.attributes.size()); }

std::string difference_panel(const Figure& f, const StudyResults& results, const Contributions4c& c,
                             const Table& differences, const Panel& panel) {
  Extent extent = extent_of(differences, {"sham"}).mirrored().with_zero();
  extent.add(extent_of(differences, {"mean", "ci_low", "ci_high"}));
  std::string text =
      place(f, panel) + range_of(c) + group_marks(c, 1) + "set format x ''\nset xtics 1 scale 0.3\n" +
      value_axis("y", "'Difference'", extent) +
      "set ytics font tiny\nset offsets 0, 0, graph 0.08, graph 0.08\nset key off\n" +
      "set arrow 2 from graph 0, first 0 to graph 1, first 0 nohead linewidth 0.5 linecolor rgb grey back\n";
  const std::string file = f.name + "_differences.csv";
  const std::size_t own = own_attributes(c.attributes);
  if (own > 0 && own < c.attributes.size())
    text += fmt::format(
        "set label 1 'own attributes' at {}, graph 1.1 center font small\nset label 2 'neighbourhood' at {}, graph 1.1 "
        "center font small\n",
        0.5 * static_cast<double>(own) + 0.5, 0.5 * static_cast<double>(own + c.attributes.size()) + 0.5);
  std::vector<std::string> elements;
  for (std::size_t e = 1; e < results.electrodes.size(); ++e) {
    const std::string rows =
        fmt::format("'{}' using (at('second', {}, val('position')))", file, verbatim(results.electrodes[e].name));
    const std::string colour = results.electrodes.size() == 2 ? "ink" : electrode_colour(e);
    if (e == 1)
      elements.push_back(rows +
                         ":(0):(val('position') - 0.42):(val('position') + 0.42):(-val('sham')):(val('sham')) with "
                         "boxxyerror fillcolor rgb null_band notitle");
    for (const char* look : {":(val('ci_low')):(0):(val('ci_high') - val('ci_low')) with vectors nohead linewidth 0.6",
                             ":(val('mean') - val('sd')):(0):(2 * val('sd')) with vectors nohead linewidth 1.8",
                             ":(val('mean')) with points pointtype 7 pointsize 0.35"})
      elements.push_back(fmt::format("{}{} linecolor rgb {} notitle", rows, look, colour));
  }
  return text + joined_plots(elements);
}

/// What the panel of scores shows: bars, intervals, single runs.
Extent score_extent(const Table& scores, const Table& runs, const PublishedScores& published) {
  Extent extent = extent_of(scores, {"mean_abs_shap", "ci_high", "null_floor"}).with_zero();
  extent.add(extent_of(runs, {"mean_abs_shap"}));
  for (const auto& p : published.rows) extent.add(p.score);
  return extent;
}

std::string score_panel(const Figure& f, const StudyResults& results, const Contributions4c& c, const Extent& extent,
                        const Panel& panel, const PublishedScores& published) {
  const std::size_t n = results.electrodes.size();
  const double width = 0.86 * bar_spacing(n);
  constexpr double room_for_key = 0.26;  // above the highest value, in parts of what lies below
  std::string text = place(f, panel) + range_of(c) + group_marks(c, 1 / (1 + room_for_key)) +
                     named_tics("x", c.attributes, "rotate by 90 right scale 0.3 offset 0, 0.2") +
                     value_axis("y", "'Contribution score, mean |SHAP|'", extent) +
                     fmt::format(
                         "set yrange [0:*]\nset offsets 0, 0, graph {}, 0\n"
                         "set key top center horizontal maxcols 2 width 1\n",
                         room_for_key);
  std::vector<std::string> elements;
  const std::string file = f.name + ".csv", runs = f.name + "_runs.csv";
  for (std::size_t e = 0; e < n; ++e) {
    const std::string& name = results.electrodes[e].name;
    const std::string colour = electrode_colour(e);
    elements.push_back(of_electrode(
        file, name, "val('position')",
        fmt::format(
            "(0.5 * val('mean_abs_shap')):(val('position') - {0}):(val('position') + {0}):(0):(val('mean_abs_shap')) "
            "with boxxyerror fillcolor rgb {1} fillstyle solid 0.45 border linecolor rgb {1} title {2}",
            text_of(width / 2), colour, plot_text(with_n(name, regression_facts(results, name).rows_used)))));
  }
  for (std::size_t e = 0; e < n; ++e) {
    const std::string& name = results.electrodes[e].name;
    const std::string colour = electrode_colour(e);
    elements.push_back(of_electrode(
        file, name, "val('position')",
        fmt::format("(0.5 * val('null_floor')):(val('position') - {0}):(val('position') + {0}):(0):(val('null_floor')) "
                    "with boxxyerror fillstyle transparent solid 0.75 noborder fillcolor rgb null_band {1}",
                    text_of(width / 2), e == 0 && c.profile != "paper" ? "title 'below the null floor'" : "notitle")));
    elements.push_back(fmt::format(
        "'{}' using (strcol('kind') eq 'seed' ? at('electrode', {}, val('position')) : NaN):(val('mean_abs_shap')) "
        "with points pointtype 4 pointsize 0.2 linewidth 0.5 linecolor rgb {} notitle",
        runs, verbatim(name), colour));
    elements.push_back(fmt::format(
        "'{}' using (strcol('kind') eq 'subset' ? at('electrode', {}, val('position')) : NaN):(val('mean_abs_shap')) "
        "with points pointtype 8 pointsize 0.24 linewidth 0.5 linecolor rgb {} notitle",
        runs, verbatim(name), colour));
    elements.push_back(of_electrode(file, name, "val('position')",
                                    "(val('ci_low')):(0):(val('ci_high') - val('ci_low')) with vectors nohead "
                                    "linewidth 0.8 linecolor rgb ink notitle"));
    if (!published.rows.empty())
      elements.push_back(of_electrode(
          f.name + "_published.csv", name, "val('position')",
          fmt::format("(val('score')) with points pointtype 12 pointsize 0.45 linewidth 0.9 linecolor rgb ink {}",
                      e == 0 ? "title 'published'" : "notitle")));
  }
  elements.emplace_back(
      "NaN with points pointtype 4 pointsize 0.3 linewidth 0.6 linecolor rgb ink title 'random seeds'");
  elements.emplace_back(
      "NaN with points pointtype 8 pointsize 0.35 linewidth 0.6 linecolor rgb ink title 'subsets of the particles'");
  return text + joined_plots(elements);
}

Table published_rows(const PublishedScores& published, const Contributions4c& c, std::size_t electrodes) {
  TableRows rows({"electrode", "attribute"}, {"position", "score", "sd"});
  for (const auto& p : published.rows)
    if (std::find(c.attributes.begin(), c.attributes.end(), p.attribute) != c.attributes.end())
      rows.add({p.electrode, p.attribute},
               {place_of(c.attributes, p.attribute) + offset_of(p.index, electrodes), p.score, p.sd});
  return std::move(rows).table();
}

FigureResult contributions_figure(const StudyResults& results, const std::string& name, bool paper) {
  const Contributions4c c = read_contributions(results, paper);
  const PublishedScores published = published_scores(results);
  const bool compared = results.electrodes.size() > 1;
  Figure f;
  f.name = name;
  f.width_mm = std::max(85.0, 12 + 3.4 * static_cast<double>(c.attributes.size()));
  const double foot = room_for_names(c.attributes, 19);
  f.height_mm = foot + (compared ? 81 : 51);
  f.synthetic = results.synthetic();
  const Table scores = score_rows(results, c), runs = run_rows(results, c);
  const Table differences = compared ? difference_rows(results, c, paper) : Table();
  f.csv = csv_text(scores);
  f.more.push_back({name + "_runs.csv", csv_text(runs)});
  if (compared) f.more.push_back({name + "_differences.csv", csv_text(differences)});
  if (!published.rows.empty())
    f.more.push_back({name + "_published.csv", csv_text(published_rows(published, c, results.electrodes.size()))});
  if (compared)
    f.script =
        difference_panel(f, results, c, differences, {13.5, f.width_mm - 2.5, foot + 53, foot + 75}) + next_panel();
  f.script += score_panel(f, results, c, score_extent(scores, runs, published),
                          {13.5, f.width_mm - 2.5, foot, foot + (compared ? 50 : 47)}, published);
  f.caption =
      "Contribution of each attribute to the prediction of damage: mean absolute SHAP value over the training "
      "particles, in units of the target; bars: mean of all runs; squares: runs with another random seed, triangles: "
      "runs on random subsets, whose spread is that of the method and no sampling error. ";
  if (paper)
    f.caption +=
        "These are the definitions of the paper's profile, in which Sphericity, VSratio, EDensity, Homogeneity, "
        "SurfInner and RoughInner contain the cracks that define damage: their scores are partly a matter of "
        "definition and not of cause. ";
  else
    f.caption +=
        "Black: 95 % by half samples of the particles. Grey at the foot: below the 95 % quantile of the score with the "
        "attribute permuted, nothing is told from chance. ";
  if (compared)
    f.caption += "Above: each further electrode minus " + results.electrodes.front().name +
                 ", mean and standard deviation over runs paired by number (thick; the pairing is arbitrary)" +
                 (paper ? ". "
                        : ", 95 % by half samples (thin); grey: the largest difference between two halves of one "
                          "electrode, which is noise. ");
  f.caption += "Profile " + c.profile + "." + published.sentence + " Source: contributions" + (paper ? "_paper" : "") +
               ".csv, contribution_runs.csv, contribution_differences.csv." + origin_sentence(results);
  return f;
}

}  // namespace

FigureResult fig4c(const StudyResults& results) { return contributions_figure(results, "fig4c", false); }
FigureResult fig4c_paper(const StudyResults& results) { return contributions_figure(results, "fig4c_paper", true); }

ShareDifference share_difference(const FactInterval& first, const FactInterval& second) {
  const double d = second.value - first.value;
  const auto root = [](double a, double b) { return std::sqrt(a * a + b * b); };
  return {d, d - root(second.value - second.low, first.high - first.value),
          d + root(second.high - second.value, first.value - first.low)};
}

namespace {

constexpr std::array<const char*, 4> attribute_groups{"position", "chemical", "structure", "neighbourhood"};

/// What neighbour_share draws.
struct Shares {
  std::vector<RegressionFacts> facts;  ///< by electrode
  Table shares, groups;
};

Shares read_shares(const StudyResults& results) {
  Shares s;
  TableRows rows({"electrode", "quantity"}, {"position", "value", "ci_low", "ci_high"});
  TableRows group_rows({"electrode", "group"}, {"position", "value", "ci_low", "ci_high"});
  const std::size_t n = results.electrodes.size();
  for (std::size_t e = 0; e < n; ++e) {
    const std::string& name = results.electrodes[e].name;
    const RegressionFacts facts = regression_facts(results, name);
    s.facts.push_back(facts);
    const auto add = [&](const std::string& quantity, double position, const FactInterval& i) {
      rows.add({name, quantity}, {position, i.value, i.low, i.high});
    };
    for (std::size_t g = 0; g < attribute_groups.size(); ++g)
      if (const auto it = facts.groups.find(attribute_groups[g]); it != facts.groups.end())
        group_rows.add({name, attribute_groups[g]}, {static_cast<double>(g + 1) + offset_of(e, n), it->second.value,
                                                     it->second.low, it->second.high});
    add("share_neighbour", static_cast<double>(e + 1), facts.share_neighbour);
    if (e == 0) continue;
    const ShareDifference d = share_difference(s.facts[0].share_neighbour, facts.share_neighbour);
    add("share_difference", static_cast<double>(e), {d.value, d.low, d.high});
  }
  s.shares = std::move(rows).table();
  s.groups = std::move(group_rows).table();
  return s;
}

/// Interval and point of a quantity of an electrode.
void add_share_points(const std::string& electrode, const std::string& quantity, const std::string& colour,
                      std::vector<std::string>& out) {
  const std::string own = fmt::format(
      "'neighbour_share.csv' using (strcol('quantity') eq '{}' ? at('electrode', {}, val('position')) : NaN)", quantity,
      verbatim(electrode));
  out.push_back(
      own + ":(val('ci_low')):(0):(val('ci_high') - val('ci_low')) with vectors nohead linewidth 1.2 linecolor rgb " +
      colour + " notitle");
  out.push_back(own + ":(val('value')) with points pointtype 7 pointsize 0.55 linecolor rgb " + colour + " notitle");
}

std::string shares_panel(const Figure& f, const std::vector<std::string>& names) {
  const std::size_t n = names.size();
  std::vector<std::string> shares;
  for (std::size_t e = 0; e < n; ++e) add_share_points(names[e], "share_neighbour", electrode_colour(e), shares);
  return place(f, {12, n > 1 ? 50.0 : 82.0, 52, 86}) +
         "set yrange [0:1]\nset ylabel 'Share of the neighbourhood'\nset key off\n" +
         fmt::format("set xrange [0.5:{}.5]\n", n) + named_tics("x", names, n > 2 ? "font tiny" : "") +
         "set arrow from graph 0, first 0.5 to graph 1, first 0.5 nohead linewidth 0.5 dashtype (4, 3) linecolor "
         "rgb grey back\n" +
         joined_plots(shares);
}

std::string share_differences_panel(const Figure& f, const std::vector<std::string>& names) {
  const std::size_t n = names.size();
  std::vector<std::string> pairs, differences;
  for (std::size_t e = 1; e < n; ++e) {
    pairs.push_back(n == 2 ? "difference" : names[e]);
    add_share_points(names[e], "share_difference", "ink", differences);
  }
  return next_panel() + place(f, {63, 82, 52, 86}) + "set yrange [-1:1]\nset ylabel " +
         plot_text(n == 2 ? names[1] + " − " + names[0] : "minus " + names[0]) + "\nset key off\n" +
         fmt::format("set xrange [0.5:{}.5]\n", n - 1) + named_tics("x", pairs, n > 2 ? "font tiny" : "") +
         "set arrow from graph 0, first 0 to graph 1, first 0 nohead linewidth 0.5 dashtype (4, 3) linecolor "
         "rgb grey back\n" +
         joined_plots(differences);
}

/// Scores of the four groups of attributes, intervals in front of all bars.
std::string group_scores_panel(const Figure& f, const std::vector<std::string>& names, const Shares& s) {
  std::vector<std::string> bars, intervals;
  for (std::size_t e = 0; e < names.size(); ++e) {
    const std::string own =
        fmt::format("'neighbour_share_groups.csv' using (at('electrode', {}, val('position')))", verbatim(names[e]));
    bars.push_back(
        own + fmt::format(":(0.5 * val('value')):(val('position') - {0}):(val('position') + {0}):(0):(val('value')) "
                          "with boxxyerror fillcolor rgb {1} fillstyle solid 0.45 border linecolor rgb {1} title {2}",
                          text_of(0.43 * bar_spacing(names.size())), electrode_colour(e),
                          plot_text(with_n(names[e], s.facts[e].rows_used))));
    intervals.push_back(own +
                        ":(val('ci_low')):(0):(val('ci_high') - val('ci_low')) with vectors nohead linewidth 0.9 "
                        "linecolor rgb ink notitle");
  }
  bars.insert(bars.end(), intervals.begin(), intervals.end());
  return next_panel() + place(f, {12, 82, 8, 42}) + "set yrange [0:*]\nset xrange [0.5:4.5]\n" +
         value_axis("y", "'Score of the group, mean |SHAP|'", extent_of(s.groups, {"value", "ci_high"}).with_zero()) +
         "set key top left\n" +
         "set offsets 0, 0, graph 0.25, 0\nset xtics ('position' 1, 'chemical' 2, 'structure' 3, 'neighbourhood' 4)\n" +
         joined_plots(bars);
}

}  // namespace

/// The paper's central statistic: how much of the contributions is the neighbourhood's.
FigureResult neighbour_share(const StudyResults& results) {
  if (results.electrodes.empty()) fail(Exit::no_input, "the run has no electrode");
  const Shares shares = read_shares(results);
  const auto names = names_of(results);
  Figure f = new_figure(results, 85, 90);
  f.csv = csv_text(shares.shares);
  f.more.push_back({"neighbour_share_groups.csv", csv_text(shares.groups)});
  f.script = shares_panel(f, names) + (names.size() > 1 ? share_differences_panel(f, names) : "") +
             group_scores_panel(f, names, shares);
  f.caption =
      "How much of what is known about damage is known from the neighbourhood. Above: the share neighbour / (self + "
      "neighbour), where each score is the mean absolute sum of the SHAP values of the group's attributes; intervals: "
      "95 % by half samples of the particles; right: difference of the shares, its interval from the two (Zou and "
      "Donner 2008, DOI 10.1002/sim.3095). Below: scores of the four groups of attributes, in units of the target. "
      "Groups with more attributes have more chances. Profile " +
      shares.facts.front().profile + ". Source: regression.json of each electrode." + origin_sentence(results);
  return f;
}

namespace {

/// Rows of the figure `sham`: what is compared, with the colours of the comparisons.
struct Comparisons {
  std::vector<std::string> titles, colours;
  Table rows;
};

/// First the electrodes, each with the first of them, then the halves of each.
Comparisons comparisons_of(const StudyResults& results, const Contributions4c& c,
                           const std::vector<std::string>& attributes) {
  const std::size_t n = results.electrodes.size(), series = n + (n > 1 ? n - 1 : 0);
  const double step = 0.66 / static_cast<double>(series);
  TableRows rows({"comparison", "attribute"}, {"position", "mean", "ci_low", "ci_high"});
  Comparisons out;
  const auto place_in = [&](const std::string& name) {
    return place_of(attributes, name) + 0.33 - step * (static_cast<double>(out.titles.size()) - 0.5);
  };
  for (std::size_t e = 1; e < n; ++e) {
    out.titles.push_back(results.electrodes[e].name + " − " + results.electrodes.front().name);
    out.colours.emplace_back(n == 2 ? "ink" : electrode_colour(e));
    for (const std::size_t row : rows_where(c.differences, "second", results.electrodes[e].name)) {
      if (field_text(*c.differences.find("profile"), row) == "paper" && c.profile != "paper") continue;
      const std::string name = field_text(*c.differences.find("attribute"), row);
      rows.add({out.titles.back(), name},
               {place_in(name), number_at(c.differences, "mean", row), number_at(c.differences, "ci_low", row),
                number_at(c.differences, "ci_high", row)});
    }
  }
  for (std::size_t e = 0; e < n; ++e) {
    const auto facts = regression_facts(results, results.electrodes[e].name);
    if (facts.sham.empty()) continue;
    out.titles.push_back("halves of " + results.electrodes[e].name);
    out.colours.push_back(electrode_colour(e));
    for (const auto& name : attributes)
      if (const auto it = facts.sham.find(name); it != facts.sham.end())
        rows.add({out.titles.back(), name}, {place_in(name), it->second.value, it->second.low, it->second.high});
  }
  out.rows = std::move(rows).table();
  return out;
}

std::vector<std::string> comparison_elements(const Comparisons& c, std::size_t electrodes) {
  std::vector<std::string> elements;
  for (std::size_t s = 0; s < c.titles.size(); ++s)
    elements.push_back(fmt::format(
        "'sham.csv' using (at('comparison', {}, val('mean'))):(val('position')):(val('ci_low')):(val('ci_high')) with "
        "xerrorbars pointtype {} pointsize 0.35 linewidth 0.9 linecolor rgb {} title {}",
        verbatim(c.titles[s]), s + 1 < electrodes ? 7 : 6, c.colours[s], plot_text(c.titles[s])));
  return elements;
}

}  // namespace

/// Differences between electrodes beside those between halves of one, where there is nothing to find.
FigureResult sham(const StudyResults& results) {
  if (results.electrodes.empty()) fail(Exit::no_input, "the run has no electrode");
  const Contributions4c c = read_contributions(results, false);
  std::vector<std::string> attributes = c.attributes;
  std::reverse(attributes.begin(), attributes.end());
  const Comparisons compared = comparisons_of(results, c, attributes);
  if (compared.rows.rows() == 0) fail(Exit::no_input, "one electrode without positions: there is nothing to compare");
  const Extent shown = extent_of(compared.rows, {"ci_low", "ci_high"}).with_zero();
  const std::size_t series = compared.titles.size();
  const double legend = series > 3 ? 3.4 * static_cast<double>(series) : 8;
  Figure f = new_figure(results, 85, 14 + legend + 4.6 * static_cast<double>(attributes.size()));
  f.csv = csv_text(compared.rows);
  f.script =
      place(f, {room_for_names(attributes, 20), 82, 9, f.height_mm - 2 - legend}) + "set errorbars 0\n" +
      tic_step("x", shown.low, shown.high, 5) + value_axis("x", "'Difference of contribution scores'", shown) +
      fmt::format("set yrange [0.4:{}.6]\n", attributes.size()) + named_tics("y", attributes, "") +
      "set key at screen 0.5, screen 0.99 center top horizontal maxcols 2\nset arrow from 0, graph 0 to 0, graph 1 "
      "nohead linewidth 0.6 linecolor rgb grey back\nset grid ytics linewidth 0.4 dashtype 1 linecolor rgb pale\n" +
      joined_plots(comparison_elements(compared, results.electrodes.size()));
  f.caption =
      "Is the difference between electrodes more than noise? Differences of the contribution scores between electrodes "
      "(filled), and between the halves of one electrode with low and high X (hollow), where there is nothing to find; "
      "halves have half the particles, so that their scores scatter more. Intervals: 95 % by half samples. Profile " +
      c.profile + ". Source: contribution_differences.csv, regression.json of each electrode." +
      origin_sentence(results);
  return f;
}

}  // namespace cathoscope
