#pragma once
/// A training that can be put down and taken up, and its learning curve.

#include "optimiser.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// A point of the learning curve. Terms: probability, distance in pixels, background, foreground.
struct CurvePoint {
  std::int64_t iteration = 0;
  double learning_rate = 0;
  std::array<double, 4> training{};    ///< means since the point before
  std::array<double, 4> validation{};  ///< NaN without validation samples
};

struct Checkpoint {
  std::string key;  ///< of the request: only its own checkpoint is taken up
  TrainingState state;
  std::array<double, 4> sums{};  ///< of the training terms since the last point
  std::vector<CurvePoint> curve;
  double seconds = 0;
};

/// Replaces the file in one step. Throws as save_network.
void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);
/// Empty where there is none. Throws Error{cannot_create} where there is one of another request.
std::optional<Checkpoint> load_checkpoint(const std::filesystem::path& path, const std::string& key,
                                          const NetworkShape& shape);

std::string curve_csv(const std::vector<CurvePoint>& curve);
/// Loss terms of training and validation over iterations, logarithmic, as a drawing.
std::string curve_svg(const std::vector<CurvePoint>& curve);

}  // namespace cathoscope
