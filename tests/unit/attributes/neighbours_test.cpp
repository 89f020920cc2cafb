#include "../../../src/attributes/neighbourhood.hpp"
#include "../../../src/attributes/particle_rows.hpp"
#include "attribute_bodies.hpp"
#include "test_data.hpp"

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

double distance(const Vec3& a, const Vec3& b) {
  return std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/// All others ordered by distance, ties by index.
std::vector<std::size_t> by_brute_force(const std::vector<Vec3>& points, std::size_t i, std::size_t k) {
  std::vector<std::pair<double, std::size_t>> others;
  for (std::size_t j = 0; j < points.size(); ++j)
    if (j != i) others.emplace_back(distance(points[i], points[j]), j);
  std::sort(others.begin(), others.end());
  std::vector<std::size_t> ids;
  for (std::size_t j = 0; j < std::min(k, others.size()); ++j) ids.push_back(others[j].second);
  return ids;
}

std::int64_t wrong_lists(const std::vector<Vec3>& points, std::size_t k) {
  const auto found = nearest_neighbours(points, k, 2);
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<std::size_t> ids;
    for (const Neighbour& n : found[i]) ids.push_back(n.index);
    wrong += ids != by_brute_force(points, i, k);
  }
  return wrong;
}

/// 45 spheroids of random size, shape and axis on a jittered lattice with cells of 16 voxels.
RenderedBody random_spheroids(const Vec3& h) {
  Stream random(17, {"spheroids"});
  std::vector<Body> bodies;
  std::uint32_t label = 0;
  for (int z = 0; z < 3; ++z)
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 5; ++x) {
        const auto place = [&](int cell) { return 16 * (cell + 0.5) + random.uniform(-1.5, 1.5); };
        const Point at{place(x), place(y), place(z)};
        const double b = random.uniform(3, 5), a = b * random.uniform(1, 1.35);
        const auto axes = rotation(random.uniform(-3, 3), random.uniform(-1.5, 1.5), 0);
        bodies.push_back(ellipsoid(at, {a, b, 0.9 * b}, axes, ++label));
      }
  const auto n = [&](int cells, std::size_t axis) { return static_cast<std::int64_t>(16 * cells / h[axis]); };
  return rendered(any_of(std::move(bodies)), label, {n(3, 0), n(3, 1), n(5, 2)}, h);
}

struct Gathered {
  std::vector<double> distance, elongation, volume, sphericity, leak_free;
  std::vector<Point> axes;
};

Gathered gathered(const AttributeResult& r, std::size_t i, std::size_t k) {
  std::vector<Vec3> points;
  for (std::size_t j = 0; j < r.paper.rows(); ++j)
    points.push_back({test::at(r.paper, "Z", j), test::at(r.paper, "Y", j), test::at(r.paper, "X", j)});
  Gathered g;
  for (const std::size_t j : by_brute_force(points, i, k)) {
    g.distance.push_back(distance(points[i], points[j]));
    g.elongation.push_back(test::at(r.paper, "Elongation", j));
    g.volume.push_back(test::at(r.paper, "Volume", j));
    g.sphericity.push_back(test::at(r.paper, "Sphericity", j));
    g.leak_free.push_back(test::at(r.leak_free, "Sphericity", j));
    if (test::at(r.paper, "axis_defined", j) == 1)
      g.axes.push_back({test::at(r.paper, "u1x", j), test::at(r.paper, "u1y", j), test::at(r.paper, "u1z", j)});
  }
  return g;
}

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

/// Two passes, n - 1; not the program's function.
double deviation(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += (x - mean(v)) * (x - mean(v));
  return std::sqrt(sum / static_cast<double>(v.size() - 1));
}

double alignment(const std::vector<Point>& axes) {
  double sum = 0;
  int pairs = 0;
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j, ++pairs) {
      const double c = axes[i][0] * axes[j][0] + axes[i][1] * axes[j][1] + axes[i][2] * axes[j][2];
      sum += 1.5 * c * c - 0.5;
    }
  return sum / pairs;
}

void check_row(const AttributeResult& r, std::size_t i, std::size_t k) {
  const Gathered g = gathered(r, i, k);
  const auto near = [](double v) { return Approx(v).epsilon(1e-9).margin(1e-9); };
  CHECK(test::at(r.paper, "DistNearest", i) == near(mean(g.distance)));
  CHECK(test::at(r.paper, "knn_distance", i) == near(g.distance.back()));
  CHECK(test::at(r.paper, "ElongStd", i) == near(deviation(g.elongation)));
  CHECK(test::at(r.paper, "VolumeStd", i) == near(deviation(g.volume)));
  CHECK(test::at(r.paper, "VolumeCV", i) == near(deviation(g.volume) / mean(g.volume)));
  CHECK(test::at(r.paper, "SphericityStd", i) == near(deviation(g.sphericity)));
  CHECK(test::at(r.leak_free, "SphericityStd", i) == near(deviation(g.leak_free)));
  if (g.axes.size() < 3)
    CHECK(std::isnan(test::at(r.paper, "OrienIso", i)));
  else
    CHECK(test::at(r.paper, "OrienIso", i) == near(alignment(g.axes)));
  const bool censored = !(g.distance.back() <= test::at(r.paper, "border_distance", i));
  CHECK(test::at(r.paper, "knn_censored", i) == (censored ? 1 : 0));
}

}  // namespace

