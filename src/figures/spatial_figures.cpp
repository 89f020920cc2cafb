/// Figs. 2A and 2B: where the severely damaged particles are.

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
#include <map>

namespace cathoscope {

namespace {

constexpr std::size_t most_background = 800;
constexpr std::size_t most_severe = 1200;

/// Where a point of the electrode is on the paper: seen from above and from one side, Z upwards, no perspective.
struct View {
  double turn = 0.52;  ///< about Z, radians
  double tilt = 0.42;
  bool flat = false;  ///< 2-D images: X and Y as they are

  [[nodiscard]] std::array<double, 3> operator()(const std::array<double, 3>& p) const {
    if (flat) return {p[0], p[1], 0};
    const double u = p[0] * std::cos(turn) - p[1] * std::sin(turn),
                 away = p[0] * std::sin(turn) + p[1] * std::cos(turn);
    return {u, p[2] * std::cos(tilt) + away * std::sin(tilt), away * std::cos(tilt) - p[2] * std::sin(tilt)};
  }
};

/// Radii of balls with the particles' volumes, by label; empty where the table does not tell.
std::map<double, double> radii_of(const ElectrodeResults& electrode) {
  std::map<double, double> radii;
  if (electrode.table.empty() || !std::filesystem::exists(electrode.table)) return radii;
  const Table table = read_csv(electrode.table);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const double volume = number_at(table, "Volume", row), label = number_at(table, "label", row);
    if (volume > 0 && std::isfinite(label)) radii[label] = std::cbrt(volume * 3 / (4 * 3.14159265358979323846));
  }
  return radii;
}

struct Scene {
  std::vector<std::array<double, 3>> low_high{2};  ///< box of the particles' centres
  View view;
  double typical_radius = 1;
};

std::vector<std::size_t> thinned(const std::vector<std::size_t>& rows, std::size_t most) {
  if (rows.size() <= most) return rows;
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < most; ++i) result.push_back(rows[i * rows.size() / most]);
  return result;
}

/// Particles in the order in which they are painted: far ones first.
Table painted(const Table& particles, const std::string& electrode, const std::map<double, double>& radii,
              const Scene& scene) {
  const auto own = rows_where(particles, "electrode", electrode);
  std::vector<std::size_t> severe, others;
  for (const std::size_t row : own) (number_at(particles, "severe", row) > 0 ? severe : others).push_back(row);
  severe = thinned(severe, most_severe);
  others = thinned(others, most_background);
  others.insert(others.end(), severe.begin(), severe.end());
  std::vector<std::array<double, 3>> on_paper;
  std::vector<double> nearness;
  for (const std::size_t row : others) {
    on_paper.push_back(
        scene.view({number_at(particles, "X", row), number_at(particles, "Y", row), number_at(particles, "Z", row)}));
    nearness.push_back(-on_paper.back()[2]);
  }
  TableRows rows({}, {"label", "X", "Y", "Z", "damage", "severe", "radius_um", "across_um", "up_um"});
  for (const std::size_t i : sorted_order(nearness)) {
    const auto at = [&](const char* column) { return number_at(particles, column, others[i]); };
    const auto radius = radii.find(at("label"));
    rows.add({}, {at("label"), at("X"), at("Y"), at("Z"), at("damage"), at("severe"),
                  radius == radii.end() ? scene.typical_radius : radius->second, on_paper[i][0], on_paper[i][1]});
  }
  return std::move(rows).table();
}

Scene scene_of(const Table& particles, const ElectrodeResults& electrode, const std::map<double, double>& radii) {
  Scene scene;
  scene.view.flat = electrode.two_dimensional;
  constexpr double far = std::numeric_limits<double>::max();
  scene.low_high = {{far, far, far}, {-far, -far, -far}};
  const auto own = rows_where(particles, "electrode", electrode.name);
  const char* const axes[3] = {"X", "Y", "Z"};
  for (const std::size_t row : own)
    for (std::size_t a = 0; a < 3; ++a) {
      scene.low_high[0][a] = std::min(scene.low_high[0][a], number_at(particles, axes[a], row));
      scene.low_high[1][a] = std::max(scene.low_high[1][a], number_at(particles, axes[a], row));
    }
  double volume = 1;
  for (std::size_t a = 0; a < 3; ++a) volume *= std::max(1.0, scene.low_high[1][a] - scene.low_high[0][a]);
  scene.typical_radius = 0.3 * std::cbrt(volume / static_cast<double>(own.size()));
  double largest = 0;
  for (const auto& [label, radius] : radii) largest = std::max(largest, radius);
  const double margin = radii.empty() ? scene.typical_radius : 0.5 * largest;
  for (std::size_t a = 0; a < 3; ++a) {
    scene.low_high[0][a] -= margin;
    scene.low_high[1][a] += margin;
  }
  return scene;
}

