/// The attributes in pictures: a particle (figs5) and its neighbours (figs6).

#include "schematic_figures.hpp"

#include <cathoscope/core/table.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace cathoscope {

namespace {

using Point = std::array<double, 2>;

/// An ellipse with waves on it, in mm.
struct Blob {
  Point centre;
  double long_axis, short_axis, angle_degree;
  double wave = 0;
};

std::vector<Point> outline_of(const Blob& b) {
  std::vector<Point> line;
  const double a = b.angle_degree * M_PI / 180;
  for (int i = 0; i <= 120; ++i) {
    const double t = 2 * M_PI * i / 120;
    const double r = 1 + b.wave * (0.5 * std::sin(5 * t + 1) + 0.35 * std::sin(11 * t) + 0.25 * std::sin(19 * t + 2));
    const double x = r * b.long_axis * std::cos(t), y = r * b.short_axis * std::sin(t);
    line.push_back({b.centre[0] + x * std::cos(a) - y * std::sin(a), b.centre[1] + x * std::sin(a) + y * std::cos(a)});
  }
  return line;
}

void append(std::string& csv, const char* part, const std::vector<Point>& line) {
  for (const auto& [x, y] : line) csv += fmt::format("{},{},{}\n", part, text_of(x), text_of(y));
  csv += "\n";
}

std::string clause(const std::string& name, const char* part, const char* style) {
  return fmt::format("'{}.csv' using (strcol('part') eq '{}' ? column('x_mm') : NaN):'y_mm' {}", name, part, style);
}

std::string canvas(const Figure& f) {
  return fmt::format(
      "unset border\nunset tics\nunset key\nset lmargin at screen 0\nset rmargin at screen 1\nset bmargin at screen 0\n"
      "set tmargin at screen 1\nset xrange [0:{}]\nset yrange [0:{}]\n",
      text_of(f.width_mm), text_of(f.height_mm));
}

std::string note(double x, double y, const std::string& text,
                 const char* look = "center font tiny textcolor rgb ink front") {
  return fmt::format("set label {} at {}, {} {}\n", plot_text(text), text_of(x), text_of(y), look);
}

std::string line(const Point& a, const Point& b, const char* look) {
  return fmt::format("set arrow from {}, {} to {}, {} {}\n", text_of(a[0]), text_of(a[1]), text_of(b[0]), text_of(b[1]),
                     look);
}

/// Primes of the names of axes, typeset.
std::string with_primes(std::string_view text) {
  std::string s(text);
  for (const auto& [plain, prime] : {std::pair{"''", "″"}, std::pair{"'", "′"}})
    for (auto at = s.find(plain); at != std::string::npos; at = s.find(plain))
      s.replace(at, std::string_view(plain).size(), prime);
  return s;
}

/// Height that attribute_texts() of these groups takes.
double text_height_mm(const std::vector<std::string_view>& groups) {
  double height = 4;
  for (const auto group : groups)
    height += 3.6 + 1.6 +
              2.75 * static_cast<double>(std::count_if(attribute_list.begin(), attribute_list.end(),
                                                       [&](const AttributeInfo& a) { return a.group == group; }));
  return height;
}

/// Name, unit and meaning of the attributes of some groups, from the top of the figure down.
std::string attribute_texts(const Figure& f, const std::vector<std::string_view>& groups, double left) {
  std::string s;
  double y = f.height_mm - 4;
  for (const auto group : groups) {
    s += note(left, y, std::string(group), "left font ',7' textcolor rgb ink");
    y -= 3.6;
    for (const auto& a : attribute_list) {
      if (a.group != group) continue;
      const std::string unit = a.unit.empty() ? "" : " (" + std::string(a.unit) + ")";
      s += note(left + 2, y, std::string(a.name) + unit, "left font tiny textcolor rgb ink");
      s += note(left + 27, y, with_primes(a.description), "left font tiny textcolor rgb grey");
      y -= 2.75;
    }
    y -= 1.6;
  }
  return s;
}

}  // namespace

