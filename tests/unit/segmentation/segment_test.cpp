#include <cathoscope/core/error.hpp>

#include "segmentation_bodies.hpp"

#include <set>

using namespace cathoscope;
using test::Ball;
using test::segmented;

namespace {

SegmentationConfig with_cracks(const std::string& cracks) {
  SegmentationConfig c;
  c.method = "watershed";
  c.cracks = cracks;
  return c;
}

const Vec3 fine{0.2, 0.2, 0.2};

}  // namespace

TEST_CASE("two touching balls part at their neck, in the grid's middle plane") {
  // Radius 4, centres 7.2 apart: the neck has 0.44 of the radius.
  const auto s = segmented(with_cracks("none"),
                           test::grey_inputs(test::balls({50, 50, 90}, fine, {{{5, 5, 5.4}, 4}, {{5, 5, 12.6}, 4}})));
  REQUIRE(s.count() == 2);
  CHECK(s.at({25, 25, 20}) == 1);
  CHECK(s.at({25, 25, 70}) == 2);
  for (std::int64_t z = 0; z < 50; ++z)
    for (std::int64_t y = 0; y < 50; ++y)
      for (std::int64_t x = 0; x < 90; ++x) {
        const auto label = s.at({z, y, x});
        // The cut lies at x = 9 um = voxel 45; a voxel on either side is the grid's resolution.
        if (label != 0 && std::abs(x - 45) > 1) REQUIRE(label == (x < 45 ? 1U : 2U));
      }
}

TEST_CASE("three balls in a row are three, and a capsule of the same length is one") {
  const auto row = segmented(
      with_cracks("none"),
      test::grey_inputs(test::balls({40, 40, 110}, fine, {{{4, 4, 4}, 3}, {{4, 4, 9.5}, 3}, {{4, 4, 15}, 3}})));
  CHECK(row.count() == 3);
  const auto capsule = segmented(with_cracks("none"), test::grey_inputs(test::painted({40, 40, 110}, fine, [](Vec3 p) {
                                   const Vec3 axis{4, 4, std::clamp(p[2], 4.0, 15.0)};
                                   return test::distance(axis, p) <= 3 ? 180 : 87;
                                 })));
  CHECK(capsule.count() == 1);
}

TEST_CASE("a small ball at a large one stays a particle of its own") {
  // The neck has half the small ball's radius. A closing of 0.35 um would widen it to 0.9 of it.
  SegmentationConfig c = with_cracks("none");
  c.watershed.closing_um = 0;
  const auto s =
      segmented(c, test::grey_inputs(test::balls({60, 60, 85}, fine, {{{6, 6, 6}, 5}, {{6, 6, 12.3}, 1.6}})));
  REQUIRE(s.count() == 2);
  CHECK(s.at({30, 30, 62}) != s.at({30, 30, 30}));
}

TEST_CASE("a cracked ball is one particle, and its crack is found") {
  // A slab of four voxels, 0.8 um, in a ball of 5 um, closed inside: 0.8 pi 4^2 of 4/3 pi 5^3 = 0.0768.
  const auto body = [](const Vec3& p) {
    const bool solid = test::distance(p, {6, 6, 6}) <= 5;
    const bool slab = std::abs(p[2] - 6) <= 0.4 && std::hypot(p[0] - 6, p[1] - 6) <= 4;
    return solid && !slab ? 180.0 : solid ? 62.0 : 87.0;
  };
  const auto s =
      segmented(with_cracks("auto"), test::grey_inputs(test::blurred(test::painted({60, 60, 60}, fine, body), 0.8)));
  REQUIRE(s.count() == 1);
  CHECK(s.source == "grey");
  CHECK(s.damage(1) == Approx(0.0768).epsilon(0.1));
  // Partial volumes add up to the slab, but for skin that is shallower than 0.15.
  CHECK(s.partial.at(0) == Approx(0.0768).epsilon(0.1));
}

TEST_CASE("a ball that a narrow crack cuts right through is one particle, and the gap is its damage") {
  // Two voxels, 0.4 um, which the closing of 0.35 um spans; radius 3: 0.4 pi 3^2 of 4/3 pi 3^3 = 0.1.
  const auto s = segmented(with_cracks("auto"), test::grey_inputs(test::painted({40, 40, 40}, fine, [](const Vec3& p) {
                             const bool solid = test::distance(p, {4, 4, 4}) <= 3;
                             return solid && std::abs(p[2] - 4) > 0.2 ? 180.0 : solid ? 62.0 : 87.0;
                           })));
  REQUIRE(s.count() == 1);
  CHECK(s.at({20, 20, 20}) == 1);
  CHECK(s.damage(1) == Approx(0.1).epsilon(0.25));
}

