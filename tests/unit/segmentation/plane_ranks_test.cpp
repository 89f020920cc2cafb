#include "rank_doubles.hpp"
#include "segmentation_bodies.hpp"

#include <catch2/catch.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/fusion.hpp>
#include <cathoscope/segmentation/plane_ranks.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>

using namespace test;

namespace {

/// Something that depends on every pixel of the image and on its place.
StarFields made_up(const StarImage& image, bool with_distances) {
  StarFields f;
  f.rows = (image.rows + 1) / 2;
  f.columns = (image.columns + 1) / 2;
  for (std::int64_t i = 0; i < f.rows; ++i)
    for (std::int64_t j = 0; j < f.columns; ++j) {
      const float v = image.values[static_cast<std::size_t>(2 * i * image.columns + 2 * j)];
      f.probability.push_back(0.5F + 0.4F * std::sin(3 * v + 0.01F * static_cast<float>(i * j)));
      f.foreground.push_back(0.5F + 0.3F * std::cos(2 * v));
    }
  if (with_distances)
    for (int k = 0; k < star_rays; ++k)
      for (const float p : f.probability) f.distances.push_back(p * static_cast<float>(k));
  return f;
}

/// Noise, of which a corner lies outside the field of view.
WorkingVolume noise(const Index3& n) {
  Stream random(11, {"plane ranks"});
  std::vector<std::uint16_t> codes;
  for (std::int64_t i = 0; i < volume_of(n); ++i)
    codes.push_back(WorkingVolume::code(static_cast<float>(random.uniform()), i >= 5 * n[1] * n[2]));
  WorkingVolume volume(working_grid_of_voxel(n, {1, 1, 1}, {0, 0, 0}, 1), std::move(codes));
  volume.any_outside = true;
  return volume;
}

bool same(const Array3<float>& a, const Array3<float>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace

TEST_CASE("fused fields have the same bits for 1 to 5 ranks, whatever their threads and memory") {
  const Index3 n{37, 45, 41};
  const FusionSettings settings{"diagonal9", {1, 0.5, 1, 1, 0.25, 1, 1, 1, 0.75}, true};
  Progress progress;
  const auto alone = fused_fields(noise(n), made_up, settings, {progress, 1});
  for (const int size : {2, 3, 5}) {
    std::atomic<int> elsewhere{0};
    const StarPredictor theirs = [&](const StarImage& image, bool d) {
      ++elsewhere;
      return made_up(image, d);
    };
    Progress quiet;
    const Context helper{quiet, 2};
    std::vector<RankTasks> helpers;
    for (int rank = 1; rank < size; ++rank)
      helpers.push_back(plane_tasks(
          rank,
          [&] {
            auto copy = theirs;
            return copy;
          },
          helper));
    const auto asked = std::make_shared<std::map<std::string, int>>();
    const std::uint64_t memory = size == 3 ? std::uint64_t{2} << 20 : std::uint64_t{2} << 30;
    const auto shared =
        fused_fields(noise(n), made_up, settings, {progress, size == 5 ? 1 : 3, memory, in_process(helpers, asked)});
    CHECK(same(alone.probability, shared.probability));
    CHECK(same(alone.foreground, shared.foreground));
    CHECK(same(alone.disagreement, shared.disagreement));
    CHECK(same(alone.mean_distance, shared.mean_distance));
    CHECK((*asked)["volume"] == 1);
    CHECK((*asked)["planes"] >= 9);
    CHECK(elsewhere > 100);  // of some 500 planes wide enough and inside
  }
}

TEST_CASE("a network that breaks its promise on another rank is an error here") {
  const Index3 n{36, 36, 36};
  Progress progress;
  const Context helper{progress, 1};
  const auto wrong = [] {
    return StarPredictor(
        [](const StarImage& image, bool) { return StarFields{image.rows, image.columns, 3, {}, {}, {}}; });
  };
  const Ranks ranks = in_process({plane_tasks(1, wrong, helper)});
  CHECK_THROWS_AS(fused_fields(noise(n), made_up, {}, {progress, 1, std::uint64_t{2} << 30, ranks}), Error);
}
