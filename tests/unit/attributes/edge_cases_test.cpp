#include "attribute_bodies.hpp"
#include "test_data.hpp"

#include <cathoscope/core/error.hpp>

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

RenderedBody painted(const Index3& shape, const std::vector<std::pair<Box, std::uint32_t>>& boxes,
                     const Vec3& h = {1, 1, 1}) {
  std::uint32_t most = 0;
  for (const auto& b : boxes) most = std::max(most, b.second);
  return rendered(
      [=](const Point& p) {
        const Vec3 at{p[2] / h[0], p[1] / h[1], p[0] / h[2]};
        for (const auto& [box, label] : boxes) {
          bool in = true;
          for (std::size_t i = 0; i < 3; ++i)
            in = in && at[i] >= static_cast<double>(box.begin[i]) && at[i] < static_cast<double>(box.end[i]);
          if (in) return Material{label, false};
        }
        return Material{};
      },
      most, shape, h);
}

}  // namespace

TEST_CASE("no particle: a table with its header and no row") {
  const auto r = test::measured(painted({5, 6, 7}, {}).inputs());
  CHECK(r.paper.rows() == 0);
  CHECK(r.paper.columns.size() > 36);
  CHECK(r.summary.particles == 0);
  CHECK(r.summary.phase_fraction == 0);
}

TEST_CASE("one and two particles: neighbourhood columns are empty, the others are not") {
  const auto one = test::measured(painted({9, 9, 9}, {{{{2, 2, 2}, {6, 6, 7}}, 1}}).inputs());
  CHECK(std::isnan(test::at(one.paper, "DistNearest")));
  CHECK(test::at(one.paper, "knn_censored") == 1);
  CHECK(test::at(one.paper, "Contact") == 0);
  CHECK(test::at(one.paper, "Volume") == 80);
  const auto two =
      test::measured(painted({9, 9, 20}, {{{{2, 2, 2}, {6, 6, 7}}, 1}, {{{2, 2, 7}, {6, 6, 12}}, 2}}).inputs());
  CHECK(std::isnan(test::at(two.paper, "OrienIso")));
  CHECK(test::at(two.paper, "ContactTouch") > 0.1);
}

TEST_CASE("a particle of one voxel and a flat one have finite shapes and no abort") {
  const auto r = test::measured(
      painted({7, 9, 9}, {{{{3, 4, 4}, {4, 5, 5}}, 1}, {{{1, 1, 1}, {2, 8, 8}}, 2}}, {2, 1, 1}).inputs());
  CHECK(test::at(r.paper, "n_voxels", 0) == 1);
  CHECK(test::at(r.paper, "Volume", 0) == 2);
  CHECK(test::at(r.paper, "Elongation", 0) == Approx(2));  // a voxel of 2 : 1 : 1
  CHECK(test::at(r.paper, "Elongation", 1) == Approx(7.0 / 2));
  CHECK(test::at(r.paper, "Damage", 0) == 0);
  CHECK(std::isfinite(test::at(r.paper, "SurfOuter", 0)));
}

TEST_CASE("a volume of one slice, and one that is a single voxel") {
  CHECK(test::measured(painted({1, 8, 8}, {{{{0, 2, 2}, {1, 6, 6}}, 1}}).inputs()).paper.rows() == 1);
  CHECK(test::measured(painted({1, 1, 1}, {{{{0, 0, 0}, {1, 1, 1}}, 1}}).inputs()).paper.rows() == 1);
}

TEST_CASE("cut faces flag a particle, physical faces do not and close its surface") {
  auto inputs = painted({10, 10, 10}, {{{{0, 3, 3}, {5, 7, 7}}, 1}}).inputs();
  const auto cut = test::measured(inputs).paper;
  CHECK(test::at(cut, "touches_border") == 1);
  inputs.physical_faces = {"z_low"};
  const auto standing = test::measured(inputs).paper;
  CHECK(test::at(standing, "touches_border") == 0);
  // the same box inside the volume has the same surface
  const auto inside = test::measured(painted({12, 10, 10}, {{{{3, 3, 3}, {8, 7, 7}}, 1}}).inputs()).paper;
  CHECK(test::at(standing, "SurfOuter") == Approx(test::at(inside, "SurfOuter")).epsilon(1e-12));
  CHECK(test::at(cut, "SurfOuter") < test::at(inside, "SurfOuter"));
}

TEST_CASE("the field of view is a border: its rim flags, and is the distance that censors neighbours") {
  auto inputs = painted({20, 20, 20}, {{{{8, 8, 4}, {12, 12, 8}}, 1}, {{{8, 8, 12}, {12, 12, 16}}, 2}}).inputs();
  Grid<std::uint8_t> seen{array3<std::uint8_t>({20, 20, 20}), {1, 1, 1}, {0, 0, 0}};
  for (std::size_t z = 0; z < 20; ++z)
    for (std::size_t y = 0; y < 20; ++y)
      for (std::size_t x = 0; x < 20; ++x) seen.values(z, y, x) = x < 4 ? 0 : 1;
  inputs.field_of_view = source_of(std::move(seen));
  auto config = test::voxel_config();
  config.guard_um = 3;
  const auto r = test::measured(inputs, config).paper;
  CHECK(test::at(r, "touches_border", 0) == 1);
  CHECK(test::at(r, "touches_border", 1) == 0);
  // rim points are centres of voxel faces: half a voxel off the centroid in y and z
  CHECK(test::at(r, "border_distance", 0) == Approx(std::sqrt(4.5)).margin(1e-9));
  CHECK(test::at(r, "guard", 0) == 1);
  CHECK(test::at(r, "guard", 1) == 0);
}

