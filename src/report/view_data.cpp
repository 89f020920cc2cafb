#include "view_data.hpp"

#include "encode.hpp"
#include "picture.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/h5.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope::report {

namespace {

namespace fs = std::filesystem;

/// More voxels than this show nothing more on a screen, whatever the budget.
constexpr double most_label_voxels = 1.5e6;
constexpr double most_grey_voxels = 3e6;
constexpr int still_width = 720;

std::string blob(ElectrodeView& view, std::size_t number, const char* kind, std::string base64) {
  const std::string id = fmt::format("data-{}-{}", kind, number);
  view.blobs.emplace_back(id, std::move(base64));
  return id;
}

/// What the electrode's other data leave of its bytes.
std::size_t left_of(const ElectrodeView& view, std::size_t bytes) {
  std::size_t taken = view.still_html.size();
  for (const auto& [id, data] : view.blobs) taken += data.size();
  return taken < bytes ? bytes - taken : 0;
}

Json grid_json(const PackedGrid& grid, const std::string& id) {
  return {{"shape", grid.shape}, {"voxel", grid.voxel_size_um}, {"origin", grid.origin_um}, {"data", id}};
}

/// Label values of segmentation.h5 (1..n) as places in the page's list, 0 for those that are not on it.
std::vector<std::uint32_t> places(const H5File& file, const ParticleList& list) {
  const auto ids = file.read_array<std::uint64_t>("/label_ids");
  std::vector<std::uint32_t> place(ids.size() + 1, 0);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (const auto at = list.index.find(ids[i]); at != list.index.end()) place[i + 1] = at->second;
  return place;
}

Grid<std::uint32_t> listed_labels(const fs::path& path, const ParticleList& list, const Context& context) {
  const auto file = H5File::open(path);
  const auto source = file.grid<std::uint32_t>("/labels");
  const auto place = places(file, list);
  auto labels = sampled(source, reduced_shape(source.shape, source.voxel_size_um, most_label_voxels), context);
  for (auto& v : labels.values) {
    if (v >= place.size())
      fail(Exit::data, "{}: /labels holds {}, but /label_ids has {} entries", path.string(), v, place.size() - 1);
    v = place[v];
  }
  return labels;
}

/// The grey range that the network saw; that of the values where the file does not say.
std::pair<double, double> grey_range(const H5File& file, const Grid<float>& grey) {
  const auto low = file.attribute("/volume", "low_grey"), high = file.attribute("/volume", "high_grey");
  if (low && high && low->size() == 1 && high->size() == 1 && low->front() < high->front())
    return {low->front(), high->front()};
  const auto [least, most] = std::minmax_element(grey.values.begin(), grey.values.end());
  return {static_cast<double>(*least), static_cast<double>(*most)};
}

PackedGrid grey_grid(const fs::path& path, std::size_t bytes, const Context& context) {
  const auto file = H5File::open(path);
  const auto source = file.grid<float>("/volume");
  const auto grey = averaged(source, reduced_shape(source.shape, source.voxel_size_um, most_grey_voxels), context);
  const auto [low, high] = grey_range(file, grey);
  return packed_grey(grey, low, high, bytes);
}

/// The upper end of the colours: so that one extreme particle does not make all others alike.
double colour_limit(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return 1;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(98 * (values.size() - 1) / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at > 0 ? *at : 1;
}

std::string still_html(const Grid<std::uint32_t>& labels, const ParticleList& list, const ReportElectrode& electrode,
                       std::size_t bytes) {
  const double limit = colour_limit(list.target);
  std::vector<double> value;
  for (const double v : list.target) value.push_back(v / limit);
  for (int width = still_width; width >= 120; width = width * 3 / 4) {
    const Picture picture = still_picture(labels, value, width);
    const std::string data = base64(png(picture));
    if (data.size() > bytes) continue;
    const std::string scale =
        electrode.target == "Damage" ? percent_text(limit) + " and more" : number_text(limit) + " and more";
    return fmt::format(
        "<figure class=\"still\" data-electrode=\"{}\"><img width=\"{}\" height=\"{}\" alt=\"The particles of {} seen "
        "from above one corner, coloured by {}\" src=\"data:image/png;base64,{}\"><figcaption>{}: particles coloured "
        "by {}, "
        "from dark (0) to yellow ({}); grey: unknown.</figcaption></figure>",
        escaped(electrode.name), picture.width, picture.height, escaped(electrode.name), escaped(electrode.target),
        data, escaped(electrode.name), escaped(electrode.target), scale);
  }
  return "<p class=\"note\">No room for a picture of " + escaped(electrode.name) + ".</p>";
}

}  // namespace

ElectrodeView electrode_view(const ReportInputs& inputs, const ReportElectrode& electrode, std::size_t number,
                             const ViewBudget& budget, const Context& context) {
  ElectrodeView view;
  view.about = {{"name", electrode.name}, {"target", electrode.target}};
  const fs::path folder = inputs.folder / electrode.name;
  const auto particles = table_if_there(electrode.particles);
  ParticleList list;
  if (particles) {
    const bool explained = finished(inputs, electrode.name, "regression", "contributions");
    const auto shap = table_if_there(explained ? folder / "shap.csv" : fs::path());
    list = particle_list(*particles, shap ? &*shap : nullptr, electrode.target, inputs.exclude, budget.particles);
    view.about["particles"] = {
        {"data", blob(view, number, "particles", list.base64)}, {"kept", list.kept}, {"total", list.total}};
  }
  if (finished(inputs, electrode.name, "segmentation")) {
    const auto labels = listed_labels(folder / "segmentation.h5", list, context);
    const PackedGrid packed = packed_labels(labels, budget.labels);
    view.about["labels"] = grid_json(packed, blob(view, number, "labels", packed.base64));
    view.still_html = still_html(labels, list, electrode, budget.still);
  } else {
    view.still_html = "<p class=\"note\">" + escaped(electrode.name) +
                      ": no segmentation in this run, so there are no surfaces to show.</p>";
  }
  if (finished(inputs, electrode.name, "volume")) {
    const PackedGrid packed = grey_grid(folder / "volume.h5", left_of(view, budget.all), context);
    view.about["grey"] = grid_json(packed, blob(view, number, "grey", packed.base64));
    view.about["grey"]["low"] = packed.low;
    view.about["grey"]["high"] = packed.high;
  }
  return view;
}

}  // namespace cathoscope::report
