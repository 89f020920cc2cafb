#include "schematic_figures.hpp"

#include "particle_view.hpp"

#include <cathoscope/core/table.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace cathoscope {

namespace {

Figure schematic(const char* name, const char* title, double width_mm, double height_mm) {
  Figure f;
  f.name = name;
  f.title = title;
  f.width_mm = width_mm;
  f.height_mm = height_mm;
  return f;
}

/// Coordinates in mm from the lower left corner of the figure.
std::string in_mm(const Figure& f) {
  return fmt::format(
      "unset border\nunset tics\nunset key\nset margins 0, 0, 0, 0\nset lmargin at screen 0\nset rmargin at screen 1\n"
      "set bmargin at screen 0\nset tmargin at screen 1\nset xrange [0:{}]\nset yrange [0:{}]\n",
      text_of(f.width_mm), text_of(f.height_mm));
}

std::string label_at(double x, double y, const std::string& text, const std::string& look) {
  return fmt::format("set label {} at {}, {} {}\n", plot_text(text), text_of(x), text_of(y), look);
}

/// A box of a flow chart: its middle, size and lines of text.
struct FlowBox {
  double x, y, width, height;
  std::vector<std::string> lines;
  const char* fill = "#EEF2F7";
};

/// Boxes as rows of the CSV; their texts and the arrows between their sides as commands.
struct FlowChart {
  std::vector<FlowBox> boxes;
  std::vector<std::pair<std::size_t, std::size_t>> arrows;
};

std::string flow_csv(const FlowChart& chart) {
  std::string csv = "box,x_mm,y_mm,width_mm,height_mm,text\n";
  for (std::size_t i = 0; i < chart.boxes.size(); ++i) {
    const auto& b = chart.boxes[i];
    std::string text;
    for (const auto& line : b.lines) text += (text.empty() ? "" : " ") + line;
    csv += fmt::format("{},{},{},{},{},\"{}\"\n", i + 1, text_of(b.x), text_of(b.y), text_of(b.width),
                       text_of(b.height), text);
  }
  return csv;
}

/// Where the line from the middle of `a` to that of `b` leaves a's box.
std::array<double, 2> side_of(const FlowBox& a, const FlowBox& b) {
  const double dx = b.x - a.x, dy = b.y - a.y, gap = 0.8;
  const double tx = dx != 0 ? (a.width / 2 + gap) / std::abs(dx) : 1e9,
               ty = dy != 0 ? (a.height / 2 + gap) / std::abs(dy) : 1e9;
  const double t = std::min(tx, ty);
  return {a.x + t * dx, a.y + t * dy};
}

std::string flow_script(const Figure& f, const FlowChart& chart) {
  std::string s = in_mm(f);
  for (const auto& b : chart.boxes) {
    s += fmt::format(
        "set object rectangle from {}, {} to {}, {} fillcolor rgb '{}' fillstyle solid 1 border linecolor rgb grey "
        "linewidth 0.6\n",
        text_of(b.x - b.width / 2), text_of(b.y - b.height / 2), text_of(b.x + b.width / 2),
        text_of(b.y + b.height / 2), b.fill);
    for (std::size_t l = 0; l < b.lines.size(); ++l)
      s += label_at(
          b.x, b.y + 3.0 * ((static_cast<double>(b.lines.size()) - 1) / 2 - static_cast<double>(l)), b.lines[l],
          l == 0 ? "center font ',6.5' textcolor rgb ink front" : "center font ',5.5' textcolor rgb grey front");
  }
  for (const auto& [from, to] : chart.arrows) {
    const auto a = side_of(chart.boxes[from], chart.boxes[to]), b = side_of(chart.boxes[to], chart.boxes[from]);
    s += fmt::format("set arrow from {}, {} to {}, {} head filled size 1.6, 20 linewidth 0.9 linecolor rgb ink\n",
                     text_of(a[0]), text_of(a[1]), text_of(b[0]), text_of(b[1]));
  }
  return s + "plot '" + f.name + ".csv' using 'x_mm':'y_mm' with dots linecolor rgb '#EEF2F7'\n";
}

/// The nine families of planes of `views: diagonal9`: name and normal z y x.
struct Family {
  const char* name;
  Vec3 normal;
};
constexpr std::array<Family, 9> families{{{"xy", {1, 0, 0}},
                                          {"xz", {0, 1, 0}},
                                          {"yz", {0, 0, 1}},
                                          {"z+y", {1, 1, 0}},
                                          {"z-y", {1, -1, 0}},
                                          {"z+x", {1, 0, 1}},
                                          {"z-x", {1, 0, -1}},
                                          {"y+x", {0, 1, 1}},
                                          {"y-x", {0, 1, -1}}}};

/// Corners of the plane through the middle of the unit cube, in order around it.
std::vector<Vec3> section(const Vec3& n) {
  std::vector<Vec3> points;
  for (std::size_t a = 0; a < 3; ++a)
    for (const double p : {-0.5, 0.5})
      for (const double q : {-0.5, 0.5}) {
        const std::size_t b = (a + 1) % 3, c = (a + 2) % 3;
        if (n[a] == 0) continue;
        Vec3 v{};
        v[b] = p, v[c] = q;
        v[a] = -(n[b] * p + n[c] * q) / n[a];
        const bool known = std::any_of(points.begin(), points.end(), [&](const Vec3& w) { return w == v; });
        if (std::abs(v[a]) <= 0.5 && !known) points.push_back(v);
      }
  const Projection view = view_from_above(30, 12);
  std::stable_sort(points.begin(), points.end(), [&](const Vec3& p, const Vec3& q) {
    const auto a = view.of(p), b = view.of(q);
    return std::atan2(a[1], a[0]) < std::atan2(b[1], b[0]);
  });
  return points;
}

/// The twelve edges of the unit cube; the three at the corner away from the eye are hidden.
std::vector<std::array<Vec3, 2>> cube_edges(bool hidden) {
  std::vector<std::array<Vec3, 2>> edges;
  for (std::size_t a = 0; a < 3; ++a)
    for (const double p : {-0.5, 0.5})
      for (const double q : {-0.5, 0.5}) {
        Vec3 from{}, to{};
        from[a] = -0.5, to[a] = 0.5;
        from[(a + 1) % 3] = to[(a + 1) % 3] = p;
        from[(a + 2) % 3] = to[(a + 2) % 3] = q;
        // Away from the eye: z high, y low, x low.
        const auto far = [&](std::size_t axis, double v) { return axis == 0 ? v > 0 : v < 0; };
        if ((far((a + 1) % 3, p) && far((a + 2) % 3, q)) == hidden) edges.push_back({from, to});
      }
  return edges;
}

}  // namespace