TEST_CASE("a label beyond the list of ids, or a mask of another shape, is refused") {
  auto inputs = painted({6, 6, 6}, {{{{1, 1, 1}, {3, 3, 3}}, 3}}).inputs();
  inputs.label_ids = {1, 2};
  try {
    test::measured(inputs);
    FAIL("accepted label 3 of 2");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::data);
    CHECK(std::string(e.what()).find("label 3") != std::string::npos);
  }
  inputs.label_ids = {1, 2, 3};
  inputs.cracks.shape = {5, 6, 6};
  CHECK_THROWS_AS(test::measured(inputs), Error);
}

TEST_CASE("two dimensions: areas, perimeter, axis angle; the rest is empty") {
  auto inputs =
      rendered(
          [](const Point& p) {
            const double c = std::cos(0.5), s = std::sin(0.5), dx = p[0] - 40.3, dy = p[1] - 40.1;
            return Material{std::pow((c * dx + s * dy) / 30, 2) + std::pow((c * dy - s * dx) / 15, 2) < 1 ? 1U : 0U,
                            false};
          },
          1, {1, 80, 80}, {1, 1, 1})
          .inputs();
  inputs.two_dimensional = true;
  const auto r = test::measured(inputs).paper;
  CHECK(test::at(r, "area_um2") == Approx(3.14159265 * 450).epsilon(0.003));
  CHECK(test::at(r, "perimeter_um") == Approx(145.3).epsilon(0.015));  // Ramanujan; 4 directions scatter by 1 %
  CHECK(test::at(r, "Elongation") == Approx(2).epsilon(0.003));
  CHECK(test::at(r, "Yaw") == Approx(0.5 * 180 / 3.14159265).margin(0.5));
  CHECK(test::at(r, "Damage") == 0);
  const std::vector<std::string> filled{"X", "Y", "Yaw", "Damage", "Elongation"};  // a lone particle, no grey values
  for (const AttributeInfo& info : attribute_list) {
    INFO(info.name);
    const bool expected = std::find(filled.begin(), filled.end(), info.name) != filled.end();
    CHECK(std::isfinite(test::at(r, std::string(info.name))) == expected);
    CHECK(std::isnan(test::at(r, std::string(info.name))) != expected);
  }
  CHECK(test::at(r, "touches_border") == 0);
}

TEST_CASE("smoothing narrower than half a voxel: RoughOuter is empty, with one warning that says what to set") {
  auto inputs =
      rendered(any_of({ball({12.2, 12.3, 12.1}, 8, 1), ball({31.2, 12.4, 12.1}, 8, 2)}), 2, {25, 25, 43}, {1, 1, 1})
          .inputs();
  inputs.labels.voxel_size_um = inputs.cracks.voxel_size_um = {0.398, 0.398, 0.398};
  AttributesConfig config;
  struct Case {
    double sigma;
    bool acts, resolved;
  };
  for (const auto& [sigma, acts, resolved] :
       {Case{0.15, false, false}, Case{0.198, false, false}, Case{0.2, true, false}, Case{0.398, true, true}}) {
    config.roughness_sigma_um = sigma;
    Progress progress;
    const auto r = compute_attributes(config, inputs, Context{progress, 2, std::uint64_t{1} << 30});
    for (const Table* table : {&r.paper, &r.leak_free})
      for (std::size_t row = 0; row < 2; ++row) {
        CHECK(std::isfinite(test::at(*table, "RoughOuter", row)) == acts);
        CHECK(test::at(*table, "rough_resolved", row) == (resolved ? 1 : 0));
        CHECK(std::isfinite(test::at(*table, "RoughOuterLegacy", row)));
      }
    REQUIRE(progress.warnings().size() == (acts ? 0 : 1));
    if (!acts)
      CHECK(progress.warnings()[0].find("Set attributes.roughness_sigma_um to 0.398 or more") != std::string::npos);
  }
}

TEST_CASE("columns stand in the order that scripts rely on") {
  const auto r = test::measured(painted({5, 6, 7}, {}).inputs());
  std::vector<std::string> expected{"label"};
  for (const auto& a : attribute_list) expected.emplace_back(a.name);
  for (const char* name :
       {"n_voxels", "n_components", "touches_border", "guard", "knn_censored", "axis_defined", "DamagePartialVolume",
        "damage_source", "SphericityWadell", "PDensity100", "EDensityCalibrated", "BinderContact"})
    expected.emplace_back(name);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(r.paper.columns[i].name == expected[i]);
  for (const std::string_view name : crack_attributes) CHECK(r.leak_free.find(name) == nullptr);
  CHECK(r.leak_free.columns.size() == r.paper.columns.size() - crack_attributes.size());
}
