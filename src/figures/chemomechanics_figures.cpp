/// Figures 3A to 3E and S4 of Li et al. (2022), DOI 10.1126/science.abm8962, from our model of a particle network.

#include "model_figures.hpp"
#include "network_history.hpp"
#include "value_axis.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace cathoscope {

namespace {

/// Coverage from poor to good: apart with any colour vision, and in grey.
constexpr const char* coverage_palette =
    "set palette defined (0 '#E69F00', 0.5 '#2A9D8F', 1 '#1D2F6F')\nset cbrange [0:1]\nunset colorbox\n";

constexpr std::size_t most_in_key = 6;

NetworkHistory history_of(const StudyResults& results) {
  return read_network_history(run_file(results, "chemomechanics", "chemomechanics.h5"));
}

/// The network of measured particles is as synthetic as their electrode.
bool of_synthetic_particles(const StudyResults& results) {
  return results.synthetic() && std::filesystem::exists(results.folder / "chemomechanics_measured.json");
}

Figure model_figure(const StudyResults& results, const char* name, const char* title) {
  Figure f;
  f.name = name;
  f.title = title;
  f.synthetic = of_synthetic_particles(results);
  return f;
}

void add_column(Table& table, std::string name, std::vector<double> numbers) {
  Column c;
  c.name = std::move(name);
  c.numbers = std::move(numbers);
  table.columns.push_back(std::move(c));
}

/// Columns that place a step: on the axis of the first charge (empty elsewhere) and on that of cycles.
Table step_columns(const NetworkHistory& h) {
  Table t;
  std::vector<double> first;
  Column half{"half_cycle", "", "", {}, {}, {}};
  for (std::size_t s = 0; s < h.steps(); ++s) {
    first.push_back(h.first_charge(s) ? h.tau[s] : std::nan(""));
    half.texts.emplace_back(half_cycle_name(h.half[s]));
  }
  add_column(t, "cycle", h.cycle);
  t.columns.push_back(std::move(half));
  add_column(t, "tau", h.tau);
  add_column(t, "cycles_since_start", h.position);
  add_column(t, "first_charge_tau", std::move(first));
  return t;
}

/// A column a shown particle: NAME_1, NAME_2, ...
void add_particles(Table& table, const NetworkHistory& h, const std::string& name, const std::vector<double>& values,
                   const std::vector<double>* less = nullptr) {
  for (std::size_t p = 0; p < h.particles(); ++p) {
    std::vector<double> column;
    for (std::size_t s = 0; s < h.steps(); ++s)
      column.push_back(values[s * h.particles() + p] - (less != nullptr ? (*less)[s] : 0));
    add_column(table, fmt::format("{}_{}", name, p + 1), std::move(column));
  }
}

std::string percent(double share) { return short_number(100 * share, 2) + " %"; }

/// Gnuplot words: coverages, and their titles in the key.
std::string particle_words(const NetworkHistory& h) {
  std::string coverage, titles;
  for (const double c : h.coverage) coverage += text_of(c) + " ", titles += fmt::format("\"{}\" ", percent(c));
  return fmt::format("coverage = '{}'\ntitles = '{}'\nparticles = {}\n", coverage, titles, h.particles()) +
         coverage_palette;
}

std::string particle_lines(const NetworkHistory& h, const std::string& name, const std::string& x,
                           const std::string& value, double width) {
  const bool key = h.particles() <= most_in_key;
  return fmt::format(
      "for [i = 1:particles] '{}.csv' using {}:(column('{}_'.i)) with lines linewidth {} "
      "linecolor palette frac (word(coverage, i) + 0) {}",
      name, x, value, width, key ? "title word(titles, i)" : "notitle");
}

double last_tau_of_first_charge(const NetworkHistory& h) {
  double last = 0;
  for (std::size_t s = 0; s < h.steps(); ++s)
    if (h.first_charge(s)) last = h.tau[s];
  return last;
}

double cycles_of(const NetworkHistory& h) { return h.steps() == 0 ? 1 : h.cycle.back(); }

/// Where a panel with a key or a bar of colours has its right end.
std::string coverage_legend(const NetworkHistory& h, const char* key_place) {
  if (h.particles() <= most_in_key)
    return fmt::format("set key {} reverse Left samplen 1.2 title 'well covered:' font small\n", key_place);
  return "unset key\n";
}

std::string colour_bar(double top, double bottom) {
  return fmt::format(
      "set colorbox user origin screen 0.865, screen {} size screen 0.02, screen {}\n"
      "set cblabel 'share of surface on good conductor' offset -0.9, 0 font small\n"
      "set cbtics 0, 0.5 font small offset -0.6, 0\n",
      bottom, top - bottom);
}

/// Two panels that share the y axis: the first charge against tau, and all cycles.
struct TwoPanels {
  std::string y_label;
  Extent y;
  std::string key_place = "bottom right";
  bool of_particles = true;  ///< a line a particle: the key, or a bar of colours, says their coverage
  std::function<std::string(const std::string& x, bool cycles)> plots;
};

std::string two_panels(const NetworkHistory& h, const TwoPanels& p) {
  const double charge = last_tau_of_first_charge(h), cycles = cycles_of(h);
  std::string s = particle_words(h);
  s += "set tmargin at screen 0.93\nset bmargin at screen 0.2\n";
  s += fmt::format("set yrange [{}:{}]\n", text_of(p.y.low), text_of(p.y.high)) + value_axis("y", p.y_label, p.y);
  s += "set lmargin at screen 0.155\nset rmargin at screen 0.435\nunset key\n";
  s += fmt::format("set xrange [0:{}]\nset xtics {}\nset xlabel 'first charge, τ'\n", text_of(1.03 * charge),
                   charge > 0.5 ? 0.2 : 0.1);
  s += "plot " + p.plots("'first_charge_tau'", false) + "\n";
  const bool bar = p.of_particles && h.particles() > most_in_key;
  s += fmt::format("set lmargin at screen 0.475\nset rmargin at screen {}\nunset ylabel\nset format y ''\n",
                   bar ? "0.84" : "0.97") +
       power_tics("y", p.y, label_power(p.y), false);
  if (bar) s += colour_bar(0.93, 0.2);
  s += p.of_particles ? coverage_legend(h, p.key_place.c_str()) : fmt::format("set key {} font small\n", p.key_place);
  s += fmt::format("set xrange [0:{}]\nset xtics autofreq\nset xlabel 'cycle'\n", text_of(cycles));
  return s + "plot " + p.plots("'cycles_since_start'", true) + "\n";
}

double largest_deviation(const NetworkHistory& h) {
  double most = 0;
  for (std::size_t s = 0; s < h.steps(); ++s)
    for (std::size_t p = 0; p < h.particles(); ++p)
      most = std::max(most, std::abs(h.damage[s * h.particles() + p] - h.damage_mean[s]));
  return most;
}

std::string of_particles(const NetworkHistory& h) {
  if (h.particles_in_run > h.particles())
    return fmt::format("{} of {} particles are shown, evenly by coverage; means and spreads are of all. ",
                       h.particles(), h.particles_in_run);
  if (h.particles() > most_in_key) return fmt::format("{} particles. ", h.particles());
  std::string list;
  for (std::size_t p = 0; p < h.particles(); ++p) list += (p == 0 ? "" : ", ") + percent(h.coverage[p]);
  return fmt::format("{} particles with {} of their surface on well-conducting binder. ", h.particles(), list);
}

std::string of_model(const NetworkHistory& h) {
  return fmt::format(
      "Computed {}, a reconstruction (docs/chemomechanics.md): the order of events is what compares with the paper, "
      "the "
      "numbers are not.",
      h.elements ? "by finite elements" : "by our mean-field network");
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

/// A round number above `value`.
double ceiling(double value) {
  if (!(value > 0)) return 1;
  const double scale = std::pow(10, std::floor(std::log10(value)));
  for (const double f : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (value <= f * scale) return f * scale;
  return 10 * scale;
}

}  // namespace

FigureResult fig3b(const StudyResults& results) {
  const NetworkHistory h = history_of(results);
  Figure f = model_figure(results, "fig3b", "Lithium content during the first charge");
  Table t;
  std::vector<std::size_t> steps;
  for (std::size_t s = 0; s < h.steps(); ++s)
    if (h.first_charge(s)) steps.push_back(s);
  const auto rows = [&](const std::vector<double>& values, std::size_t stride, std::size_t p) {
    std::vector<double> column;
    column.reserve(steps.size());
    for (const std::size_t s : steps) column.push_back(values[s * stride + p]);
    return column;
  };
  add_column(t, "tau", rows(h.tau, 1, 0));
  add_column(t, "voltage_V", rows(h.voltage, 1, 0));
  for (std::size_t p = 0; p < h.particles(); ++p)
    add_column(t, fmt::format("content_{}", p + 1), rows(h.content, h.particles(), p));
  f.csv = csv_text(t);
  f.height_mm = 58;
  f.script = particle_words(h);
  f.script += "set lmargin at screen 0.155\nset rmargin at screen 0.97\nset tmargin at screen 0.95\n";
  f.script += "set bmargin at screen 0.18\n";
  f.script += fmt::format("set xrange [0:{}]\nset yrange [0:1]\n", text_of(1.02 * last_tau_of_first_charge(h)));
  f.script += "set xlabel 'normalised time τ = t/t_{full}'\n";
  f.script += "set ylabel 'lithium content C/C_{max}'\n";
  f.script += coverage_legend(h, "top right");
  if (h.particles() > most_in_key) f.script += "set rmargin at screen 0.86\n" + colour_bar(0.95, 0.18);
  f.script += "plot " + particle_lines(h, "fig3b", "'tau'", "content", 1.6) + "\n";
  const auto at_end = moments_of(h.content.data() + (steps.back()) * h.particles(), h.particles());
  f.caption =
      "Mean lithium content of each particle during the first charge, against time over the time that the whole "
      "capacity would take. " +
      of_particles(h) +
      fmt::format("All start with the same content; at the end the largest and the smallest differ by {}. ",
                  short_number(at_end.range, 2)) +
      of_model(h);
  return f;
}

FigureResult fig3c(const StudyResults& results) {
  const NetworkHistory h = history_of(results);
  Figure f = model_figure(results, "fig3c", "Spread of lithium content over the cycles");
  Table t = step_columns(h);
  std::vector<double> charged;
  for (std::size_t s = 0; s < h.steps(); ++s) charged.push_back(h.end_of_charge(s) ? h.content_std[s] : std::nan(""));
  add_column(t, "content_std", h.content_std);
  add_column(t, "content_range", h.content_range);
  add_column(t, "content_std_end_of_charge", charged);
  f.csv = csv_text(t);
  TwoPanels p{"'spread of C/C_{max}'", {0, ceiling(largest(h.content_range))}, "top right", false, {}};
  p.plots = [](const std::string& x, bool cycles) {
    std::string s = "'fig3c.csv' using " + x +
                    ":'content_range' with lines linewidth 0.7 linecolor rgb grey title "
                    "'largest − smallest', '' using " +
                    x + ":'content_std' with lines linewidth 0.9 linecolor rgb positive title 'standard deviation'";
    if (cycles)
      s += ", '' using " + x +
           ":'content_std_end_of_charge' with points pointtype 7 pointsize 0.35 linecolor rgb "
           "ink title 'at the end of charge'";
    return s;
  };
  f.script = two_panels(h, p);
  std::vector<double> ends;
  for (const double c : charged)
    if (std::isfinite(c)) ends.push_back(c);
  f.caption =
      "How far apart the lithium contents of the particles are: standard deviation (of the population) and range "
      "over particles, during the first charge and over all cycles. " +
      of_particles(h) +
      (ends.empty() ? std::string()
                    : fmt::format("At the end of charge the standard deviation goes from {} in the first cycle "
                                  "to {} in the last ({}). ",
                                  short_number(ends.front(), 2), short_number(ends.back(), 2), ends.size())) +
      of_model(h);
  return f;
}

FigureResult fig3d(const StudyResults& results) {
  const NetworkHistory h = history_of(results);
  Figure f = model_figure(results, "fig3d", "Damage of each particle over the cycles");
  Table t = step_columns(h);
  add_particles(t, h, "damage", h.damage);
  add_column(t, "damage_mean", h.damage_mean);
  f.csv = csv_text(t);
  TwoPanels p{"'damage D'", {0, 1.02}, "bottom right", true, {}};
  p.plots = [&](const std::string& x, bool) {
    return particle_lines(h, "fig3d", x, "damage", h.particles() > most_in_key ? 0.7 : 1.4) + ", 'fig3d.csv' using " +
           x + ":'damage_mean' with lines dashtype (4, 3) linewidth 1 linecolor rgb 'black' title 'mean'";
  };
  f.script = two_panels(h, p);
  f.caption =
      "Damage of the interface of each particle, 0 bonded to 1 torn off, during the first charge and over all "
      "cycles; dashed the mean. " +
      of_particles(h) + fmt::format("Mean damage is {} at the end. ", short_number(h.damage_mean.back(), 3)) +
      of_model(h);
  return f;
}

FigureResult fig3e(const StudyResults& results) {
  const NetworkHistory h = history_of(results);
  Figure f = model_figure(results, "fig3e", "Deviation of each particle from the mean damage");
  Table t = step_columns(h);
  add_particles(t, h, "deviation", h.damage, &h.damage_mean);
  f.csv = csv_text(t);
  const double limit = ceiling(1.02 * largest_deviation(h));
  TwoPanels p{"'D − mean'", {-limit, limit}, "bottom right", true, {}};
  p.plots = [&](const std::string& x, bool) {
    return "0 with lines dashtype (4, 3) linewidth 1 linecolor rgb 'black' title 'mean', " +
           particle_lines(h, "fig3e", x, "deviation", h.particles() > most_in_key ? 0.7 : 1.4);
  };
  f.script = two_panels(h, p);
  f.caption =
      "Damage of each particle less the mean damage of all (dashed), during the first charge and over all cycles. " +
      of_particles(h) + of_model(h);
  return f;
}

FigureResult model_stress(const StudyResults& results) {
  const NetworkHistory h = history_of(results);
  Figure f = model_figure(results, "model_stress", "Tensile stress in each particle");
  Table t = step_columns(h);
  std::vector<double> last;
  for (std::size_t s = 0; s < h.steps(); ++s)
    last.push_back(h.half[s] == 0 && h.cycle[s] == cycles_of(h) ? h.tau[s] : std::nan(""));
  add_column(t, "last_charge_tau", std::move(last));
  add_particles(t, h, "stress_MPa", h.stress);
  f.csv = csv_text(t);
  f.script = particle_words(h) + "set tmargin at screen 0.93\nset bmargin at screen 0.2\n";
  const Extent stress{0, ceiling(largest(h.stress))};
  f.script += fmt::format("set yrange [0:{}]\nset xrange [0:{}]\nset xtics 0.2\n", text_of(stress.high),
                          text_of(1.03 * last_tau_of_first_charge(h)));
  f.script += value_axis("y", "'largest tensile stress (MPa)'", stress) + "set xlabel 'first charge, τ'\n";
  f.script += "set lmargin at screen 0.155\nset rmargin at screen 0.535\n" + coverage_legend(h, "top left");
  f.script += "plot " + particle_lines(h, "model_stress", "'first_charge_tau'", "stress_MPa", 1.4) + "\n";
  f.script += "unset key\nunset ylabel\nset format y ''\nset lmargin at screen 0.59\n" +
              power_tics("y", stress, label_power(stress), false);
  f.script += fmt::format("set rmargin at screen {}\n", h.particles() > most_in_key ? "0.84" : "0.97");
  if (h.particles() > most_in_key) f.script += colour_bar(0.93, 0.2);
  f.script += fmt::format("set xlabel 'charge {}, τ'\n", text_of(cycles_of(h)));
  f.script += "plot " + particle_lines(h, "model_stress", "'last_charge_tau'", "stress_MPa", 1.4) + "\n";
  f.caption =
      std::string(h.elements
                      ? "Largest principal stress in each particle during the first and the last charge. "
                      : "Largest tangential stress in each particle during the first and the last charge: that of a "
                        "free elastic sphere with the particle's profile of lithium, in which nothing yields or "
                        "cracks; a bonded interface adds at most its strength. ") +
      of_particles(h) + of_model(h);
  return f;
}

FigureResult figs4(const StudyResults& results) {
  const NetworkHistory h = history_of(results);
  const char* title = "Damage in a network of more particles";
  if (h.particles_in_run <= 3)
    return MissingFigure{"figs4", title,
                         fmt::format("the run has {} particles and this figure is of more: cathoscope run "
                                     "configs/figs4.yaml (10), with --set chemomechanics.geometry.particles=30 for 30",
                                     h.particles_in_run)};
  Figure f = model_figure(results, "figs4", title);
  f.height_mm = 95;
  Table t = step_columns(h);
  add_particles(t, h, "damage", h.damage);
  add_column(t, "damage_mean", h.damage_mean);
  add_column(t, "damage_std", h.damage_std);
  add_column(t, "content_std", h.content_std);
  add_particles(t, h, "deviation", h.damage, &h.damage_mean);
  f.csv = csv_text(t);
  const double most = largest_deviation(h);
  const std::string lines_of = "linewidth 1 dashtype (4, 3) linecolor rgb 'black'";
  f.script = particle_words(h) + "unset key\n";
  f.script += "set lmargin at screen 0.155\nset rmargin at screen 0.83\n";
  f.script += fmt::format("set xrange [0:{}]\nset format x ''\n", text_of(cycles_of(h)));
  f.script += "set tmargin at screen 0.97\nset bmargin at screen 0.56\n" + colour_bar(0.97, 0.56);
  f.script += "set yrange [0:1.02]\nset ylabel 'damage D'\n";
  f.script +=
      "plot for [i = 1:particles] 'figs4.csv' using 'cycles_since_start':(column('damage_'.i)) with lines "
      "linewidth 0.7 linecolor palette frac (word(coverage, i) + 0), '' using 'cycles_since_start':'damage_mean' "
      "with lines " +
      lines_of + "\nunset colorbox\n";
  f.script += "set format x '%g'\nset xlabel 'cycle'\nset tmargin at screen 0.51\nset bmargin at screen 0.105\n";
  f.script += "set autoscale y\n" + value_axis("y", "'D − mean'", {-most, most});
  f.script += "plot 0 with lines " + lines_of +
              ", for [i = 1:particles] 'figs4.csv' using 'cycles_since_start':"
              "(column('deviation_'.i)) with lines linewidth 0.7 linecolor palette frac (word(coverage, i) + 0)\n";
  f.caption =
      "Damage of each particle (top), and its difference from the mean (bottom; dashed the mean), in a network of "
      "particles with different coverage. " +
      of_particles(h) + of_model(h);
  return f;
}

}  // namespace cathoscope
