#pragma once
/// The attributes of every particle as plain numbers, before they become columns.

#include "neighbourhood.hpp"
#include "particle_pass.hpp"
#include "shape.hpp"

#include <cathoscope/attributes/attributes.hpp>

#include <optional>
#include <vector>

namespace cathoscope::attributes {

/// Sums over the nearest particles; NaN where there are fewer than `neighbours` others.
struct Surrounding {
  double distance = missing;       ///< mean, um
  double last_distance = missing;  ///< of the farthest of them, um
  double elongation_std = missing, volume_std = missing, volume_cv = missing;
  double sphericity_std = missing, sphericity_std_leak_free = missing;
  double alignment = missing;      ///< mean P2 over pairs (in a plane: mean cos 2 angle)
  double alignment_max = missing;  ///< largest eigenvalue of the order tensor
};

struct ParticleRow {
  std::size_t index = 0;  ///< label - 1
  ParticleSums sums;
  Shape shape;
  ParticleDetails details;
  Surrounding near;
  CubeFilling packing, packing_100;
  double surf_inner = missing, surf_outer = missing, surf_total = missing, mouth = missing, touching = missing;
  double border_distance = missing;
  bool touches_border = false;

  [[nodiscard]] double volume() const { return shape.volume_um3; }
  [[nodiscard]] double damage() const {
    return static_cast<double>(sums.crack_voxels) / static_cast<double>(sums.voxels);
  }
  [[nodiscard]] double sphericity() const;            ///< of all surface, cracks included
  [[nodiscard]] double sphericity_leak_free() const;  ///< of the envelope
  [[nodiscard]] double vs_ratio() const;
  [[nodiscard]] double vs_ratio_leak_free() const;
};

/// Everything about an electrode that becomes columns.
struct Measured {
  std::vector<ParticleRow> rows;  ///< labels that occur, ascending
  std::optional<GreyLevels> levels;
  double median_edge_blur_um = missing;
};

/// Fills `near` of every row.
void measure_surroundings(const AttributesConfig& config, const AttributeInputs& inputs, int threads,
                          std::vector<ParticleRow>& rows);

/// Standard deviation with n - 1; NaN for fewer than two values.
double standard_deviation(const std::vector<double>& values);

AttributeResult tables_of(const AttributesConfig& config, const AttributeInputs& inputs, const Measured& measured);

}  // namespace cathoscope::attributes