FigureResult figs5(const StudyResults& /*results*/) {
  Figure f;
  f.name = "figs5";
  f.title = "What is measured of a particle";
  f.width_mm = 180;
  const std::vector<std::string_view> groups{"position", "chemical", "structure"};
  f.height_mm = std::max(68.0, text_height_mm(groups));
  const Blob body{{34, 36}, 20, 14, 25, 0.05}, smooth{{34, 36}, 20, 14, 25, 0};
  f.csv = "part,x_mm,y_mm\n";
  append(f.csv, "body", outline_of(body));
  append(f.csv, "smooth", outline_of(smooth));
  append(f.csv, "crack", outline_of({{31, 35.5}, 4.2, 3, 10, 0.25}));
  append(f.csv, "crack", outline_of({{41, 40}, 5, 0.7, 35, 0.2}));
  append(f.csv, "crack", outline_of({{28, 27.5}, 4, 0.6, -60, 0.2}));
  append(f.csv, "crack", outline_of({{22, 37}, 3.2, 0.6, 170, 0.2}));
  f.script = canvas(f);
  const double a = 25 * M_PI / 180;
  const Point c = body.centre;
  const auto axis = [&](double length, double angle) {
    return Point{c[0] + length * std::cos(angle), c[1] + length * std::sin(angle)};
  };
  f.script += line(c, axis(25, a), "head filled size 1.6, 20 linewidth 1 linecolor rgb electrode_1 front");
  f.script += line(c, axis(19, a + M_PI / 2), "head filled size 1.6, 20 linewidth 1 linecolor rgb electrode_1 front");
  f.script += line(c, axis(22, 0), "nohead linewidth 0.6 dashtype (3, 2) linecolor rgb ink front");
  f.script += note(57.5, 36, "Yaw, Pitch, Roll", "left font tiny textcolor rgb ink front") +
              note(49, 51, "Elongation = longest / shortest axis", "left font tiny textcolor rgb ink front");
  f.script += note(3, 10.5, "SurfOuter; RoughOuter = surface over that of its smoothed self (dashed)",
                   "left font tiny textcolor rgb ink front");
  f.script += line({20, 12}, {24, 25.2}, "nohead linewidth 0.5 linecolor rgb grey front");
  f.script += note(2, 57, "cracks: SurfInner, RoughInner", "left font tiny textcolor rgb ink front") +
              line({13, 55.5}, {29.5, 38}, "nohead linewidth 0.5 linecolor rgb grey front");
  f.script += note(3, 5.5, "Damage = crack volume / Volume; EDensity, Homogeneity: grey values inside",
                   "left font tiny textcolor rgb ink front");
  f.script += note(34, 64, "centre X, Y, Z", "center font tiny textcolor rgb ink") +
              line({34, 62.5}, {34, 36.8}, "nohead linewidth 0.5 linecolor rgb grey front");
  f.script += attribute_texts(f, groups, 84);
  f.script +=
      "plot " + clause("figs5", "body", "with filledcurves closed fillstyle solid 1 noborder linecolor rgb '#C9D6E6'") +
      ", " + clause("figs5", "crack", "with filledcurves closed fillstyle solid 1 noborder linecolor rgb '#4A5568'") +
      ", " + clause("figs5", "body", "with lines linewidth 1.2 linecolor rgb ink") + ", " +
      clause("figs5", "smooth", "with lines linewidth 0.8 dashtype (3, 2) linecolor rgb electrode_2") + "\n";
  f.caption =
      "The attributes of a single particle, of the groups position, chemical and structure, with their definitions as "
      "in "
      "docs/attributes.md. A drawing in a plane; everything is measured in space. Drawn without data.";
  return f;
}

FigureResult figs6(const StudyResults& /*results*/) {
  Figure f;
  f.name = "figs6";
  f.title = "What is measured around a particle";
  f.width_mm = 180;
  f.height_mm = 66;
  const Blob self{{35, 33}, 8.5, 7, 20, 0.04};
  const std::vector<Blob> around{{{19.3, 38}, 8, 6, 70, 0.04},     {{33, 49.6}, 7.5, 5.5, 15, 0.04},
                                 {{52, 42}, 9, 6, -35, 0.04},      {{53, 24}, 6, 5, 60, 0.04},
                                 {{37.5, 16.6}, 10, 7.5, 5, 0.04}, {{20, 20}, 5, 4, -50, 0.04}};
  f.csv = "part,x_mm,y_mm\n";
  append(f.csv, "self", outline_of(self));
  f.script = canvas(f);
  for (const auto& b : around) {
    append(f.csv, "neighbour", outline_of(b));
    f.script += line(self.centre, b.centre, "nohead linewidth 0.7 dashtype (3, 2) linecolor rgb electrode_2 front");
    const double a = b.angle_degree * M_PI / 180, l = 0.8 * b.long_axis;
    f.script += line({b.centre[0] - l * std::cos(a), b.centre[1] - l * std::sin(a)},
                     {b.centre[0] + l * std::cos(a), b.centre[1] + l * std::sin(a)},
                     "heads filled size 1.2, 20 linewidth 0.8 linecolor rgb electrode_1 front");
  }
  f.script +=
      "set object rectangle from 9, 6 to 63, 60 fillstyle empty border linecolor rgb grey linewidth 0.8 dashtype (6, "
      "3)\n";
  // Where the surfaces are near: the arcs of the particle that face its close neighbours.
  for (const auto& [from, to] : {std::pair{140.0, 175.0}, std::pair{80.0, 115.0}, std::pair{258.0, 295.0}}) {
    std::vector<Point> arc;
    const auto whole = outline_of({self.centre, self.long_axis + 0.6, self.short_axis + 0.6, self.angle_degree, 0.04});
    for (int i = 0; i <= 120; ++i)
      if (const double t = 3.0 * i; t >= from - 20 && t <= to - 20) arc.push_back(whole[static_cast<std::size_t>(i)]);
    append(f.csv, "contact", arc);
  }
  f.script += note(36, 63, "PDensity: share of particles in the cube") +
              note(36, 3.2, "DistNearest: mean distance (blue) to the 6 nearest");
  f.script += attribute_texts(f, {"neighbourhood"}, 84);
  f.script += note(84, 30, "Thick red: the part of the surface with a neighbour within the contact distance (Contact).",
                   "left font tiny textcolor rgb ink");
  f.script += note(84, 26.5, "Orange arrows: long axes of the neighbours; OrienIso is 1 where they are parallel.",
                   "left font tiny textcolor rgb ink");
  f.script += note(84, 23, "VolumeStd, ElongStd, SphericityStd: how much the 6 neighbours differ from one another.",
                   "left font tiny textcolor rgb ink");
  f.script +=
      "plot " +
      clause("figs6", "neighbour", "with filledcurves closed fillstyle solid 1 noborder linecolor rgb '#DDE5EE'") +
      ", " + clause("figs6", "self", "with filledcurves closed fillstyle solid 1 noborder linecolor rgb '#8FB3D9'") +
      ", " + clause("figs6", "neighbour", "with lines linewidth 0.6 linecolor rgb grey") + ", " +
      clause("figs6", "self", "with lines linewidth 1 linecolor rgb ink") + ", " +
      clause("figs6", "contact", "with lines linewidth 3 linecolor rgb '#B00000'") + "\n";
  f.caption =
      "The attributes of a particle's neighbourhood, with their definitions as in docs/attributes.md. A drawing in a "
      "plane; "
      "everything is measured in space. Drawn without data.";
  return f;
}

}  // namespace cathoscope
