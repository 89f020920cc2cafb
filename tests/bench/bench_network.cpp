/// Speed of the network: prediction of slices (ours in float32 and bfloat16, beside the same network through plain
/// libtorch in float32 NCHW, in the same process), the peak of one 3 x 3 convolution, and training.
///
///     bench_network [prediction|training|all] [edge of a slice = 512] [repetitions = 5] [profiles = ci default paper]
///
/// Beside other work on the machine count what a core second yields, not what the clock says.

#include "../support/disc_samples.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/network/training.hpp>
#include <network/unet.hpp>

#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>

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
  const auto pixels =
      static_cast<double>(iterations * request.settings.batch * request.settings.patch * request.settings.patch);
  std::printf("training %-8s %d threads %6.2f Mpx/s, %6.2f Mpx a core second\n", profile.c_str(), threads,
              pixels / s.wall / 1e6, pixels / s.cpu / 1e6);
  std::fflush(stdout);
  std::filesystem::remove_all(folder);
}

/// Multiplications and additions of a pixel of the input.
double operations_per_pixel(const NetworkShape& shape) {
  double sum = 0, cells = 1;  // cells of the present level a pixel
  const auto layers = layer_shapes(shape);
  std::size_t next = 0;
  const auto convolve = [&](int n) {
    for (int i = 0; i < n; ++i, ++next)
      sum += 2 * cells *
             static_cast<double>(layers[next].in * layers[next].out * layers[next].kernel * layers[next].kernel);
  };
  for (int g = 1; g < shape.grid; g *= 2, cells /= 4) convolve(shape.convolutions);
  for (int level = 0; level < shape.depth; ++level, cells /= 4) convolve(shape.convolutions);
  convolve(shape.convolutions);
  for (int level = 0; level < shape.depth; ++level) {
    cells *= 4;
    convolve(shape.convolutions);
  }
  convolve(static_cast<int>(layers.size() - next));
  return sum;
}

void report(const char* what, const std::string& profile, int threads, double pixels, double operations,
            const Seconds& s) {
  std::printf("%-26s %-8s %d threads %7.2f Mpx/s, %7.2f Mpx a core second, %6.1f GFLOP a core second\n", what,
              profile.c_str(), threads, pixels / s.wall / 1e6, pixels / s.cpu / 1e6, operations / s.cpu / 1e9);
  std::fflush(stdout);
}

/// One 3 x 3 convolution of many channels on an image that fits the cache: what the machine gives at best.
void bench_peak(torch::ScalarType type, const char* name) {
  compute_on_this_thread_only();
  const c10::InferenceMode inference;
  const auto x = torch::randn({1, 64, 64, 64}).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto w = torch::randn({64, 64, 3, 3}).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto b = torch::zeros({64}).to(type);
  const auto run = [&](int n) {
    for (int i = 0; i < n; ++i) torch::mkldnn_convolution(x, w, b, {1, 1}, {1, 1}, {1, 1}, 1);
  };
  run(5);
  const Seconds s = seconds_of([&] { run(40); });
  std::printf("peak of a 3 x 3 convolution, 64 channels, %-9s %6.1f GFLOP a core second\n", name,
              40 * 2.0 * 64 * 64 * 64 * 64 * 9 / s.cpu / 1e9);
}

/// The network through libtorch's operators as good as they go: bfloat16, channels last, ReLU in place. What inference was
/// before it went to oneDNN itself; here to compare with.
torch::Tensor channels_last_forward(const NetworkShape& shape, const std::vector<Layer>& layers, torch::Tensor x) {
  std::size_t next = 0;
  const auto convolve = [&](const torch::Tensor& in) {
    const Layer& l = layers[next++];
    return torch::mkldnn_convolution(in, l.weight, l.bias, {1, 1}, {1, 1}, {1, 1}, 1).relu_();
  };
  const auto pool = [](const torch::Tensor& in) { return torch::max_pool2d(in, 2); };
  const auto join = [](const torch::Tensor& low, const torch::Tensor& skip) {
    return torch::cat({torch::upsample_nearest2d(low, {low.size(2) * 2, low.size(3) * 2}), skip}, 1);
  };
  x = walk_unet(shape, std::move(x), convolve, pool, join);
  std::vector<torch::Tensor> weights, biases;
  for (; next < layers.size(); ++next) {
    weights.push_back(layers[next].weight);
    biases.push_back(layers[next].bias);
  }
  return pixelwise(x, torch::cat(weights), torch::cat(biases)).to(torch::kFloat);
}

std::vector<Layer> as_bfloat16(std::vector<Layer> layers) {
  for (Layer& l : layers) {
    l.weight = l.weight.to(torch::kBFloat16).contiguous(torch::MemoryFormat::ChannelsLast);
    l.bias = l.bias.to(torch::kBFloat16);
  }
  return layers;
}

void bench_prediction(const std::string& profile, int threads, std::int64_t edge, int repetitions) {
  const auto shape = network_shape(profile);
  const auto network = random_network(profile, shape, 1);
  const StarImage image = test::disc_sample_of(1, edge, 22).image;
  const double pixels = static_cast<double>(edge * edge) * repetitions * threads;
  const double operations = pixels * operations_per_pixel(shape);
  const auto run = [&](const char* what, const std::function<void()>& predict) {
    predict();
    report(what, profile, threads, pixels, operations,
           seconds_of([&] { parallel_for(repetitions * threads, threads, [&](std::int64_t) { predict(); }); }));
  };
  run("plain libtorch float32", [&] {
    compute_on_this_thread_only();
    const torch::NoGradGuard no_grad;
    auto x = torch::empty({1, 1, edge, edge});
    std::copy(image.values.begin(), image.values.end(), x.data_ptr<float>());
    plain_forward(shape, network.weights().layers, x);
  });
  const auto half = as_bfloat16(network.weights().layers);
  run("libtorch bfloat16 NHWC", [&] {
    compute_on_this_thread_only();
    const c10::InferenceMode inference;
    auto x = torch::empty({1, 1, edge, edge});
    std::copy(image.values.begin(), image.values.end(), x.data_ptr<float>());
    channels_last_forward(shape, half, x.to(torch::kBFloat16).contiguous(torch::MemoryFormat::ChannelsLast));
  });
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    const auto predict = predictor(network, {.device = {"cpu", precision}, .concurrency = threads});
    run(("ours " + name_of(precision)).c_str(), [&] { predict(image, true); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "all";
  const std::int64_t edge = argc > 2 ? std::atoi(argv[2]) : 512;
  const int repetitions = argc > 3 ? std::atoi(argv[3]) : 5;
  if (what != "training") {
    bench_peak(torch::kFloat, "float32");
    bench_peak(torch::kBFloat16, "bfloat16");
    std::vector<std::string> profiles(argv + std::min(argc, 4), argv + argc);
    if (profiles.empty()) profiles = {"ci", "default", "paper"};
    for (const std::string& profile : profiles)
      for (const int threads : {1, 2}) bench_prediction(profile, threads, edge, repetitions);
  }
  if (what != "prediction")
    for (const char* profile : {"ci", "default"})
      for (const int threads : {1, 2}) bench_training(profile, threads, 4 * repetitions);
}
