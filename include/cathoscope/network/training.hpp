#pragma once
/// Training of the star-convex U-Net on labelled images, wherever those come from.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/network/network.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// One labelled image at working resolution, normalised as StarImage says. It is used once: make it little larger than
/// the patch (settings.patch), of which a random window is cut. Smaller ones are mirrored, the mirrored part ignored.
struct TrainingSample {
  StarImage image;
  std::vector<std::uint32_t> labels;  ///< a pixel each: filled particle (cracks included), 0 = outside all of them
  std::vector<std::uint8_t> ignore;   ///< a pixel each, non-zero = not known, no loss; empty = all known
};

/// The sample of an index: the same one whenever asked, any index, from many threads at once.
using SampleSource = std::function<TrainingSample(std::uint64_t index)>;

/// Where a training takes its samples. The two sources must not share a volume or an image: what a source calls its
/// split is decided there.
struct TrainingSources {
  SampleSource training;
  SampleSource validation;  ///< indices 0 .. validation_samples - 1
  std::uint64_t validation_samples = 0;
};

/// `training.augmentation`: what is done to a sample at random, in units of the normalised grey value. Eight flips and
/// rotations always.
struct AugmentationConfig {
  double gain = 0.25;
  double offset = 0.1;
  double gamma = 0.3;
  double noise = 0.05;
  double blur = 0.8;
};

template <class V>
void fields(V& v, AugmentationConfig& c) {
  v("gain", c.gain, "contrast is multiplied by a factor between 1 / (1 + gain) and 1 + gain", between(0, 4));
  v("offset", c.offset, "standard deviation of what is added to all pixels", between(0, 1));
  v("gamma", c.gamma, "half of the samples: exponent exp(u), u uniform in -gamma .. gamma", between(0, 2));
  v("noise", c.noise, "largest standard deviation of added white noise", between(0, 1));
  v("blur", c.blur, "half of the samples: largest standard deviation of a Gaussian blur, pixels", between(0, 4));
}

/// What of the block `training` concerns the network; where the samples come from is beside it.
struct TrainingSettings {
  std::string profile = "default";
  std::int64_t iterations = 6000;
  std::int64_t batch = 8;
  std::int64_t patch = 128;
  double learning_rate = 1.5e-3;
  double warm_up = 0.05;
  double clip = 5;
  double distance_weight = 0.2;
  double foreground_weight = 0.5;
  double background_weight = 1e-4;
  std::int64_t checkpoint_every = 250;
  AugmentationConfig augmentation;
};

template <class V>
void fields(V& v, TrainingSettings& c) {
  v("profile", c.profile, "size of the network: paper (1.4 million weights), default (a quarter), ci (a sixteenth)",
    one_of({"paper", "default", "ci"}));
  v("iterations", c.iterations, "steps of the optimiser", between(1, 1e8));
  v("batch", c.batch, "samples a step", between(1, 1024));
  v("patch", c.patch, "pixels a side of a sample: a multiple of 16", between(32, 2048));
  v("learning_rate", c.learning_rate, "of Adam at its highest, after the warm-up; then a cosine to 0", above(0));
  v("warm_up", c.warm_up, "share of the iterations in which the learning rate rises", between(0, 1));
  v("clip", c.clip, "largest norm of a step's gradient", above(0));
  v("distance_weight", c.distance_weight, "weight of the distances' mean absolute error", at_least(0));
  v("foreground_weight", c.foreground_weight, "weight of the foreground's cross entropy", at_least(0));
  v("background_weight", c.background_weight, "weight of distances predicted outside particles", at_least(0));
  v("checkpoint_every", c.checkpoint_every, "iterations between checkpoints; validation scores are taken then too",
    between(1, 1e8));
  v("augmentation", c.augmentation, "random changes of the samples");
}

template <class P>
void check(P& problems, const TrainingSettings& c) {
  if (c.patch % 16 != 0) problems.add("patch", "must be a multiple of 16");
}

/// Cut-offs and how good the particles are that they give.
struct Calibration {
  NetworkThresholds thresholds;
  std::vector<std::pair<std::string, double>> scores;  ///< by name; go into the weights file
};

/// Chooses the cut-offs of a network from what it says of the validation samples. Ignored pixels are its business.
using ThresholdChoice = std::function<Calibration(const Network& network, const StarPredictor& predict,
                                                  const TrainingSources& sources, const Context& context)>;

struct TrainingRequest {
  TrainingSettings settings;
  std::uint64_t seed = 1;
  std::string configuration;                   ///< YAML that goes into the weights file
  std::filesystem::path output;                ///< the weights file; checkpoint and curves lie beside it
  std::optional<std::filesystem::path> start;  ///< weights to begin with (fine-tuning) instead of random ones
  std::string device = "auto";
  ThresholdChoice calibrate = {};  ///< without it the cut-offs stay at their defaults
};

/// Trains, and writes `output` (NAME.h5), NAME.checkpoint.h5 (until finished), NAME.curve.csv and NAME.curve.svg.
/// An existing checkpoint of the same request is taken up: the bytes of the result are those of an uninterrupted run,
/// and the same for any number of threads on the same kind of CPU. A stop asked for through the context leaves a
/// checkpoint and throws Error{interrupted}. Throws Error{cannot_create} where `output` exists already and was made by
/// another request, Error{data} where samples are unusable (no pixel, sizes that contradict, NaN).
Network train(const TrainingRequest& request, const TrainingSources& sources, const Context& context);

/// The same weights (and the same sha256) with cut-offs chosen anew; scores named calibration_* are replaced.
/// Throws Error{config} where there is no validation sample, Error{unavailable} as resolve_device.
Network calibrated(const Network& network, const std::string& device, const ThresholdChoice& choice,
                   const TrainingSources& sources, const Context& context);

}  // namespace cathoscope
