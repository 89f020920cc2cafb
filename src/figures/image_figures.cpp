/// Slices with particle outlines, and single particles as in figures 1C to 1F of Li et al. (2022).

#include "image_figures.hpp"
#include "picture_parts.hpp"

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

constexpr std::array<const char*, 3> plane_names{"xy", "xz", "yz"};  // across z, y, x

Index3 middle_of(const Index3& shape) { return {shape[0] / 2, shape[1] / 2, shape[2] / 2}; }

Box slice_box(const Index3& shape, int axis, std::int64_t at) {
  Box box = whole(shape);
  box.begin[static_cast<std::size_t>(axis)] = at;
  box.end[static_cast<std::size_t>(axis)] = at + 1;
  return box;
}

/// Where a plane of an electrode goes, in mm.
struct Place {
  double left = 0, top = 0, width = 0, height = 0;
};

/// Slices through the middle of an electrode: across z, and in space across y and x too.
std::vector<SliceView> middle_slices(const ElectrodeGrids& grids, bool two_dimensional, std::int64_t limit) {
  std::vector<SliceView> views;
  const Index3 shape = grids.labels.shape, middle = middle_of(shape);
  for (int axis = 0; axis < (two_dimensional ? 1 : 3); ++axis)
    views.push_back(read_slice(grids, slice_box(shape, axis, middle[static_cast<std::size_t>(axis)]), axis, limit));
  return views;
}

/// xy, xz under it, yz beside it, at one scale, in a box of `width` and at most `height` mm.
std::vector<Place> places(const std::vector<SliceView>& views, double left, double top, double width, double height) {
  constexpr double gap = 1;
  const double w = width_um(views[0]), h = height_um(views[0]);
  if (views.size() == 1) {
    const double unit = std::min(width / w, height / h);
    return {{left, top, w * unit, h * unit}};
  }
  const double d = height_um(views[1]);
  const double unit = std::min((width - gap) / (w + d), (height - gap) / (h + d));
  return {{left, top, w * unit, h * unit},
          {left, top + h * unit + gap, w * unit, d * unit},
          {left + w * unit + gap, top, d * unit, h * unit}};
}

/// Where the other two planes cut this one: thin lines.
std::string cut_lines(const std::vector<SliceView>& views, std::size_t plane, const ElectrodeGrids& grids) {
  if (views.size() == 1) return {};
  const Index3 middle = middle_of(grids.labels.shape);
  const auto at = [&](int axis) {
    const auto a = static_cast<std::size_t>(axis);
    return text_of(grids.labels.origin_um[a] + (static_cast<double>(middle[a]) + 0.5) * grids.labels.voxel_size_um[a]);
  };
  const char* look = "nohead linewidth 0.6 dashtype (8, 6) linecolor rgb '#40FFFFFF' front";
  return fmt::format(
      "set arrow 5 from {}, graph 0 to {}, graph 1 {}\nset arrow 6 from graph 0, first {} to graph 1, first {} {}\n",
      at(views[plane].column_axis), at(views[plane].column_axis), look, at(views[plane].row_axis),
      at(views[plane].row_axis), look);
}

std::string plane_panel(const Figure& f, const PicturedElectrode& e, std::size_t index,
                        const std::vector<SliceView>& views, std::size_t plane, const Place& place) {
  const auto& v = views[plane];
  const std::string stem = fmt::format("segmentation_{}_{}", index + 1, plane_names[plane]);
  std::string s =
      "unset arrow; unset label\n" + panel_mm(f, place.left, place.top, place.width, place.height) + axes_of(v);
  if (plane == 0) {
    s += fmt::format("set label 4 {} at screen {}, screen {} offset 0, 0 textcolor rgb ink\n",
                     plot_text(electrode_title(*e.results)), text_of(place.left / f.width_mm),
                     text_of(1 - (place.top - 2) / f.height_mm));
    s += scale_bar(v, round_length(width_um(v) / 4), 1);
  }
  s += fmt::format(
      "set label 7 '{}' at graph 0, graph 1 offset 0.9, -0.8 center font small textcolor rgb ink front boxed\n",
      plane_names[plane]);
  s += cut_lines(views, plane, e.grids);
  s += "plot " + image_clause(stem + ".png", v, "with rgbimage") + ", \\\n  " +
       image_clause(stem + "_cracks.png", v, "with rgbalpha") +
       fmt::format(
           ", \\\n  'segmentation.csv' using (strcol('electrode') eq {} && strcol('plane') eq '{}' ? "
           "column('horizontal_um') : NaN):'vertical_um' with lines linewidth 0.8 linecolor rgb {}\n",
           verbatim(e.results->name), plane_names[plane], outline_colour);
  return s;
}

}  // namespace

FigureResult segmentation_figure(const StudyResults& results) {
  const auto electrodes = pictured_electrodes(results);
  Figure f;
  f.name = "segmentation";
  f.title = "Slices with the outlines of the particles";
  f.synthetic = results.synthetic();
  f.width_mm = electrodes.size() == 1 ? 120 : 180;
  const double width = electrodes.size() == 1 ? 114 : 86.5, title = 5;
  std::vector<std::vector<SliceView>> views;
  std::vector<std::vector<Place>> placed;
  double top = 0, row_height = 0;
  for (std::size_t i = 0; i < electrodes.size(); ++i) {
    if (i % 2 == 0) top += row_height + title, row_height = 0;
    views.push_back(middle_slices(electrodes[i].grids, electrodes[i].results->two_dimensional, 720));
    placed.push_back(places(views[i], 1 + 88.0 * static_cast<double>(i % 2), top, width, 150));
    for (const auto& p : placed[i]) row_height = std::max(row_height, p.top + p.height - top);
  }
  f.height_mm = top + row_height + 1.5;
  f.csv = "electrode,plane,label,horizontal_um,vertical_um\n";
  f.script = "unset border\nunset tics\nunset key\n" + std::string(label_box);
  std::size_t particles = 0;
  for (std::size_t i = 0; i < electrodes.size(); ++i) {
    const auto& e = electrodes[i];
    particles += e.grids.label_ids.size();
    for (std::size_t plane = 0; plane < views[i].size(); ++plane) {
      const auto& v = views[i][plane];
      const std::string stem = fmt::format("segmentation_{}_{}", i + 1, plane_names[plane]);
      f.more.push_back({stem + ".png", png_bytes(grey_picture(v, e.grids.low_grey, e.grids.high_grey))});
      f.more.push_back({stem + "_cracks.png", png_bytes(crack_picture(v, crack_colour))});
      for (const auto label : labels_in(v))
        append_outlines(
            f.csv, v, label,
            fmt::format("{},{},{}", csv_field(e.results->name), plane_names[plane], e.grids.label_ids.at(label - 1)));
      f.script += plane_panel(f, e, i, views[i], plane, placed[i][plane]);
    }
  }
  f.caption = fmt::format(
      "Slices through the middle of each electrode as segmentation left it: yellow the outlines of the particles, pink "
      "their "
      "cracks; dashed where the other slices cut. The z axis is depth. {} particles in the whole {}. A pixel is the "
      "mean of the "
      "voxels it covers, outlines are those of the picture's pixels.",
      particles, electrodes.size() == 1 ? "volume" : "volumes");
  return f;
}

}  // namespace cathoscope
