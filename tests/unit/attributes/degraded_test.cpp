#include "attribute_bodies.hpp"
#include "attribute_images.hpp"
#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/given.hpp>

#include <map>

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

constexpr double solid = 180, matrix = 90, void_level = 60;

/// A voxel belongs to what most of 27 points in it lie in, as where grey values are cut at half their step.
Body by_majority(const Body& body, const Vec3& h) {
  return [body, h](const Point& p) {
    int inside = 0, crack = 0;
    for (int s = 0; s < 27; ++s) {
      const int x = s % 3 - 1, y = s / 3 % 3 - 1, z = s / 9 - 1;
      const Material m = body({p[0] + x * h[2] / 3, p[1] + y * h[1] / 3, p[2] + z * h[0] / 3});
      inside += m.label != 0 ? 1 : 0;
      crack += m.label != 0 && m.crack ? 1 : 0;
    }
    return Material{inside > 13 ? 1U : 0U, 2 * crack > inside};
  };
}

/// One body as a scanner of voxel h (blur half a voxel) sees it, in a cube of about 4.2 um.
AttributeInputs scanned(const Body& body, const Vec3& h, std::uint64_t seed = 1, double noise = 0) {
  Index3 shape{};
  for (std::size_t a = 0; a < 3; ++a) shape[a] = static_cast<std::int64_t>(std::floor(4.2 / h[a] + 1e-6));
  auto inputs = rendered(by_majority(body, h), 1, shape, h).inputs();
  const auto level = [&](const Point& p) {
    const Material m = body(p);
    return m.label == 0 ? matrix : m.crack ? void_level : solid;
  };
  test::Camera camera{0.5 * std::cbrt(h[0] * h[1] * h[2]), noise, seed};
  inputs.grey = source_of(test::imaged(level, shape, h, camera));
  return inputs;
}

Point random_centre(std::uint64_t item) {
  Stream random(3, {"degraded"}, item);
  return {2.1 + random.uniform(-0.1, 0.1), 2.1 + random.uniform(-0.1, 0.1), 2.1 + random.uniform(-0.1, 0.1)};
}

/// Mean over positions of (degraded - native) / native.
std::map<std::string, double> mean_differences(const std::function<Body(std::uint64_t)>& body, const Vec3& fine,
                                               const Vec3& coarse, double noise, const AttributesConfig& config) {
  constexpr std::uint64_t positions = 8;
  std::map<std::string, double> mean;
  for (std::uint64_t i = 0; i < positions; ++i) {
    const Body b = body(i);
    const auto native = test::measured(scanned(b, coarse, 100 + i, noise), config);
    const auto matched = test::measured(degraded(scanned(b, fine, 200 + i, noise), coarse), config);
    for (const char* name : {"Volume", "SurfOuter", "Sphericity", "RoughOuter", "EDensity", "Damage", "Elongation"}) {
      const double n = test::at(native.leak_free, name), m = test::at(matched.leak_free, name);
      mean[name] += (n == 0 ? m : m / n - 1) / static_cast<double>(positions);
    }
  }
  return mean;
}

std::string text_of(const std::map<std::string, double>& m) {
  std::string s;
  for (const auto& [name, v] : m) s += name + " " + std::to_string(100 * v) + " %, ";
  return s;
}

/// An ellipsoid with a slab of crack through its middle, 4.5 coarse voxels wide.
Body cracked(std::uint64_t i) {
  const Point centre = random_centre(i);
  const auto axes = rotation(0.3 + 0.37 * static_cast<double>(i), 0.5, 0.2 * static_cast<double>(i));
  const Body whole = ellipsoid(centre, {1.8, 1.5, 1.25}, axes), slab = cracked_ball(centre, 9, 0.45, axes[0]);
  return [=](const Point& p) { return Material{whole(p).label, slab(p).crack}; };
}

Body rough(std::uint64_t i) { return RoughBall{random_centre(i), 1.5, 0.06, 8, 4}; }

void check_null(const std::map<std::string, double>& d, double rough_tolerance) {
  INFO(text_of(d));
  // What three deviations of the scatter of a single rendering at 12 voxels radius are. Within it lies a small bias:
  // deciding twice, by fine and by coarse voxel, shrinks a ball by about h^2 / 24 R twice, 0.1 % of Volume here.
  CHECK(std::abs(d.at("Volume")) < 0.003);
  CHECK(std::abs(d.at("SurfOuter")) < 0.007);
  CHECK(std::abs(d.at("Sphericity")) < 0.02);  // third power of the surface
  CHECK(std::abs(d.at("RoughOuter")) < rough_tolerance);
  CHECK(std::abs(d.at("EDensity")) < 0.002);
}

}  // namespace

TEST_CASE("a cracked ball seen at 70 nm and degraded is the ball seen at 100 nm", "[slow]") {
  const auto d = mean_differences(cracked, {0.07, 0.07, 0.07}, {0.1, 0.1, 0.1}, 4, AttributesConfig{});
  check_null(d, 0.005);
  CHECK(std::abs(d.at("Damage")) < 0.01);
  CHECK(std::abs(d.at("Elongation")) < 0.002);
}

TEST_CASE("a rough ball seen at 70 nm and degraded is the ball seen at 100 nm", "[slow]") {
  AttributesConfig config;
  config.roughness_sigma_um = 0.25;
  check_null(mean_differences(rough, {0.07, 0.07, 0.07}, {0.1, 0.1, 0.1}, 4, config), 0.005);
}

TEST_CASE("ratios that are whole numbers, where shares tie at a half, are as unbiased", "[slow]") {
  const auto two = mean_differences(cracked, {0.05, 0.05, 0.05}, {0.1, 0.1, 0.1}, 0, AttributesConfig{});
  check_null(two, 0.005);
  CHECK(std::abs(two.at("Damage")) < 0.01);
}

