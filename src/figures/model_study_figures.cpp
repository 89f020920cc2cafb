/// What carries the result of the model: the tables of `cathoscope explore`, and the geometry they stand for.

#include "model_figures.hpp"
#include "network_history.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

namespace cathoscope {

namespace {

/// A table of `cathoscope explore`: in OUT/explore, or in the folder of the studies itself.
Table explored(const StudyResults& results, const std::string& study) {
  const std::string name = study + ".csv";
  for (const auto& path : {results.folder / "explore" / name, results.folder / name})
    if (std::filesystem::exists(path)) return read_csv(path);
  fail(Exit::no_input, "explore/{} is not there: cathoscope explore CONFIG --study {} writes it", name, study);
}

/// A numeric column; one without any value reads as text or nothing, and is all missing.
std::vector<double> numbers(const Table& t, const char* name) {
  const Column* c = t.find(name);
  if (c == nullptr) fail(Exit::data, "the table of a model study has no column {}; run cathoscope explore again", name);
  return c->numbers.size() == t.rows() ? c->numbers : std::vector<double>(t.rows(), std::nan(""));
}

Column number_column(std::string name, std::vector<double> values) {
  Column c;
  c.name = std::move(name);
  c.numbers = std::move(values);
  return c;
}

Column text_column(std::string name, std::vector<std::string> values) {
  Column c;
  c.name = std::move(name);
  c.texts = std::move(values);
  return c;
}

Figure study_figure(const char* name, const char* title, double height_mm) {
  Figure f;
  f.name = name;
  f.title = title;
  f.height_mm = height_mm;
  return f;
}

/// Rows from the top: position of row r of n.
std::vector<double> rows_from_top(std::size_t n) {
  std::vector<double> y;
  for (std::size_t r = 0; r < n; ++r) y.push_back(static_cast<double>(n - r));
  return y;
}

std::string row_names(const std::vector<std::string>& names) {
  std::string s = "set ytics (";
  for (std::size_t r = 0; r < names.size(); ++r)
    s += fmt::format("{}{} {}", r == 0 ? "" : ", ", plot_text(names[r]), names.size() - r);
  return s + ") scale 0 offset 0.4, 0\n";
}

constexpr double smallest_ratio = 1e-3;

/// Ratios of 0 and less than the axis shows are drawn at its end; the table keeps them as they are.
std::vector<double> on_axis(std::vector<double> ratios) {
  for (double& r : ratios)
    if (r < smallest_ratio) r = smallest_ratio;
  return ratios;
}

constexpr const char* ratio_axis =
    "set logscale x\nset xrange [0.0008:3]\nset xtics ('≤0.001' 0.001, '0.01' 0.01, '0.1' 0.1, '1' 1)\n"
    "set xlabel 'spread, last cycle over first (or peak)'\n"
    "set grid ytics linecolor rgb pale linewidth 0.4\nset arrow 1 from 1, graph 0 to 1, graph 1 nohead linewidth 0.7 "
    "linecolor rgb grey back\nset label 1 'apart as before' at 1, graph 1 center offset 0, 0.5 font small textcolor "
    "rgb grey\n";

/// Dots of the ratios of lithium and of damage, a row a run.
Figure ratio_figure(const char* name, const char* title, const std::vector<std::string>& names, const Table& t,
                    double height_mm) {
  Figure f = study_figure(name, title, height_mm);
  const auto x = numbers(t, "x_ratio"), d = numbers(t, "damage_ratio");
  Table out;
  out.columns = {text_column("run", names),
                 number_column("row", rows_from_top(names.size())),
                 number_column("lithium_ratio", x),
                 number_column("damage_ratio", d),
                 number_column("lithium_ratio_shown", on_axis(x)),
                 number_column("damage_ratio_shown", on_axis(d)),
                 number_column("damage_mean_first", numbers(t, "damage_mean_first")),
                 number_column("damage_mean_last", numbers(t, "damage_mean_last"))};
  f.csv = csv_text(out);
  f.script = "set lmargin at screen 0.36\nset rmargin at screen 0.96\n";
  f.script += fmt::format("set tmargin at screen {}\nset bmargin at screen {}\n", text_of(1 - 8 / height_mm),
                          text_of(9.5 / height_mm));
  f.script += fmt::format("set yrange [0.3:{}]\n", text_of(static_cast<double>(names.size()) + 0.7));
  f.script += row_names(names) + ratio_axis;
  f.script += "set key at screen 0.36, screen 0.995 left top horizontal Left reverse samplen 0.6 font small\n";
  f.script += fmt::format(
      "plot '{}.csv' using 'lithium_ratio_shown':'row' with points pointtype 7 pointsize 0.6 linecolor rgb positive "
      "title "
      "'lithium content', '' using 'damage_ratio_shown':'row' with points pointtype 6 pointsize 0.7 linewidth 1.2 "
      "linecolor rgb 'black' title 'damage'\n",
      name);
  return f;
}

std::string law_title(const std::string& run) {
  static const std::map<std::string, std::string> titles{
      {"contact", "contact"},  {"ohmic", "ohmic"},          {"reversion", "loses advantage"},
      {"none", "no feedback"}, {"scale_all", "loses area"}, {"multiply", "resistance grows"},
      {"film", "film grows"}};
  const auto space = run.find(' ');
  const auto title = [&](const std::string& word) {
    const auto found = titles.find(word);
    return found == titles.end() ? word : found->second;
  };
  if (space == std::string::npos) return run;
  return title(run.substr(0, space)) + ": " + title(run.substr(space + 1));
}

/// A law of the coverage study for the key.
std::string law_name(const std::string& law) { return plot_text(law == "C_f 0.7" ? "high endurance" : law); }

/// "as configured, spread 0.05" as its law and spread.
std::pair<std::string, double> law_and_spread(const std::string& run) {
  static const std::string mark = ", spread ";
  const auto at = run.rfind(mark);
  const auto spread = at == std::string::npos ? std::nullopt : number_from(run.substr(at + mark.size()));
  if (!spread) fail(Exit::data, "explore/coverage.csv: run '{}' has no spread; run cathoscope explore again", run);
  return {run.substr(0, at), *spread};
}

}  // namespace

FigureResult model_laws(const StudyResults& results) {
  const Table t = explored(results, "laws");
  std::vector<std::string> names;
  for (const auto& run : t.columns.front().texts) names.push_back(law_title(run));
  Figure f = ratio_figure("model_laws", "Which law brings particles together", names, t, 62);
  f.caption =
      "How far apart particles still are after the last cycle, over the first (lithium) or over the largest spread "
      "(damage), under five ways in which damage may act on charge transfer, with the contrast of the binders in the "
      "contact "
      "or (ohmic) in the conductivity alone. Left: together; the line: as far apart as before. Lithium comes strongly "
      "together where damage takes away the advantage of the good contact, and a film draws contents together only in "
      "that "
      "it grows until the charge ends early. Damage comes together under every law, because it saturates.";
  return f;
}

FigureResult model_parameters(const StudyResults& results) {
  const Table t = explored(results, "parameters");
  Figure f = ratio_figure("model_parameters", "One parameter at a time", t.columns.front().texts, t,
                          18 + 3.2 * static_cast<double>(t.rows()));
  f.caption =
      "How far apart particles still are after the last cycle (as in model_laws) when one parameter of the run is "
      "changed to the value in the row's name. Nothing drawn in a row: every particle failed in the first cycle.";
  return f;
}

namespace {

/// Elementary effects: what the table holds of the two outputs that are drawn.
struct Effects {
  std::vector<std::string> output, parameter;
  std::vector<double> mean, size, low, high, deviation, count;
};

Effects read_effects(const StudyResults& results) {
  const Table t = explored(results, "morris");
  const Column *output = t.find("output"), *parameter = t.find("parameter");
  if (output == nullptr || parameter == nullptr || output->texts.empty() || parameter->texts.empty())
    fail(Exit::data, "explore/morris.csv has no columns output and parameter; run cathoscope explore again");
  return {output->texts,        parameter->texts,      numbers(t, "mean"), numbers(t, "mean_magnitude"),
          numbers(t, "ci_low"), numbers(t, "ci_high"), numbers(t, "std"),  numbers(t, "effects")};
}

/// Parameters by their effect on the spread of lithium, the largest first.
std::vector<std::string> by_effect(const Effects& e) {
  std::vector<std::size_t> rows;
  for (std::size_t r = 0; r < e.output.size(); ++r)
    if (e.output[r] == "x_ratio") rows.push_back(r);
  const auto key = [&](std::size_t r) { return std::isfinite(e.size[r]) ? e.size[r] : -1; };
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const std::size_t r : rows) names.push_back(e.parameter[r]);
  return names;
}

struct EffectRows {
  Table table;
  double most = 0;  ///< that the axis has to show
};

EffectRows effect_rows(const Effects& e, const std::vector<std::string>& names) {
  EffectRows out;
  out.table.columns = {text_column("parameter", names), number_column("row", rows_from_top(names.size()))};
  for (const auto& [name, title] : {std::pair{"x_ratio", "lithium"}, std::pair{"damage_ratio", "damage"}}) {
    std::array<std::vector<double>, 6> columns;
    for (const auto& wanted : names)
      for (std::size_t r = 0; r < e.output.size(); ++r) {
        if (e.output[r] != name || e.parameter[r] != wanted) continue;
        const double values[] = {e.mean[r], e.size[r], e.low[r], e.high[r], e.deviation[r], e.count[r]};
        for (std::size_t c = 0; c < columns.size(); ++c) columns[c].push_back(values[c]);
        if (std::isfinite(e.high[r])) out.most = std::max({out.most, e.high[r], e.deviation[r]});
      }
    const char* suffix[] = {"mean", "magnitude", "ci_low", "ci_high", "std", "effects"};
    for (std::size_t c = 0; c < columns.size(); ++c)
      out.table.columns.push_back(number_column(fmt::format("{}_{}", title, suffix[c]), columns[c]));
  }
  return out;
}

/// Left lithium, right damage, beside common names of the rows.
std::string effects_panel(bool right, const char* title, const char* text, double most) {
  std::string s = right
                      ? "set lmargin at screen 0.64\nset rmargin at screen 0.98\nset format y ''\nunset ytics\n"
                        "set ytics 1 format '' scale 0\nset key at screen 0.98, screen 0.995 right top horizontal Left "
                        "reverse samplen 0.8 font small\n"
                      : "set lmargin at screen 0.27\nset rmargin at screen 0.61\nunset key\n";
  s += fmt::format("set label 1 {} at graph 0, graph 1 offset 0, 0.6 font small\n", plot_text(text));
  return s +
         fmt::format(
             "plot 'model_morris.csv' using '{0}_magnitude':'row':'{0}_ci_low':'{0}_ci_high' with xerrorbars pointtype "
             "7 pointsize "
             "0.6 linewidth 1 linecolor rgb 'black' title 'mean magnitude, 95 % interval', '' using '{0}_std':'row' "
             "with points "
             "pointtype 6 pointsize 0.6 linecolor rgb positive title 'standard deviation', '' using "
             "(column('{0}_ci_high') + {1}):'row':(column('{0}_mean') > 0 ? '+' : '−') with labels font small "
             "notitle\n",
             title, text_of(0.04 * most));
}

}  // namespace