TEST_CASE("the wedge between two balls that touch belongs to neither and is no crack") {
  const auto s = segmented(with_cracks("auto"),
                           test::grey_inputs(test::balls({50, 50, 90}, fine, {{{5, 5, 5}, 4}, {{5, 5, 13}, 4}})));
  REQUIRE(s.count() == 2);
  CHECK(s.at({25, 32, 45}) == 0);  // 1.5 um off the axis, where the gap is 0.57 um wide
  CHECK(s.damage(1) <= 0.002);
  CHECK(s.damage(2) <= 0.002);
}

TEST_CASE("an open slab through the surface is damage, the blurred surface is not") {
  // Two voxels, 0.4 um, from the surface to the centre: half of 0.4 pi 5^2 of 4/3 pi 5^3 = 0.0300.
  const auto body = [](double half) {
    return [half](const Vec3& p) {
      const bool solid = test::distance(p, {6, 6, 6}) <= 5;
      const bool slab = std::abs(p[2] - 6) <= half && p[1] > 6;
      return solid && !slab ? 180.0 : solid ? 62.0 : 87.0;
    };
  };
  const auto scan = [&](double half) {
    return test::grey_inputs(test::with_noise(test::blurred(test::painted({60, 60, 60}, fine, body(half)), 0.8), 12.7));
  };
  const auto cracked = segmented(with_cracks("auto"), scan(0.2));
  REQUIRE(cracked.count() == 1);
  CHECK(cracked.damage(1) == Approx(0.0300).epsilon(0.35));
  CHECK(cracked.partial.at(0) == Approx(0.0300).epsilon(0.35));
  std::int64_t at_the_mouth = 0;  // the last two layers before the surface, which lies at y = 11 um = voxel 55
  for (std::int64_t z = 25; z < 35; ++z)
    for (std::int64_t y = 52; y < 55; ++y) at_the_mouth += cracked.cracks(z, y, 30);
  CHECK(at_the_mouth > 5);
  const auto intact = segmented(with_cracks("auto"), scan(-1));
  REQUIRE(intact.count() == 1);
  CHECK(intact.damage(1) <= 0.01);
  CHECK(intact.partial.at(0) <= 0.01);
}

TEST_CASE("intact balls that touch, blurred and noisy, have no damage") {
  const auto s = segmented(
      with_cracks("auto"),
      test::grey_inputs(test::with_noise(
          test::blurred(test::balls({56, 56, 100}, fine, {{{5.6, 5.6, 5.6}, 4.5}, {{5.6, 5.6, 14.3}, 4.5}}), 1.7), 6)));
  REQUIRE(s.count() == 2);
  CHECK(s.damage(1) <= 0.01);
  CHECK(s.damage(2) <= 0.01);
  CHECK(s.partial.at(0) <= 0.01);
}

TEST_CASE("constant and zero volumes have no particle, by any method") {
  const double value = GENERATE(0.0, 99.0);
  SegmentationConfig c;
  c.method = "watershed";
  c.method = GENERATE("watershed", "phases");
  c.active_phase = 1;
  const auto s = segmented(c, test::grey_inputs(test::painted({20, 30, 10}, {1, 1, 1}, [&](Vec3) { return value; })));
  CHECK(s.count() == 0);
  CHECK(s.partial.empty());
  CHECK_FALSE(s.warnings.empty());
  for (const auto l : s.labels) CHECK(l == 0);
}

TEST_CASE("a volume that is all particle is one") {
  SegmentationConfig c;
  c.method = "watershed";
  c.method = "phases";
  const auto s = segmented(c, test::grey_inputs(test::painted({20, 30, 10}, {1, 1, 1}, [](Vec3) { return 1.0; })));
  CHECK(s.count() == 1);
}

TEST_CASE("a disc in a plane is a particle; holes in it fill, what a ring of discs encloses does not") {
  std::vector<Ball> ring;
  ring.reserve(6);
  for (int i = 0; i < 6; ++i)
    ring.push_back({{0.05, 14 + 9.6 * std::sin(i * 1.0471975512), 14 + 9.6 * std::cos(i * 1.0471975512)}, 4.9});
  auto grid = test::balls({1, 280, 280}, {0.1, 0.1, 0.1}, ring);
  for (std::int64_t y = 135; y < 145; ++y)
    for (std::int64_t x = 230; x < 240; ++x) grid.values(0, y, x) = 62;
  const auto s = segmented(with_cracks("auto"), test::grey_inputs(grid));
  CHECK(s.count() == 6);
  CHECK(s.at({0, 140, 140}) == 0);
  CHECK(s.at({0, 140, 235}) != 0);
  CHECK(s.cracks(0, 140, 235) == 1);
  // 100 of the 7543 voxels of one disc.
  CHECK(s.damage(s.at({0, 140, 235})) == Approx(100.0 / 7543).epsilon(0.3));
}

