#include "../../../src/segmentation/kmeans.hpp"
#include "../../../src/segmentation/polyhedra.hpp"
#include "../../../src/segmentation/star_polygons.hpp"
#include "oracle.hpp"

using namespace test;

namespace {

StarPolygon disc(double row, double column, float radius, float probability = 1) {
  StarPolygon p{row, column, probability, {}};
  p.distances.fill(radius);
  return p;
}

std::int64_t pixels(const std::vector<PixelRun>& runs) {
  std::int64_t n = 0;
  for (const PixelRun& r : runs) n += r.end - r.begin;
  return n;
}

/// A cell image with some polygons of distance r at cells of probability p, everything else 0.
StarFields fields_of(std::int64_t n, const std::vector<StarPolygon>& cells) {
  StarFields f{n, n, 1, std::vector<float>(static_cast<std::size_t>(n * n), 0.0F), {}, {}};
  f.distances.assign(static_cast<std::size_t>(n * n * star_rays), 0.0F);
  for (const StarPolygon& c : cells) {
    const auto i = static_cast<std::size_t>(static_cast<std::int64_t>(c.row) * n + static_cast<std::int64_t>(c.column));
    f.probability[i] = c.probability;
    for (std::size_t k = 0; k < star_rays; ++k) f.distances[k * f.probability.size() + i] = c.distances[k];
  }
  return f;
}

}  // namespace

TEST_CASE("a polygon of 32 equal rays covers the area of that polygon") {
  const double pi = 3.14159265358979323846;
  for (const float r : {6.0F, 20.5F}) {
    const double area = 16 * std::sin(2 * pi / 32) * double{r} * double{r};
    // Pixels whose centres are inside: off by the outline's lattice noise, well below a tenth of its length.
    CHECK(static_cast<double>(pixels(pixels_of(disc(40, 50, r), 100, 100))) ==
          Approx(area).margin(0.1 * 2 * pi * double{r}));
  }
  CHECK(pixels(pixels_of(disc(0, 0, 5), 100, 100)) < pixels(pixels_of(disc(50, 50, 5), 100, 100)) / 3);
  const StarPolygon ray = [] {
    StarPolygon p = disc(10, 10, 0);
    p.distances[0] = 30;  // towards growing columns
    p.distances[8] = 20;  // towards growing rows
    return p;
  }();
  for (const PixelRun& r : pixels_of(ray, 100, 100)) {
    CHECK(r.row >= 10);
    CHECK(r.begin >= 10);
  }
}

TEST_CASE("of two polygons the more probable stays, by the overlap over the smaller") {
  // Discs of radius 10 whose centres are 10 apart share 0.391 of either (circular lens).
  const std::vector<StarPolygon> two{disc(50, 45, 10, 0.8F), disc(50, 55, 10, 0.9F)};
  CHECK(surviving_polygons(fields_of(100, two), 100, 100, 0.5, 0.45).size() == 2);
  const auto one = surviving_polygons(fields_of(100, two), 100, 100, 0.5, 0.35);
  REQUIRE(one.size() == 1);
  CHECK(one[0].column == 55);
  // A small disc within a large one: overlap over the smaller is 1, whatever its share of the union.
  const std::vector<StarPolygon> nested{disc(50, 50, 30, 0.9F), disc(50, 60, 4, 0.8F)};
  CHECK(surviving_polygons(fields_of(100, nested), 100, 100, 0.5, 0.9).size() == 1);
  CHECK(surviving_polygons(fields_of(100, two), 100, 100, 0.85, 0.45).size() == 1);
  CHECK(surviving_polygons(fields_of(100, {disc(1, 50, 10)}), 100, 100, 0.5, 0.4).empty());  // at the border
  // What is suppressed suppresses nothing.
  const std::vector<StarPolygon> chain{disc(50, 40, 10, 0.9F), disc(50, 48, 10, 0.8F), disc(50, 56, 10, 0.7F)};
  CHECK(surviving_polygons(fields_of(100, chain), 100, 100, 0.5, 0.3).size() == 2);
  const auto painted = painted_polygons(surviving_polygons(fields_of(100, two), 100, 100, 0.5, 0.45), 100, 100);
  CHECK(painted[50 * 100 + 50] == 1);  // the more probable is on top
}

TEST_CASE("cluster centres of three sharp groups are their values") {
  Array3<float> values = array3<float>({1, 1, 300});
  for (std::size_t i = 0; i < 300; ++i) values.data()[i] = i < 100 ? 0.0F : i < 200 ? 10.0F : 20.0F;
  const auto centres = cluster_centres(values, 3);
  CHECK(centres[0] == Approx(0).margin(0.01));
  CHECK(centres[1] == Approx(10).margin(0.01));
  CHECK(centres[2] == Approx(20).margin(0.01));
}

TEST_CASE("the map of directions finds its own cells, and rays of a ball make a ball") {
  for (std::size_t c = 0; c < DirectionMap::size; ++c) {
    const Vec3 d = DirectionMap::direction(c);
    REQUIRE(DirectionMap::cell_of(d[0], d[1], d[2]) == c);
  }
  std::vector<Vec3> rays{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
  StarPolyhedron p{{20, 20, 20}, 1, reach_of(rays, std::vector<float>(6, 7.0F))};
  CHECK(p.farthest() == Approx(7));
  CHECK(contains(p, {26, 20, 20}));
  CHECK_FALSE(contains(p, {20, 28, 20}));
  CHECK(contains(p, {20, 20, 20}));
}

TEST_CASE("every way to make instances finds the oracle's particles that do not touch", "[slow]") {
  for (const std::string instances : {"watershed", "kmeans", "polyhedra"}) {
    auto scene = oracle_scene(packed_labels({80, 84, 88}, 0.3, 9.6, 5, 1.45), 9.6);
    scene.config.instances = instances;
    scene.config.views = instances == "kmeans" ? "axial3" : "diagonal9";
    const auto found = segmented(scene.config, scene.inputs, {2, {}});
    const auto m = matches(scene.truth.values, found.labels, 0.6, false, 300);
    INFO(instances << ": " << m.found << " " << m.missed << " " << m.invented << " iou " << m.mean_iou);
    CHECK(m.found >= 1);
    CHECK(m.ap() == 1);
  }
}

TEST_CASE("polygons of the oracle become its discs, at native resolution") {
  for (const double h : {0.2, 0.1}) {
    auto scene = oracle_scene(packed_labels({1, 220, 240}, h, 9.6, 8), 9.6);
    scene.config.instances = "polyhedra";
    const auto found = segmented(scene.config, scene.inputs);
    const auto m = matches(scene.truth.values, found.labels, 0.7, false, 300);
    INFO(h << ": " << m.found << " " << m.missed << " " << m.invented << " iou " << m.mean_iou);
    CHECK(m.found >= 1);
    CHECK(m.missed == 0);
    CHECK(m.mean_iou > 0.85);
  }
}