FigureResult model_morris(const StudyResults& results) {
  const Effects effects = read_effects(results);
  const auto names = by_effect(effects);
  const EffectRows rows = effect_rows(effects, names);
  Figure f = study_figure("model_morris", "Which guesses decide", 20 + 3.6 * static_cast<double>(names.size()));
  f.width_mm = 120;
  f.csv = csv_text(rows.table);
  f.script = fmt::format("set tmargin at screen {}\nset bmargin at screen {}\nset yrange [0.3:{}]\nset xrange [0:{}]\n",
                         text_of(1 - 10 / f.height_mm), text_of(10 / f.height_mm),
                         text_of(static_cast<double>(names.size()) + 0.7), text_of(1.05 * rows.most));
  f.script +=
      "set xtics 0.2\nset grid ytics linecolor rgb pale linewidth 0.4\nset xlabel 'change of the ratio over the "
      "range'\n";
  f.script += row_names(names) + effects_panel(false, "lithium", "spread of lithium, last over first", rows.most) +
              effects_panel(true, "damage", "spread of damage, last over peak", rows.most);
  f.caption = fmt::format(
      "Elementary effects (Morris 1991, DOI 10.1080/00401706.1991.10484804) of {} estimated parameters on how far "
      "apart "
      "particles stay: mean magnitude with its 95 % bootstrap interval over trajectories, and standard deviation "
      "(large: it "
      "acts together with others). A sign says which way the mean goes: + keeps particles apart. Up to {} "
      "trajectories; "
      "where all particles fail in the first cycle there is no effect to count. Ranges are in explore/morris.csv.",
      names.size(), text_of(*std::max_element(effects.count.begin(), effects.count.end())));
  return f;
}

