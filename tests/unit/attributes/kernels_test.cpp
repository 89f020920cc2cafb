/// The fast kernels against plain loops. Equal to the last bit: whichever instruction set was chosen at load time, the
/// order of additions is that of the loops here.

#include <cathoscope/core/random.hpp>
#include "../../../src/attributes/fields3.hpp"
#include "../../../src/attributes/streaming.hpp"

#include "test_data.hpp"

#include <algorithm>
#include <cmath>

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

BitMask random_mask(const Index3& shape, double share, std::uint64_t seed) {
  Stream random(seed, {"kernels"});
  BitMask mask(shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x)
        if (random.uniform(0, 1) < share) mask.set(z, y, x);
  return mask;
}

bool at_or_false(const BitMask& m, std::int64_t z, std::int64_t y, std::int64_t x) {
  const Index3& s = m.shape();
  return z >= 0 && y >= 0 && x >= 0 && z < s[0] && y < s[1] && x < s[2] && m.at(z, y, x);
}

/// The mask of the voxels where f(z, y, x).
template <class F>
BitMask mask_of(const Index3& shape, const F& f) {
  BitMask mask(shape);
  for (std::int64_t z = 0; z < shape[0]; ++z)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t x = 0; x < shape[2]; ++x)
        if (f(z, y, x)) mask.set(z, y, x);
  return mask;
}

bool equal(const BitMask& a, const BitMask& b) { return a.shape() == b.shape() && !(a - b).any() && !(b - a).any(); }

std::vector<float> kernel_of(double sigma) {
  const auto reach = static_cast<int>(std::ceil(3.5 * sigma));
  std::vector<double> half;
  double sum = 0;
  for (int i = 0; i <= reach; ++i) {
    half.push_back(std::exp(-0.5 * std::pow(i / sigma, 2)));
    sum += (i == 0 ? 1 : 2) * half.back();
  }
  std::vector<float> kernel;
  for (const double v : half) kernel.push_back(static_cast<float>(v / sum));
  return kernel;
}

/// Convolution along one axis, rim repeated: the centre first, then pairs from near to far.
Field plainly_smoothed(const Field& in, std::size_t axis, double sigma) {
  const std::vector<float> kernel = kernel_of(sigma);
  Field out(in.shape);
  const auto value = [&](Index3 at, std::int64_t step) {
    at[axis] = std::clamp<std::int64_t>(at[axis] + step, 0, in.shape[axis] - 1);
    return in.row(at[0], at[1])[at[2]];
  };
  for (std::int64_t z = 0; z < in.shape[0]; ++z)
    for (std::int64_t y = 0; y < in.shape[1]; ++y)
      for (std::int64_t x = 0; x < in.shape[2]; ++x) {
        float sum = kernel[0] * value({z, y, x}, 0);
        for (std::size_t k = 1; k < kernel.size(); ++k) {
          const auto step = static_cast<std::int64_t>(k);
          sum += kernel[k] * (value({z, y, x}, -step) + value({z, y, x}, step));
        }
        out.row(z, y)[x] = sum;
      }
  return out;
}

Field random_field(const Index3& shape, const Box& support, std::uint64_t seed) {
  Stream random(seed, {"field"});
  Field field(shape);
  for (std::int64_t z = support.begin[0]; z < support.end[0]; ++z)
    for (std::int64_t y = support.begin[1]; y < support.end[1]; ++y)
      for (std::int64_t x = support.begin[2]; x < support.end[2]; ++x)
        field.row(z, y)[x] = static_cast<float>(random.uniform(-1, 1));
  return field;
}

const Index3 odd_shape{9, 11, 83};

}  // namespace

