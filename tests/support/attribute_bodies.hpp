#pragma once
/// Shorthand of the attribute tests.

#include "../../src/attributes/bodies.hpp"

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/random.hpp>

#include <algorithm>
#include <cmath>

#include <string>

namespace test {

using namespace cathoscope;

inline AttributesConfig voxel_config() {
  AttributesConfig c;
  c.roughness_sigma_um = 1.5;
  c.contact_distance_um = 10;
  c.closing_radius_um = 10;
  return c;
}

inline AttributeResult measured(const AttributeInputs& inputs, const AttributesConfig& config = voxel_config(),
                                int threads = 1, std::uint64_t memory = std::uint64_t{1} << 30) {
  Progress progress;
  return compute_attributes(config, inputs, Context{progress, threads, memory});
}

inline double at(const Table& table, const std::string& name, std::size_t row = 0) {
  return table.numbers(name).at(row);
}

/// 60 cracked balls on a jittered lattice, grey values with noise, a field of view with a cut corner.
inline AttributeInputs crowded(std::int64_t n = 72) {
  using namespace attributes;
  const std::int64_t cell = 18;
  Grid<std::uint32_t> labels{array3<std::uint32_t>({n, n + 5, n + 3}), {0.2, 0.1, 0.15}, {0, 0, 0}};
  Grid<std::uint8_t> cracks{array3<std::uint8_t>(labels.shape()), labels.voxel_size_um, {0, 0, 0}};
  Grid<std::uint8_t> seen{array3<std::uint8_t>(labels.shape()), labels.voxel_size_um, {0, 0, 0}};
  Grid<float> grey{array3<float>(labels.shape()), labels.voxel_size_um, {0, 0, 0}};
  std::uint32_t count = 0;
  Stream random(5, {"crowded"});
  for (std::size_t z = 0; z < labels.values.shape(0); ++z)
    for (std::size_t y = 0; y < labels.values.shape(1); ++y)
      for (std::size_t x = 0; x < labels.values.shape(2); ++x) {
        const auto c = static_cast<std::size_t>(cell);
        const double dz = static_cast<double>(z % c) - 8.7, dy = static_cast<double>(y % c) - 8.4;
        const double dx = static_cast<double>(x % c) - 8.9;
        const bool in = dz * dz + 1.1 * dy * dy + 0.9 * dx * dx < 82;  // some of them touch
        const std::uint32_t id = static_cast<std::uint32_t>((z / c * 5 + y / c) * 5 + x / c + 1);
        labels.values(z, y, x) = in ? id : 0;
        cracks.values(z, y, x) = in && std::abs(dx + 0.4 * dz) < 1.2 && dy > -3 ? 1 : 0;
        seen.values(z, y, x) = x + y < 12 ? 0 : 1;
        grey.values(z, y, x) = static_cast<float>((in ? 180 : 90) + random.uniform(-15, 15));
        count = std::max(count, in ? id : 0);
      }
  AttributeInputs inputs;
  inputs.labels = source_of(std::move(labels));
  inputs.cracks = source_of(std::move(cracks));
  inputs.grey = source_of(std::move(grey));
  inputs.field_of_view = source_of(std::move(seen));
  for (std::uint64_t i = 1; i <= count; ++i) inputs.label_ids.push_back(1000 + 3 * i);
  inputs.physical_faces = {"z_low", "z_high"};
  inputs.damage_source = "mask";
  return inputs;
}

}  // namespace test