TEST_CASE("anisotropic voxels give the same particles") {
  const std::vector<Ball> pair{{{5, 5, 5.4}, 4}, {{5, 5, 12.6}, 4}};
  const auto cube = segmented(with_cracks("none"), test::grey_inputs(test::balls({50, 50, 90}, fine, pair)));
  const auto flat = segmented(with_cracks("none"), test::grey_inputs(test::balls({20, 50, 90}, {0.5, 0.2, 0.2}, pair)));
  REQUIRE(cube.count() == 2);
  REQUIRE(flat.count() == 2);
  for (std::int64_t x = 8; x < 85; ++x)
    if (std::abs(x - 45) > 1) CHECK(cube.at({25, 25, x}) == flat.at({10, 25, x}));
}

TEST_CASE("dark particles in a bright matrix") {
  SegmentationConfig c;
  c.method = "watershed";
  c.watershed.bright = "matrix";
  auto grid = test::balls({30, 30, 30}, fine, {{{3, 3, 3}, 2}});
  for (float& v : grid.values) v = 255 - v;
  const auto s = segmented(c, test::grey_inputs(grid));
  REQUIRE(s.count() == 1);
  CHECK(s.at({15, 15, 15}) == 1);
  CHECK(s.damage(1) <= 0.01);
}

TEST_CASE("outside the field of view there is no particle, and its edge cuts one without denting it") {
  auto inputs = test::grey_inputs(test::balls({40, 40, 40}, fine, {{{4, 4, 4}, 3}}));
  Grid<std::uint8_t> seen{array3<std::uint8_t>({40, 40, 40}), fine, {0, 0, 0}};
  for (std::int64_t z = 0; z < 40; ++z)
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 40; ++x) seen.values(z, y, x) = x < 22 ? 1 : 0;
  inputs.field_of_view = source_of(seen);
  const auto s = segmented(with_cracks("auto"), inputs);
  REQUIRE(s.count() == 1);
  CHECK(s.at({20, 20, 21}) == 1);
  CHECK(s.at({20, 20, 22}) == 0);
  CHECK(s.damage(1) <= 0.01);
}

TEST_CASE("phases: the envelope is closed and filled, and what is not active in it is crack") {
  SegmentationConfig c;
  c.method = "watershed";
  c.method = "phases";
  c.active_phase = 3;
  const auto s = segmented(c, test::grey_inputs(test::painted({40, 40, 40}, fine, [](Vec3 p) {
                             const double r = test::distance(p, {4, 4, 4});
                             return r <= 1 ? 2 : r <= 3 ? 3 : 0;
                           })));
  REQUIRE(s.count() == 1);
  CHECK(s.source == "phases");
  CHECK(s.damage(1) == Approx(1.0 / 27).epsilon(0.05));
  CHECK(std::isnan(s.partial.at(0)));
}

TEST_CASE("particles below the minimum are dropped and reported") {
  SegmentationConfig c = with_cracks("none");
  const auto grid = test::balls({40, 40, 70}, fine, {{{4, 4, 4}, 3}, {{4, 4, 11}, 1}});
  CHECK(segmented(c, test::grey_inputs(grid)).count() == 2);  // 4.2 um^3 = 524 voxels
  c.minimum_particle_um3 = 5;
  const auto s = segmented(c, test::grey_inputs(grid));
  CHECK(s.count() == 1);
  REQUIRE(s.warnings.size() == 1);
  CHECK(s.warnings[0].find("1 particles smaller than the minimum") != std::string::npos);
}

TEST_CASE("a crack mask beside cracks: none is left out, and said to be") {
  SegmentationInputs inputs;
  Grid<std::uint64_t> labels{array3<std::uint64_t>({20, 20, 20}), fine, {0, 0, 0}};
  labels.values.fill(7);
  Grid<std::uint8_t> cracks{array3<std::uint8_t>({20, 20, 20}), fine, {0, 0, 0}};
  cracks.values.fill(1);
  inputs.labels = source_of(labels);
  inputs.cracks = source_of(cracks);
  const auto none = segmented(with_cracks("none"), inputs);
  CHECK(none.source == "none");
  CHECK(none.damage(1) == 0);
  REQUIRE(none.warnings.size() == 1);
  CHECK(none.warnings[0].find("the crack mask that was given is left out") != std::string::npos);
  const auto used = segmented(with_cracks("auto"), inputs);
  CHECK(used.source == "mask");
  CHECK(used.damage(1) == 1);
  CHECK(used.warnings.empty());
}

TEST_CASE("inputs that do not fit together are refused with their shapes") {
  auto inputs = test::grey_inputs(test::balls({10, 10, 10}, fine, {}));
  Grid<std::uint64_t> labels{array3<std::uint64_t>({10, 10, 9}), fine, {0, 0, 0}};
  labels.values.fill(1);
  inputs.labels = source_of(labels);
  try {
    segmented(with_cracks("auto"), inputs);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::data);
    CHECK(std::string(e.what()).find("10 x 10 x 9") != std::string::npos);
  }
}