/// Edges of the box as arrows without heads; the three at the far corner behind the particles.
std::string box_edges(const Scene& scene) {
  std::string text;
  const auto corner = [&](int bits) {
    std::array<double, 3> p{};
    for (std::size_t a = 0; a < 3; ++a) p[a] = scene.low_high[(bits >> a) & 1][a];
    return p;
  };
  for (int from = 0; from < 8; ++from)
    for (int a = 0; a < 3; ++a) {
      const int to = from | (1 << a);
      if (to == from || (scene.view.flat && (a == 2 || (from & 4) != 0))) continue;
      const auto p = scene.view(corner(from)), q = scene.view(corner(to));
      const bool hidden = ((from & 2) != 0 || a == 1) && ((from & 4) == 0 || a == 2) && ((from & 1) != 0 || a == 0);
      text += fmt::format("set arrow from {}, {} to {}, {} nohead linewidth {} linecolor rgb {} {}\n", text_of(p[0]),
                          text_of(p[1]), text_of(q[0]), text_of(q[1]), hidden ? "0.5" : "0.7", hidden ? "pale" : "grey",
                          hidden ? "back" : "front");
    }
  return text;
}

std::string length_text(double um) { return short_number(um, um < 10 ? 2 : 3) + " µm"; }

/// Lengths of the box at its edges.
std::string box_lengths(const Scene& s) {
  const auto& [low, high] = std::pair(s.low_high[0], s.low_high[1]);
  const auto label = [&](int tag, const std::array<double, 3>& at, const std::string& text, const char* options) {
    const auto p = s.view(at);
    return fmt::format("set label {} {} at {}, {} {} font tiny textcolor rgb ink\n", tag, plot_text(text),
                       text_of(p[0]), text_of(p[1]), options);
  };
  const std::array<double, 3> middle{(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2};
  std::string text =
      label(11, {middle[0], low[1], low[2]}, "X " + length_text(high[0] - low[0]), "center offset 1, -0.8");
  if (s.view.flat)
    return text +
           label(12, {low[0], middle[1], 0}, "Y " + length_text(high[1] - low[1]), "center rotate by 90 offset -1, 0");
  text += label(12, {low[0], middle[1], low[2]}, "Y " + length_text(high[1] - low[1]), "right offset -0.6, -0.6");
  return text + label(13, {low[0], high[1], middle[2]}, "Z " + length_text(high[2] - low[2]), "right offset -0.6, 0");
}

struct Window {
  double left, right, bottom, top;
};

/// The smallest window of the panel's proportions that holds the box.
Window window_of(const Scene& scene, const Panel& panel) {
  Window w{1e300, -1e300, 1e300, -1e300};
  for (int bits = 0; bits < 8; ++bits) {
    std::array<double, 3> p{};
    for (std::size_t a = 0; a < 3; ++a) p[a] = scene.low_high[(bits >> a) & 1][a];
    const auto at = scene.view(p);
    w = {std::min(w.left, at[0]), std::max(w.right, at[0]), std::min(w.bottom, at[1]), std::max(w.top, at[1])};
  }
  const double scale =
      1.03 * std::max((w.right - w.left) / (panel.right - panel.left), (w.top - w.bottom) / (panel.top - panel.bottom));
  const double x = (w.left + w.right) / 2, y = (w.bottom + w.top) / 2;
  const double half_width = scale * (panel.right - panel.left) / 2,
               half_height = scale * (panel.top - panel.bottom) / 2;
  return {x - half_width, x + half_width, y - half_height, y + half_height};
}

std::string window_text(const Window& w) {
  return fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", text_of(w.left), text_of(w.right), text_of(w.bottom),
                     text_of(w.top));
}

/// Balls: pale outlines for the others, coloured by damage where severe.
std::string balls(const std::string& name, const char* outline, const std::string& more = "") {
  return joined_plots(
      {fmt::format("'{}.csv' using (val('severe') == 0 ? val('across_um') : NaN):(val('up_um')):(val('radius_um')) "
                   "with circles fillstyle transparent solid 0.35 noborder fillcolor rgb pale notitle",
                   name),
       fmt::format("'{}.csv' using (val('severe') > 0 ? val('across_um') : "
                   "NaN):(val('up_um')):(val('radius_um')):(val('damage')) with circles fillstyle solid 1 border "
                   "linecolor rgb '#404040' linewidth {} fillcolor palette notitle{}",
                   name, outline, more)});
}

struct Region {
  std::size_t centre = 0;
  std::vector<SevereNeighbour> nearest;
};

