/// Figure 1A of Li et al. (2022) as a still picture: every particle, coloured by its damage.

#include "image_figures.hpp"
#include "particle_view.hpp"
#include "picture_parts.hpp"
#include "plotting.hpp"

#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

constexpr std::int64_t most_cells = 24'000'000;  // 100 MB of labels
constexpr std::array<std::array<double, 3>, 5> palette{
    {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}}};  // of style.gp

std::array<std::uint8_t, 3> colour_of(double share) {
  if (!std::isfinite(share)) return {150, 150, 150};
  const double at = std::clamp(share, 0.0, 1.0) * (palette.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(at), palette.size() - 2);
  std::array<std::uint8_t, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c)
    colour[c] = static_cast<std::uint8_t>(
        std::lround(palette[i][c] + (at - static_cast<double>(i)) * (palette[i + 1][c] - palette[i][c])));
  return colour;
}

/// Damage by dense label; NaN where the table has no row.
std::vector<double> damage_by_label(const StudyResults& results, const PicturedElectrode& e) {
  const Table t = run_table(results, "attributes", e.results->name + "/attributes.csv");
  std::vector<double> damage(e.grids.label_ids.size() + 1, std::nan(""));
  const Column* label = t.find("label");
  if (label == nullptr || label->ids.size() != t.rows()) return damage;
  std::vector<std::pair<std::uint64_t, std::size_t>> rows;
  for (std::size_t r = 0; r < t.rows(); ++r) rows.emplace_back(label->ids[r], r);
  std::sort(rows.begin(), rows.end());
  for (std::size_t i = 0; i < e.grids.label_ids.size(); ++i) {
    const auto found = std::lower_bound(rows.begin(), rows.end(), std::pair{e.grids.label_ids[i], std::size_t{0}});
    if (found != rows.end() && found->first == e.grids.label_ids[i])
      damage[i + 1] = number_at(t, "Damage", found->second);
  }
  return damage;
}

/// The edges of the box that can be seen, and its depth axis, in the plane of projection.
std::string box_edges(const Projection& p, const Vec3& size, bool from_high_end) {
  const auto corner = [&](int z, int y, int x) {
    const auto c = p.of({(z - 0.5) * size[0], (y - 0.5) * size[1], (x - 0.5) * size[2]});
    return text_of(c[0]) + ", " + text_of(c[1]);
  };
  std::string s;
  const auto edge = [&](const std::string& a, const std::string& b, const char* look) {
    s += "set arrow from " + a + " to " + b + " " + look + "\n";
  };
  const char* thin = "nohead linewidth 0.6 linecolor rgb grey front";
  // Seen from above, from high y and high x: the faces z low, y high and x high.
  for (const auto& [a, b] : {std::pair{corner(0, 0, 0), corner(0, 0, 1)}, std::pair{corner(0, 0, 0), corner(0, 1, 0)},
                             std::pair{corner(0, 1, 0), corner(0, 1, 1)}, std::pair{corner(0, 0, 1), corner(0, 1, 1)},
                             std::pair{corner(0, 1, 0), corner(1, 1, 0)}, std::pair{corner(0, 1, 1), corner(1, 1, 1)},
                             std::pair{corner(0, 0, 1), corner(1, 0, 1)}, std::pair{corner(1, 1, 0), corner(1, 1, 1)},
                             std::pair{corner(1, 0, 1), corner(1, 1, 1)}})
    edge(a, b, thin);
  const auto at = [&](double z) {
    const auto c = p.of({(z - 0.5) * size[0], 0.5 * size[1], -0.5 * size[2]});
    const auto d = p.of({(z - 0.5) * size[0], -0.5 * size[1], 0.5 * size[2]});
    return c[0] < d[0] ? c : d;
  };
  const double out = 0.03 * size[2];
  const auto a = at(from_high_end ? 1 : 0), b = at(from_high_end ? 0 : 1);
  s += fmt::format(
      "set arrow from {}, {} to {}, {} head filled size screen 0.008, 20 linewidth 1 linecolor rgb ink front\n",
      text_of(a[0] - out), text_of(a[1]), text_of(b[0] - out), text_of(b[1]));
  return s +
         fmt::format("set label 'depth Z' at {}, {} center rotate by 90 offset -0.7, 0 font small textcolor rgb ink\n",
                     text_of(a[0] - out), text_of((a[1] + b[1]) / 2));
}

