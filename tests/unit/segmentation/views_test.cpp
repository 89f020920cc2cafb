#include "segmentation_bodies.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/segmentation/fusion.hpp>
#include <cathoscope/segmentation/views.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>

using namespace test;

namespace {

const std::vector<Index3> shapes{{5, 6, 7}, {1, 9, 4}, {12, 3, 8}, {40, 33, 47}, {2, 2, 2}};

/// What a perfect network of output grid g would give for an image of probabilities: every g-th pixel.
StarPredictor identity(int g) {
  return [g](const StarImage& image, bool) {
    StarFields f;
    f.grid = g;
    f.rows = (image.rows + g - 1) / g;
    f.columns = (image.columns + g - 1) / g;
    for (std::int64_t i = 0; i < f.rows; ++i)
      for (std::int64_t j = 0; j < f.columns; ++j)
        f.probability.push_back(image.values[static_cast<std::size_t>(i * g * image.columns + j * g)]);
    f.foreground = f.probability;
    return f;
  };
}

float ramp_at(const Index3& n, std::int64_t i) {
  const Index3 v{i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]};
  return static_cast<float>(0.1 + 0.003 * static_cast<double>(v[0]) + 0.004 * static_cast<double>(v[1]) -
                            0.001 * static_cast<double>(v[2]));
}

WorkingVolume as_working(const Index3& n, const std::function<float(std::int64_t)>& value) {
  std::vector<std::uint16_t> codes;
  for (std::int64_t i = 0; i < volume_of(n); ++i) codes.push_back(WorkingVolume::code(value(i), true));
  return {working_grid_of_voxel(n, {1, 1, 1}, {0, 0, 0}, 1), std::move(codes)};
}

}  // namespace

TEST_CASE("every voxel is on one plane of each family, at its place in the image") {
  for (const Index3& n : shapes)
    for (const auto& family : plane_families("all13")) {
      std::vector<int> hits(static_cast<std::size_t>(volume_of(n)), 0);
      for (std::int64_t k = 0; k < plane_count(family, n); ++k) {
        const LatticePlane p = lattice_plane(family, n, k);
        REQUIRE_FALSE(p.rows.empty());
        for (std::size_t r = 0; r < p.rows.size(); ++r) {
          const LatticeRow& row = p.rows[r];
          REQUIRE(row.count > 0);
          CHECK(row.row == Approx(static_cast<double>(r) * p.row_step));
          CHECK(row.column >= 0);
          for (std::int64_t m = 0; m < row.count; ++m) hits.at(static_cast<std::size_t>(row.first + m * row.step)) += 1;
        }
      }
      INFO(family.name);
      CHECK(std::count(hits.begin(), hits.end(), 1) == volume_of(n));
    }
}

TEST_CASE("image coordinates are distances in space") {
  const Index3 n{6, 7, 8};
  const auto position = [&](std::int64_t i) { return Vec3{double(i / 56), double(i / 8 % 7), double(i % 8)}; };
  for (const auto& family : plane_families("all13"))
    for (const std::int64_t k : {std::int64_t{2}, plane_count(family, n) / 2, plane_count(family, n) - 1}) {
      const LatticePlane p = lattice_plane(family, n, k);
      const LatticeRow& a = p.rows.front();
      for (const LatticeRow& b : p.rows)
        for (std::int64_t m = 0; m < b.count; ++m) {
          const double in_image = std::hypot(b.row - a.row, b.column + double(m) * p.column_step - a.column);
          CHECK(in_image == Approx(test::distance(position(a.first), position(b.first + m * b.step))).margin(1e-9));
        }
    }
}

