#pragma once
/// The stated function from causes to damage (see PlantConfig), shared by voxels and tables.

#include <cathoscope/phantom/config.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope::phantom_detail {

/// Cut at three deviations: slivers at the border have attributes of their own.
inline double clipped_deviation(double value, double mean, double sd) {
  return std::clamp((value - mean) / sd, -3.0, 3.0);
}

inline double damage_from_score(const PlantConfig& plant, double causes, double noise, double cluster) {
  double variance = plant.noise * plant.noise + plant.cluster_amplitude * plant.cluster_amplitude;
  for (const PlantTerm& term : plant.terms) variance += term.coefficient * term.coefficient;
  const double score = causes + plant.noise * noise + plant.cluster_amplitude * cluster;
  return std::min(plant.largest, plant.level * std::exp(plant.spread * score / std::sqrt(std::max(variance, 1e-300))));
}

}  // namespace cathoscope::phantom_detail
