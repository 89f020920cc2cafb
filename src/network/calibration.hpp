#pragma once
/// Which cut-offs give the best particles on the validation samples.

#include <cathoscope/network/training.hpp>

namespace cathoscope {

struct Calibration {
  NetworkThresholds thresholds;
  double score = 0;  ///< mean over the validation samples
};

/// The best of a grid of cut-offs; of equal ones the one nearest to the defaults.
Calibration calibrate(const Network& network, const ComputeDevice& device, const ThresholdScore& score,
                      const TrainingSources& sources, const Context& context);

}  // namespace cathoscope
