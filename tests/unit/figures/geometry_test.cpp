#include "../../../src/figures/chords.hpp"
#include "../../../src/figures/plotting.hpp"
#include "../../../src/figures/published_scores.hpp"
#include "../../../src/figures/severe_particles.hpp"
#include "../../../src/figures/swarm.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <numbers>

using namespace cathoscope;

namespace {

double angle_of(const std::array<double, 2>& p) { return std::atan2(p[0], p[1]); }
double radius_of(const std::array<double, 2>& p) { return std::hypot(p[0], p[1]); }

/// Signed area (shoelace).
double area_of(const Polygon& p) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const auto &a = p[i], &b = p[(i + 1) % p.size()];
    sum += a[0] * b[1] - a[1] * b[0];
  }
  return sum / 2;
}

}  // namespace

TEST_CASE("Nodes stand clockwise from the top") {
  CHECK(on_circle(node_angle(0, 9), 1)[1] == Approx(1));
  const auto second = on_circle(node_angle(1, 9), 1);
  CHECK(second[0] == Approx(std::sin(2 * std::numbers::pi / 9)));  // to the right of the top
  CHECK(second[1] == Approx(std::cos(2 * std::numbers::pi / 9)));
  const auto arc = node_arc(0, 9, 0.8, 1, 0.5);
  for (const auto& p : arc) {
    CHECK(std::abs(angle_of(p)) <= std::numbers::pi / 18 + 1e-12);
    CHECK((radius_of(p) == Approx(0.8) || radius_of(p) == Approx(1)));
  }
}

TEST_CASE("A ribbon's ends are as wide as its link, and its middle is where the sign goes") {
  const double arc_of_one = 0.4;
  const auto ribbons = chord_ribbons({{0, 3, 0.5}}, 9, 0.9, arc_of_one);
  REQUIRE(ribbons.size() == 1);
  std::vector<double> at_first, at_second;
  for (const auto& p : ribbons[0].outline) {
    if (std::abs(radius_of(p) - 0.9) > 1e-9) continue;
    (std::abs(angle_of(p)) < 0.3 ? at_first : at_second).push_back(angle_of(p));
  }
  const auto spread = [](const std::vector<double>& a) {
    return *std::max_element(a.begin(), a.end()) - *std::min_element(a.begin(), a.end());
  };
  CHECK(spread(at_first) == Approx(0.5 * arc_of_one).margin(1e-9));
  CHECK(spread(at_second) == Approx(0.5 * arc_of_one).margin(1e-9));
  const auto a = on_circle(node_angle(0, 9), 0.9), b = on_circle(node_angle(3, 9), 0.9);
  CHECK(ribbons[0].middle[0] == Approx(0.375 * (a[0] + b[0])));
  CHECK(ribbons[0].middle[1] == Approx(0.375 * (a[1] + b[1])));
}

TEST_CASE("Ribbons are not twisted: each outline goes round once") {
  const auto ribbons = chord_ribbons({{0, 1, 0.3}, {0, 4, 0.6}, {0, 8, 0.2}, {2, 7, 0.9}}, 9, 1, 0.2);
  // A twisted ribbon's two halves would cancel: the area of an untwisted one is near width times length.
  for (const auto& r : ribbons) CHECK(std::abs(area_of(r.outline)) > 0.01);
  CHECK(std::abs(area_of(ribbons[3].outline)) > std::abs(area_of(ribbons[1].outline)) * 0.9);
}

TEST_CASE("Ends at a node lie side by side in the order that does not cross") {
  const auto ribbons = chord_ribbons({{0, 1, 0.2}, {0, 8, 0.2}}, 9, 1, 0.5);
  const auto end_angle = [](const Ribbon& r) {  // mean angle of the end at node 0
    double sum = 0;
    int n = 0;
    for (const auto& p : r.outline)
      if (std::abs(radius_of(p) - 1) < 1e-9 && std::abs(angle_of(p)) < 0.3) {
        sum += angle_of(p);
        ++n;
      }
    return sum / n;
  };
  CHECK(end_angle(ribbons[0]) > 0);  // the clockwise neighbour's ribbon leaves on the clockwise side
  CHECK(end_angle(ribbons[1]) < 0);
  CHECK(fullest_node({{0, 1, 0.2}, {0, 8, 0.3}}, 9) == Approx(0.5));
}

