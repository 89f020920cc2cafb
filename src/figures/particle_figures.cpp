/// Single particles from low to high damage, as in figures 1C to 1F of Li et al. (2022), DOI 10.1126/science.abm8962.

#include "image_figures.hpp"
#include "picture_parts.hpp"
#include "plotting.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/figures/script.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace cathoscope {

namespace {

/// Shares of the damage distribution at which the panel shows a particle: low, middle, high.
constexpr std::array<double, 6> shown_quantiles{0.05, 0.25, 0.5, 0.75, 0.9, 0.98};

/// A particle of the table that the panel shows.
struct ShownParticle {
  std::uint64_t id = 0;
  double damage = 0, quantile = 0;
  Vec3 centre_um{0, 0, 0};  ///< z, y, x
  double radius_um = 0;     ///< half the length of its longest axis, about
};

/// Rows of whole particles that are not small, in the order of their damage.
std::vector<std::size_t> eligible_rows(const Table& t, bool flat) {
  const char* size = flat ? "area_um2" : "Volume";
  std::vector<double> sizes;
  for (std::size_t r = 0; r < t.rows(); ++r)
    if (std::isfinite(number_at(t, size, r))) sizes.push_back(number_at(t, size, r));
  if (sizes.empty()) return {};
  std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 4), sizes.end());
  const double least = sizes[sizes.size() / 4];
  std::vector<std::size_t> rows;
  for (std::size_t r = 0; r < t.rows(); ++r)
    if (number_at(t, "touches_border", r) == 0 && number_at(t, size, r) >= least &&
        std::isfinite(number_at(t, "Damage", r)) && std::isfinite(number_at(t, "X", r)) &&
        std::isfinite(number_at(t, "Y", r)))
      rows.push_back(r);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::size_t a, std::size_t b) { return number_at(t, "Damage", a) < number_at(t, "Damage", b); });
  return rows;
}

std::vector<ShownParticle> shown_particles(const Table& t, bool flat, const ElectrodeGrids& grids) {
  const auto rows = eligible_rows(t, flat);
  const Column* label = t.find("label");
  std::vector<ShownParticle> shown;
  std::vector<std::size_t> taken;
  for (const double q : shown_quantiles) {
    if (rows.empty() || label == nullptr || label->ids.size() != t.rows()) break;
    const std::size_t r = rows[static_cast<std::size_t>(std::lround(q * static_cast<double>(rows.size() - 1)))];
    if (std::find(taken.begin(), taken.end(), r) != taken.end()) continue;
    taken.push_back(r);
    const double z = grids.depth_length_um.value_or(0) + (grids.depth_length_um ? -1 : 1) * number_at(t, "Z", r);
    const double elongation = std::max(1.0, number_at(t, "Elongation", r));
    const double radius =
        flat ? std::sqrt(number_at(t, "area_um2", r) / M_PI) : std::cbrt(3 * number_at(t, "Volume", r) / (4 * M_PI));
    shown.push_back({label->ids[r],
                     number_at(t, "Damage", r),
                     q,
                     {std::isfinite(z) ? z : grids.labels.origin_um[0], number_at(t, "Y", r), number_at(t, "X", r)},
                     radius * std::pow(std::isfinite(elongation) ? elongation : 1.0, flat ? 0.5 : 2.0 / 3)});
  }
  return shown;
}

/// The square of `half_um` about a particle in its xy slice, cut to the grid.
Box crop_of(const ElectrodeGrids& g, const ShownParticle& p, double half_um) {
  Box box;
  for (std::size_t a = 0; a < 3; ++a) {
    const double voxel = g.labels.voxel_size_um[a], at = (p.centre_um[a] - g.labels.origin_um[a]) / voxel;
    const std::int64_t middle =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(at)), 0, g.labels.shape[a] - 1);
    const auto half = a == 0 ? 0 : static_cast<std::int64_t>(std::ceil(half_um / voxel));
    box.begin[a] = middle - half;
    box.end[a] = middle + half + 1;
  }
  return intersect(box, whole(g.labels.shape));
}

/// Dense label of a user's id.
std::uint32_t dense_label(const ElectrodeGrids& g, std::uint64_t id) {
  const auto found = std::find(g.label_ids.begin(), g.label_ids.end(), id);
  return found == g.label_ids.end() ? 0 : static_cast<std::uint32_t>(found - g.label_ids.begin() + 1);
}

/// The crops of one electrode, all of one size in um.
struct Row {
  std::vector<ShownParticle> particles;
  std::vector<SliceView> views;
  double side_um = 0;
};

Row row_of(const StudyResults& results, const PicturedElectrode& e) {
  const Table t = run_table(results, "attributes", e.results->name + "/attributes.csv");
  Row row{shown_particles(t, e.results->two_dimensional, e.grids), {}, 0};
  double half = 0;
  for (const auto& p : row.particles) half = std::max(half, 1.15 * p.radius_um);
  for (const auto& p : row.particles) {
    row.views.push_back(read_slice(e.grids, crop_of(e.grids, p, half), 0, 420));
    row.side_um = std::max({row.side_um, width_um(row.views.back()), height_um(row.views.back())});
  }
  return row;
}

