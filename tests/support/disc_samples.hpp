#pragma once
/// Discs on a dark ground with noise: samples that a network learns in seconds.

#include <cathoscope/core/random.hpp>
#include <cathoscope/network/training.hpp>

#include <cmath>

namespace test {

inline cathoscope::TrainingSample disc_sample_of(std::uint64_t index, std::int64_t edge, double radius) {
  cathoscope::Stream random(11, {"disc sample"}, index);
  cathoscope::TrainingSample s;
  s.image.rows = s.image.columns = edge;
  s.labels.assign(static_cast<std::size_t>(edge * edge), 0);
  const auto discs = static_cast<std::uint32_t>(static_cast<double>(edge * edge) / (8 * radius * radius));
  for (std::uint32_t id = 1; id <= discs + 1; ++id) {
    const double ci = random.uniform(0, static_cast<double>(edge)), cj = random.uniform(0, static_cast<double>(edge));
    const double r = radius * random.uniform(0.6, 1.3);
    for (std::int64_t i = 0; i < edge; ++i)
      for (std::int64_t j = 0; j < edge; ++j)
        if (std::hypot(static_cast<double>(i) - ci, static_cast<double>(j) - cj) < r)
          s.labels[static_cast<std::size_t>(i * edge + j)] = id;
  }
  for (const auto label : s.labels)
    s.image.values.push_back(static_cast<float>((label != 0 ? 0.8 : 0.2) + 0.05 * random.normal()));
  return s;
}

inline cathoscope::TrainingSample disc_sample(std::uint64_t index) { return disc_sample_of(index, 192, 22); }

}  // namespace test
