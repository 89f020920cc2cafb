#include <cathoscope/pipeline/training_samples.hpp>

#include "labelled_volume.hpp"
#include "phantom_stock.hpp"
#include "training_images.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>

namespace cathoscope {

using namespace training_detail;

namespace {

constexpr std::uint64_t volumes_mixed = 5;  ///< that samples of neighbouring indices come from

/// How many of n things are kept for validation.
std::uint64_t held_back(std::uint64_t n, double fraction) {
  if (n < 2) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::llround(fraction * static_cast<double>(n)));
  return std::clamp<std::uint64_t>(wanted, 1, n - 1);
}

/// Training volumes are 0 .. count - held - 1; sample i comes from one of the few volumes that are in turn then.
SampleSource phantom_training(const TrainingPhantomConfig& config, std::uint64_t volumes, std::uint64_t seed,
                              std::int64_t patch) {
  const auto stock = std::make_shared<PhantomStock>(config, volumes_mixed + 2);
  const auto each = static_cast<std::uint64_t>(config.samples_per_volume);
  return [stock, volumes, each, seed, patch](std::uint64_t index) {
    Stream draw(seed, {"training", "sample"}, index);
    const std::uint64_t turn = index / each;
    const std::uint64_t back = draw.below(std::min({volumes_mixed, turn + 1, volumes}));
    stock->prepare((turn + 1) % volumes);
    return random_sample(*stock->get((turn - back) % volumes), patch, draw);
  };
}

/// Validation volumes follow those of the training; samples of one volume have neighbouring indices.
SampleSource phantom_validation(const TrainingPhantomConfig& config, std::uint64_t first, std::uint64_t volumes,
                                std::uint64_t samples, std::uint64_t seed, std::int64_t patch) {
  const auto stock = std::make_shared<PhantomStock>(config, 2);
  const std::uint64_t used = std::min({volumes, samples, std::uint64_t{12}});
  return [stock, first, used, samples, seed, patch](std::uint64_t index) {
    Stream draw(seed, {"validation", "sample"}, index);
    const std::uint64_t volume = first + index % samples * used / samples;
    return random_sample(*stock->get(volume), patch, draw);
  };
}

/// Each sample is made once: the validation looks at the same ones again and again.
SampleSource remembered(const SampleSource& source, std::uint64_t samples) {
  struct Slot {
    std::once_flag once;
    TrainingSample sample;
  };
  const auto slots = std::make_shared<std::vector<Slot>>(static_cast<std::size_t>(samples));
  return [slots, source](std::uint64_t index) {
    Slot& slot = slots->at(static_cast<std::size_t>(index));
    std::call_once(slot.once, [&] { slot.sample = source(index); });
    return slot.sample;
  };
}

TrainingSources phantom_sources(const TrainingPhantomConfig& config, const TrainingSamplesConfig& all,
                                std::uint64_t seed, std::int64_t patch) {
  training_phantom(config, 0);  // an unknown preset is refused before the training begins
  const auto count = static_cast<std::uint64_t>(config.count);
  const std::uint64_t held = held_back(count, all.validation_fraction);
  const auto samples = static_cast<std::uint64_t>(all.validation_samples);
  TrainingSources sources;
  sources.training = phantom_training(config, count - held, seed, patch);
  sources.validation = phantom_validation(config, count - held, held, samples, seed, patch);
  sources.validation_samples = samples;
  return sources;
}

using Images = std::vector<std::shared_ptr<const LabelledVolume>>;

SampleSource from_images(const Images& images, const char* kind, std::uint64_t seed, std::int64_t patch) {
  if (images.empty()) return {};
  return [images, kind, seed, patch](std::uint64_t index) {
    Stream draw(seed, {kind, "image sample"}, index);
    const auto& image = *images[draw.below(images.size())];
    return random_sample(image, patch, draw);
  };
}

void refuse_twice(const std::vector<TrainingImageConfig>& images) {
  for (std::size_t i = 0; i < images.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (images[i].image.resolved == images[j].image.resolved)
        fail(Exit::config,
             "training.images[{}]: {} is already training.images[{}]; it could be learnt from and validated with at "
             "once",
             i, images[i].image.text, j);
}

/// The images are shuffled; the last ones are kept for validation.
TrainingSources image_sources(const TrainingSamplesConfig& config, std::uint64_t seed, std::int64_t patch,
                              const Context& context) {
  refuse_twice(config.images);
  Images images;
  for (const auto& c : config.images)
    images.push_back(std::make_shared<const LabelledVolume>(labelled_image(c, context)));
  Stream draw(seed, {"training", "split of images"});
  draw.shuffle(images.begin(), images.end());
  const auto held = static_cast<std::ptrdiff_t>(held_back(images.size(), config.validation_fraction));
  TrainingSources sources;
  sources.training = from_images({images.begin(), images.end() - held}, "training", seed, patch);
  sources.validation = from_images({images.end() - held, images.end()}, "validation", seed, patch);
  return sources;
}

/// Samples of the one or the other; of the one that is there where there is one only.
SampleSource mixed(const SampleSource& images, const SampleSource& phantoms, double image_share, std::uint64_t seed) {
  if (!images) return phantoms;
  if (!phantoms) return images;
  return [images, phantoms, image_share, seed](std::uint64_t index) {
    Stream draw(seed, {"training", "image or phantom"}, index);
    return draw.uniform() < image_share ? images(index) : phantoms(index);
  };
}

}  // namespace

TrainingSources training_sources(const TrainingSamplesConfig& config, std::uint64_t seed, std::int64_t patch,
                                 const Context& context) {
  TrainingSources images, phantoms;
  if (!config.images.empty()) images = image_sources(config, seed, patch, context);
  if (config.phantoms) phantoms = phantom_sources(*config.phantoms, config, seed, patch);
  TrainingSources sources;
  sources.training = mixed(images.training, phantoms.training, config.image_share, seed);
  if (!sources.training) fail(Exit::config, "training: there is nothing to learn from: no images, no phantoms");
  sources.validation = mixed(images.validation, phantoms.validation, config.image_share, seed);
  if (!sources.validation)
    fail(Exit::config, "training: one image cannot be split; give a second for validation, or allow phantoms");
  sources.validation_samples = static_cast<std::uint64_t>(config.validation_samples);
  sources.validation = remembered(sources.validation, sources.validation_samples);
  return sources;
}

}  // namespace cathoscope
