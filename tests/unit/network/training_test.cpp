#include "disc_samples.hpp"
#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/network/training.hpp>

#include <atomic>

using namespace cathoscope;

namespace {

TrainingRequest small_request(const std::filesystem::path& output) {
  TrainingRequest r;
  r.settings.profile = "ci";
  r.settings.iterations = 12;
  r.settings.batch = 5;  // an odd number: the last micro-batch is smaller
  r.settings.patch = 48;
  r.settings.checkpoint_every = 4;
  r.seed = 3;
  r.output = output;
  r.device = "cpu";
  return r;
}

TrainingSample small_sample(std::uint64_t index) { return test::disc_sample_of(index, 70, 12); }
TrainingSample other_sample(std::uint64_t index) { return test::disc_sample_of(1000 + index, 70, 12); }

TrainingSources small_sources() { return {small_sample, other_sample, 3}; }

Network trained(const TrainingRequest& request, const TrainingSources& sources, int threads) {
  Progress progress;
  return train(request, sources, {progress, threads});
}

}  // namespace

TEST_CASE("a training gives the same weights for any number of threads, and others for another seed") {
  const test::ScratchDir scratch;
  const auto one = trained(small_request(scratch / "one.h5"), small_sources(), 1);
  const auto three = trained(small_request(scratch / "three.h5"), small_sources(), 3);
  CHECK(one.metadata().sha256 == three.metadata().sha256);
  CHECK(one.metadata().scores == three.metadata().scores);
  CHECK(read_text(scratch / "one.curve.csv") == read_text(scratch / "three.curve.csv"));
  auto other = small_request(scratch / "other.h5");
  other.seed = 4;
  CHECK(trained(other, small_sources(), 2).metadata().sha256 != one.metadata().sha256);
}

TEST_CASE("a training that was stopped and taken up gives the weights of one that was not") {
  const test::ScratchDir scratch;
  const auto whole = trained(small_request(scratch / "whole.h5"), small_sources(), 2);
  std::atomic<bool> stop{false};
  auto sources = small_sources();
  sources.training = [&stop](std::uint64_t index) {
    if (index == 33) stop = true;  // in the seventh of twelve steps
    return small_sample(index);
  };
  Progress progress({}, &stop);
  const auto request = small_request(scratch / "parts.h5");
  try {
    train(request, sources, {progress, 2});
    FAIL("was not stopped");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::interrupted);
  }
  CHECK(std::filesystem::exists(scratch / "parts.checkpoint.h5"));
  CHECK_FALSE(std::filesystem::exists(scratch / "parts.h5"));
  const auto parts = trained(request, small_sources(), 1);
  CHECK(parts.metadata().sha256 == whole.metadata().sha256);
  CHECK(parts.metadata().scores == whole.metadata().scores);
  CHECK(read_text(scratch / "parts.curve.csv") == read_text(scratch / "whole.curve.csv"));
  CHECK_FALSE(std::filesystem::exists(scratch / "parts.checkpoint.h5"));
}

TEST_CASE("a finished training is not repeated, and another one does not replace it") {
  const test::ScratchDir scratch;
  const auto request = small_request(scratch / "net.h5");
  const auto first = trained(request, small_sources(), 2);
  auto sources = small_sources();
  sources.training = [](std::uint64_t) -> TrainingSample { throw std::runtime_error("asked for a sample"); };
  CHECK(trained(request, sources, 2).metadata().sha256 == first.metadata().sha256);
  auto other = request;
  other.settings.iterations = 13;
  try {
    trained(other, small_sources(), 2);
    FAIL("was not refused");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::cannot_create);
  }
}

TEST_CASE("samples that cannot be used are refused") {
  const test::ScratchDir scratch;
  const auto exit_of = [&](const std::function<void(TrainingSample&)>& spoil) {
    auto sources = small_sources();
    sources.training = [&spoil](std::uint64_t index) {
      auto s = small_sample(index);
      spoil(s);
      return s;
    };
    try {
      trained(small_request(scratch / "net.h5"), sources, 2);
    } catch (const Error& e) {
      return e.exit();
    }
    return Exit::ok;
  };
  CHECK(exit_of([](TrainingSample& s) { s.labels.pop_back(); }) == Exit::data);
  CHECK(exit_of([](TrainingSample& s) { s.ignore.assign(3, 0); }) == Exit::data);
  CHECK(exit_of([](TrainingSample& s) { s.image.values[7] = std::nanf(""); }) == Exit::data);
  CHECK(exit_of([](TrainingSample& s) { s = {}; }) == Exit::data);
}