FigureResult figs1(const StudyResults& /*results*/) {
  Figure f = schematic("figs1", "Planes in which the network sees the volume", 85, 92);
  const Projection view = view_from_above(30, 12);
  f.csv = "family,part,u,v\n";
  f.script = "unset border\nunset tics\nunset key\nset xrange [-0.85:0.85]\nset yrange [-0.95:0.85]\n";
  const auto add = [&](const char* family, const char* part, const Vec3& p) {
    const auto at = view.of(p);
    f.csv += fmt::format("{},{},{},{}\n", family, part, text_of(at[0]), text_of(at[1]));
  };
  for (std::size_t i = 0; i < families.size(); ++i) {
    const auto& [name, normal] = families[i];
    for (const bool hidden : {true, false})
      for (const auto& [a, b] : cube_edges(hidden)) {
        for (const Vec3& p : {a, b}) add(name, hidden ? "hidden" : "edge", p);
        f.csv += "\n";
      }
    const auto corners = section(normal);
    for (std::size_t k = 0; k <= corners.size(); ++k) add(name, "plane", corners[k % corners.size()]);
    f.csv += "\n";
    const std::size_t row = i / 3, column = i % 3;
    const double left = 0.01 + 0.33 * static_cast<double>(column), top = 0.99 - 0.33 * static_cast<double>(row);
    f.script += fmt::format(
        "set lmargin at screen {}\nset rmargin at screen {}\nset tmargin at screen {}\nset bmargin at screen {}\n",
        text_of(left), text_of(left + 0.32), text_of(top), text_of(top - 0.32));
    f.script += fmt::format("set label 1 {} at 0, -0.9 center font small textcolor rgb ink\n",
                            plot_text(i < 3 ? std::string(name) : std::string("diagonal ") + name));
    const auto part = [&](const char* which) {
      return fmt::format(
          "'figs1.csv' using (strcol('family') eq '{}' && strcol('part') eq '{}' ? column('u') : NaN):'v'", name,
          which);
    };
    f.script += "plot " + part("hidden") + " with lines linewidth 0.5 dashtype (4, 3) linecolor rgb grey, " +
                part("plane") +
                fmt::format(" with filledcurves closed fillstyle transparent solid 0.55 noborder linecolor rgb {}, ",
                            i < 3 ? "electrode_5" : "electrode_6") +
                part("plane") + " with lines linewidth 0.8 linecolor rgb ink, " + part("edge") +
                " with lines linewidth 0.8 linecolor rgb ink\n";
  }
  f.caption =
      "The nine families of parallel planes along which the network looks at the volume (views: diagonal9): the three "
      "of the "
      "axes, blue, and six along diagonals of the faces, orange; one plane of each family is drawn. Every voxel lies "
      "on one "
      "plane of each family. Our reading of what the paper calls diagonal fusion (docs/fusion.md); its figure S1 is in "
      "a "
      "supplement that we do not have.";
  return f;
}

