/// Speed of the network.
///
///     bench_network [inference|training] [profile] [edge]

#include "../support/disc_samples.hpp"

#include <cathoscope/network/training.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <unistd.h>

using namespace cathoscope;

namespace {

double seconds_of(const std::function<void()>& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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
  const double seconds = seconds_of([&] { train(request, {test::disc_sample, {}, 0}, {progress, threads}); });
  const auto pixels = static_cast<double>(iterations * request.settings.batch * request.settings.patch * request.settings.patch);
  std::printf("training %-8s %d threads %6.2f Mpx/s\n", profile.c_str(), threads, pixels / seconds / 1e6);
  std::filesystem::remove_all(folder);
}

}  // namespace

int main() {
  for (const char* profile : {"default", "ci"})
    for (const int threads : {1, 2}) bench_training(profile, threads, 40);
}
