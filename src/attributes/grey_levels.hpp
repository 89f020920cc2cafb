#pragma once
/// The grey levels of one electrode: solid, matrix, void, and their slow drift.

#include "streaming.hpp"

#include <array>
#include <optional>

namespace cathoscope::attributes {

/// A quadratic polynomial of the position in the volume, each axis scaled to [-1, 1].
struct Drift {
  std::array<double, 10> coefficients{};
  Vec3 extent{1, 1, 1};  ///< voxels

  /// At a position in voxels, z, y, x. The mean over the samples it was fitted to is 0.
  [[nodiscard]] double at(const Vec3& position) const;
};

struct GreyLevels {
  bool phases = false;      ///< the values are phase ids, not grey levels
  double solid = 0;         ///< mode of the particles; of phases the id that dominates in them
  double matrix = 0;        ///< mode of what lies between them (its brighter part, where it has two)
  double void_level = 0;    ///< mode of the pores
  double binder_limit = 0;  ///< midpoint of pore and matrix; above it is carbon and binder
  bool bimodal = false;     ///< pore and matrix were told apart in the histogram
  Drift drift;              ///< additive, from the matrix
};

/// Empty where there are too few samples of either kind, or where the particles do not differ from the matrix.
std::optional<GreyLevels> grey_levels(const std::vector<GreySample>& samples, const Index3& shape, bool phases);

/// Most frequent value: the centre of the shortest interval that holds half of the values, halved again until few are
/// left (half-sample mode, Bickel and Fruehwirth 2006, DOI 10.1016/j.csda.2005.07.011). Sorts its argument.
double half_sample_mode(std::vector<float>& values);

}  // namespace cathoscope::attributes
