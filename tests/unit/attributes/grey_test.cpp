#include "attribute_bodies.hpp"
#include "attribute_images.hpp"
#include "test_data.hpp"

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

constexpr double solid = 180, matrix = 90, pore = 60;
constexpr double blur = 1.2;  // voxels

using Level = std::function<double(const Point&)>;

/// The body on voxels of 1 um, with what a camera sees of `level`.
AttributeInputs seen(const Body& body, std::int64_t n, const Level& level, const test::Camera& camera) {
  auto inputs = rendered(body, 1, {n, n, n}, {1, 1, 1}).inputs();
  inputs.grey = source_of(test::imaged(level, {n, n, n}, {1, 1, 1}, camera));
  return inputs;
}

Level two_levels(const Body& body) {
  return [body](const Point& p) {
    const Material m = body(p);
    return m.label == 0 ? matrix : m.crack ? pore : solid;
  };
}

AttributesConfig in_voxels(double sigma) {
  auto config = test::voxel_config();
  config.roughness_sigma_um = sigma;
  return config;
}

Table table_of(const Body& body, std::int64_t n, const Level& level, const test::Camera& camera, double sigma = 1.5) {
  return test::measured(seen(body, n, level, camera), in_voxels(sigma)).leak_free;
}

const Body smooth_ball = ball({26.3, 25.8, 26.1}, 16);

}  // namespace

TEST_CASE("grey surface of a smooth ball: roughness 1, whatever its blur; the blur is recovered") {
  for (const double sigma : {0.8, 1.2, 2.0}) {
    const test::Camera camera{sigma, 0};
    const Table t = table_of(smooth_ball, 52, two_levels(smooth_ball), camera, 2.5);
    INFO("blur " << sigma << ": RoughOuter " << test::at(t, "RoughOuter") << ", EdgeBlur " << test::at(t, "EdgeBlur")
                 << ", EDensity " << test::at(t, "EDensity"));
    CHECK(test::at(t, "rough_from_grey") == 1);
    CHECK(test::at(t, "RoughOuter") == Approx(1).margin(0.01));
    // the step is measured across a voxel, which makes the steepest place look a little wider
    CHECK(test::at(t, "EdgeBlur") == Approx(test::edge_sigma(camera, 1)).epsilon(0.1));
  }
}

TEST_CASE("the label may be a voxel off: the grey surface does not care") {
  const Body smaller = ball({26.3, 25.8, 26.1}, 15.2), larger = ball({26.3, 25.8, 26.1}, 16.8);
  const double a = test::at(table_of(smaller, 52, two_levels(smooth_ball), {blur, 0}), "RoughOuter");
  const double b = test::at(table_of(larger, 52, two_levels(smooth_ball), {blur, 0}), "RoughOuter");
  CHECK(a == Approx(b).margin(0.003));
  CHECK(a == Approx(1).margin(0.01));
}

TEST_CASE("grey surface of a rough ball: the ratio of its surface to the smoothed one, by quadrature") {
  // waves of 12 voxels, 5 % high, that a sigma of 6 voxels removes, and a blur of 1.2 does not
  const RoughBall rough{{34.2, 33.9, 34.1}, 24, 0.05, 12, 6};
  const double ratio =
      rough.surface() / (4 * 3.14159265358979 * std::pow(0.75 / 3.14159265358979 * rough.volume(), 2.0 / 3));
  const Table t = table_of(rough, 68, two_levels(rough), {blur, 0}, 6);
  const double from_mask =
      test::at(test::measured(rendered(rough, 1, {68, 68, 68}, {1, 1, 1}).inputs(), in_voxels(6)).paper, "RoughOuter");
  // degree 12 on 24 voxels radius has wave number 0.5 per voxel: the camera's blur lowers the height by exp(-k^2 s^2 /
  // 2)
  const double seen_ratio = 1 + (ratio - 1) * std::exp(-0.25 * std::pow(test::edge_sigma({blur, 0}, 1), 2));
  INFO("geometry " << ratio << ", behind the blur " << seen_ratio << ", from grey " << test::at(t, "RoughOuter")
                   << ", from the mask " << from_mask);
  CHECK(ratio > 1.02);
  CHECK(test::at(t, "RoughOuter") - 1 == Approx(seen_ratio - 1).epsilon(0.15));
  CHECK(from_mask - 1 == Approx(ratio - 1).epsilon(0.1));
}

