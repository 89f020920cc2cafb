#include "segmentation_bodies.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <algorithm>

using namespace test;

namespace {

Context quiet(Progress& progress, int threads = 1) { return {progress, threads, std::uint64_t{2} << 30}; }

bool same_values(const Array3<float>& a, const Array3<float>& b) {
  return shape_of(a) == shape_of(b) && std::equal(a.begin(), a.end(), b.begin());
}

Grid<float> ramp(const Index3& shape, const Vec3& h) {
  return painted(shape, h, [](const Vec3& p) { return 3 + 2 * p[0] - p[1] + 0.5 * p[2]; });
}

}  // namespace

TEST_CASE("a working voxel is a 48th of the particle, or the native one") {
  const auto fine = working_grid({655, 2048, 2048}, {0.07, 0.07, 0.07}, {0, 0, 0}, 9.5);
  CHECK(fine.voxel_um == Approx(9.5 / 48));
  CHECK(fine.shape == Index3{232, 725, 725});
  const auto coarse = working_grid({100, 100, 100}, {0.4, 0.4, 0.4}, {0, 0, 0}, 9.5);
  CHECK(coarse.voxel_um == 0.4);
  CHECK(coarse.shape == Index3{100, 100, 100});
  CHECK(working_grid({1, 100, 100}, {0.01, 0.1, 0.1}, {0, 0, 0}, 9.6).shape == Index3{1, 50, 50});
  for (std::int64_t i = 0; i < 725; ++i) CHECK(fine.working_at(1, fine.native_at(1, i)) == i);
}

TEST_CASE("a ramp keeps its values when resampled") {
  // Cubic interpolation, and means over a whole number of voxels, are exact on a ramp but for roundings of float. A mean
  // over a part of a voxel takes that voxel's value for the part: off by at most e (1 - e) / 2 voxels at either end. The
  // last working voxel of an axis covers less and the cubic lacks neighbours at the rim: both are left out.
  Progress progress;
  const Vec3 h{0.25, 0.1, 0.1};
  const auto source = source_of(ramp({20, 61, 47}, h));
  for (const double voxel : {0.2, 0.17}) {
    const auto grid = working_grid_of_voxel({20, 61, 47}, h, {0, 0, 0}, voxel);
    const auto values = resampled(source, std::nullopt, grid, quiet(progress));
    const auto expected = ramp(grid.shape, {voxel, voxel, voxel});
    const double margin = voxel == 0.2 ? 2e-5 : 0.25 / 1.7 * 0.1 * (1 + 0.5);
    for (std::int64_t z = 2; z < grid.shape[0] - 3; ++z)
      for (std::int64_t y = 0; y < grid.shape[1] - 1; ++y)
        for (std::int64_t x = 0; x < grid.shape[2] - 1; ++x)
          REQUIRE(values(z, y, x) == Approx(expected.values(z, y, x)).margin(margin));
  }
}

TEST_CASE("equal voxels are copied, and no threads show") {
  Progress progress;
  const auto noise = with_noise(ramp({30, 40, 50}, {0.1, 0.1, 0.1}), 5);
  const auto same = working_grid_of_voxel({30, 40, 50}, {0.1, 0.1, 0.1}, {0, 0, 0}, 0.1);
  CHECK(same_values(resampled(source_of(noise), std::nullopt, same, quiet(progress)), noise.values));
  const auto coarse = working_grid_of_voxel({30, 40, 50}, {0.1, 0.1, 0.1}, {0, 0, 0}, 0.13);
  const auto one = resampled(source_of(noise), std::nullopt, coarse, quiet(progress, 1));
  CHECK(same_values(resampled(source_of(noise), std::nullopt, coarse, quiet(progress, 4)), one));
}

