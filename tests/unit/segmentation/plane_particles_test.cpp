#include "test_data.hpp"

#include <cathoscope/segmentation/plane_particles.hpp>

#include <cmath>
#include <numbers>
#include <set>

using namespace cathoscope;

namespace {

constexpr double radius = 20;
constexpr std::int64_t edge = 160;
const std::vector<std::array<double, 2>> centres{{40, 40}, {40, 110}, {110, 60}, {118, 102}};  // the last two touch

double depth(double row, double column) {
  double best = -1e9;
  for (const auto& c : centres) best = std::max(best, radius - std::hypot(row - c[0], column - c[1]));
  return best;
}

/// What a perfect network with an edge of `soft` pixels says of the discs.
StarFields disc_fields(double soft) {
  StarFields f{edge / 2, edge / 2, 2, {}, {}, {}};
  for (std::int64_t i = 0; i < edge; i += 2)
    for (std::int64_t j = 0; j < edge; j += 2) {
      const double d = depth(static_cast<double>(i), static_cast<double>(j));
      f.probability.push_back(static_cast<float>(std::clamp(d / radius, 0.0, 1.0)));
      f.foreground.push_back(static_cast<float>(std::clamp(0.5 + d / soft, 0.0, 1.0)));
    }
  for (int k = 0; k < star_rays; ++k)
    for (std::int64_t i = 0; i < edge; i += 2)
      for (std::int64_t j = 0; j < edge; j += 2) {
        const double angle = 2 * std::numbers::pi * k / star_rays;
        const auto row = static_cast<double>(i), column = static_cast<double>(j);
        double length = 0;
        if (depth(row, column) > 0)
          while (depth(row + length * std::sin(angle), column + length * std::cos(angle)) > 0) length += 0.25;
        f.distances.push_back(static_cast<float>(length));
      }
  return f;
}

StarImage blank() { return {edge, edge, std::vector<float>(edge * edge, 0.5F)}; }

std::vector<std::int64_t> areas_of(const std::vector<std::uint32_t>& labels) {
  std::vector<std::int64_t> areas;
  for (const auto label : labels) {
    if (label >= areas.size()) areas.resize(label + 1, 0);
    ++areas[label];
  }
  return areas;
}

}  // namespace

TEST_CASE("particles of a plane are cut where the foreground is cut") {
  const FusedFields plane = plane_fields(blank(), disc_fields(16), 0.2);
  for (const double threshold : {0.4, 0.5, 0.6}) {
    const auto areas = areas_of(watershed_labels(plane, threshold));
    REQUIRE(areas.size() == 5);  // background and four discs: those that touch are two
    const double r = radius - 16 * (threshold - 0.5);
    // 2 %: pixels, and linear values between cells two pixels apart
    for (std::size_t disc = 1; disc <= 2; ++disc)
      CHECK(static_cast<double>(areas[disc]) == Approx(std::numbers::pi * r * r).epsilon(0.02));
  }
}

TEST_CASE("one pass of suppression gives what a pass for each probability gives") {
  StarFields fields = disc_fields(16);
  for (std::size_t i = 0; i < fields.probability.size(); ++i)  // unequal particles
    fields.probability[i] *= 0.4F + 0.6F * static_cast<float>(i) / static_cast<float>(fields.probability.size());
  const std::vector<double> cuts{0.1, 0.45, 0.6, 0.99};
  const auto together = polygon_labels(fields, edge, edge, cuts, 0.3);
  REQUIRE(together.size() == cuts.size());
  for (std::size_t i = 0; i < cuts.size(); ++i)
    CHECK(together[i] == polygon_labels(fields, edge, edge, {cuts[i]}, 0.3).front());
  CHECK(areas_of(together[0]).size() == 5);
  CHECK(areas_of(together[3]).size() == 1);  // nothing is that probable
  CHECK(areas_of(together[1]).size() > areas_of(together[2]).size());
}