namespace {

/// Runs of the coverage study by law and spread, with places above the axis for what never came together.
Table synchrony_rows(const Table& t, std::vector<std::string>& all_laws) {
  Table out;
  std::vector<std::string> laws;
  std::vector<double> spreads;
  for (const auto& run : t.columns.front().texts) {
    const auto [law, spread] = law_and_spread(run);
    laws.push_back(law);
    spreads.push_back(spread);
    if (std::find(all_laws.begin(), all_laws.end(), law) == all_laws.end()) all_laws.push_back(law);
  }
  out.columns = {text_column("law", laws), number_column("spread", spreads)};
  for (const char* name : {"damage_mean_together", "together_cycle", "damage_mean_sync", "sync_cycle",
                           "damage_mean_first", "damage_mean_last", "damage_std_peak"})
    out.columns.push_back(number_column(name, numbers(t, name)));
  const auto never = [&](const char* name) {
    std::vector<double> column;
    for (const double v : numbers(t, name)) column.push_back(std::isfinite(v) ? std::nan("") : 1.03);
    return column;
  };
  out.columns.push_back(number_column("never_together", never("damage_mean_together")));
  out.columns.push_back(number_column("never_sync", never("damage_mean_sync")));
  return out;
}

/// One measure of being together: a line a law.
std::string synchrony_plot(const std::vector<std::string>& laws, const char* column, const char* never_column) {
  const char* shapes[] = {"7", "5", "9", "11"};
  const char* colours[] = {"'black'", "grey", "positive", "negative"};
  std::string s = "plot ";
  for (std::size_t l = 0; l < laws.size(); ++l)
    s += fmt::format(
        "{0}'model_synchrony.csv' using (strcol('law') eq {1} ? column('spread') : NaN):'{2}' with linespoints "
        "pointtype {3} "
        "pointsize 0.45 linewidth 0.9 linecolor rgb {4} title {5}, '' using (strcol('law') eq {1} ? column('spread') "
        ": "
        "NaN):'{6}' with points pointtype {3} pointsize 0.45 linecolor rgb {4} notitle",
        l == 0 ? "" : ", ", verbatim(laws[l]), column, shapes[l % 4], colours[l % 4], law_name(laws[l]), never_column);
  return s + "\n";
}

}  // namespace

