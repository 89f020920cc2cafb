/// The way of a network through a device that is no CPU: weights, prediction, training, checkpoint and back, on the
/// stand-in for a GPU of stand_in_device.hpp. What mixes tensors of both, or reads the device's memory, fails here as
/// it would there.

#include "stand_in_device.hpp"

#include "../../../src/network/training_session.hpp"
#include "disc_samples.hpp"
#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/network/network.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace cathoscope;

namespace {

namespace stand_in = test::stand_in;

torch::Device device() { return torch::Device(stand_in::device_name); }

StarImage image_of(std::int64_t rows, std::int64_t columns) {
  Stream random(5, {"device path"}, 0);
  StarImage image;
  image.rows = rows;
  image.columns = columns;
  for (std::int64_t i = 0; i < rows * columns; ++i) image.values.push_back(static_cast<float>(random.uniform(0, 1)));
  return image;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}));
  return largest;
}

TrainingRequest request_in(const test::ScratchDir& scratch) {
  TrainingRequest r;
  r.settings.profile = "ci";
  r.settings.iterations = 4;
  r.settings.batch = 4;
  r.settings.patch = 48;
  r.settings.checkpoint_every = 2;
  r.seed = 3;
  r.output = scratch / "net.h5";
  return r;
}

TrainingSources sources() {
  return {[](std::uint64_t i) { return test::disc_sample_of(i, 70, 12); },
          [](std::uint64_t i) { return test::disc_sample_of(1000 + i, 70, 12); }, 2};
}

/// The weights after a training on a device, in parts of at most `steps`, each of which takes the checkpoint up.
std::vector<Layer> trained_on(const torch::Device& where) {
  const test::ScratchDir scratch;
  const TrainingRequest request = request_in(scratch);
  const TrainingSources from = sources();
  Progress progress;
  const Context context{progress, 2};
  TrainingSession first(request, from, context, "key", where);
  first.run();
  TrainingSession again(request, from, context, "key", where);  // from the checkpoint
  again.run();
  return again.layers();
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const c10::Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a prediction takes no step on the CPU between the image and its answer") {
  const bool foreground = GENERATE(true, false);
  auto shape = network_shape("ci");
  shape.foreground = foreground;
  const Network network = random_network("ci", shape, 9);
  const auto image = image_of(75, 102);
  const std::int64_t before = stand_in::operators;
  const StarFields there = predictor(network, {{stand_in::device_name, Precision::float32}})(image, true);
  CHECK(stand_in::operators > before + 20);
  const StarFields here = predictor(network, {{"cpu", Precision::float32}})(image, true);
  // Both in float32 with other orders of sums: 1e-5 of values of about 1, distances up to some tens of pixels.
  CHECK(largest_difference(there.probability, here.probability) < 1e-5);
  CHECK(largest_difference(there.foreground, here.foreground) < 1e-5);
  CHECK(largest_difference(there.distances, here.distances) < 1e-3);
}

TEST_CASE("a training takes no step on the CPU between its samples and its weights, checkpoints apart") {
  const std::int64_t before = stand_in::operators;
  const auto there = trained_on(device());
  CHECK(stand_in::operators > before + 500);
  const auto here = trained_on(torch::kCPU);
  REQUIRE(there.size() == here.size());
  double largest = 0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    CHECK(there[i].weight.device().is_cpu());
    largest = std::max(largest, (there[i].weight - here[i].weight).abs().max().item<double>());
  }
  // Adam divides by the gradient's own size, so rounding of tiny gradients shows: four steps of 1.5e-3 at most.
  CHECK(largest < 6e-3);
}

TEST_CASE("the stand-in catches what a GPU would not take") {
  const auto there = torch::ones({2, 3}).to(device());
  CHECK(torch::equal((there * 2 + there).to(torch::kCPU), torch::full({2, 3}, 3.0)));
  CHECK(message_of([&] { there + torch::ones({2, 3}); }).size() > 0);
  CHECK(message_of([&] { torch::cat({there, torch::ones({2, 3})}); }).size() > 0);
  const auto image = torch::ones({1, 1, 8, 8});
  CHECK(message_of([&] { torch::conv2d(image.to(device()), torch::ones({1, 1, 3, 3})); }).size() > 0);
  // One layer left on the CPU, as a forgotten .to(device) would leave it.
  auto layers = random_network("ci", network_shape("ci"), 1).weights().layers;
  for (std::size_t i = 1; i < layers.size(); ++i) {
    layers[i].weight = layers[i].weight.to(device());
    layers[i].bias = layers[i].bias.to(device());
  }
  const auto forward = [&] { plain_forward(network_shape("ci"), layers, torch::ones({1, 1, 32, 32}).to(device())); };
  CHECK(message_of(forward).size() > 0);
  layers[0].weight = layers[0].weight.to(device());
  layers[0].bias = layers[0].bias.to(device());
  CHECK(message_of(forward).empty());
}

TEST_CASE("the memory of the stand-in cannot be read by the host") {
  const auto there = torch::ones({2, 3}).to(device());
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    const volatile float value = *there.data_ptr<float>();
    ::_exit(value > 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
}