/// The panel's square, and in its middle what the crop covers: particles near the edge have less around them.
std::string square_axes(const SliceView& v, const ShownParticle& p, double side) {
  const auto centred = [&](double low, double extent, double centre) {
    return std::clamp(centre - side / 2, low + extent - side, low);
  };
  const double x = centred(v.left_um, width_um(v), p.centre_um[2]), y = centred(v.top_um, height_um(v), p.centre_um[1]);
  return fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", text_of(x), text_of(x + side), text_of(y + side),
                     text_of(y));
}

constexpr double cell_mm = 28.1, step_mm = 29.4, left_mm = 0.7, title_mm = 9.5, row_mm = title_mm + 2 * step_mm;

std::string crop_panels(const Figure& f, const Row& row, std::size_t electrode, std::size_t k) {
  const auto& v = row.views[k];
  const auto& p = row.particles[k];
  const std::string stem = fmt::format("particles_{}_{}", electrode + 1, k + 1);
  const double left = left_mm + step_mm * static_cast<double>(k),
               top = row_mm * static_cast<double>(electrode) + title_mm;
  std::string s =
      "unset arrow; unset label\n" + panel_mm(f, left, top, cell_mm, cell_mm) + square_axes(v, p, row.side_um);
  s += fmt::format("set label 9 {} at graph 0.5, graph 1 center offset 0, 0.55 font small textcolor rgb ink\n",
                   plot_text("damage " + short_number(p.damage, 2)));
  s += scale_bar(v, round_length(row.side_um / 3), 1);
  s += "plot " + image_clause(stem + ".png", v, "with rgbimage") + "\n";
  s += "unset arrow; unset label\n" + panel_mm(f, left, top + step_mm - 0.6, cell_mm, cell_mm);
  return s + "plot " + image_clause(stem + ".png", v, "with rgbimage") + ", \\\n  " +
         image_clause(stem + "_cracks.png", v, "with rgbalpha") +
         fmt::format(
             ", \\\n  'particles_outlines.csv' using (column('electrode') == {} && column('label') == {} ? "
             "column('horizontal_um') : NaN):'vertical_um' with lines linewidth 1 linecolor rgb {}\n",
             electrode + 1, p.id, outline_colour);
}

}  // namespace

FigureResult particles_figure(const StudyResults& results) {
  const auto electrodes = pictured_electrodes(results);
  Figure f;
  f.name = "particles";
  f.title = "Single particles from low to high damage";
  f.synthetic = results.synthetic();
  f.width_mm = 180;
  f.height_mm = row_mm * static_cast<double>(electrodes.size());
  f.csv = "electrode,label,quantile,damage,x_um,y_um,z_um\n";
  f.script = "unset border\nunset tics\nunset key\n" + std::string(label_box);
  std::string lines = "electrode,label,horizontal_um,vertical_um\n";
  for (std::size_t i = 0; i < electrodes.size(); ++i) {
    const auto& e = electrodes[i];
    const Row row = row_of(results, e);
    f.script +=
        panel_mm(f, left_mm, row_mm * static_cast<double>(i), 100, 5) + "set xrange [0:1]\nset yrange [0:1]\n" +
        fmt::format("unset arrow; unset label\nset label 1 {} at graph 0, graph 0.35 textcolor rgb ink\nplot NaN\n",
                    plot_text(electrode_title(*e.results)));
    for (std::size_t k = 0; k < row.particles.size(); ++k) {
      const auto& p = row.particles[k];
      const std::string stem = fmt::format("particles_{}_{}", i + 1, k + 1);
      f.more.push_back({stem + ".png", png_bytes(grey_picture(row.views[k], e.grids.low_grey, e.grids.high_grey))});
      f.more.push_back({stem + "_cracks.png", png_bytes(crack_picture(row.views[k], crack_colour))});
      append_outlines(lines, row.views[k], dense_label(e.grids, p.id), fmt::format("{},{}", i + 1, p.id));
      f.csv +=
          fmt::format("{},{},{},{},{},{},{}\n", csv_field(e.results->name), p.id, text_of(p.quantile),
                      text_of(p.damage), text_of(p.centre_um[2]), text_of(p.centre_um[1]), text_of(p.centre_um[0]));
      f.script += crop_panels(f, row, i, k);
    }
    if (row.particles.empty() && electrodes.size() == 1)
      return MissingFigure{f.name, f.title, e.results->name + ": no whole particle with a damage"};
  }
  f.more.push_back({"particles_outlines.csv", lines});
  f.caption =
      "Single particles in slices through their centres: above as scanned, below with outline (yellow) and cracks "
      "(pink). From "
      "left to right those at the 5, 25, 50, 75, 90 and 98 % quantiles of damage among whole particles that are not "
      "among the "
      "smallest quarter. Damage is the crack volume over the volume of the particle, so a slice may show more or less "
      "of it. "
      "All crops of an electrode have one scale.";
  return f;
}

}  // namespace cathoscope
