#pragma once
/// From a labelled sample to what one sample of a training step needs: an image, changed at random, and its targets.

#include <cathoscope/core/random.hpp>
#include <cathoscope/network/training.hpp>

#include <vector>

namespace cathoscope {

struct TrainingPatch {
  std::vector<float> image;        ///< patch x patch pixels
  std::vector<float> probability;  ///< a cell each, as edge_probability
  std::vector<float> distances;    ///< rays planes of cells, as ray_distances; -1 = not known
  std::vector<float> foreground;   ///< a cell each: 1 in a particle
  std::vector<float> known;        ///< a cell each: 0 = no loss here
};

enum class Augmentation { none, random };

/// A random window of the sample; turned, mirrored and with other grey values if `augmentation` says so.
/// Throws Error{data} naming what is wrong with a sample that cannot be used.
TrainingPatch training_patch(const TrainingSample& sample, const TrainingSettings& settings, const NetworkShape& shape,
                             Augmentation augmentation, Stream& random);

}  // namespace cathoscope
