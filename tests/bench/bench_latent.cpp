/// Time of the latent protocol: two electrodes, 22 columns. Usage: bench_latent [rows an electrode = 2000] [threads = 2]
/// [mode = oblique] [bootstraps and permutations = 2000]

#include "../unit/latent/planted.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  using namespace cathoscope;
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 2000;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
  LatentConfig config;
  if (argc > 3) config.mode = argv[3];
  if (argc > 4) config.bootstraps = config.permutations = std::atoll(argv[4]);
  const LatentInput input = test::planted_input(rows, 0.3, 0.5, 1);
  std::string task;
  auto last = std::chrono::steady_clock::now();
  const auto seconds_since = [](auto t) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
  };
  const auto start = last;
  ProgressListener listener;
  listener.on_progress = [&](const std::string& now, double) {
    if (now == task) return;
    if (!task.empty()) std::printf("%-40s %8.2f s\n", task.c_str(), seconds_since(last));
    task = now;
    last = std::chrono::steady_clock::now();
  };
  Progress progress(listener);
  const auto result = latent_analysis(config, input, 7, {progress, threads});
  std::printf("%-40s %8.2f s\n", task.c_str(), seconds_since(last));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%s, %lld rows an electrode, %d threads: %.1f s, peak %.0f MiB, explained %.3f, decoder %.3f\n",
              config.mode.c_str(), static_cast<long long>(rows), threads, seconds_since(start),
              static_cast<double>(usage.ru_maxrss) / 1024, result.models.front().explained.back(),
              result.models.front().decoder_explained.back());
}