TEST_CASE("noise of the grey values adds to the roughness, more with more noise") {
  // measured on this ball: 0.001, 0.03, 0.13, 0.67 at 0, 5, 10, 20 % of the step
  const std::array<double, 4> noises{0, 4.5, 9, 18}, limits{0.01, 0.05, 0.17, 0.8};
  double last = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double r =
        test::at(table_of(smooth_ball, 52, two_levels(smooth_ball), {blur, noises[i]}, 2.5), "RoughOuter") - 1;
    INFO("noise " << noises[i] << ": RoughOuter " << 1 + r);
    CHECK(r > last);
    CHECK(r < limits[i]);
    last = r;
  }
}

TEST_CASE("EDensity and Homogeneity: level and noise of the solid, in spite of blur and cracks") {
  const Body cracked = cracked_ball({26.3, 25.8, 26.1}, 16, 5, {0.6, 0.8, 0});
  const double noise = 7;
  const auto r = test::measured(seen(cracked, 52, two_levels(cracked), {0.6, noise}), in_voxels(1.5));
  // 9000 voxels: the mean scatters by 0.07 and the deviation by 0.7 %; blur of 0.7 voxel leaves 7 % of the step in
  // the first voxels that stay after erosion
  INFO("EDensity " << test::at(r.leak_free, "EDensity") << ", 1 / Homogeneity "
                   << 1 / test::at(r.leak_free, "Homogeneity") << ", paper " << test::at(r.paper, "EDensity"));
  CHECK(test::at(r.leak_free, "EDensity") == Approx(solid).epsilon(0.01));
  CHECK(1 / test::at(r.leak_free, "Homogeneity") == Approx(noise).epsilon(0.1));
  // the paper's mean contains the cracks
  const double damage = test::at(r.paper, "Damage");
  CHECK(test::at(r.paper, "EDensity") == Approx(solid - damage * (solid - pore)).epsilon(0.03));
  CHECK(test::at(r.paper, "EDensity") < test::at(r.leak_free, "EDensity") - 5);
}

TEST_CASE("Homogeneity of unblurred noise is one over its standard deviation") {
  const auto inputs = seen(smooth_ball, 52, [](const Point&) { return solid; }, {0, 5});
  const auto r = test::measured(inputs, in_voxels(1.5));
  CHECK(1 / test::at(r.paper, "Homogeneity") == Approx(5).epsilon(0.02));
  CHECK(1 / test::at(r.leak_free, "Homogeneity") == Approx(5).epsilon(0.02));
}

TEST_CASE("BinderContact: half of a ball in binder, half in pore") {
  for (const bool slanted : {false, true}) {
    const Point centre{26.3, 25.8, 26.1};
    const auto level = [=](const Point& p) {
      if (smooth_ball(p).label != 0) return solid;
      const double side = slanted ? 0.6 * (p[0] - centre[0]) + 0.8 * (p[2] - centre[2]) : p[2] - centre[2];
      return side > 0 ? matrix : pore - 30;
    };
    const Table t = table_of(smooth_ball, 52, level, {blur, 3});
    INFO("BinderContact " << test::at(t, "BinderContact"));
    CHECK(test::at(t, "BinderContact") == Approx(0.5).margin(0.03));
  }
}

TEST_CASE("BinderContact is empty where the surroundings have one level: binder and pore cannot be told apart") {
  for (const double noise : {3.0, 10.0, 20.0}) {
    const Table t = table_of(smooth_ball, 52, two_levels(smooth_ball), {blur, noise});
    INFO("noise " << noise << ": BinderContact " << test::at(t, "BinderContact"));
    CHECK(std::isnan(test::at(t, "BinderContact")));
    CHECK(std::isfinite(test::at(t, "EDensityCalibrated")));
  }
}

