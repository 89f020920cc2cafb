/// Speed of the attributes on 512 cracked balls in N^3 voxels (N = 512, or the first argument), beside ITK's label
/// shape filter in the same process. Second argument: repetitions (the best one counts).
///
///     bench_attributes [N] [repetitions]

#include "peer_attributes.hpp"

#include <attributes/streaming.hpp>
#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/random.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>

using namespace cathoscope;

namespace {

struct Volume {
  AttributeInputs inputs;
  Array3<std::uint32_t> labels;
};

/// Balls on a jittered 8 x 8 x 8 lattice, each with a random slab of crack; grey levels with noise.
Volume cracked_balls(std::int64_t n) {
  const std::int64_t cell = n / 8;
  Grid<std::uint32_t> labels{array3<std::uint32_t>({n, n, n}), {0.1, 0.1, 0.1}, {0, 0, 0}};
  Grid<std::uint8_t> cracks{array3<std::uint8_t>({n, n, n}), {0.1, 0.1, 0.1}, {0, 0, 0}};
  Grid<float> grey{array3<float>({n, n, n}), {0.1, 0.1, 0.1}, {0, 0, 0}};
  std::fill(labels.values.begin(), labels.values.end(), 0U);
  std::fill(cracks.values.begin(), cracks.values.end(), std::uint8_t{0});
  for (std::int64_t i = 0; i < 512; ++i) {
    Stream random(1, {"bench"}, static_cast<std::uint64_t>(i));
    const double c = static_cast<double>(cell), radius = c * random.uniform(0.40, 0.46);
    const double width = random.uniform(2, 6), tilt = random.uniform(0, 3.14), turn = random.uniform(0, 6.28);
    const double nx = std::sin(tilt) * std::cos(turn), ny = std::sin(tilt) * std::sin(turn), nz = std::cos(tilt);
    const Index3 low{i / 64 * cell, i / 8 % 8 * cell, i % 8 * cell};
    const double off = c / 2 + random.uniform(-1, 1);
    for (std::int64_t z = 0; z < cell; ++z)
      for (std::int64_t y = 0; y < cell; ++y)
        for (std::int64_t x = 0; x < cell; ++x) {
          const double dz = static_cast<double>(z) + 0.5 - off, dy = static_cast<double>(y) + 0.5 - off;
          const double dx = static_cast<double>(x) + 0.5 - off;
          if (dx * dx + dy * dy + dz * dz >= radius * radius) continue;
          const std::int64_t at = ((low[0] + z) * n + low[1] + y) * n + low[2] + x;
          labels.values.data()[at] = static_cast<std::uint32_t>(i + 1);
          cracks.values.data()[at] = std::abs(dx * nx + dy * ny + dz * nz) < width / 2 ? 1 : 0;
        }
  }
  Stream noise(1, {"bench grey"});
  for (std::size_t i = 0; i < grey.values.size(); ++i) {
    const double level = labels.values.data()[i] == 0 ? 90 : cracks.values.data()[i] != 0 ? 65 : 180;
    grey.values.data()[i] = static_cast<float>(level + noise.uniform(-15, 15));
  }
  Volume v;
  v.labels = labels.values;
  v.inputs.labels = source_of(std::move(labels));
  v.inputs.cracks = source_of(std::move(cracks));
  v.inputs.grey = source_of(std::move(grey));
  for (std::uint64_t i = 1; i <= 512; ++i) v.inputs.label_ids.push_back(i);
  v.inputs.damage_source = "mask";
  return v;
}

double best_seconds(int repetitions, const std::function<void()>& f) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void print_row(const char* what, int threads, double seconds, std::int64_t n, const char* goal) {
  const double rate = static_cast<double>(n * n * n) / seconds / 1e9;
  std::printf("%-46s %2d thread%s %8.3f s  %7.3f Gvoxel/s  %7.3f a core   %s\n", what, threads,
              threads == 1 ? " " : "s", seconds, rate, rate / threads, goal);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 512;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 3;
  const Volume v = cracked_balls(n);
  Progress progress;
  std::printf("512 cracked balls in %lld^3 voxels; uint32 labels, uint8 cracks, float32 grey values, in memory\n",
              static_cast<long long>(n));
  double with_surfaces = 0;
  for (const int threads : {1, 2}) {
    const Context context{progress, threads};
    const double moments = best_seconds(
        repetitions, [&] { attributes::stream_volume(v.inputs, context, {.interfaces = false, .grey = true}); });
    print_row("moments + boxes + intensity", threads, moments, n, "goal 0.5 a core");
    const double all_of_pass_1 = best_seconds(repetitions, [&] { attributes::stream_volume(v.inputs, context); });
    print_row("pass 1 with all surfaces and contacts", threads, all_of_pass_1, n, "goal 0.2 a core");
    if (threads == 1) with_surfaces = all_of_pass_1;
  }
  for (const int threads : {1, 2}) {
    const Context context{progress, threads};
    print_row("all 24 attributes", threads, best_seconds(1, [&] { compute_attributes({}, v.inputs, context); }), n,
              "goal 0.02 a core");
  }
  const PeerResult shape = measure_with_itk(v.labels.data(), n, 512, false);
  print_row("ITK label shape filter", 1, shape.seconds, n, "");
  const PeerResult peer = measure_with_itk(v.labels.data(), n, 512, true);
  print_row("ITK label shape filter with perimeter", 1, peer.seconds, n, "");
  std::printf("pass 1 is %.1f times as fast as ITK with perimeter (goal 5)\n", peer.seconds / with_surfaces);

  const Context context{progress, 2};
  const auto ours = attributes::stream_volume(v.inputs, context);
  double worst = 0;
  for (std::size_t i = 0; i < 512; ++i) {
    const auto& a = ours.particles[i].areas;
    const double um2 = static_cast<double>(a.solid_matrix + a.crack_matrix) * ours.weights.unit;
    worst = std::max(worst, std::abs(um2 / 0.01 / peer.perimeters[i] - 1));
  }
  std::printf("largest relative difference of an outer surface from ITK's: %.2g\n", worst);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory of this process, ITK's copies and the volume included: %.2f GiB\n",
              static_cast<double>(usage.ru_maxrss) / (1 << 20));
}
