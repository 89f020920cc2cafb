/// Times the mean-field network. Usage: bench_chemomechanics [THREADS]. One line a measurement: name, value, unit.
/// Wall time, as users wait for it; CPU time beside it, because a busy machine hardly changes that.

#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/core/parallel.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

using namespace cathoscope;

namespace {

struct Seconds {
  double wall = 0;
  double cpu = 0;
  std::int64_t steps = 0;
};

Seconds time_network(std::int64_t particles, std::int64_t cycles, int threads) {
  ChemomechanicsConfig config;
  config.geometry.particles = particles;
  config.protocol.cycles = cycles;
  if (particles != 3) config.geometry.coverage.distribution = "uniform";
  const NetworkModel model = network_of(config, 7);
  NetworkState state = initial_state(model);
  Progress progress;
  Seconds s;
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  run_network(model, state,
              [&](const NetworkState& now, const StepFacts&) {
                particle_rows(model, now);  // what a run writes is part of the price
                ++s.steps;
              },
              {progress, threads});
  s.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  s.cpu = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  return s;
}

void print(std::int64_t particles, std::int64_t cycles, int threads) {
  const Seconds s = time_network(particles, cycles, threads);
  const double work = static_cast<double>(s.steps * particles);
  std::printf(
      "%6lld particles, %2lld cycles, %d threads  %8.3f s wall  %8.3f s CPU  %6lld steps  %6.2f us CPU a particle and "
      "step\n",
      static_cast<long long>(particles), static_cast<long long>(cycles), threads, s.wall, s.cpu,
      static_cast<long long>(s.steps), 1e6 * s.cpu / work);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = resolve_threads(argc > 1 ? std::atoi(argv[1]) : 2);
  print(3, 20, 1);
  print(100, 20, 1);
  print(1000, 20, threads);
  print(10000, 1, threads);
}