FigureResult figs2(const StudyResults& /*results*/) {
  Figure f = schematic("figs2", "From planes to particles", 180, 40);
  const double w = 25.5, h = 20, y = 20;
  FlowChart chart;
  const std::vector<std::vector<std::string>> texts{{"volume", "resampled, cubic voxels,", "greys scaled to 0..1"},
                                                    {"planes", "nine families,", "each plane an image"},
                                                    {"network", "for every pixel:", "in a particle? seed?"},
                                                    {"fusion", "weighted mean a voxel;", "spread = disagreement"},
                                                    {"instances", "seeds and watershed;", "cracks do not split"},
                                                    {"particles", "native voxels;", "cracks from greys"}};
  for (std::size_t i = 0; i < texts.size(); ++i)
    chart.boxes.push_back(
        {2 + w / 2 + 30.1 * static_cast<double>(i), y, w, h, texts[i], i == 3 ? "#FCEFD9" : "#EEF2F7"});
  for (std::size_t i = 0; i + 1 < texts.size(); ++i) chart.arrows.emplace_back(i, i + 1);
  f.csv = flow_csv(chart);
  f.script = flow_script(f, chart);
  f.caption =
      "How particles are found (segmentation.method: network): the network sees images only; what it says of a voxel "
      "in "
      "each plane that holds it is averaged, and the averages become particles. Steps and limits: docs/fusion.md. "
      "Drawn "
      "without data; figure S2 of the paper is in a supplement that we do not have.";
  return f;
}

FigureResult figs8(const StudyResults& /*results*/) {
  Figure f = schematic("figs8", "From attributes to what drives damage", 180, 62);
  FlowChart chart;
  chart.boxes = {
      {18,
       31,
       31,
       24,
       {fmt::format("{} attributes", attribute_list.size()), "of every whole particle,", "a table an electrode"}},
      {62, 48, 37, 20, {"autoencoder", "one encoder for all", "electrodes, 9 latents"}},
      {62, 14, 37, 20, {"random forest", "damage from the others,", "10 seeds, 10 subsets"}},
      {109, 48, 37, 20, {"correlations", "of the latents,", "an electrode at a time"}},
      {109, 14, 37, 20, {"Shapley values", "what each attribute adds", "to each prediction"}},
      {157, 48, 40, 20, {"links: fig4a, fig4b", "common or different,", "with p and q values"}, "#FCEFD9"},
      {157, 14, 40, 20, {"contributions: fig4c", "with seeds, subsets", "and the floor of chance"}, "#FCEFD9"}};
  chart.arrows = {{0, 1}, {0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, 6}};
  f.csv = flow_csv(chart);
  f.script = flow_script(f, chart);
  f.caption =
      "The two ways in which the attributes are looked at: which of them go together (top: latent dimensions and their "
      "correlations) and which say something about damage (bottom: a forest explained by Shapley values). Settings of "
      "this "
      "run are in config.yaml; methods in docs/latent.md and docs/regression.md. Drawn without data.";
  return f;
}

namespace {

FigureResult unknown(const char* name) {
  return MissingFigure{
      name, "unknown",
      "nobody outside the paper's supplement knows what it shows: the text names figures S1, S2, S4 to S8, "
      "S11 and S12, and this one not"};
}

}  // namespace

FigureResult figs3(const StudyResults& /*results*/) { return unknown("figs3"); }
FigureResult figs9(const StudyResults& /*results*/) { return unknown("figs9"); }
FigureResult figs10(const StudyResults& /*results*/) { return unknown("figs10"); }

}  // namespace cathoscope