TEST_CASE("voxels that are not cubes, coarsened by another ratio along each axis", "[slow]") {
  const auto d = mean_differences(cracked, {0.1, 0.07, 0.06}, {0.1, 0.1, 0.12}, 0, AttributesConfig{});
  check_null(d, 0.01);
  CHECK(std::abs(d.at("Damage")) < 0.01);
}

TEST_CASE("an equal voxel size changes nothing") {
  const auto inputs = test::crowded();
  const auto same = degraded(inputs, inputs.labels.voxel_size_um);
  CHECK((same.labels.load().values == inputs.labels.load().values));
  CHECK((same.cracks.load().values == inputs.cracks.load().values));
  CHECK((given(same.grey).load().values == given(inputs.grey).load().values));
  CHECK((given(same.field_of_view).load().values == given(inputs.field_of_view).load().values));
}

TEST_CASE("degraded voxels do not depend on the box they are read in") {
  const auto coarse = degraded(test::crowded(), {0.27, 0.14, 0.15});
  const auto labels = coarse.labels.load();
  const auto cracks = coarse.cracks.load();
  const auto seen = given(coarse.field_of_view).load();
  const auto grey = given(coarse.grey).load();
  CHECK(labels.shape() == Index3{53, 55, 75});
  Stream random(11, {"boxes"});
  std::int64_t wrong = 0, looked_at = 0;
  for (int round = 0; round < 12; ++round) {
    Box box;
    for (std::size_t a = 0; a < 3; ++a) {
      box.begin[a] = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(labels.shape()[a])));
      const auto room = static_cast<std::uint64_t>(std::min<std::int64_t>(17, labels.shape()[a] - box.begin[a]));
      box.end[a] = box.begin[a] + 1 + static_cast<std::int64_t>(random.below(room));
    }
    const auto size = static_cast<std::size_t>(box.size());
    std::vector<std::uint32_t> l(size);
    std::vector<std::uint8_t> c(size), s(size);
    std::vector<float> g(size);
    coarse.labels.read(box, l.data());
    coarse.cracks.read(box, c.data());
    given(coarse.field_of_view).read(box, s.data());
    given(coarse.grey).read(box, g.data());
    std::size_t i = 0;
    for (auto z = static_cast<std::size_t>(box.begin[0]); z < static_cast<std::size_t>(box.end[0]); ++z)
      for (auto y = static_cast<std::size_t>(box.begin[1]); y < static_cast<std::size_t>(box.end[1]); ++y)
        for (auto x = static_cast<std::size_t>(box.begin[2]); x < static_cast<std::size_t>(box.end[2]); ++x, ++i) {
          wrong += l[i] != labels.values(z, y, x) || c[i] != cracks.values(z, y, x) || s[i] != seen.values(z, y, x) ||
                   g[i] != grey.values(z, y, x);
          ++looked_at;
        }
  }
  CHECK(wrong == 0);
  CHECK(looked_at > 1000);
}

TEST_CASE("attributes of a degraded volume are the same bits for any threads and memory") {
  const auto coarse = degraded(test::crowded(), {0.27, 0.14, 0.15});
  AttributesConfig config;
  const auto a = test::measured(coarse, config, 1), b = test::measured(coarse, config, 3, std::uint64_t{24} << 20);
  for (const char* name : {"Volume", "SurfOuter", "RoughOuter", "EDensity", "Damage", "Contact", "PDensity"}) {
    INFO(name);
    const auto &p = a.leak_free.numbers(name), &q = b.leak_free.numbers(name);
    REQUIRE(p.size() == q.size());
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < p.size(); ++i) wrong += p[i] != q[i] && !(std::isnan(p[i]) && std::isnan(q[i])) ? 1 : 0;
    CHECK(wrong == 0);
  }
  CHECK(a.leak_free.rows() > 60);
}

TEST_CASE("a particle smaller than half a coarse voxel has no row; finer than it is, is refused") {
  auto tiny =
      rendered(any_of({ball({2.1, 2.1, 2.1}, 1.1, 1), ball({6.5, 6.5, 6.5}, 3.1, 2)}), 2, {12, 12, 12}, {1, 1, 1})
          .inputs();
  const auto r = test::measured(degraded(tiny, {4, 4, 4})).paper;
  CHECK(r.rows() == 1);
  CHECK(r.columns[0].ids.at(0) == 2);
  CHECK_THROWS_AS(degraded(tiny, {0.5, 1, 1}), Error);
}

TEST_CASE("inputs kept in a file are those that were read, and leave no file") {
  const test::ScratchDir folder;
  const Body body = [](const Point& p) {
    const double r2 = (p[0] - 2) * (p[0] - 2) + (p[1] - 2.2) * (p[1] - 2.2) + (p[2] - 2.1) * (p[2] - 2.1);
    return Material{r2 < 2.2 ? 1U : 0U, r2 < 0.3};
  };
  // 84 voxels an axis: whole chunks and broken ones
  const auto coarse = degraded(scanned(body, {0.04, 0.04, 0.04}, 5, 3), {0.05, 0.05, 0.05});
  Progress progress;
  const auto kept = stored(coarse, folder / ".scratch.partial", {progress, 2, std::uint64_t{1} << 30});
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK((kept.labels.load().values == coarse.labels.load().values));
  CHECK((kept.cracks.load().values == coarse.cracks.load().values));
  CHECK((given(kept.grey).load().values == given(coarse.grey).load().values));
  CHECK(kept.labels.voxel_size_um == coarse.labels.voxel_size_um);
  CHECK_FALSE(kept.field_of_view);
}
