#pragma once
/// Labelled images for the training of the network: slices of synthetic electrodes, and images that a user labelled.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/network/training.hpp>
#include <cathoscope/phantom/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `training.images[]`: an image or a volume with its labels.
struct TrainingImageConfig {
  InputPath image;
  InputPath labels;
  std::optional<InputPath> ignore;
  std::optional<VoxelSize> voxel_size_um;
  std::optional<double> particle_diameter_um;
};

template <class V>
void fields(V& v, TrainingImageConfig& c) {
  v("image", c.image, "grey values: an image or a volume", required(any_value()));
  v("labels", c.labels, "a number for each particle with its cracks, 0 elsewhere; same shape", required(any_value()));
  v("ignore", c.ignore, "non-zero where nobody knows; nothing is learnt there");
  v("voxel_size_um", c.voxel_size_um, "edge of a voxel in um: a number, or [z, y, x]; null = from the file, or unknown",
    above(0));
  v("particle_diameter_um", c.particle_diameter_um,
    "median diameter of the particles, which sets the scale; null = measured on the labels", above(0));
}

/// `training.phantoms`: synthetic electrodes, made while the training runs.
struct TrainingPhantomConfig {
  std::string preset = "training";
  std::int64_t count = 400;
  std::uint64_t seed = 1;
  std::int64_t samples_per_volume = 160;
  bool vary = true;
};

template <class V>
void fields(V& v, TrainingPhantomConfig& c) {
  v("preset", c.preset, "preset of the phantoms");
  v("count", c.count, "number of different volumes; after the last comes the first again", between(2, 1e6));
  v("seed", c.seed, "seed of the volumes");
  v("samples_per_volume", c.samples_per_volume,
    "samples until the oldest volume in memory gives way to a new one; fewer = more variety, more work",
    between(1, 1e6));
  v("vary", c.vary,
    "draw scale, sharpness, noise and grey levels of each volume from ranges wide enough for scans of other kinds; "
    "false = as the preset has them");
}

/// Of the block `training`: where the samples come from.
struct TrainingSamplesConfig {
  std::vector<TrainingImageConfig> images;
  std::optional<TrainingPhantomConfig> phantoms = TrainingPhantomConfig{};
  double image_share = 0.5;
  double validation_fraction = 0.1;
  std::int64_t validation_samples = 64;
};

template <class V>
void fields(V& v, TrainingSamplesConfig& c) {
  v("images", c.images, "labelled images or volumes of your own");
  v("phantoms", c.phantoms, "synthetic electrodes; null = only the images", spelled_out(any_value()));
  v("image_share", c.image_share, "share of the samples that come from the images where there are phantoms as well",
    between(0, 1));
  v("validation_fraction", c.validation_fraction,
    "share of the volumes and images that are kept for validation; at least one of each kind of which there are two",
    between(0.001, 0.5));
  v("validation_samples", c.validation_samples, "samples that the validation looks at", between(1, 1e5));
}

template <class P>
void check(P& problems, const TrainingSamplesConfig& c) {
  if (!c.phantoms && c.images.empty()) problems.add("images", "there is nothing to learn from: no images, no phantoms");
  if (!c.phantoms && c.images.size() == 1)
    problems.add("images", "one image cannot be split: give a second for validation, or allow phantoms");
}

/// Diameter of the median particle in pixels of a sample, as at inference; samples vary about it.
inline constexpr double sample_diameter_px = 48;

/// The synthetic electrode number `volume` of a training: the preset with everything that is drawn a volume.
/// A function of its arguments only. Throws Error{config} for an unknown preset.
PhantomConfig training_phantom(const TrainingPhantomConfig& config, std::uint64_t volume);

/// Sources of samples for a training with square patches of `patch` pixels. A sample is a function of the
/// configuration, `seed` and its index. It is at most half as large again as the patch on a side, normalised by its whole
/// volume (1st and 99.8th percentile), cut along one of the three axial and six diagonal plane families (a 2-D image:
/// as it is). No volume and no image is in both sources. Keeps some 40 MB for each of a few volumes; the next one is
/// made ahead on a thread of its own. Images are read here, at once.
/// Throws Error{config} where the images cannot be split, Error{data} where an image and its labels do not fit.
TrainingSources training_sources(const TrainingSamplesConfig& config, std::uint64_t seed, std::int64_t patch,
                                 const Context& context);

}  // namespace cathoscope