FigureResult model_synchrony(const StudyResults& results) {
  const Table t = explored(results, "coverage");
  Figure f = study_figure("model_synchrony", "Damage at synchrony against the spread of coverage", 66);
  std::vector<std::string> laws;
  f.csv = csv_text(synchrony_rows(t, laws));
  f.script = "set yrange [0.55:1.06]\nset xrange [0:0.5]\nset xtics 0.1\nset ytics 0.6, 0.1, 1\n";
  f.script += "set tmargin at screen 0.92\nset bmargin at screen 0.16\n";
  f.script += "set arrow 2 from graph 0, first 1.01 to graph 1, first 1.01 nohead linewidth 0.4 linecolor rgb pale\n";
  f.script += "set ylabel 'mean damage when together'\nset xlabel 'half-width of coverage'\n";
  const auto title = [](const char* text) {
    return fmt::format("set label 1 {} at graph 0.5, graph 1 center offset 0, 0.6 font small\n", plot_text(text));
  };
  f.script += "set lmargin at screen 0.15\nset rmargin at screen 0.52\nunset key\n" + title("spread of damage ≤ 0.05") +
              synchrony_plot(laws, "damage_mean_together", "never_together");
  f.script +=
      "set lmargin at screen 0.565\nset rmargin at screen 0.93\nunset ylabel\nset format y ''\n"
      "set key bottom right Left reverse samplen 1.2 font small\n" +
      title("spread ≤ a quarter of its peak") +
      "set label 2 'never' at graph 1.01, first 1.032 left font tiny textcolor rgb grey\n" +
      synchrony_plot(laws, "damage_mean_sync", "never_sync");
  f.caption =
      "Mean damage of ten particles at the end of the charge where they have come together, against how different "
      "their "
      "coverages are (evenly within one half plus and minus the half-width): left a well-formed electrode, right a "
      "poor one. "
      "Together means that the standard deviation of damage has come down to 0.05 (first panel) or to a quarter of the "
      "largest it had (second panel). High endurance is C_f 0.7. By the first measure a well-formed electrode comes "
      "together while less damaged, "
      "but "
      "only because it never was apart; by the second it makes no difference how it was formed. Points at the top: not "
      "within the cycles of the run. Computed by our network model (docs/chemomechanics.md).";
  return f;
}