TEST_CASE("a ramp survives slicing and back-projection") {
  // Axial views move no value: exact but for the roundings of float in means of neighbouring cells. Diagonal ones are
  // linear along one axis. The corner views hold the end value beyond shorter rows: near their rims a ramp bends.
  for (const int g : {1, 2})
    for (const Index3& n : shapes)
      for (const auto& family : plane_families("all13")) {
        const bool corner = family.normal[0] != 0 && family.normal[1] != 0 && family.normal[2] != 0;
        for (std::int64_t k = 0; k < plane_count(family, n); ++k) {
          const LatticePlane p = lattice_plane(family, n, k);
          if (std::min(p.image_rows, p.image_columns) < 2 * g || corner) continue;  // a single cell has no slope
          const StarImage image{p.image_rows, p.image_columns,
                                sliced(p, [&](std::int64_t i) { return ramp_at(n, i); })};
          const StarFields fields = identity(g)(image, false);
          RowGather gather(p, g, fields.rows, fields.columns);
          std::vector<float> out;
          for (const LatticeRow& row : p.rows) {
            gather(row, fields.probability.data(), out);
            for (std::int64_t m = 0; m < row.count; ++m)
              REQUIRE(out[static_cast<std::size_t>(m)] ==
                      Approx(ramp_at(n, row.first + m * row.step)).margin(p.row_step == 1 ? 1e-7 * g : 1e-5));
          }
        }
      }
}

TEST_CASE("corner views keep a ramp away from their rims") {
  const Index3 n{40, 44, 38};
  const auto family = plane_families("all13").back();
  const LatticePlane p = lattice_plane(family, n, plane_count(family, n) / 2);
  const auto image = sliced(p, [&](std::int64_t i) { return ramp_at(n, i); });
  const StarFields fields = identity(2)({p.image_rows, p.image_columns, image}, false);
  RowGather gather(p, 2, fields.rows, fields.columns);
  std::vector<float> out;
  for (std::size_t r = 4; r + 4 < p.rows.size(); ++r) {
    gather(p.rows[r], fields.probability.data(), out);
    for (std::int64_t m = 5; m + 5 < p.rows[r].count; ++m)
      REQUIRE(out[static_cast<std::size_t>(m)] ==
              Approx(ramp_at(n, p.rows[r].first + m * p.rows[r].step)).margin(1e-5));
  }
}

TEST_CASE("axial slices of noise come back bit by bit") {
  const Index3 n{9, 12, 11};
  Stream random(5, {"slices"});
  std::vector<float> values;
  for (std::int64_t i = 0; i < volume_of(n); ++i) values.push_back(static_cast<float>(random.uniform()));
  for (const auto& family : plane_families("axial3"))
    for (std::int64_t k = 0; k < plane_count(family, n); ++k) {
      const LatticePlane p = lattice_plane(family, n, k);
      const auto image = sliced(p, [&](std::int64_t i) { return values[static_cast<std::size_t>(i)]; });
      RowGather gather(p, 1, p.image_rows, p.image_columns);
      std::vector<float> out;
      for (const LatticeRow& row : p.rows) {
        gather(row, image.data(), out);
        for (std::int64_t m = 0; m < row.count; ++m)
          REQUIRE(out[static_cast<std::size_t>(m)] == values[static_cast<std::size_t>(row.first + m * row.step)]);
      }
    }
}

TEST_CASE("fusing what all views agree on gives it back, whatever their weights and the threads") {
  const Index3 n{40, 50, 45};
  Progress progress;
  const auto ramp = [&](std::int64_t i) { return ramp_at(n, i); };
  for (const std::string views : {"xy", "axial3", "diagonal9"}) {
    FusionSettings settings{views, {}, false};
    const auto one = fused_fields(as_working(n, ramp), identity(2), settings, {progress, 1});
    const auto four = fused_fields(as_working(n, ramp), identity(2), settings, {progress, 4});
    CHECK(std::equal(one.probability.begin(), one.probability.end(), four.probability.begin()));
    CHECK(std::equal(one.disagreement.begin(), one.disagreement.end(), four.disagreement.begin()));
    for (std::int64_t i = 0; i < volume_of(n); ++i) {
      // codes hold values to 1/4096; extrapolation by a cell at the rim doubles that
      REQUIRE(one.probability.data()[i] == Approx(ramp(i)).margin(1.5e-3));
      REQUIRE(one.disagreement.data()[i] < 2e-3F);
    }
  }
  FusionSettings weighted{"axial3", {1, 2, 0.5}, false};
  const auto w = fused_fields(as_working(n, ramp), identity(2), weighted, {progress, 2});
  CHECK(w.foreground(20, 20, 20) == Approx(ramp((20 * 50 + 20) * 45 + 20)).margin(1e-3));
}

