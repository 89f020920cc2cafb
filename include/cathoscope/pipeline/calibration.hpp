#pragma once
/// The cut-offs of a network that give the best particles in its validation samples.

#include <cathoscope/network/training.hpp>

namespace cathoscope {

/// Tries cut-offs on all validation samples and scores the particles that come out against the labels, pooled over the
/// samples; sections below 54 pixels and ignored pixels count nowhere. `foreground`, between 0.25 and 0.75: as the
/// watershed of a plane finds particles, the greatest panoptic quality (sum of IoU of the matched over the mean number of
/// true and found particles; Kirillov et al. 2019, DOI 10.1109/CVPR.2019.00963) less the median relative error of areas,
/// so that outlines count and not only hits. `probability` and `suppression`: as star polygons do, the greatest panoptic
/// quality. Of equal ones the nearest to the defaults. Without a foreground head that cut-off stays. Scores:
/// calibration_watershed_pq, calibration_watershed_iou, calibration_area_bias, calibration_polygon_pq.
/// Depends on the network and the samples only, not on threads. Throws Error{data} where no sample has a particle.
Calibration chosen_thresholds(const Network& network, const StarPredictor& predict, const TrainingSources& sources,
                              const Context& context);

}  // namespace cathoscope
