#include "../../../src/attributes/crofton.hpp"
#include "../../../src/attributes/bit_mask.hpp"
#include "../../../src/attributes/streaming.hpp"
#include "attribute_bodies.hpp"
#include "test_data.hpp"

using namespace cathoscope;
using namespace cathoscope::attributes;

TEST_CASE("weights of cubic voxels are the published ones") {
  const auto w = crofton_weights({1, 1, 1});
  double sum = 0;
  for (std::size_t k = 0; k < 13; ++k) {
    const Direction& d = directions[k];
    const int order = d.dz * d.dz + d.dy * d.dy + d.dx * d.dx;
    // Lehmann and Legland (2012): 3 axes, 6 face diagonals, 4 space diagonals, ten digits
    const double expected = order == 1 ? 0.0915557824 : order == 2 ? 0.0739612558 : 0.0703912796;
    CHECK(w.share[k] == Approx(expected).epsilon(1e-8));
    sum += w.share[k];
  }
  INFO("sum - 1 = " << sum - 1);
  CHECK(std::abs(sum - 1) < 4e-9);  // what the fixed-point weights resolve
}

TEST_CASE("weights follow the voxel: shares sum to one, a permutation of axes permutes them") {
  const auto a = crofton_weights({2, 1, 0.5}), b = crofton_weights({0.5, 1, 2});
  double sum = 0;
  for (const double s : a.share) sum += s;
  INFO("sum - 1 = " << sum - 1);
  CHECK(std::abs(sum - 1) < 4e-9);          // what the fixed-point weights resolve
  CHECK(a.share[0] == Approx(b.share[8]));  // x of one is z of the other
  CHECK(a.share[2] == Approx(b.share[2]));
}

TEST_CASE("runs and bit masks count the same label changes") {
  const auto inputs = test::crowded();
  Progress progress;
  const auto streamed = stream_volume(inputs, Context{progress, 2});
  const auto labels = inputs.labels.load();
  const auto seen = inputs.field_of_view->load();
  for (const std::uint32_t label : {1U, 32U, 63U}) {
    const auto body = mask_where(labels.values.data(), labels.shape(), [=](std::uint32_t v) { return v == label; });
    const auto matrix = mask_where(labels.values.data(), labels.shape(), [](std::uint32_t v) { return v == 0; }) &
                        mask_where(seen.values.data(), seen.shape(), [](std::uint8_t v) { return v != 0; });
    const double by_bits = area_of(count_pairs(body, matrix), streamed.weights);
    const OwnAreas& own = streamed.particles[label - 1].areas;
    const double by_runs = static_cast<double>(own.solid_matrix + own.crack_matrix) * streamed.weights.unit;
    CHECK(by_runs == Approx(by_bits).epsilon(1e-8));  // fixed-point weights: below 4e-9
    CHECK(by_bits > 0);
  }
}

TEST_CASE("dilation by a ball is the set of voxels within the distance") {
  const Vec3 h{0.3, 0.1, 0.2};
  BitMask seeds({9, 12, 70});
  seeds.set(4, 5, 3);
  seeds.set(7, 0, 66);
  const BitMask near = within(seeds, h, 0.65);
  std::int64_t wrong = 0;
  for (std::int64_t z = 0; z < 9; ++z)
    for (std::int64_t y = 0; y < 12; ++y)
      for (std::int64_t x = 0; x < 70; ++x) {
        const auto distance = [&](std::int64_t sz, std::int64_t sy, std::int64_t sx) {
          return std::sqrt(std::pow(0.3 * static_cast<double>(z - sz), 2) +
                           std::pow(0.1 * static_cast<double>(y - sy), 2) +
                           std::pow(0.2 * static_cast<double>(x - sx), 2));
        };
        wrong += near.at(z, y, x) != (std::min(distance(4, 5, 3), distance(7, 0, 66)) <= 0.65 + 1e-12);
      }
  CHECK(wrong == 0);
}
