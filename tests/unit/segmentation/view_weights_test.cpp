#include "segmentation_bodies.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/fusion.hpp>

#include <catch2/catch.hpp>

using namespace test;

namespace {

const Index3 shape{40, 56, 72};  // unequal, so that a family shows by the size of its images

std::vector<std::uint8_t> truth_of_balls() {
  std::vector<std::uint8_t> truth;
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x)
        truth.push_back(distance({double(z % 40), double(y % 28), double(x % 36)}, {20, 14, 18}) < 13 ? 1 : 0);
  return truth;
}

WorkingVolume volume_of_truth(const std::vector<std::uint8_t>& truth) {
  std::vector<std::uint16_t> codes;
  for (const std::uint8_t t : truth) codes.push_back(WorkingVolume::code(t, true));
  return {working_grid_of_voxel(shape, {1, 1, 1}, {0, 0, 0}, 1), std::move(codes)};
}

/// Says low in the matrix and high in particles, with noise of its own a family (xy, xz, yz).
StarPredictor noisy(double low, double high, const std::array<double, 3>& noise) {
  return [=](const StarImage& image, bool) {
    const std::size_t family = image.rows == shape[1] ? 0 : image.columns == shape[2] ? 1 : 2;
    std::uint64_t seed = family;
    for (const float v : image.values) seed = seed * 31 + (v > 0.5F ? 1 : 2);
    Stream random(seed, {"noisy view"});
    StarFields f{image.rows, image.columns, 1, {}, {}, {}};
    for (const float v : image.values)
      f.foreground.push_back(
          static_cast<float>(std::clamp((v > 0.5F ? high : low) + noise[family] * random.normal(), 0.0, 1.0)));
    f.probability = f.foreground;
    return f;
  };
}

}  // namespace

TEST_CASE("views that are equally good get equal weights, and the threshold lies between the answers") {
  Progress progress;
  const auto truth = truth_of_balls();
  const auto w =
      fitted_view_weights(volume_of_truth(truth), truth, noisy(0.2, 0.6, {0.1, 0.1, 0.1}), "axial3", {progress, 2});
  REQUIRE(w.weights.size() == 3);
  for (const double weight : w.weights) CHECK(weight == Approx(1).margin(0.1));
  CHECK(*std::max_element(w.weights.begin(), w.weights.end()) == 1);
  CHECK(w.foreground_threshold == Approx(0.4).margin(0.05));
}

TEST_CASE("a noisy view gets less weight: for Gaussian noise, as its variance to the others'") {
  // With a prior that is no part of the weights, the best discriminant of independent Gaussian views is linear with
  // coefficients (high - low) / sd^2: 1 to 1/4 here. The ridge pulls towards equal, clipping at 0 and 1 is rare.
  Progress progress;
  const auto truth = truth_of_balls();
  const auto predict = noisy(0.35, 0.65, {0.1, 0.1, 0.2});
  const auto one = fitted_view_weights(volume_of_truth(truth), truth, predict, "axial3", {progress, 1});
  CHECK(one.weights[0] == Approx(1).margin(0.1));
  CHECK(one.weights[2] == Approx(0.25).margin(0.12));
  const auto three = fitted_view_weights(volume_of_truth(truth), truth, predict, "axial3", {progress, 3});
  CHECK(three.weights == one.weights);
  CHECK(three.foreground_threshold == one.foreground_threshold);
}

TEST_CASE("a view that says the opposite gets the least weight, and a truth of one value is refused") {
  Progress progress;
  auto truth = truth_of_balls();
  const auto straight = noisy(0.2, 0.8, {0.2, 0.2, 0.2});
  const StarPredictor turned = [&](const StarImage& image, bool distances) {
    StarFields f = straight(image, distances);
    if (image.rows == shape[1])
      for (float& v : f.foreground) v = 1 - v;
    return f;
  };
  CHECK(fitted_view_weights(volume_of_truth(truth), truth, turned, "axial3", {progress, 1}).weights[0] == 0.05);
  const auto volume = volume_of_truth(truth);
  std::fill(truth.begin(), truth.end(), std::uint8_t{0});
  CHECK_THROWS_AS(fitted_view_weights(volume, truth, straight, "axial3", {progress, 1}), Error);
}