TEST_CASE("outside the field of view stands its edge, and percentiles do not see it") {
  Progress progress;
  Grid<float> g = painted({4, 40, 60}, {1, 1, 1}, [](const Vec3& p) { return p[2] < 30 ? 10.0 : 20.0; });
  Grid<std::uint8_t> seen{array3<std::uint8_t>({4, 40, 60}), {1, 1, 1}, {0, 0, 0}};
  for (std::int64_t z = 0; z < 4; ++z)
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 60; ++x) {
        seen.values(z, y, x) = x >= 5 && x < 50 && y >= 3 && z > 0 ? 1 : 0;
        if (seen.values(z, y, x) == 0) g.values(z, y, x) = 1e6F;
      }
  const auto grid = working_grid_of_voxel({4, 40, 60}, {1, 1, 1}, {0, 0, 0}, 1);
  const auto w = working_volume(source_of(g), source_of(seen), grid, {1, 99.8, 0.0}, quiet(progress));
  CHECK(w.low_grey == 10);
  CHECK(w.high_grey == 20);
  CHECK(w.any_outside);
  for (std::int64_t i = 0; i < volume_of(grid.shape); ++i) {
    const std::int64_t x = i % 60;
    REQUIRE(w.value(i) == (x < 30 ? 0.0F : 1.0F));
    REQUIRE(w.inside(i) == (seen.values.data()[i] != 0));
  }
  for (auto& v : seen.values) v = 0;
  CHECK_THROWS_AS(working_volume(source_of(g), source_of(seen), grid, {}, quiet(progress)), Error);
}

TEST_CASE("the noise of a step image is measured, and smoothing is chosen by it") {
  Progress progress;
  const auto step = painted({20, 20, 160}, {1, 1, 1}, [](const Vec3& p) { return p[2] < 80 ? 0.0 : 1.0; });
  CHECK(measured_noise(step.values) == 0);
  // 64000 differences: the median of their size is known to about 1 %; the step is in one of forty.
  CHECK(measured_noise(with_noise(step, 0.2).values) == Approx(0.2).epsilon(0.06));
  CHECK(denoise_sigma_for(0.05) == 0);
  CHECK(denoise_sigma_for(0.3) == 1);
  const auto grid = working_grid_of_voxel({20, 20, 160}, {1, 1, 1}, {0, 0, 0}, 1);
  const auto smooth =
      working_volume(source_of(with_noise(step, 0.3)), std::nullopt, grid, {1, 99, {}}, quiet(progress));
  CHECK(smooth.denoise_sigma > 0.5);
  CHECK(measured_noise(smooth.values()) < 0.4 * smooth.noise);
}

TEST_CASE("codes keep values to a four-thousandth and clip nothing near") {
  for (const float v : {-3.0F, -0.2F, 0.0F, 0.4F, 1.0F, 6.5F}) {
    const WorkingVolume w(working_grid_of_voxel({1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 1), {WorkingVolume::code(v, true)});
    CHECK(w.value(0) == Approx(v).margin(1.0 / 4096));
    CHECK(w.inside(0));
  }
}

TEST_CASE("the diameter of balls is found without being told, in space and in a plane", "[slow]") {
  Progress progress;
  const ScratchDir dir;
  for (const double diameter : {3.0, 9.0}) {
    std::vector<Ball> list;
    Stream random(3, {"balls"});
    for (double z = 0; z < 3.2; ++z)
      for (double y = 0; y < 4.2; ++y)
        for (double x = 0; x < 4.2; ++x)
          list.push_back(
              {{(z + 0.3) * diameter, (y + 0.3 + random.uniform(-.02, .02)) * diameter, (x + 0.3) * diameter},
               diameter / 2 * random.uniform(0.85, 1.02)});
    const double h = diameter / 32;
    const auto g = with_noise(balls({80, 128, 128}, {h, h, h}, list), 10);
    const auto found = estimated_diameter_um(source_of(g), std::nullopt, dir.path(), quiet(progress));
    REQUIRE(found);
    CHECK(*found == Approx(0.93 * diameter).epsilon(0.12));  // half a voxel of 24 either way, and the rim's pieces
  }
  std::vector<Ball> discs;  // of one size, cut through their middle
  Stream random(4, {"discs"});
  for (double y = 0; y < 6; ++y)
    for (double x = 0; x < 6; ++x)
      discs.push_back({{0.15, 10 * y + 5 + random.uniform(-1, 1), 10 * x + 5 + random.uniform(-1, 1)}, 4});
  const auto plane = with_noise(balls({1, 200, 200}, {0.3, 0.3, 0.3}, discs), 10);
  const auto in_plane = estimated_diameter_um(source_of(plane), std::nullopt, dir.path(), quiet(progress));
  REQUIRE(in_plane);
  CHECK(*in_plane == Approx(8).epsilon(0.12));
  const auto flat = painted({1, 200, 200}, {1, 1, 1}, [](const Vec3&) { return 5.0; });
  CHECK_FALSE(estimated_diameter_um(source_of(flat), std::nullopt, dir.path(), quiet(progress)));
}