namespace {

constexpr double spacing = 2.6, half_height = 2.2;  // in radii of the largest; the network itself has no distances

/// Balls in a row, each on the boundary of the binders so that its coverage is the share of its surface below.
Table particle_row(const NetworkHistory& h, double r) {
  std::vector<double> particle, x, y, begin, end;
  for (std::size_t p = 0; p < h.particles(); ++p) {
    particle.push_back(static_cast<double>(p + 1));
    x.push_back(spacing * r * static_cast<double>(p));
    y.push_back(h.radius_um[p] * (1 - 2 * h.coverage[p]));  // a cap's share of a sphere's area is its height over 2 R
    const double rise = std::asin(2 * h.coverage[p] - 1) * 180 / M_PI;
    begin.push_back(180 - rise);
    end.push_back(360 + rise);
  }
  Table out;
  out.columns = {number_column("particle", particle),
                 number_column("coverage", h.coverage),
                 number_column("radius_um", h.radius_um),
                 number_column("x_um", x),
                 number_column("y_um", y),
                 number_column("arc_begin_degree", begin),
                 number_column("arc_end_degree", end)};
  return out;
}

/// Binders, balls with their arcs of good contact, arrows of lithium and electrons.
constexpr const char* particle_row_script =
    "unset border\nunset tics\nunset key\nset xrange [left:right]\nset yrange [-top:top]\n"
    "set palette defined (0 '#E69F00', 0.5 '#2A9D8F', 1 '#1D2F6F')\nset cbrange [0:1]\nunset colorbox\n"
    "set object 1 rectangle from left, -top to right, 0 fillcolor rgb '#B9BEC6' fillstyle solid 1 noborder behind\n"
    "set object 2 rectangle from left, 0 to right, top fillcolor rgb '#ECEEF1' fillstyle solid 1 noborder behind\n"
    "set arrow 1 from left, -top to right, -top nohead linewidth 4 linecolor rgb '#8C5A2B' front\n"
    "set arrow 2 from left, top to right, top nohead linewidth 1.5 dashtype (3, 3) linecolor rgb grey front\n"
    "set label 1 'current collector' at left, -top offset 0, -0.8 font small\n"
    "set label 2 'separator' at left, top offset 0, 0.8 font small\n"
    "set label 3 'binder of high conductivity: fast reaction' at right - 0.1 * r, -top right offset 0, 0.7 font "
    "tiny\n"
    "set label 4 'binder of low conductivity: slow reaction' at left + 0.1 * r, top offset 0, -0.7 font tiny\n"
    "set style circle nowedge\n"
    "plot 'fig3a.csv' using 'x_um':'y_um':'radius_um':(column('coverage')) with circles fillstyle solid 1 noborder "
    "linecolor palette, '' using 'x_um':'y_um':'radius_um':'arc_begin_degree':'arc_end_degree' with circles "
    "fillstyle empty linewidth 2.5 linecolor rgb 'black', '' using 'x_um':'y_um':(sprintf('%.0f %%', 100 * "
    "column('coverage'))) with labels font ',8' textcolor rgb 'white', '' using "
    "'x_um':(column('y_um') + column('radius_um')):(0):(0.35 * r) with vectors head filled size screen 0.012, 20 "
    "linewidth 1 linecolor rgb ink, '' using 'x_um':(column('y_um') - column('radius_um')):(0):(-0.35 * r) "
    "with vectors head filled size screen 0.012, 20 linewidth 1 linecolor rgb ink, "
    "'' using (column('x_um') + 0.12 * r):(column('y_um') + column('radius_um') + 0.2 * r):('Li^+') with labels left "
    "font "
    "tiny textcolor rgb ink, '' using (column('x_um') + 0.12 * r):(column('y_um') - column('radius_um') - 0.2 * "
    "r):('e^−') "
    "with labels left font tiny textcolor rgb ink\n";

}  // namespace