TEST_CASE("nearest neighbours of random points are those of brute force, for any k") {
  Stream random(2, {"points"});
  std::vector<Vec3> points(700);
  for (Vec3& p : points) p = {random.uniform(0, 20), random.uniform(0, 30), random.uniform(0, 40)};
  for (const std::size_t k : {1U, 2U, 6U, 17U}) CHECK(wrong_lists(points, k) == 0);
}

TEST_CASE("neighbours at equal distance are taken in the order of their labels") {
  std::vector<Vec3> lattice;
  for (int i = 0; i < 343; ++i)
    lattice.push_back({static_cast<double>(i % 7), static_cast<double>(i / 7 % 7), static_cast<double>(i / 49)});
  for (const std::size_t k : {1U, 4U, 6U, 10U}) CHECK(wrong_lists(lattice, k) == 0);
  const std::vector<Vec3> together(9, Vec3{1, 2, 3});  // all in one place
  CHECK(wrong_lists(together, 4) == 0);
}

TEST_CASE("fewer points than neighbours: all the others") {
  const std::vector<Vec3> few{{0, 0, 0}, {1, 0, 0}, {0, 3, 0}};
  CHECK(wrong_lists(few, 6) == 0);
  CHECK(nearest_neighbours({{1, 1, 1}}, 6, 1).at(0).empty());
}

TEST_CASE("neighbourhood attributes are those gathered by brute force from the table") {
  for (const std::int64_t k : {6, 4, 9}) {
    auto config = test::voxel_config();
    config.neighbours = k;
    const auto r = test::measured(random_spheroids({1.6, 1, 0.8}).inputs(), config);
    REQUIRE(r.paper.rows() == 45);
    std::int64_t undefined = 0;
    for (std::size_t i = 0; i < r.paper.rows(); ++i) {
      check_row(r, i, static_cast<std::size_t>(k));
      undefined += test::at(r.paper, "axis_defined", i) == 0;
    }
    CHECK(undefined < 45);
  }
}

TEST_CASE("the border is every cut face, no physical face, and the rim of the field of view") {
  auto inputs = random_spheroids({1.6, 1, 0.8}).inputs();
  const Index3 shape = inputs.labels.shape;
  const Vec3 h = inputs.labels.voxel_size_um;
  Grid<std::uint8_t> seen{array3<std::uint8_t>(shape), h, {0, 0, 0}};
  std::vector<Vec3> unseen;
  for (std::size_t z = 0; z < seen.values.shape(0); ++z)
    for (std::size_t y = 0; y < seen.values.shape(1); ++y)
      for (std::size_t x = 0; x < seen.values.shape(2); ++x) {
        const double dy = (static_cast<double>(y) + 0.5) * h[1] - 24, dx = (static_cast<double>(x) + 0.5) * h[2] - 40;
        seen.values(z, y, x) = dy * dy + dx * dx < 36 * 36 ? 1 : 0;
        if (seen.values(z, y, x) == 0) unseen.push_back({(static_cast<double>(z) + 0.5) * h[0], dy + 24, dx + 40});
      }
  const AttributeInputs whole = inputs;
  auto visible = inputs.labels.load();
  for (std::size_t i = 0; i < seen.values.size(); ++i)
    if (seen.values.data()[i] == 0) visible.values.data()[i] = 0;
  for (const bool masked : {false, true})
    for (const std::vector<std::string>& faces :
         {std::vector<std::string>{}, {"z_low", "z_high"}, {"z_low", "y_high", "x_low"}}) {
      inputs = whole;
      inputs.physical_faces = faces;
      if (masked) {
        inputs.labels = source_of(visible);
        inputs.field_of_view = source_of(seen);
      }
      const auto r = test::measured(inputs).paper;
      const auto physical = [&](const char* f) { return std::count(faces.begin(), faces.end(), f) > 0; };
      for (std::size_t i = 0; i < r.rows(); ++i) {
        const Vec3 at{test::at(r, "Z", i), test::at(r, "Y", i), test::at(r, "X", i)};
        double expected = 1e9;
        const char* names[3][2] = {{"z_low", "z_high"}, {"y_low", "y_high"}, {"x_low", "x_high"}};
        for (std::size_t a = 0; a < 3; ++a) {
          if (!physical(names[a][0])) expected = std::min(expected, at[a]);
          if (!physical(names[a][1])) expected = std::min(expected, static_cast<double>(shape[a]) * h[a] - at[a]);
        }
        if (masked)
          for (const Vec3& u : unseen) expected = std::min(expected, distance(at, u));
        // the rim is kept as points on voxel faces: within a voxel of the nearest unseen voxel's centre
        INFO("row " << i << " masked " << masked << " faces " << faces.size());
        CHECK(test::at(r, "border_distance", i) == Approx(expected).margin(masked ? 1.0 : 1e-9));
        const bool censored = !(test::at(r, "knn_distance", i) <= test::at(r, "border_distance", i));
        CHECK(test::at(r, "knn_censored", i) == (censored ? 1 : 0));
      }
    }
}
