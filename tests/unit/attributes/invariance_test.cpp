#include "attribute_bodies.hpp"
#include "tables.hpp"
#include "test_data.hpp"

#include <cathoscope/core/error.hpp>

using namespace cathoscope;
using namespace cathoscope::attributes;

TEST_CASE("the same bits for any number of threads and any memory, which sets the blocks") {
  const auto inputs = test::crowded();
  AttributesConfig config;
  const auto reference = test::measured(inputs, config, 1);
  CHECK(test::same(reference.paper, test::measured(inputs, config, 3).paper));
  CHECK(test::same(reference.leak_free, test::measured(inputs, config, 2, std::uint64_t{24} << 20).leak_free));
  CHECK(reference.paper.rows() > 60);
}

TEST_CASE("too little memory for a particle is an error that names it, never an empty column") {
  auto inputs =
      rendered(any_of({ball({8.2, 8.3, 8.1}, 3, 1), ball({33.2, 33.4, 33.1}, 17, 2)}), 2, {56, 56, 56}, {1, 1, 1})
          .inputs();
  inputs.label_ids = {11, 407};
  // 56 x 56 x 56 voxels of 32 bytes are 5.6 MB, of which half the memory must hold
  const std::uint64_t need = 2 * 32 * 56 * 56 * 56;
  const auto full = test::measured(inputs), tight = test::measured(inputs, test::voxel_config(), 2, need);
  CHECK(test::same(full.paper, tight.paper));
  for (std::size_t row = 0; row < 2; ++row)
    for (const char* name : {"RoughOuter", "Contact", "n_components"})
      CHECK(std::isfinite(test::at(tight.paper, name, row)));
  try {
    test::measured(inputs, test::voxel_config(), 1, need / 2);
    FAIL("measured with half of the memory that the particle needs");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::no_memory);
    const std::string what = e.what();
    CHECK(what.find("particle 407") != std::string::npos);
    CHECK(what.find("--memory") != std::string::npos);
  }
}

TEST_CASE("areas add up: S(P) = A(P|V) + outer - mouth, and both sides of a contact agree") {
  const auto r = test::measured(test::crowded(), AttributesConfig{});
  for (std::size_t i = 0; i < r.paper.rows(); ++i) {
    const double total = test::at(r.paper, "SurfTotal", i);
    const double sum =
        test::at(r.paper, "SurfInner", i) + test::at(r.paper, "SurfOuter", i) - test::at(r.paper, "MouthArea", i);
    CHECK(total == Approx(sum).epsilon(1e-12));
  }
}

TEST_CASE("scaling the voxel scales volumes, surfaces, lengths, and nothing else") {
  const auto body = rendered(cracked_ball({15.2, 15.4, 15.1}, 11, 3, {0.6, 0.8, 0}), 1, {31, 31, 31}, {1, 1, 1});
  auto large = body;
  large.labels.voxel_size_um = large.cracks.voxel_size_um = {2, 2, 2};
  auto config = test::voxel_config();
  const auto a = test::measured(body.inputs(), config).paper;
  config.roughness_sigma_um *= 2;
  config.contact_distance_um *= 2;
  const auto b = test::measured(large.inputs(), config).paper;
  CHECK(test::at(b, "Volume") == Approx(8 * test::at(a, "Volume")).epsilon(1e-12));
  CHECK(test::at(b, "SurfInner") == Approx(4 * test::at(a, "SurfInner")).epsilon(1e-8));
  CHECK(test::at(b, "X") == Approx(2 * test::at(a, "X")).epsilon(1e-12));
  for (const char* name : {"Damage", "Elongation", "Sphericity", "RoughOuter", "RoughInner", "Yaw"})
    CHECK(test::at(b, name) == Approx(test::at(a, name)).epsilon(1e-6));
}

TEST_CASE("a shift by whole voxels moves the position only") {
  const auto make = [](double shift) {
    return rendered(ellipsoid({14.3 + shift, 15.1, 14.6}, {11, 8, 6}, rotation(0.4, 0.2, 0.1)), 1, {30, 30, 40},
                    {1, 1, 1});
  };
  const auto a = test::measured(make(0).inputs()).paper, b = test::measured(make(7).inputs()).paper;
  CHECK(test::at(b, "X") == Approx(test::at(a, "X") + 7).epsilon(1e-12));
  for (const char* name : {"Volume", "SurfOuter", "Elongation", "Yaw", "Pitch", "Roll", "RoughOuter"})
    CHECK(test::at(b, name) == Approx(test::at(a, name)).epsilon(1e-9));
}

TEST_CASE("angles: an ellipsoid turned by yaw, pitch, roll has them") {
  const double degrees = 3.14159265358979 / 180;
  const auto axes = rotation(35 * degrees, -20 * degrees, 50 * degrees);
  const auto r =
      test::measured(rendered(ellipsoid({22.2, 22.4, 22.1}, {20, 14, 9}, axes), 1, {45, 45, 45}, {1, 1, 1}).inputs());
  CHECK(test::at(r.paper, "Yaw") == Approx(35).margin(1));  // 1 degree: the scatter at 9 voxels
  CHECK(test::at(r.paper, "Pitch") == Approx(-20).margin(1));
  CHECK(test::at(r.paper, "Roll") == Approx(50).margin(1));
}

TEST_CASE("depth counted from the high end changes the column Z only") {
  auto inputs = rendered(ball({10.2, 10.3, 7.4}, 5), 1, {21, 21, 21}, {1, 1, 1}).inputs();
  const auto low = test::measured(inputs).paper;
  inputs.depth_from_high_end = true;
  inputs.depth_length_um = 100;
  const auto high = test::measured(inputs).paper;
  CHECK(test::at(high, "Z") == Approx(100 - test::at(low, "Z")));
  CHECK(test::at(high, "Pitch") == test::at(low, "Pitch"));
}
