#include <cathoscope/core/error.hpp>

#include "segmentation_bodies.hpp"

#include <limits>

using namespace cathoscope;
using test::segmented;

namespace {

const Vec3 h{0.5, 0.5, 0.5};

Grid<std::uint64_t> no_labels(const Index3& shape) {
  Grid<std::uint64_t> g{array3<std::uint64_t>(shape), h, {1, 2, 3}};
  g.values.fill(0);
  return g;
}

void paint(Grid<std::uint64_t>& g, const Box& box, std::uint64_t id) {
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
      for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x) g.values(z, y, x) = id;
}

SegmentationInputs label_inputs(const Grid<std::uint64_t>& g) {
  SegmentationInputs in;
  in.labels = source_of(g);
  return in;
}

constexpr std::uint64_t huge = std::uint64_t{1} << 63;

}  // namespace

TEST_CASE("sparse and huge ids become dense in the order of their first voxel") {
  auto g = no_labels({10, 10, 10});
  paint(g, {{7, 0, 0}, {9, 3, 3}}, 5);
  paint(g, {{1, 5, 0}, {3, 8, 3}}, huge);
  paint(g, {{1, 5, 5}, {3, 8, 8}}, 4294967295);
  const auto s = segmented({}, label_inputs(g));
  CHECK(s.ids == std::vector<std::uint64_t>{huge, 4294967295, 5});
  CHECK(s.at({1, 5, 0}) == 1);
  CHECK(s.at({1, 5, 5}) == 2);
  CHECK(s.at({7, 0, 0}) == 3);
  CHECK(s.source == "holes");
}

TEST_CASE("excluded ids are background; a minimum drops small labels") {
  auto g = no_labels({10, 10, 10});
  paint(g, {{0, 0, 0}, {2, 2, 2}}, 1);
  paint(g, {{4, 4, 4}, {8, 8, 8}}, 2);
  paint(g, {{9, 9, 9}, {10, 10, 10}}, 3);
  SegmentationConfig c;
  c.exclude_labels = {2, 77};
  CHECK(segmented(c, label_inputs(g)).ids == std::vector<std::uint64_t>{1, 3});
  c.minimum_particle_um3 = 1;  // eight voxels
  CHECK(segmented(c, label_inputs(g)).ids == std::vector<std::uint64_t>{1});
}

TEST_CASE("labels alone: enclosed holes are the damage") {
  auto g = no_labels({12, 12, 12});
  paint(g, {{2, 2, 2}, {10, 10, 10}}, 9);
  paint(g, {{5, 5, 5}, {7, 7, 7}}, 0);
  paint(g, {{2, 5, 9}, {3, 6, 10}}, 0);  // open: not a hole
  const auto s = segmented({}, label_inputs(g));
  REQUIRE(s.count() == 1);
  CHECK(s.damage(1) == Approx(8.0 / 511));
  CHECK(s.cracks(5, 5, 5) == 1);
  CHECK(s.at({5, 5, 5}) == 1);
  CHECK(s.at({2, 5, 9}) == 0);
  CHECK(std::isnan(s.partial.at(0)));
  SegmentationConfig none;
  none.cracks = "none";
  const auto empty = segmented(none, label_inputs(g));
  CHECK(empty.at({5, 5, 5}) == 1);
  CHECK(empty.damage(1) == 0);
  CHECK(empty.source == "none");
}

TEST_CASE("a crack mask counts within filled labels, the rest is reported") {
  auto g = no_labels({12, 12, 12});
  paint(g, {{2, 2, 2}, {10, 10, 10}}, 4);
  paint(g, {{5, 5, 5}, {7, 7, 7}}, 0);
  auto inputs = label_inputs(g);
  Grid<std::uint8_t> mask{array3<std::uint8_t>({12, 12, 12}), h, {0, 0, 0}};
  mask.values.fill(0);
  mask.values(5, 5, 5) = 255;
  mask.values(2, 2, 2) = 1;
  mask.values(0, 0, 0) = mask.values(0, 0, 1) = 1;
  inputs.cracks = source_of(mask);
  const auto s = segmented({}, inputs);
  CHECK(s.source == "mask");
  CHECK(s.damage(1) == Approx(2.0 / 512));
  CHECK(s.cracks(5, 5, 5) == 1);
  CHECK(s.cracks(0, 0, 0) == 0);
  REQUIRE(s.warnings.size() == 1);
  CHECK(s.warnings[0].find("2 voxels of the crack mask") != std::string::npos);
}

TEST_CASE("labels with grey values: cracks come from the grey values") {
  const auto body = [](const Vec3& p) {
    const bool solid = test::distance(p, {12, 12, 12}) <= 10;
    return solid && std::abs(p[2] - 12) > 1 ? 180.0 : solid ? 62.0 : 87.0;
  };
  auto inputs = test::grey_inputs(test::painted({48, 48, 48}, h, body));
  auto g = no_labels({48, 48, 48});
  for (std::int64_t z = 0; z < 48; ++z)
    for (std::int64_t y = 0; y < 48; ++y)
      for (std::int64_t x = 0; x < 48; ++x)
        if (test::distance(test::centre_of(z, y, x, h), {12, 12, 12}) <= 10) g.values(z, y, x) = 17;
  inputs.labels = source_of(g);
  const auto s = segmented({}, inputs);
  CHECK(s.ids == std::vector<std::uint64_t>{17});
  CHECK(s.source == "grey");
  // A slab of 2 um through the centre: 2 pi (100 - 1/3) / (4/3 pi 1000) = 0.1495, four voxels wide.
  CHECK(s.damage(1) == Approx(0.1495).epsilon(0.1));
  CHECK(s.partial.at(0) == Approx(0.1495).epsilon(0.1));
}

TEST_CASE("more than 65535 labels keep their own numbers") {
  auto g = no_labels({60, 60, 60});
  std::uint64_t id = 0;
  for (std::int64_t z = 0; z < 60; ++z)
    for (std::int64_t y = 0; y < 60; ++y)
      for (std::int64_t x = 0; x < 60; x += 2) g.values(z, y, x) = 3 * ++id;
  const auto s = segmented({}, label_inputs(g));
  REQUIRE(s.count() == 108000);
  CHECK(s.at({59, 59, 58}) == 108000);
  CHECK(s.ids[70000] == 3 * 70001);
}

TEST_CASE("no label at all is an empty result, not an error") {
  const auto s = segmented({}, label_inputs(no_labels({4, 5, 6})));
  CHECK(s.count() == 0);
  CHECK_FALSE(s.warnings.empty());
}
