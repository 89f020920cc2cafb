#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/phantom/config.hpp>

#include <fmt/ranges.h>

#include <functional>
#include <utility>

namespace cathoscope {

namespace {

/// A scan as sharp and noisy as the published slices (70 nm voxels, nano-holotomography).
void published_scan(PhantomConfig& c) {
  c.packing.foil_gap_um = {2, 4};
  c.packing.fraction = {0.49, 0.51};
  c.packing.shrink = 1.03;
  c.sizes.median_um = {9.6, 9.9};
  c.sizes.fragment_share = 0.1;
  c.cracks.void_share = 0.92;
  c.cracks.void_radius = {0.10, 0.34};
  c.cracks.width_um = {0.06, 0.45};
  c.optics.blur_um = {0.115, 0.125};
  c.optics.fringe_share = 0;
  c.grey.particle = {180, 183};
  c.form.roughness_um = {0.08, 0.16};
  c.form.roughness_correlation_um = {0.3, 0.6};
  c.noise.sd = {9.5, 10.5};
  c.noise.anisotropy = {0.7, 0.75};
  c.noise.white = {1.5, 2.5};
  c.noise.low_sd = {6, 7};
  c.noise.streak_sd = {5, 6};
  c.noise.ring_share = 0;
  c.artefacts.contrast_share = 0.3;
  c.artefacts.contrast_loss = {0.3, 0.45};
  c.artefacts.padding_share = 1;
  c.artefacts.padding_radius = 0.49;
  c.artefacts.jpeg_share = 0;
}

/// Enough variety in shape, packing and alignment that every attribute varies from particle to particle.
void varied_electrode(PhantomConfig& c) {
  c.form.axis_spread = 0.14;
  c.form.alignment = 0.35;
  c.packing.patchiness = 0.6;
  c.sizes.spread = 0.2;
  // More than the drift of a scan adds to a particle's mean, or a planted EDensity could not be found again.
  c.grey.particle_spread = 8;
}

void plant(PhantomConfig& c, double level, std::vector<PlantTerm> terms) {
  c.plant.planted = true;
  c.plant.terms = std::move(terms);
  c.plant.level = level;
  c.plant.spread = 0.6;
  c.plant.noise = 0.6;
}

/// Causes in the particle itself, as in the lightly cycled electrode of the paper.
std::vector<PlantTerm> own_causes() {
  return {{"Sphericity", -1.0}, {"Elongation", 0.8}, {"EDensity", 1.0}, {"Z", 0.6}, {"Volume", 0.5}};
}

/// Causes in the neighbourhood, as in the longer cycled one. Close neighbours mean dense packing: the signs agree, so
/// that the two causes do not cancel.
std::vector<PlantTerm> neighbour_causes() {
  return {{"Contact", 1.0}, {"PDensity", 0.8}, {"OrienIso", 0.7}, {"DistNearest", -0.6}, {"ElongStd", 0.5}};
}

PhantomConfig tiny() {
  PhantomConfig c;
  c.shape = {64, 64, 64};
  c.voxel_size_um = 0.35;
  c.packing.foil_gap_um = {0, 1};
  c.sizes.median_um = {6.5, 7.5};
  return c;
}

PhantomConfig demo() {
  PhantomConfig c;
  c.shape = {128, 224, 224};
  c.voxel_size_um = 0.18;
  c.packing.foil_gap_um = {0.5, 1.5};
  c.packing.fraction = {0.48, 0.52};
  c.sizes.median_um = {8.3, 8.7};
  c.noise.sd = {6, 9};
  c.noise.streak_sd = {2, 4};
  c.noise.ring_share = 0;
  c.artefacts.contrast_share = 0;
  c.artefacts.padding_share = 0;
  c.artefacts.jpeg_share = 0;
  varied_electrode(c);
  plant(c, 0.08, own_causes());
  return c;
}

PhantomConfig extent10() {
  PhantomConfig c;
  c.shape = {655, 2048, 2048};
  c.voxel_size_um = 0.07;
  published_scan(c);
  varied_electrode(c);
  c.cracks.severe_share = {0.12, 0.25};
  return c;
}

PhantomConfig extent50() {
  PhantomConfig c = extent10();
  c.shape = {492, 1324, 1985};
  c.voxel_size_um = 0.1;
  c.artefacts.padding_share = 0;
  c.cracks.severe_share = {0.5, 0.7};
  return c;
}

PhantomConfig paper10() {
  PhantomConfig c = extent10();
  plant(c, 0.06, own_causes());
  return c;
}

PhantomConfig paper50() {
  PhantomConfig c = extent50();
  plant(c, 0.10, neighbour_causes());
  return c;
}

PhantomConfig swapped() {
  PhantomConfig c = extent10();
  plant(c, 0.06, neighbour_causes());
  return c;
}

PhantomConfig swapped50() {
  PhantomConfig c = extent50();
  plant(c, 0.10, own_causes());
  return c;
}

PhantomConfig paper0() {
  PhantomConfig c = extent10();
  plant(c, 0.08, {});
  return c;
}

PhantomConfig clustered() {
  PhantomConfig c = extent50();
  plant(c, 0.10, neighbour_causes());
  c.plant.noise = 0.5;
  c.plant.cluster_amplitude = 1.5;
  return c;
}

/// The twin of `clustered`: a residual of the same size without spatial correlation.
PhantomConfig unclustered() {
  PhantomConfig c = clustered();
  c.plant.noise = 1.5811388300841898;  // sqrt(0.5^2 + 1.5^2)
  c.plant.cluster_amplitude = 0;
  return c;
}

PhantomConfig training() {
  PhantomConfig c;
  c.shape = {160, 176, 176};
  c.packing.fraction = {0.38, 0.56};
  c.artefacts.padding_radius = 0.52;
  return c;
}

PhantomConfig stress() {
  PhantomConfig c = training();
  c.noise.sd = {22, 22};
  c.noise.white = {8, 8};
  c.noise.low_sd = {12, 12};
  c.noise.streak_sd = {12, 12};
  return c;
}

using Maker = std::pair<const char*, PhantomConfig (*)()>;
constexpr Maker makers[] = {
    {"tiny", tiny},           {"demo", demo},           {"training", training},      {"stress", stress},
    {"paper10", paper10},     {"paper50", paper50},     {"paper0", paper0},          {"swapped", swapped},
    {"swapped50", swapped50}, {"clustered", clustered}, {"unclustered", unclustered}};

}  // namespace

std::vector<std::string> phantom_presets() {
  std::vector<std::string> names;
  for (const Maker& maker : makers) names.emplace_back(maker.first);
  return names;
}

PhantomConfig phantom_preset(const std::string& name) {
  for (const Maker& maker : makers)
    if (name == maker.first) {
      PhantomConfig config = maker.second();
      config.preset = name;
      return config;
    }
  const auto near = nearest_name(name, phantom_presets());
  fail(Exit::config, "there is no phantom preset '{}'{}; presets: {}", name,
       near ? fmt::format(", did you mean '{}'?", *near) : std::string(), fmt::join(phantom_presets(), ", "));
}

}  // namespace cathoscope