namespace {

/// Phase ids about a ball: pores of id 0 below, binder of id 1 above; a small ball of its id, unlabelled.
Table in_phases(double binder, double active, bool fragment) {
  const Body small = ball({43.1, 25.8, 13.5}, 5);  // touches the surface on the side of the pores
  auto inputs = rendered(smooth_ball, 1, {52, 52, 52}, {1, 1, 1}).inputs();
  Grid<float> ids{array3<float>({52, 52, 52}), {1, 1, 1}, {0, 0, 0}};
  for (std::size_t z = 0; z < 52; ++z)
    for (std::size_t y = 0; y < 52; ++y)
      for (std::size_t x = 0; x < 52; ++x) {
        const Point p{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5, static_cast<double>(z) + 0.5};
        const bool solid_here = smooth_ball(p).label != 0 || (fragment && small(p).label != 0);
        ids.values(z, y, x) = static_cast<float>(solid_here ? active : p[2] > 26.1 ? binder : 0);
      }
  inputs.grey = source_of(std::move(ids));
  inputs.damage_source = "phases";
  return test::measured(inputs, in_voxels(1.5)).leak_free;
}

}  // namespace

TEST_CASE("BinderContact of phases: the active phase outside the labels is neither binder nor pore") {
  for (const auto& [binder, active] : std::vector<std::pair<double, double>>{{1, 2}, {2, 1}}) {
    const double with = test::at(in_phases(binder, active, true), "BinderContact");
    const double without = test::at(in_phases(binder, active, false), "BinderContact");
    INFO("binder " << binder << ", active " << active << ": " << with << " with a fragment, " << without << " without");
    CHECK(without == Approx(0.5).margin(0.03));
    CHECK(with == Approx(without).margin(0.002));  // what it touches is not binder, nor was it before
  }
}

namespace {

/// 27 balls of three grey levels in a matrix with pores, multiplied by a, shifted by b, with a slow drift.
AttributeInputs many(double a, double b, double drift) {
  std::vector<Body> bodies;
  std::uint32_t label = 0;
  bodies.reserve(27);
  for (const double z : {12.0, 36.0, 60.0})
    for (const double y : {12.0, 36.0, 60.0})
      for (const double x : {12.0, 36.0, 60.0}) bodies.push_back(ball({x, y, z}, 7.3, ++label));
  const Body all = any_of(bodies);
  auto inputs = rendered(all, label, {72, 72, 72}, {1, 1, 1}).inputs();
  const auto level = [&](const Point& p) {
    const std::uint32_t id = all(p).label;
    const bool hole = std::fmod(p[0] + 2, 12) < 4 && std::fmod(p[1], 12) < 6;
    const double v = id != 0 ? solid + 2.0 * (static_cast<double>(id % 3) - 1) : hole ? 20 : 100;
    return a * (v + drift * (p[0] / 36 - 1)) + b;
  };
  inputs.grey = source_of(test::imaged(level, {72, 72, 72}, {1, 1, 1}, {0.5, a * 3}));
  return inputs;
}

}  // namespace

TEST_CASE("EDensityCalibrated does not change under grey -> a grey + b", "[slow]") {
  const auto config = in_voxels(1.5);
  const Table before = test::measured(many(1, 0, 0), config).leak_free,
              after = test::measured(many(2.5, -70, 0), config).leak_free;
  for (std::size_t i = 0; i < before.rows(); ++i) {
    CHECK(test::at(after, "EDensityCalibrated", i) == Approx(test::at(before, "EDensityCalibrated", i)).margin(1e-4));
    // 0 = pore at 20, 1 = the solid's mode near 180: each particle by its own level
    CHECK(test::at(before, "EDensityCalibrated", i) ==
          Approx((test::at(before, "EDensity", i) - 20) / 160).margin(0.02));
  }
}

TEST_CASE("EDensityCalibrated is free of a slow drift of the scan", "[slow]") {
  const auto config = in_voxels(1.5);
  const Table flat = test::measured(many(1, 0, 0), config).leak_free,
              bent = test::measured(many(1, 0, 10), config).leak_free;
  double raw = 0, calibrated = 0;
  for (std::size_t i = 0; i < flat.rows(); ++i) {
    raw = std::max(raw, std::abs(test::at(bent, "EDensity", i) - test::at(flat, "EDensity", i)));
    calibrated = std::max(calibrated,
                          std::abs(test::at(bent, "EDensityCalibrated", i) - test::at(flat, "EDensityCalibrated", i)));
  }
  INFO("raw grey moves by " << raw << ", calibrated by " << calibrated);
  CHECK(raw > 6);
  CHECK(calibrated < 0.015);  // raw drift is 0.04 of the step of 160 either way
}
