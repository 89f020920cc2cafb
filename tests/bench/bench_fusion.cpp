/// The network's route on a synthetic electrode at working resolution, all steps: slices, network, fusion, instances,
/// native labels, cracks. Time on the clock and of the processor for each step, memory, and how cost grows with voxels.
///
///     bench_fusion [THREADS=2] [VIEWS=diagonal9] [MODEL=data/models/default.h5] [EDGES...=128 192 256]
///
/// Beside other work on the machine the processor's time counts, not the clock's.

#include "pipeline/phantom_stock.hpp"

#include <cathoscope/network/network.hpp>
#include <cathoscope/phantom/phantom.hpp>
#include <cathoscope/segmentation/segmentation.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

using namespace cathoscope;

namespace {

/// A line of /proc/self/status in bytes: VmRSS is held now, VmHWM was held at most.
double status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key + ":", 0) == 0) return 1024 * std::strtod(line.c_str() + key.size() + 1, nullptr);
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// What a step took; equal names are added up.
struct Step {
  std::string name;
  double wall = 0, cpu = 0, peak = 0;  ///< bytes held at most up to its end
};

/// Times the tasks that a stage reports.
class Laps {
 public:
  void begin(const std::string& task) {
    const std::string name = task.rfind("view ", 0) == 0 ? "views: slices, network, sums" : task;
    if (name == now_) return;
    end();
    now_ = name;
  }
  void end() {
    const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    if (!now_.empty()) {
      Step* step = nullptr;
      for (Step& s : steps_)
        if (s.name == now_) step = &s;
      if (step == nullptr) step = &steps_.emplace_back(Step{now_});
      step->wall += wall - wall_;
      step->cpu += cpu - cpu_;
      step->peak = status_bytes("VmHWM");
    }
    wall_ = wall;
    cpu_ = cpu;
    now_.clear();
  }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

 private:
  std::string now_;
  double wall_ = 0, cpu_ = 0;
  std::vector<Step> steps_;
};

GridSource<float> electrode(std::int64_t edge, double& voxel_um) {
  PhantomConfig config = phantom_preset("training");
  voxel_um = config.voxel_size_um;
  config.shape = {edge, edge, edge};
  const auto volume = training_detail::rendered(config, 7);
  Grid<float> grid{array3<float>(volume.shape), {voxel_um, voxel_um, voxel_um}, {0, 0, 0}};
  std::copy(volume.grey.begin(), volume.grey.end(), grid.values.data());
  return source_of(std::move(grid));
}

void bench(std::int64_t edge, int threads, const std::string& views, const Network& network) {
  double voxel_um = 0;
  SegmentationInputs inputs;
  inputs.grey = electrode(edge, voxel_um);
  const Index3 shape = inputs.grey->shape;
  const auto voxels = static_cast<double>(volume_of(shape));
  std::atomic<double> network_seconds{0};
  std::atomic<std::int64_t> pixels{0}, largest{0};
  NetworkInputs& in = inputs.network.emplace();
  const StarPredictor predict = predictor(network, {.device = resolve_device("cpu"), .concurrency = threads});
  in.predict = [&](const StarImage& image, bool with_distances) {
    const double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    StarFields f = predict(image, with_distances);
    network_seconds += seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
    pixels += image.rows * image.columns;
    largest = std::max(largest.load(), image.rows * image.columns);
    return f;
  };
  in.foreground_threshold = network.metadata().thresholds.foreground;
  SegmentationConfig config;
  config.views = views;
  config.particle_diameter_um = canonical_diameter * voxel_um;
  Laps laps;
  Progress progress({[&](const std::string& task, double) { laps.begin(task); }, {}});
  const auto path = std::filesystem::temp_directory_path() / ("bench_fusion_" + std::to_string(getpid()) + ".h5");
  malloc_trim(0);  // what making the electrode left behind
  forget_peak();
  const double before = status_bytes("VmRSS"), wall = seconds_of(CLOCK_MONOTONIC),
               cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  auto out = H5File::create(path);
  segment(config, inputs, out, {progress, threads, std::uint64_t{8} << 30});
  laps.end();
  const double all_wall = seconds_of(CLOCK_MONOTONIC) - wall, all_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  out.close();
  std::filesystem::remove(path);
  std::printf("%lld x %lld x %lld working voxels, %s, %d threads\n", static_cast<long long>(shape[0]),
              static_cast<long long>(shape[1]), static_cast<long long>(shape[2]), views.c_str(), threads);
  for (const Step& s : laps.steps())
    if (s.cpu > 0.005 * all_cpu)
      std::printf("  %-34s %8.2f s elapsed %8.2f s of the processor %9.1f ns a voxel, peak so far %.0f MB\n",
                  s.name.c_str(), s.wall, s.cpu, s.cpu / voxels * 1e9, (s.peak - before) / 1e6);
  std::printf("  %-34s %8s           %8.2f s of the processor, %.2f Mpx a core second, %.0f Mpx\n", "of it network", "",
              network_seconds.load(), static_cast<double>(pixels) / network_seconds / 1e6,
              static_cast<double>(pixels) / 1e6);
  std::printf("  %-34s %8.2f s elapsed %8.2f s of the processor %9.1f ns a voxel\n", "all", all_wall, all_cpu,
              all_cpu / voxels * 1e9);
  const double most = status_bytes("VmHWM") - before;
  std::printf(
      "  memory beyond the input: %.0f MB at most, %.1f bytes a voxel, network and slices of %d x %.2f Mpx included\n",
      most / 1e6, most / voxels, threads, static_cast<double>(largest) / 1e6);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const std::string views = argc > 2 ? argv[2] : "diagonal9";
  const Network network = load_network(argc > 3 ? argv[3] : "data/models/default.h5");
  std::vector<std::int64_t> edges;
  for (int i = 4; i < argc; ++i) edges.push_back(std::atoll(argv[i]));
  if (edges.empty()) edges = {128, 192, 256};
  for (const std::int64_t edge : edges) bench(edge, threads, views, network);
  return 0;
}