std::string horizontal_scale(double left, double bottom, double length) {
  return fmt::format(
      "set arrow from {0}, {1} to {2}, {1} nohead linewidth 2 linecolor rgb ink front\n"
      "set label {3} at {4}, {1} center offset 0, -0.75 font small textcolor rgb ink\n",
      text_of(left), text_of(bottom), text_of(left + length), plot_text(length_text(length)),
      text_of(left + length / 2));
}

/// The electrodes with a volume, what is seen of each, and how far up the colours go.
struct Overview {
  std::vector<PicturedElectrode> electrodes;
  std::vector<std::vector<double>> damage;  ///< by label
  std::vector<RenderedView> views;
  double top_of_scale = 0;
};

/// Where the panels are, in mm.
struct OverviewLayout {
  double width_mm, panel_width, pitch_x, pitch_y, height_mm;
};

constexpr double title_mm = 6, below_mm = 4;

Overview overview_of(const StudyResults& results, std::vector<PicturedElectrode> electrodes,
                     const Projection& projection) {
  Overview o{std::move(electrodes), {}, {}, 0};
  std::vector<double> all;
  for (const auto& e : o.electrodes) {
    o.damage.push_back(damage_by_label(results, e));
    all.insert(all.end(), o.damage.back().begin(), o.damage.back().end());
  }
  o.top_of_scale = std::max(0.01, quantile_of_values(all, 0.98));
  for (std::size_t i = 0; i < o.electrodes.size(); ++i) {
    LabelColours colours;
    for (const double d : o.damage[i]) colours.push_back(colour_of(d / o.top_of_scale));
    o.views.push_back(render_labels(reduced_labels(o.electrodes[i].grids, most_cells), projection, colours,
                                    o.electrodes.size() == 1 ? 800 : 640));
  }
  return o;
}

OverviewLayout layout_of(const Overview& o) {
  const bool one = o.electrodes.size() == 1;
  const double panel_width = one ? 110 : 83;
  double tallest = 0;
  for (const auto& view : o.views)
    tallest =
        std::max(tallest, panel_width * static_cast<double>(view.image.height) / static_cast<double>(view.image.width));
  const double pitch_y = title_mm + tallest + below_mm;
  const std::size_t rows = (o.electrodes.size() + 1) / 2;
  return {one ? 120.0 : 180.0, panel_width, one ? 0.0 : 88.0, pitch_y, static_cast<double>(rows) * pitch_y + 9};
}

std::string damage_rows(const PicturedElectrode& e, const std::vector<double>& damage) {
  std::string csv;
  for (std::size_t l = 1; l < damage.size(); ++l)
    csv += fmt::format("{},{},{}\n", csv_field(e.results->name), e.grids.label_ids[l - 1],
                       std::isfinite(damage[l]) ? text_of(damage[l]) : "");
  return csv;
}