Table region_lines(const Table& particles, const std::vector<SevereParticle>& severe,
                   const std::vector<Region>& regions, const View& view) {
  TableRows rows({}, {"region", "centre_label", "neighbour_label", "distance_um", "centre_across_um", "centre_up_um",
                      "across_um", "up_um"});
  for (std::size_t r = 0; r < regions.size(); ++r)
    for (const auto& n : regions[r].nearest) {
      const SevereParticle &a = severe[regions[r].centre], &b = severe[n.index];
      const auto p = view(a.place), q = view(b.place);
      rows.add({}, {static_cast<double>(r + 1), number_at(particles, "label", a.row),
                    number_at(particles, "label", b.row), n.distance_um, p[0], p[1], q[0], q[1]});
    }
  return std::move(rows).table();
}

/// Window around a region: its centre and the three nearest, with room for the balls.
Window region_window(const Table& lines, std::size_t region, const Panel& panel, double room_um) {
  Window w{1e300, -1e300, 1e300, -1e300};
  for (const std::size_t row : rows_where(lines, "region", std::to_string(region)))
    for (const char* end : {"centre_", ""}) {
      const double x = number_at(lines, std::string(end) + "across_um", row),
                   y = number_at(lines, std::string(end) + "up_um", row);
      w = {std::min(w.left, x), std::max(w.right, x), std::min(w.bottom, y), std::max(w.top, y)};
    }
  const double aspect = (panel.right - panel.left) / (panel.top - panel.bottom);
  const double height = std::max(w.top - w.bottom + 2 * room_um, (w.right - w.left + 2 * room_um) / aspect);
  const double x = (w.left + w.right) / 2, y = (w.bottom + w.top) / 2;
  return {x - height * aspect / 2, x + height * aspect / 2, y - height / 2, y + height / 2};
}

/// Frame of a region in the large view, and its letter.
std::string region_frame(const Window& w, std::size_t region) {
  return fmt::format(
      "set object {0} rectangle from {1}, {2} to {3}, {4} front fillstyle empty border linecolor rgb '#B00000' "
      "linewidth 0.9\nset label {5} '{6}' at {1}, {4} left offset 0.3, -0.6 front boxed textcolor rgb '#B00000' font "
      "small\n",
      100 + region, text_of(w.left), text_of(w.bottom), text_of(w.right), text_of(w.top), 20 + region,
      region == 1 ? "i" : "ii");
}

std::string region_panel(const Figure& f, const Panel& panel, const Window& w, const Table& lines, std::size_t region,
                         const std::string& colours) {
  std::string text = next_panel() + place(f, panel) + "set key off; unset tics; unset colorbox\n" + colours +
                     "set border 15 linewidth 0.9 linecolor rgb '#B00000'\n" + window_text(w);
  int tag = 200;
  for (const std::size_t row : rows_where(lines, "region", std::to_string(region))) {
    const auto at = [&](const char* column) { return number_at(lines, column, row); };
    const double x = 0.45 * at("centre_across_um") + 0.55 * at("across_um"),
                 y = 0.45 * at("centre_up_um") + 0.55 * at("up_um");
    text += fmt::format("set label {} {} at {}, {} center front boxed font small textcolor rgb ink\n", tag++,
                        plot_text(length_text(at("distance_um"))), text_of(x), text_of(y));
  }
  text += fmt::format(
      "set label 1 '{}' at graph 0.03, graph 0.93 left front textcolor rgb '#B00000'\nset style textbox opaque "
      "fillcolor rgb '#FFFFFF' noborder margins 0.6, 0.4\n",
      region == 1 ? "i" : "ii");
  return text +
         balls(f.name, "0.6",
               fmt::format(", \\\n     '{}_neighbours.csv' using (val('region') == {} ? val('centre_across_um') : "
                           "NaN):(val('centre_up_um')):(val('across_um') - val('centre_across_um')):(val('up_um') - "
                           "val('centre_up_um')) with vectors nohead linewidth 1.2 linecolor rgb '#B00000' notitle",
                           f.name, region));
}

/// Damage from the limit of what is severe to the largest of all electrodes: the same colours in all maps.
Extent severe_damage(const StudyResults& results, const Table& particles) {
  Extent extent{0, 0};
  for (const auto& e : results.electrodes)
    for (const double d : numbers_at(particles, "damage", rows_where(particles, "electrode", e.name)))
      extent.high = std::max(extent.high, d);
  extent.low = extent.high;
  for (const auto& e : results.electrodes)
    for (const auto& p : severe_particles(particles, e.name))
      extent.low = std::min(extent.low, number_at(particles, "damage", p.row));
  return extent;
}

std::string colour_range(const Extent& damage) {
  return fmt::format("set cbrange [{}:{}]\n", text_of(damage.low), text_of(damage.high));
}

