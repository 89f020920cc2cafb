/// Speed of the network.
///
///     bench_network [inference|training] [profile] [edge]

#include "../support/disc_samples.hpp"

#include <cathoscope/network/training.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <unistd.h>

using namespace cathoscope;

namespace {

/// Time on the clock, and what all threads spent computing: beside other work on the machine the second one counts.
struct Seconds {
  double wall = 0, cpu = 0;
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Seconds seconds_of(const std::function<void()>& f) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  f();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), cpu_seconds() - cpu};
}

TrainingSample pooled_sample(std::uint64_t index) {
  static const std::vector<TrainingSample> pool = [] {
    std::vector<TrainingSample> samples;
    for (std::uint64_t i = 0; i < 16; ++i) samples.push_back(test::disc_sample(i));
    return samples;
  }();
  return pool[index % pool.size()];
}

void bench_training(const std::string& profile, int threads, std::int64_t iterations) {
  const auto folder = std::filesystem::temp_directory_path() / ("bench_network_" + std::to_string(getpid()));
  TrainingRequest request;
  request.settings.profile = profile;
  request.settings.iterations = iterations;
  request.settings.checkpoint_every = iterations;
  request.device = "cpu";
  request.output = folder / "net.h5";
  Progress progress;
  pooled_sample(0);
  const Seconds s = seconds_of([&] { train(request, {pooled_sample, {}, 0}, {progress, threads}); });
  const auto pixels = static_cast<double>(iterations * request.settings.batch * request.settings.patch * request.settings.patch);
  std::printf("training %-8s %d threads %6.2f Mpx/s, %6.2f Mpx a core second\n", profile.c_str(), threads,
              pixels / s.wall / 1e6, pixels / s.cpu / 1e6);
  std::fflush(stdout);
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoi(argv[1]) : 40;
  for (const char* profile : {"ci", "default"})
    for (const int threads : {1, 2}) bench_training(profile, threads, n);
}
