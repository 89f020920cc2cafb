#include "../../../src/segmentation/dark_sections.hpp"

#include <catch2/catch.hpp>

using namespace cathoscope;

namespace {

/// Squares of 6 pixels in a matrix of 80: four at 160 (1), one at 90 (2), and one at 110 in surroundings of 40 (3).
struct Plane {
  Array3<float> grey = array3<float>({1, 40, 60});
  Array3<std::uint32_t> labels = array3<std::uint32_t>({1, 40, 60});
  Array3<std::uint8_t> inside = array3<std::uint8_t>({1, 40, 60});

  Plane() {
    inside.fill(1);
    labels.fill(0);
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 60; ++x) grey(0, y, x) = x < 40 ? 80 : 40;
    square(4, 4, 1, 160);
    for (const std::int64_t top : {12, 20, 28}) square(top, 4, 1, 160);
    square(4, 20, 2, 90);
    square(20, 48, 3, 110);
  }
  void square(std::int64_t top, std::int64_t left, std::uint32_t label, float value) {
    for (std::int64_t y = top; y < top + 6; ++y)
      for (std::int64_t x = left; x < left + 6; ++x) {
        labels(0, y, x) = label;
        grey(0, y, x) = value;
      }
  }
};

}  // namespace

TEST_CASE("sections nearer to the matrix are dark unless they stand out where they are") {
  const Plane p;
  // Midpoint of matrix 80 and particles 160 is 120. 90 is 10 above its surroundings, 110 is 70 above: more than half of 80.
  CHECK(dark_sections(p.grey, p.labels, p.inside, 3, 5) == std::vector<char>{0, 0, 1, 0});
}

TEST_CASE("the same dim section is dark in the common matrix") {
  Plane p;
  for (float& g : p.grey) g = g == 40 ? 80 : g;
  CHECK(dark_sections(p.grey, p.labels, p.inside, 3, 5) == std::vector<char>{0, 0, 1, 1});
}

TEST_CASE("nothing is dark where particles are not brighter than the matrix, nor outside the field of view") {
  Plane p;
  for (float& g : p.grey) g = 200 - g;
  CHECK(dark_sections(p.grey, p.labels, p.inside, 3, 5) == std::vector<char>{0, 0, 0, 0});
  Plane q;
  q.inside.fill(0);
  CHECK(dark_sections(q.grey, q.labels, q.inside, 3, 5) == std::vector<char>{0, 0, 0, 0});
}