/// What stands beside the large view: colours, and which particles these are.
std::string map_legend(const Figure& f, const std::string& title, const std::string& colour,
                       const std::string& target) {
  return fmt::format(
             "set colorbox user origin screen {:.4f}, screen {:.4f} size screen {:.4f}, screen {:.4f} noborder\nset "
             "cbtics font tiny scale 0.3 offset -0.8, 0\n",
             74.0 / 85, (f.height_mm - 41) / f.height_mm, 1.8 / 85, 30 / f.height_mm) +
         fmt::format(
             "set label 1 {} at screen 0.03, screen {:.4f} left textcolor rgb {}\nset label 2 {} at screen 0.88, "
             "screen "
             "{:.4f} center font tiny\n",
             plot_text(title), 1 - 3 / f.height_mm, colour, plot_text(target), (f.height_mm - 8.5) / f.height_mm);
}

/// The regions' frames in the large view, and their panels.
struct Insets {
  std::string frames, panels;
};

Insets insets_of(const Figure& f, const Table& lines, std::size_t regions, double room_um, const std::string& colours) {
  Insets out;
  for (std::size_t r = 0; r < regions; ++r) {
    const Panel panel = grid_panel({3, 81, 2.5, 40}, r, 2, 1, 3, 0);
    const Window w = region_window(lines, r + 1, panel, room_um);
    out.frames += region_frame(w, r + 1);
    out.panels += region_panel(f, panel, w, lines, r + 1, colours);
  }
  return out;
}

/// Room around the centres of a region: a typical ball and more.
double region_room(const std::map<double, double>& radii, const Scene& scene) {
  if (radii.empty()) return 2 * scene.typical_radius;
  std::vector<double> sizes;
  sizes.reserve(radii.size());
  for (const auto& [label, radius] : radii) sizes.push_back(radius);
  return 1.8 * quantile_of_values(sizes, 0.5);
}

FigureResult severe_map(const StudyResults& results, std::size_t index, const std::string& name) {
  if (index >= results.electrodes.size())
    fail(Exit::no_input, "the run has {} electrode{}", results.electrodes.size(),
         results.electrodes.size() == 1 ? "" : "s");
  const ElectrodeResults& electrode = results.electrodes[index];
  const Table particles = run_table(results, "regression", "statistics/fig2ab.csv");
  const auto own = rows_where(particles, "electrode", electrode.name);
  if (own.empty()) fail(Exit::no_input, "the particles of {} have no positions", electrode.name);
  const auto radii = radii_of(electrode);
  const Scene scene = scene_of(particles, electrode, radii);
  const auto severe = severe_particles(particles, electrode.name);
  std::vector<Region> regions;
  for (const std::size_t centre : regions_to_enlarge(severe))
    regions.push_back({centre, three_nearest(severe, centre)});
  const Table lines = region_lines(particles, severe, regions, scene.view);

  Figure f;
  f.name = name;
  f.width_mm = 85;
  f.height_mm = regions.empty() ? 66 : 106;
  f.synthetic = !electrode.synthetic.empty();
  f.csv = csv_text(painted(particles, electrode.name, radii, scene));
  f.more.push_back({name + "_neighbours.csv", csv_text(lines)});
  const Panel main{13, 70, f.height_mm - 62, f.height_mm - 8};
  const Extent damage = severe_damage(results, particles);
  const std::string title = fmt::format("{}: {} of {} particles severe", electrode.name, severe.size(), own.size());
  const Insets insets = insets_of(f, lines, regions.size(), region_room(radii, scene), colour_range(damage));
  f.script =
      place(f, main) +
      "unset border; unset tics; set key off\nset style textbox opaque fillcolor rgb '#FFFFFF' noborder margins 0.4, "
      "0.3\n" +
      colour_range(damage) + window_text(window_of(scene, main)) + box_edges(scene) + box_lengths(scene) +
      map_legend(f, title, electrode_colour(index), electrode.target) + insets.frames + balls(name, "0.3") +
      insets.panels;
  f.caption =
      fmt::format(
          "Where the severely damaged particles of {} are. Balls have the particles' volumes, seen without "
          "perspective; colour: damage of the severe ones (from {} on, one limit for all electrodes); pale: "
          "the others. n = {} particles, {} severe. Enlarged: the severe particle whose three nearest severe "
          "neighbours are nearest (i) and that of the median (ii), with the distances between centres in "
          "space. {}Source: statistics/fig2ab.csv.",
          electrode.name, short_number(damage.low, 3), own.size(), severe.size(),
          own.size() - severe.size() > most_background || severe.size() > most_severe ? "Not all particles are drawn. "
                                                                                      : "") +
      origin_sentence(results);
  return f;
}

}  // namespace

FigureResult fig2a(const StudyResults& results) { return severe_map(results, 0, "fig2a"); }
FigureResult fig2b(const StudyResults& results) { return severe_map(results, 1, "fig2b"); }

}  // namespace cathoscope