TEST_CASE("a view counts by its weight, and narrow planes not at all") {
  const Index3 n{40, 40, 40};
  Progress progress;
  std::int64_t seen = 0;
  std::mutex mutex;
  const StarPredictor by_call = [&](const StarImage& image, bool with_distances) {
    const std::scoped_lock lock(mutex);
    CHECK(std::min(image.rows, image.columns) >= 32);
    StarFields f{image.rows, image.columns, 1, {}, {}, {}};
    f.probability.assign(static_cast<std::size_t>(image.rows * image.columns), seen++ < 40 ? 1.0F : 0.25F);
    f.foreground = f.probability;
    if (with_distances) f.distances.assign(f.probability.size() * star_rays, 3.0F);
    return f;
  };
  const auto fused = fused_fields(as_working(n, [](std::int64_t) { return 0.5F; }), by_call,
                                  {"axial3", {2, 1, 1}, true}, {progress, 1});
  CHECK(fused.probability(20, 20, 20) == Approx((2 * 1 + 0.25 + 0.25) / 4));
  CHECK(fused.mean_distance(3, 20, 20) == Approx(9));
  const double mean = 0.625, squares = (2 * 1 + 2 * 0.0625) / 4;
  CHECK(fused.disagreement(20, 20, 20) == Approx(std::sqrt(squares - mean * mean)));
  seen = 0;
  fused_fields(as_working(n, [](std::int64_t) { return 0.5F; }), by_call, {"diagonal9", {}, false}, {progress, 1});
  CHECK(seen < 3 * 40 + 6 * 79);
  CHECK(seen > 3 * 40);
}

TEST_CASE("thin slabs still have a view, and a plane has one") {
  Progress progress;
  for (const Index3& n : {Index3{3, 50, 60}, Index3{1, 20, 30}, Index3{50, 4, 3}, Index3{1, 1, 5}}) {
    const auto fused = fused_fields(as_working(n, [](std::int64_t) { return 0.5F; }), identity(2), {}, {progress, 2});
    for (const float p : fused.probability) REQUIRE(p == Approx(0.5));
  }
}

TEST_CASE("what does not fit is refused") {
  Progress progress;
  const auto half = [](std::int64_t) { return 0.5F; };
  CHECK_THROWS_AS(fused_fields(as_working({30, 30, 30}, half), identity(2), {}, {progress, 1, 30 * 30 * 30 * 13}),
                  Error);
  CHECK_THROWS_AS(plane_families("diagonal6"), Error);
  const StarPredictor wrong = [](const StarImage& image, bool) {
    return StarFields{image.rows, image.columns, 2, {}, {}, {}};
  };
  CHECK_THROWS_AS(fused_fields(as_working({4, 4, 4}, half), wrong, {}, {progress, 1}), Error);
}

TEST_CASE("planes outside the field of view are not looked at, and the others say what they said") {
  const Index3 n{40, 42, 44};
  const auto ramp = [&](std::int64_t i) { return ramp_at(n, i); };
  const WorkingVolume everywhere = as_working(n, ramp);
  std::vector<std::uint16_t> codes;
  for (std::int64_t i = 0; i < volume_of(n); ++i)
    codes.push_back(WorkingVolume::code(everywhere.value(i), i < 10 * n[1] * n[2]));  // z below 10
  WorkingVolume part(everywhere.grid(), std::move(codes));
  part.any_outside = true;
  Progress progress;
  std::atomic<int> calls{0};
  const StarPredictor counting = [&](const StarImage& image, bool with_distances) {
    ++calls;
    return identity(2)(image, with_distances);
  };
  const auto whole_fields = fused_fields(everywhere, counting, {"axial3", {}, false}, {progress, 1});
  CHECK(calls == 40 + 42 + 44);
  calls = 0;
  const auto fields = fused_fields(part, counting, {"axial3", {}, false}, {progress, 2});
  CHECK(calls == 10 + 42 + 44);
  for (std::int64_t i = 0; i < volume_of(n); ++i)
    REQUIRE(fields.probability.data()[i] == (part.inside(i) ? whole_fields.probability.data()[i] : 0.0F));
}
