#include "attribute_bodies.hpp"
#include "test_data.hpp"

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

/// Boxes of voxels with labels 1, 2, ...; begin and end are z, y, x.
AttributeInputs boxes(const Index3& shape, const std::vector<Box>& list, const Vec3& h = {1, 1, 1}) {
  Grid<std::uint32_t> labels{array3<std::uint32_t>(shape), h, {0, 0, 0}};
  labels.values.fill(0);
  for (std::size_t b = 0; b < list.size(); ++b)
    for (auto z = list[b].begin[0]; z < list[b].end[0]; ++z)
      for (auto y = list[b].begin[1]; y < list[b].end[1]; ++y)
        for (auto x = list[b].begin[2]; x < list[b].end[2]; ++x)
          labels.values(static_cast<std::size_t>(z), static_cast<std::size_t>(y), static_cast<std::size_t>(x)) =
              static_cast<std::uint32_t>(b + 1);
  AttributeInputs in;
  in.labels = source_of(std::move(labels));
  for (std::uint64_t i = 1; i <= list.size(); ++i) in.label_ids.push_back(i);
  return in;
}

Table measured_with_cube(const AttributeInputs& inputs, double edge) {
  AttributesConfig config;
  config.packing_cube_um = edge;
  return test::measured(inputs, config).paper;
}

/// Length of [a, b] inside voxel i.
double overlap(double a, double b, std::size_t i) {
  return std::max(0.0, std::min(b, static_cast<double>(i) + 1) - std::max(a, static_cast<double>(i)));
}

struct Filling {
  double particles = 0, inside = 0, cube = 1;
};

Filling by_brute_force(const Grid<std::uint32_t>& labels, const Grid<std::uint8_t>* seen, const Vec3& centre_um,
                       double edge) {
  Vec3 low{}, high{};
  Filling f;
  for (std::size_t a = 0; a < 3; ++a) {
    low[a] = (centre_um[a] - edge / 2) / labels.voxel_size_um[a];
    high[a] = (centre_um[a] + edge / 2) / labels.voxel_size_um[a];
    f.cube *= high[a] - low[a];
  }
  for (std::size_t z = 0; z < labels.values.shape(0); ++z)
    for (std::size_t y = 0; y < labels.values.shape(1); ++y)
      for (std::size_t x = 0; x < labels.values.shape(2); ++x) {
        const double v = overlap(low[0], high[0], z) * overlap(low[1], high[1], y) * overlap(low[2], high[2], x);
        const bool in_view = seen == nullptr || seen->values(z, y, x) != 0;
        f.inside += in_view ? v : 0;
        f.particles += in_view && labels.values(z, y, x) != 0 ? v : 0;
      }
  return f;
}

}  // namespace

TEST_CASE("PDensity of boxes: itself, its neighbours in part, the cube clipped at the faces") {
  // a cube of 10 in the middle of 60; a slab that the packing cube of 20 cuts
  const auto inputs = boxes({60, 60, 60}, {{{25, 25, 25}, {35, 35, 35}}, {{38, 0, 0}, {45, 60, 60}}});
  const Table t = measured_with_cube(inputs, 20);
  CHECK(test::at(t, "PDensity", 0) == Approx((1000 + 2 * 20 * 20) / 8000.0).epsilon(1e-12));
  CHECK(test::at(t, "cube_inside", 0) == Approx(1).epsilon(1e-12));
  // the cube of 100 um holds the whole volume
  const double all = 1000 + 7 * 60 * 60;
  CHECK(test::at(t, "PDensity100", 0) == Approx(all / (60 * 60 * 60)).epsilon(1e-12));
  CHECK(test::at(t, "PDensity100", 1) == Approx(all / (60 * 60 * 60)).epsilon(1e-12));
}

TEST_CASE("PDensity at a corner is over the part of the cube that is inside") {
  const auto inputs = boxes({40, 40, 40}, {{{0, 0, 0}, {6, 6, 6}}, {{30, 30, 30}, {34, 34, 34}}});
  const Table t = measured_with_cube(inputs, 20);
  CHECK(test::at(t, "PDensity", 0) == Approx(216.0 / (13 * 13 * 13)).epsilon(1e-12));
  CHECK(test::at(t, "cube_inside", 0) == Approx(13.0 * 13 * 13 / 8000).epsilon(1e-12));
  CHECK(test::at(t, "PDensity", 1) == Approx(64.0 / (18 * 18 * 18)).epsilon(1e-12));
}

TEST_CASE("PDensity counts only what is in the field of view") {
  auto inputs = boxes({40, 40, 40}, {{{15, 15, 15}, {25, 25, 25}}});
  Grid<std::uint8_t> seen{array3<std::uint8_t>({40, 40, 40}), {1, 1, 1}, {0, 0, 0}};
  for (std::size_t z = 0; z < 40; ++z)
    for (std::size_t y = 0; y < 40; ++y)
      for (std::size_t x = 0; x < 40; ++x) seen.values(z, y, x) = x < 27 ? 1 : 0;
  inputs.field_of_view = source_of(std::move(seen));
  const Table t = measured_with_cube(inputs, 20);
  CHECK(test::at(t, "PDensity") == Approx(1000.0 / (20 * 20 * 17)).epsilon(1e-12));
  CHECK(test::at(t, "cube_inside") == Approx(17.0 / 20).epsilon(1e-12));
}

TEST_CASE("PDensity of random labels on voxels that are not cubes, against brute force") {
  const auto inputs = test::crowded(54);  // voxels of 0.2 : 0.1 : 0.15 um, a field of view with a cut edge
  auto labels = inputs.labels.load();
  const auto seen = inputs.field_of_view->load();
  for (std::size_t i = 0; i < labels.values.size(); ++i)
    if (seen.values.data()[i] == 0) labels.values.data()[i] = 0;
  for (const bool masked : {true, false}) {
    auto in = inputs;
    in.labels = source_of(labels);
    if (!masked) in.field_of_view.reset();
    const Table t = measured_with_cube(in, 3.1);
    for (std::size_t i = 0; i < t.rows(); i += 7) {
      const Vec3 at{test::at(t, "Z", i), test::at(t, "Y", i), test::at(t, "X", i)};
      const Filling f = by_brute_force(labels, masked ? &seen : nullptr, at, 3.1);
      // cube faces are rounded to 1/256 voxel: at most 1/512 of a voxel on each of six faces, 15 to 31 voxels apart
      INFO("row " << i << ", masked " << masked);
      CHECK(test::at(t, "PDensity", i) == Approx(f.particles / f.inside).epsilon(0.001));
      CHECK(test::at(t, "cube_inside", i) == Approx(f.inside / f.cube).epsilon(0.001));
    }
    CHECK(t.rows() >= 27);
  }
}