FigureResult fig3a(const StudyResults& results) {
  const NetworkHistory h =
      read_network_history(run_file(results, "chemomechanics", "chemomechanics.h5"), {.steps = 1, .particles = 5});
  const auto n = static_cast<double>(h.particles());
  const double r = *std::max_element(h.radius_um.begin(), h.radius_um.end());
  Figure f = study_figure("fig3a", "The model: particles on two binders", 0);
  f.synthetic = results.synthetic() && std::filesystem::exists(results.folder / "chemomechanics_measured.json");
  f.csv = csv_text(particle_row(h, r));
  const double left = -1.5 * r, right = (spacing * (n - 1) + 1.5) * r, top = half_height * r;
  const double drawn_mm = 81, unit = drawn_mm / (right - left);
  f.height_mm = 2 * top * unit + 13;
  f.script =
      fmt::format("r = {}\nleft = {}\nright = {}\ntop = {}\n", text_of(r), text_of(left), text_of(right), text_of(top));
  f.script +=
      fmt::format("set lmargin at screen {}\nset rmargin at screen {}\n", text_of(2 / 85.0), text_of(83 / 85.0));
  f.script += fmt::format("set bmargin at screen {}\nset tmargin at screen {}\n", text_of(6.5 / f.height_mm),
                          text_of(1 - 6.5 / f.height_mm));
  f.script += particle_row_script;
  const bool even = r == *std::min_element(h.radius_um.begin(), h.radius_um.end());
  f.caption = fmt::format(
      "What the model stands for, drawn from the run: {}{} in two porous binders full of electrolyte, during charge "
      "(lithium "
      "leaves to the separator, electrons to the collector). The number, and the thick line, is the share of a "
      "particle's "
      "surface on the binder of high conductivity, where the reaction is fast. Radius {}. The network knows these "
      "shares and "
      "the radii; distances in the drawing are for the eye.",
      h.particles_in_run > h.particles() ? fmt::format("{} of its ", h.particles()) : std::string(),
      fmt::format("{} particles", h.particles_in_run),
      even ? short_number(r, 3) + " um" : "up to " + short_number(r, 3) + " um");
  return f;
}

}  // namespace cathoscope