TEST_CASE("Smoothing gives the bits of plain loops, whatever part of the box is empty", "[attributes]") {
  const Vec3 h{0.1, 0.1, 0.2}, sigma{0.15, 0.1, 0.3};
  for (const Box& support : {Box{{0, 0, 0}, odd_shape}, Box{{4, 5, 40}, {6, 6, 43}}, Box{{0, 3, 70}, {2, 11, 83}},
                             Box{{0, 0, 0}, {0, 0, 0}}}) {
    const Field field = random_field(odd_shape, support, 1);
    Field expected = field;
    for (const std::size_t axis : {2U, 1U, 0U}) expected = plainly_smoothed(expected, axis, sigma[axis] / h[axis]);
    CHECK(smoothed(field, h, sigma).values == expected.values);

    const Box wanted{{3, 2, 20}, {7, 9, 60}};
    const Field part = smoothed(field, h, sigma, wanted);
    bool same = true;
    for (std::int64_t z = wanted.begin[0]; z < wanted.end[0]; ++z)
      for (std::int64_t y = wanted.begin[1]; y < wanted.end[1]; ++y)
        same = same && std::equal(part.row(z, y) + wanted.begin[2], part.row(z, y) + wanted.end[2],
                                  expected.row(z, y) + wanted.begin[2]);
    CHECK(same);
  }
}

TEST_CASE("Rows shorter than a vector are smoothed too", "[attributes]") {
  const Index3 shape{4, 3, 5};
  const Field field = random_field(shape, whole(shape), 2);
  Field expected = field;
  for (const std::size_t axis : {2U, 1U, 0U}) expected = plainly_smoothed(expected, axis, 1.0);
  CHECK(smoothed(field, {1, 1, 1}, 1.0).values == expected.values);
}

TEST_CASE("Dilation by a ball is what the distances say", "[attributes]") {
  const Vec3 h{0.2, 0.1, 0.1};
  for (const Index3& shape : {odd_shape, Index3{3, 2, 17}, Index3{5, 6, 130}}) {
    const BitMask mask = random_mask(shape, 0.01, 3), wanted = random_mask(shape, 0.5, 4);
    const double reach = 0.45;
    const BitMask expected = mask_of(shape, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
      bool near = false;
      for_each_set(mask, [&](std::int64_t mz, std::int64_t my, std::int64_t mx) {
        const double dz = static_cast<double>(z - mz) * h[0], dy = static_cast<double>(y - my) * h[1];
        const double dx = static_cast<double>(x - mx) * h[2];
        near = near || dz * dz + dy * dy + dx * dx <= reach * reach * (1 + 1e-9);
      });
      return near;
    });
    CHECK(equal(within(mask, h, reach), expected));
    CHECK(equal(within(mask, h, reach, wanted), expected & wanted));
  }
}

TEST_CASE("Erosion, dilation, median and crop against their definitions", "[attributes]") {
  const Index3 s = odd_shape;
  const BitMask mask = random_mask(s, 0.6, 5);
  const auto inside = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    return z >= 0 && y >= 0 && x >= 0 && z < s[0] && y < s[1] && x < s[2];
  };
  const std::array<Index3, 6> steps{{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}}};
  CHECK(equal(eroded(mask), mask_of(s, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
                return mask.at(z, y, x) && std::all_of(steps.begin(), steps.end(), [&](const Index3& d) {
                         return !inside(z + d[0], y + d[1], x + d[2]) || mask.at(z + d[0], y + d[1], x + d[2]);
                       });
              })));
  CHECK(equal(dilated(mask), mask_of(s, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
                return mask.at(z, y, x) || std::any_of(steps.begin(), steps.end(), [&](const Index3& d) {
                         return at_or_false(mask, z + d[0], y + d[1], x + d[2]);
                       });
              })));
  CHECK(equal(median27(mask), mask_of(s, [&](std::int64_t z, std::int64_t y, std::int64_t x) {
                int set = 0;
                for (int i = 0; i < 27; ++i)
                  set += mask.at(std::clamp<std::int64_t>(z + i / 9 - 1, 0, s[0] - 1),
                                 std::clamp<std::int64_t>(y + i / 3 % 3 - 1, 0, s[1] - 1),
                                 std::clamp<std::int64_t>(x + i % 3 - 1, 0, s[2] - 1))
                             ? 1
                             : 0;
                return set >= 14;
              })));
  for (const Box& box : {Box{{1, 2, 3}, {8, 9, 80}}, Box{{0, 0, 64}, {9, 11, 83}}, Box{{2, 2, 60}, {3, 3, 70}}})
    CHECK(equal(cropped(mask, box), mask_of(box.shape(), [&](std::int64_t z, std::int64_t y, std::int64_t x) {
                  return mask.at(z + box.begin[0], y + box.begin[1], x + box.begin[2]);
                })));
  const Box bounds = bounds_of(
      mask & within(mask_of(s, [](auto z, auto y, auto x) { return z == 4 && y == 5 && x == 66; }), {1, 1, 1}, 2));
  CHECK(bounds.begin[2] >= 64);
  CHECK(bounds.end[2] <= 69);
  CHECK(bounds_of(BitMask(s)).empty());
}

