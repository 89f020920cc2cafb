#include "network_model.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/segmentation/views.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

constexpr double foreground_of_probability = 0.05;  // where a network has no foreground head of its own

std::vector<fs::path> places_of(const std::string& file) {
  std::vector<fs::path> places;
  if (const char* given = std::getenv("CATHOSCOPE_DATA")) places.push_back(fs::path(given) / "models" / file);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) places.push_back(program.parent_path().parent_path() / "share" / "cathoscope" / "models" / file);
  places.push_back(fs::path(CATHOSCOPE_SOURCE_DATA) / "models" / file);
  return places;
}

}  // namespace

fs::path model_path(const ModelConfig& config) {
  if (config.path != "builtin" && config.path != "builtin-ci") return config.path;
  const auto places = places_of(config.path == "builtin" ? "default.h5" : "ci.h5");
  std::string tried;
  for (const fs::path& place : places) {
    if (fs::exists(place)) return place;
    tried += "\n  " + place.string();
  }
  fail(Exit::no_input,
       "segmentation.model: the weights of '{}' are not there; looked for{}\ntrain them (cathoscope train "
       "configs/train.yaml), or set CATHOSCOPE_DATA to the folder that holds models/",
       config.path, tried);
}

std::string RunModel::key_text() const {
  const NetworkMetadata& m = network.metadata();
  return fmt::format("model: {}\nthresholds: {} {} {}\ndevice: {}\n", m.sha256, text_of(m.thresholds.probability),
                     text_of(m.thresholds.suppression), text_of(m.thresholds.foreground), device.text());
}

RunModel open_model(const ModelConfig& config, const std::string& device) {
  const fs::path path = model_path(config);
  RunModel model{load_network(path), resolve_device(device)};
  const std::string& sha256 = model.network.metadata().sha256;
  if (config.sha256 && *config.sha256 != sha256)
    fail(Exit::version, "{}: the weights' sha256 is {}, segmentation.model.sha256 asks for {}", path.string(), sha256,
         *config.sha256);
  return model;
}

NetworkInputs network_inputs(const RunModel& model, const NormaliseConfig& normalise, const Context& context) {
  const NetworkMetadata& m = model.network.metadata();
  NetworkInputs in;
  in.predict = predictor(
      model.network, {model.device, context.threads, [&](const std::string& text) { context.progress.warn(text); }});
  in.low_percentile = normalise.low_percentile;
  in.high_percentile = normalise.high_percentile;
  in.foreground_threshold = model.network.has_foreground() ? m.thresholds.foreground : foreground_of_probability;
  in.probability_threshold = m.thresholds.probability;
  in.suppression_threshold = m.thresholds.suppression;
  in.own_scale = m.origin == "stardist";
  return in;
}

std::string checked_network_text(const Config& config) {
  if (config.segmentation.method != "network") return "";
  if (std::all_of(config.electrodes.begin(), config.electrodes.end(),
                  [](const auto& e) { return e.labels || e.table; }))
    return "";
  const auto model = open_model(config.segmentation.model, "cpu");  // devices are the matter of the machine that runs
  const NetworkMetadata& m = model.network.metadata();
  return fmt::format("model: {} ({}, sha256 {})", m.profile, m.origin, m.sha256.substr(0, 12));
}

std::string network_estimate_text(const Config& config, const ElectrodeInputs& in) {
  const double smallest = std::min(in.binned_um[1], in.binned_um[2]);
  const auto& diameter = config.segmentation.particle_diameter_um;
  Vec3 voxel = in.binned_um;
  if (in.shape[0] == 1) voxel[0] = voxel[1];
  const WorkingGrid grid = working_grid(in.shape, voxel, {0, 0, 0}, diameter.value_or(smallest * canonical_diameter));
  const auto families = plane_families(in.shape[0] == 1 ? "xy" : config.segmentation.views);
  double pixels = 0;
  const std::int64_t least = least_width(grid.shape, families.size());
  for (const PlaneFamily& family : families)
    for (std::int64_t k = 0; k < plane_count(family, grid.shape); ++k) {
      const LatticePlane plane = lattice_plane(family, grid.shape, k);
      if (std::min(plane.image_rows, plane.image_columns) < least) continue;
      pixels += static_cast<double>(plane.image_rows) * static_cast<double>(plane.image_columns);
    }
  return fmt::format("  network: {}{} x {} x {} working voxels of {} um, {} views, {:.3g} megapixels, {:.2f} GiB",
                     diameter ? "" : "at most (the particles' diameter is estimated by the run) ", grid.shape[0],
                     grid.shape[1], grid.shape[2], text_of(grid.voxel_um), families.size(), pixels / 1e6,
                     14 * static_cast<double>(volume_of(grid.shape)) / (1 << 30));
}

}  // namespace cathoscope
