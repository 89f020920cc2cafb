#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/pipeline/calibration.hpp>

#include <cmath>
#include <numbers>

using namespace cathoscope;

namespace {

constexpr double radius = 20;
constexpr std::int64_t edge = 150, spacing = 50;

/// Distance of a place to the nearest middle of a disc.
double off_centre(double row, double column) {
  const auto away = [](double at) { return std::remainder(at - spacing / 2.0, static_cast<double>(spacing)); };
  return std::hypot(away(row), away(column));
}

TrainingSample discs(std::uint64_t) {
  TrainingSample s;
  s.image = {edge, edge, std::vector<float>(edge * edge, 0.5F)};
  for (std::int64_t i = 0; i < edge; ++i)
    for (std::int64_t j = 0; j < edge; ++j) {
      const bool in = off_centre(static_cast<double>(i), static_cast<double>(j)) < radius;
      s.labels.push_back(in ? static_cast<std::uint32_t>(1 + i / spacing * 3 + j / spacing) : 0);
    }
  return s;
}

double to_circle(double row, double column, double angle) {
  double length = 0;
  while (off_centre(row + length * std::sin(angle), column + length * std::cos(angle)) < radius) length += 0.25;
  return length;
}

/// A network that sees the discs `too_large` pixels too large where its foreground is one half, and that proposes a
/// particle of radius 9 between every four of them with probability 0.56.
StarFields fields_of(double too_large) {
  StarFields f{edge / 2, edge / 2, 2, {}, {}, {}};
  const auto each = [&](auto&& value) {
    for (std::int64_t i = 0; i < edge; i += 2)
      for (std::int64_t j = 0; j < edge; j += 2) value(static_cast<double>(i), static_cast<double>(j));
  };
  const auto junk = [](double i, double j) { return off_centre(i, j) > 33; };
  each([&](double i, double j) {
    const double d = radius - off_centre(i, j);
    f.probability.push_back(junk(i, j) ? 0.56F : static_cast<float>(std::clamp(d / radius, 0.0, 1.0)));
    f.foreground.push_back(static_cast<float>(std::clamp(0.5 + (d + too_large) / 16, 0.0, 1.0)));
  });
  for (int k = 0; k < star_rays; ++k)
    each([&](double i, double j) {
      f.distances.push_back(junk(i, j) ? 9.0F
                                       : static_cast<float>(to_circle(i, j, 2 * std::numbers::pi * k / star_rays)));
    });
  return f;
}

Calibration chosen(double too_large, int threads) {
  const auto network = random_network("ci", network_shape("ci"), 1);
  const StarFields fields = fields_of(too_large);
  const StarPredictor predict = [&](const StarImage&, bool) { return fields; };
  Progress progress;
  return chosen_thresholds(network, predict, {discs, discs, 2}, {progress, threads});
}

}  // namespace

TEST_CASE("cut-offs undo what a network gets wrong") {
  const auto larger = chosen(1.6, 1).thresholds;
  CHECK(larger.foreground == Approx(0.6).margin(0.026));  // 1.6 of 16 pixels above one half; steps of 0.025
  CHECK(larger.probability == Approx(0.6));               // the first above 0.56
  const auto smaller = chosen(-1.6, 2);
  CHECK(smaller.thresholds.foreground == Approx(0.4).margin(0.026));
  for (const auto& [name, score] : smaller.scores) {
    if (name == "calibration_area_bias") CHECK(std::abs(score) < 0.02);
    if (name == "calibration_watershed_pq") CHECK(score > 0.95);
  }
  CHECK(smaller.scores == chosen(-1.6, 1).scores);
}

TEST_CASE("samples without particles choose nothing") {
  const auto network = random_network("ci", network_shape("ci"), 1);
  const SampleSource empty = [](std::uint64_t) {
    TrainingSample s = discs(0);
    s.labels.assign(s.labels.size(), 0);
    return s;
  };
  const StarPredictor predict = [](const StarImage&, bool) { return fields_of(0); };
  Progress progress;
  CHECK_THROWS_AS(chosen_thresholds(network, predict, {empty, empty, 2}, {progress, 1}), Error);
}
