/// Speed of the attributes on 512 cracked balls in N^3 voxels (N = 512, or the first argument), beside ITK's label
/// shape filter in the same process. Second argument: repetitions, of which the median counts. Third argument: `ours`
/// leaves the peer out, `streaming` all but pass 1, `particles` all but the 24 attributes (for a profiler).
///
///     bench_attributes [N] [repetitions] [everything|ours|streaming|particles]

#include "peer_attributes.hpp"

#include <attributes/streaming.hpp>
#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/random.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

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

/// Wall time, and processor time of all threads: on a shared machine only the latter says what a core does.
struct Seconds {
  double wall = 0;
  double processor = 0;
};

double clock_seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Seconds median_of(int repetitions, const std::function<void()>& f) {
  std::vector<double> walls, processors;
  for (int i = 0; i < repetitions; ++i) {
    const double wall = clock_seconds(CLOCK_MONOTONIC), processor = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    f();
    walls.push_back(clock_seconds(CLOCK_MONOTONIC) - wall);
    processors.push_back(clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - processor);
  }
  return {median(walls), median(processors)};
}

void print_row(const char* what, int threads, const Seconds& s, std::int64_t n, const char* goal) {
  const auto rate = [n](double seconds) { return static_cast<double>(n * n * n) / seconds / 1e9; };
  std::printf("%-40s %2d  wall %7.3f s %6.3f Gvoxel/s   processor %7.3f s %6.3f Gvoxel/s/core   %s\n", what, threads,
              s.wall, rate(s.wall), s.processor, rate(s.processor), goal);
}

struct StreamingSeconds {
  Seconds moments, surfaces;
};

StreamingSeconds measure_streaming(const Volume& v, std::int64_t n, int repetitions, int threads) {
  Progress progress;
  const Context context{progress, threads};
  StreamingSeconds s;
  s.moments = median_of(repetitions,
                        [&] { attributes::stream_volume(v.inputs, context, {.interfaces = false, .grey = true}); });
  print_row("moments + boxes + intensity", threads, s.moments, n, "goal 0.5 a core");
  s.surfaces = median_of(repetitions, [&] { attributes::stream_volume(v.inputs, context); });
  print_row("pass 1 with all surfaces and contacts", threads, s.surfaces, n, "goal 0.2 a core");
  return s;
}

void measure_all(const Volume& v, std::int64_t n, int repetitions, int threads) {
  Progress progress;
  const Context context{progress, threads};
  print_row("all 24 attributes", threads, median_of(repetitions, [&] { compute_attributes({}, v.inputs, context); }), n,
            "goal 0.02 a core");
}

/// Largest relative difference of an outer surface from the peer's.
double difference(const Volume& v, const PeerResult& peer) {
  Progress progress;
  const auto ours = attributes::stream_volume(v.inputs, {progress, 2});
  double worst = 0;
  for (std::size_t i = 0; i < 512; ++i) {
    const auto& a = ours.particles[i].areas;
    const double um2 = static_cast<double>(a.solid_matrix + a.crack_matrix) * ours.weights.unit;
    worst = std::max(worst, std::abs(um2 / 0.01 / peer.perimeters[i] - 1));
  }
  return worst;
}

void compare_with_peer(const Volume& v, std::int64_t n, int repetitions) {
  const Seconds ours = measure_streaming(v, n, repetitions, 1).surfaces;
  PeerResult peer;
  const Seconds shape = median_of(1, [&] { measure_with_itk(v.labels.data(), n, 512, false); });
  print_row("ITK label shape filter", 1, shape, n, "");
  const Seconds perimeter = median_of(repetitions, [&] { peer = measure_with_itk(v.labels.data(), n, 512, true); });
  print_row("ITK label shape filter with perimeter", 1, perimeter, n, "");
  std::printf("pass 1 is %.1f times as fast as ITK with perimeter (goal 5)\n", perimeter.processor / ours.processor);
  std::printf("largest relative difference of an outer surface from ITK's: %.2g\n", difference(v, peer));
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 512;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 3;
  const std::string part = argc > 3 ? argv[3] : "everything";
  const Volume v = cracked_balls(n);
  std::printf("512 cracked balls in %lld^3 voxels; uint32 labels, uint8 cracks, float32 grey values, in memory\n",
              static_cast<long long>(n));
  if (part == "everything") {
    compare_with_peer(v, n, repetitions);
    measure_streaming(v, n, repetitions, 2);
  } else if (part != "particles") {
    measure_streaming(v, n, repetitions, 1);
    if (part == "ours") measure_streaming(v, n, repetitions, 2);
  }
  if (part != "streaming") measure_all(v, n, repetitions, 1);
  if (part == "everything" || part == "ours") measure_all(v, n, repetitions, 2);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory of this process, the volume (and ITK's copies) included: %.2f GiB\n",
              static_cast<double>(usage.ru_maxrss) / (1 << 20));
}