TEST_CASE("what is ignored does not matter") {
  const test::ScratchDir scratch;
  const auto with_labels_there = [](std::uint32_t label) {
    auto sources = small_sources();
    sources.training = [label](std::uint64_t index) {
      auto s = small_sample(index);
      s.ignore.assign(s.labels.size(), 0);
      // A frame apart from the particles around it: what is in it may not change their targets either.
      for (std::size_t i = 0; i < 20 * 70; ++i) s.labels[i] = 0;
      for (std::size_t i = 0; i < 10 * 70; ++i) s.ignore[i] = 1, s.labels[i] = i < 8 * 70 ? label : 0;
      return s;
    };
    return sources;
  };
  const auto none = trained(small_request(scratch / "a.h5"), with_labels_there(0), 2);
  const auto some = trained(small_request(scratch / "b.h5"), with_labels_there(77), 2);
  CHECK(none.metadata().sha256 == some.metadata().sha256);
}

TEST_CASE("a small network learns discs") {
  const test::ScratchDir scratch;
  auto request = small_request(scratch / "net.h5");
  request.settings.iterations = 100;
  request.settings.batch = 8;
  request.settings.patch = 64;
  request.settings.checkpoint_every = 100;
  request.settings.learning_rate = 6e-3;
  const auto network = trained(request, small_sources(), 2);
  const auto& scores = network.metadata().scores;
  REQUIRE(scores.size() == 3);
  CHECK(scores[1].second < 5);    // px; an untrained network is off by the radius, 12
  CHECK(scores[2].second < 0.2);  // nats; knowing nothing costs 0.69
}

TEST_CASE("cut-offs are chosen on what the network says of the validation samples") {
  const test::ScratchDir scratch;
  auto request = small_request(scratch / "net.h5");
  request.calibrate = [](const Network& network, const StarPredictor& predict, const TrainingSources& sources,
                         const Context&) {
    CHECK(network.has_foreground());
    REQUIRE(sources.validation_samples == 3);
    const TrainingSample sample = sources.validation(2);
    const StarFields fields = predict(sample.image, true);
    CHECK(fields.rows == (sample.image.rows + 1) / 2);
    CHECK(fields.distances.size() == 32 * fields.probability.size());
    return Calibration{{0.3, 0.2, 0.6}, {{"calibration_this", 0.25}}};
  };
  const auto network = trained(request, small_sources(), 2);
  CHECK(network.metadata().thresholds.probability == 0.3);
  CHECK(network.metadata().thresholds.suppression == 0.2);
  const auto read = load_network(scratch / "net.h5").metadata();
  CHECK(read.thresholds.foreground == 0.6);
  CHECK(read.scores.back() == std::make_pair(std::string("calibration_this"), 0.25));
  CHECK(read.scores.size() == 4);  // the three of the validation stay
}

TEST_CASE("cut-offs of finished weights are chosen anew, and the weights stay what they are") {
  const test::ScratchDir scratch;
  const auto network = trained(small_request(scratch / "net.h5"), small_sources(), 2);
  const auto choose = [](double p) {
    return [p](const Network&, const StarPredictor&, const TrainingSources&, const Context&) {
      return Calibration{{p, 0.3, 0.4}, {{"calibration_this", p}}};
    };
  };
  Progress progress;
  const auto first = calibrated(network, "cpu", choose(0.7), small_sources(), {progress, 1});
  const auto second = calibrated(first, "cpu", choose(0.2), small_sources(), {progress, 1});
  CHECK(second.metadata().thresholds.probability == 0.2);
  CHECK(second.metadata().sha256 == network.metadata().sha256);
  CHECK(second.metadata().training_key == network.metadata().training_key);
  CHECK(second.metadata().scores.size() == network.metadata().scores.size() + 1);
  TrainingSources none = small_sources();
  none.validation_samples = 0;
  CHECK_THROWS_AS(calibrated(network, "cpu", choose(0.2), none, {progress, 1}), Error);
}