/// The picture of the i-th electrode with its box, a scale and its name.
std::string overview_panel(const Figure& f, const OverviewLayout& layout, const Projection& projection,
                           const PicturedElectrode& e, const RenderedView& v, std::size_t i, const std::string& file) {
  const double width = static_cast<double>(v.image.width) * v.pixel_um,
               height = static_cast<double>(v.image.height) * v.pixel_um;
  const std::size_t row = i / 2, column = i % 2;
  const double left = 5 + layout.pitch_x * static_cast<double>(column),
               top = title_mm + layout.pitch_y * static_cast<double>(row);
  const double scale = layout.panel_width / width;
  std::string s = "unset arrow; unset label\n" + panel_mm(f, left, top, layout.panel_width, height * scale);
  s += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", text_of(v.left_um), text_of(v.left_um + width),
                   text_of(v.bottom_um), text_of(v.bottom_um + height));
  Vec3 size{};
  for (std::size_t a = 0; a < 3; ++a)
    size[a] = static_cast<double>(e.grids.labels.shape[a]) * e.grids.labels.voxel_size_um[a];
  s += box_edges(projection, size, e.grids.depth_length_um.has_value());
  const double bar = round_length(width / 5);
  s += horizontal_scale(v.left_um + width - bar, v.bottom_um + 0.01 * height, bar);
  s += fmt::format("set label {} at screen {}, screen {} textcolor rgb ink\n", plot_text(electrode_title(*e.results)),
                   text_of(left / f.width_mm), text_of(1 - (top - 2.5) / f.height_mm));
  return s + fmt::format("plot '{}' binary filetype=png dx={} dy={} origin=({}, {}) with rgbalpha\n", file,
                         text_of(v.pixel_um), text_of(v.pixel_um), text_of(v.left_um + v.pixel_um / 2),
                         text_of(v.bottom_um + v.pixel_um / 2));
}

std::string damage_scale(const Figure& f, double top_of_scale) {
  return "unset arrow; unset label\n" + panel_mm(f, f.width_mm / 2 - 25, f.height_mm - 6, 50, 2) +
         fmt::format(
             "set xrange [0:{}]\nset yrange [0:1]\nset xtics font small offset 0, 0.5 scale 0\n"
             "set label 'damage' at graph 0, graph 0.5 right offset -1, 0 font small\n"
             "do for [i = 0:127] {{ set object i + 1 rectangle from graph i / 128., 0 to graph (i + 1.05) / 128., 1 "
             "fillcolor palette frac i / 127. fillstyle solid 1 noborder }}\nplot -1 linecolor rgb 'white'\n",
             text_of(top_of_scale));
}

}  // namespace

FigureResult fig1a(const StudyResults& results) {
  auto electrodes = pictured_electrodes(results);
  Figure f;
  f.name = "fig1a";
  f.title = "The electrode, particle by particle";
  std::erase_if(electrodes, [](const auto& e) { return e.results->two_dimensional; });
  if (electrodes.empty()) return MissingFigure{f.name, f.title, "a 2-D image has no volume to look at"};
  const Projection projection = view_from_above(32, 30);
  const Overview overview = overview_of(results, std::move(electrodes), projection);
  const OverviewLayout layout = layout_of(overview);
  f.synthetic = results.synthetic();
  f.width_mm = layout.width_mm;
  f.height_mm = layout.height_mm;
  f.csv = "electrode,label,damage\n";
  f.script = "unset border\nunset tics\nunset key\nunset colorbox\n" +
             fmt::format("set cbrange [0:{}]\n", text_of(overview.top_of_scale));
  for (std::size_t i = 0; i < overview.electrodes.size(); ++i) {
    const std::string file = fmt::format("fig1a_{}.png", i + 1);
    f.csv += damage_rows(overview.electrodes[i], overview.damage[i]);
    f.more.push_back({file, png_bytes(overview.views[i].image)});
    f.script += overview_panel(f, layout, projection, overview.electrodes[i], overview.views[i], i, file);
  }
  f.script += damage_scale(f, overview.top_of_scale);
  f.caption = fmt::format(
      "All particles, seen from above at an angle; the arrow points along the depth. Colour is damage; from {} (its 98 "
      "% quantile) "
      "on one colour. Flat faces are where the volume ends: there cracks show inside particles. Labels at reduced "
      "size, drawn by "
      "rays; grey: not in the table.",
      short_number(overview.top_of_scale, 2));
  return f;
}

}  // namespace cathoscope