TEST_CASE("The three nearest severe particles") {
  std::vector<SevereParticle> line;
  for (const double x : {0.0, 1.0, 4.0, 9.0, 16.0}) line.push_back({line.size(), {x, 0, 0}});
  const auto nearest = three_nearest(line, 1);
  REQUIRE(nearest.size() == 3);
  CHECK(nearest[0].index == 0);
  CHECK(nearest[0].distance_um == Approx(1));
  CHECK(nearest[1].distance_um == Approx(3));
  CHECK(nearest[2].distance_um == Approx(8));
  CHECK(three_nearest({line[0], line[1]}, 0).size() == 1);
  const auto regions = regions_to_enlarge(line);
  REQUIRE_FALSE(regions.empty());
  CHECK(regions.front() == 1);  // means: (1+4+9)/3, (1+3+8)/3, (3+4+5)/3 = 4, 1: 4 and 4, the first of equals
  CHECK(regions_to_enlarge({line[0], line[1], line[2]}).empty());
  CHECK(severe_distances(line).size() == 15);
}

TEST_CASE("Points of a swarm spread about the line and stay within it") {
  const auto offsets = swarm_offsets({0.1, 0.1, 0.1, 0.9}, 0, 1, 10, 0.4);
  CHECK(offsets[0] == 0);
  CHECK(offsets[1] == Approx(-offsets[2]));
  CHECK(offsets[1] != 0);
  CHECK(offsets[3] == 0);
  for (const double o : swarm_offsets(std::vector<double>(5000, 0.5), 0, 1, 10, 0.4)) CHECK(std::abs(o) <= 0.4 + 1e-12);
  CHECK(swarm_offsets({1, 1}, 1, 1, 10, 0.4) == std::vector<double>{0, 0});
}

TEST_CASE("Ranks run from 0 to 1, ties alike") {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  const auto ranks = relative_ranks({3, 1, 2, 2, missing});
  CHECK(ranks[0] == 1);
  CHECK(ranks[1] == 0);
  CHECK(ranks[2] == Approx(0.5));
  CHECK(ranks[3] == Approx(0.5));
  CHECK(std::isnan(ranks[4]));
  CHECK(relative_ranks({4, 4})[0] == 0.5);
}

TEST_CASE("The interval of a difference of shares comes from both intervals") {
  // Zou and Donner: lower = d - sqrt((s2 - l2)^2 + (u1 - s1)^2), upper = d + sqrt((u2 - s2)^2 + (s1 - l1)^2).
  const auto d = share_difference({0.2, 0.1, 0.5}, {0.6, 0.2, 0.7});
  CHECK(d.value == Approx(0.4));
  CHECK(d.low == Approx(0.4 - 0.5));
  CHECK(d.high == Approx(0.4 + std::sqrt(0.02)));
}

TEST_CASE("Quantiles, tics and units") {
  CHECK(quantile_of_values({4, 1, 3, 2}, 0.5) == Approx(2.5));
  CHECK(std::isnan(quantile_of_values({}, 0.5)));
  CHECK(tic_step("x", 0, 0.45, 5) == "set xtics 0.1\n");
  CHECK(tic_step("x", 0, 100, 4) == "set xtics 50\n");
  CHECK(tic_step("x", 1, 1, 4).empty());
  CHECK(attribute_label("Volume") == "Volume (µm³)");
  CHECK(attribute_label("SurfOuter") == "SurfOuter (µm²)");
  CHECK(attribute_label("Yaw") == "Yaw (°)");
  CHECK(attribute_label("roundness") == "roundness");
}