TEST_CASE("Pairs of disjoint masks are counted as a loop over voxels counts them", "[attributes]") {
  const BitMask a = random_mask(odd_shape, 0.4, 6), b = random_mask(odd_shape, 0.5, 7) - a;
  PairCounts expected{};
  for (std::size_t k = 0; k < 13; ++k) {
    const Direction& d = directions[k];
    for (std::int64_t z = 0; z < odd_shape[0]; ++z)
      for (std::int64_t y = 0; y < odd_shape[1]; ++y)
        for (std::int64_t x = 0; x < odd_shape[2]; ++x) {
          if (a.at(z, y, x) && at_or_false(b, z + d.dz, y + d.dy, x + d.dx)) ++expected[k];
          if (b.at(z, y, x) && at_or_false(a, z + d.dz, y + d.dy, x + d.dx)) ++expected[k];
        }
  }
  CHECK(count_pairs(a, b) == expected);
}

TEST_CASE("The n-th smallest value is that of a sort", "[attributes]") {
  Stream random(8, {"select"});
  std::vector<float> values;
  for (int i = 0; i < 4000; ++i) values.push_back(static_cast<float>(std::floor(random.uniform(-500, 500)) / 3));
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  for (const std::size_t n : {0UL, 1UL, 1999UL, 2000UL, 3999UL}) CHECK(nth_smallest(values, n) == sorted[n]);
}

TEST_CASE("A grid looked at in place and the same grid read box by box give the same sums", "[attributes]") {
  const Index3 shape{70, 75, 41};
  Stream random(9, {"streams"});
  Grid<std::uint32_t> labels{array3<std::uint32_t>(shape), {0.1, 0.1, 0.1}, {0, 0, 0}};
  Grid<std::uint8_t> cracks{array3<std::uint8_t>(shape), {0.1, 0.1, 0.1}, {0, 0, 0}};
  Grid<float> grey{array3<float>(shape), {0.1, 0.1, 0.1}, {0, 0, 0}};
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    labels.values.data()[i] = static_cast<std::uint32_t>(random.uniform(0, 1) < 0.8 ? i / 1000 % 4 : 0);
    cracks.values.data()[i] = random.uniform(0, 1) < 0.2 ? 1 : 0;
    grey.values.data()[i] = static_cast<float>(random.uniform(0, 255));
  }
  AttributeInputs in_place;
  in_place.labels = source_of(labels), in_place.cracks = source_of(cracks), in_place.grey = source_of(grey);
  in_place.label_ids = {1, 2, 3};
  AttributeInputs by_box = in_place;
  by_box.labels.read = [read = in_place.labels.read](const Box& b, std::uint32_t* out) { read(b, out); };
  by_box.cracks.read = [read = in_place.cracks.read](const Box& b, std::uint8_t* out) { read(b, out); };
  by_box.grey->read = [read = in_place.grey->read](const Box& b, float* out) { read(b, out); };
  REQUIRE(values_in_memory(in_place.labels) != nullptr);
  REQUIRE(values_in_memory(by_box.labels) == nullptr);

  Progress progress;
  const PassOne a = stream_volume(in_place, {progress, 1}), b = stream_volume(by_box, {progress, 2});
  REQUIRE(a.samples.size() == b.samples.size());
  bool same_samples = true;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    same_samples = same_samples && a.samples[i].value == b.samples[i].value &&
                   a.samples[i].position == b.samples[i].position &&
                   (i == 0 || a.samples[i - 1].position < a.samples[i].position);
  CHECK(same_samples);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(a.particles[i].grey == b.particles[i].grey);
    CHECK(a.particles[i].grey_squared == b.particles[i].grey_squared);
    CHECK(a.particles[i].xx == b.particles[i].xx);
    CHECK(a.particles[i].areas.inner == b.particles[i].areas.inner);
    CHECK(a.particles[i].areas.solid_matrix == b.particles[i].areas.solid_matrix);
  }
}
