#include "exits.hpp"
#include "test_data.hpp"

#include "../../../src/network/memory_ladder.hpp"
#include "../../../src/network/tiles.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/network/network.hpp>

#include <cmath>
#include <fstream>

using namespace cathoscope;

namespace {

StarImage noise_image(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  StarImage image{rows, columns, {}};
  Stream random(seed, {"noise image"});
  for (std::int64_t i = 0; i < rows * columns; ++i) image.values.push_back(static_cast<float>(random.normal()));
  return image;
}

StarPredictor float_predictor(const Network& network) {
  return predictor(network, {.device = {"cpu", Precision::float32}});
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(double{a[i]} - double{b[i]}));
  return a.size() == b.size() ? worst : 1e9;
}

bool equal_fields(const StarFields& a, const StarFields& b) {
  return a.probability == b.probability && a.foreground == b.foreground && a.distances == b.distances;
}

}  // namespace

TEST_CASE("the profile of the paper has the authors' number of weights") {
  auto shape = network_shape("paper");
  CHECK(parameter_count(shape) == 1425185 + 129);  // and the foreground head: 128 weights, one bias
  shape.foreground = false;
  CHECK(parameter_count(shape) == 1425185);
  CHECK(parameter_count(network_shape("default")) == 357858);
  CHECK(parameter_count(network_shape("ci")) == 90242);
  CHECK(test::exit_of([] { network_shape("huge"); }) == Exit::config);
}

TEST_CASE("a pixel beyond the receptive radius changes nothing, one within does") {
  for (const NetworkShape shape : {NetworkShape{.grid = 2, .depth = 2, .base = 4, .features = 8},
                                   NetworkShape{.grid = 1, .depth = 2, .base = 4, .convolutions = 3, .features = 0}}) {
    const auto predict = float_predictor(random_network("test", shape, 5));
    StarImage image = noise_image(320, 16, 1);
    const auto before = predict(image, true);
    image.values[160 * 16 + 8] += 50;
    const auto after = predict(image, true);
    std::int64_t reach = 0;
    for (std::size_t at = 0; at < before.probability.size(); ++at)
      if (before.probability[at] != after.probability[at])
        reach = std::max(reach, std::abs(static_cast<std::int64_t>(at) / before.columns * shape.grid - 160));
    CHECK(reach <= receptive_radius(shape));
    CHECK(reach > receptive_radius(shape) / 2);
  }
  CHECK(receptive_radius(network_shape("default")) <= 112);
}

TEST_CASE("fields have the grid's size for any image") {
  const auto network = random_network("ci", network_shape("ci"), 1);
  const auto predict = float_predictor(network);
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 40}, {17, 33}, {64, 16}}) {
    const auto f = predict(noise_image(rows, columns, 2), true);
    CHECK(f.rows == (rows + 1) / 2);
    CHECK(f.columns == (columns + 1) / 2);
    const auto cells = static_cast<std::size_t>(f.rows * f.columns);
    CHECK(f.probability.size() == cells);
    CHECK(f.foreground.size() == cells);
    CHECK(f.distances.size() == 32 * cells);
    for (const float p : f.probability) CHECK((p >= 0 && p <= 1));
    for (const float d : f.distances) CHECK(d >= 0);
    const auto without = predict(noise_image(rows, columns, 2), false);
    CHECK(without.distances.empty());
    CHECK(largest_difference(without.probability, f.probability) < 1e-6);
  }
}

TEST_CASE("an image in tiles gives what it gives as a whole") {
  const auto network = random_network("ci", network_shape("ci"), 3);
  const auto predict = float_predictor(network);
  const StarImage wide = noise_image(48, 2300, 4);  // longer than a tile
  const auto tiled = predict(wide, true);
  // The right part alone, from a multiple of 16 on: far enough from its left border it must agree.
  StarImage part{48, 1900, {}};
  for (std::int64_t i = 0; i < 48; ++i)
    part.values.insert(part.values.end(), wide.values.begin() + i * 2300 + 400, wide.values.begin() + (i + 1) * 2300);
  const auto whole = predict(part, true);
  double worst = 0;
  for (std::int64_t i = 0; i < tiled.rows; ++i)
    for (std::int64_t j = 200 + 56; j < tiled.columns; ++j)
      worst =
          std::max(worst, std::abs(double{tiled.probability[static_cast<std::size_t>(i * tiled.columns + j)]} -
                                   double{whole.probability[static_cast<std::size_t>(i * whole.columns + j - 200)]}));
  CHECK(worst < 1e-5);
}

TEST_CASE("tiles cover a side once, at multiples, with their overlap") {
  for (const std::int64_t length : {2064, 4096, 5008, 16000}) {
    std::int64_t at = 0;
    for (const auto& s : tile_spans(length, 2048, 112, 16)) {
      CHECK(s.keep_begin == at);
      CHECK(s.begin % 16 == 0);
      CHECK((s.begin == 0 || s.keep_begin - s.begin == 112));
      CHECK((s.end == length || s.end - s.keep_end == 112 || s.end == length));
      CHECK(s.end - s.begin <= 2048);
      at = s.keep_end;
    }
    CHECK(at == length);
  }
  CHECK(tile_spans(2048, 2048, 112, 16).size() == 1);
}

TEST_CASE("predictions are the same from any number of threads") {
  const auto network = random_network("ci", network_shape("ci"), 3);
  const auto predict = predictor(network, {.device = resolve_device("cpu"), .concurrency = 3});
  std::vector<StarImage> images;
  for (std::uint64_t i = 0; i < 6; ++i) images.push_back(noise_image(100, 90 + static_cast<std::int64_t>(i), i));
  std::vector<StarFields> beside(images.size());
  parallel_for(6, 3, [&](std::int64_t i) {
    beside[static_cast<std::size_t>(i)] = predict(images[static_cast<std::size_t>(i)], true);
  });
  bool same = true;
  for (std::size_t i = 0; i < images.size(); ++i) same = same && equal_fields(beside[i], predict(images[i], true));
  CHECK(same);
}

TEST_CASE("bfloat16 says nearly what float32 says") {
  const auto network = random_network("ci", network_shape("ci"), 3);
  const auto exact = float_predictor(network)(noise_image(96, 96, 7), true);
  const auto rough = predictor(network, {.device = {"cpu", Precision::bfloat16}})(noise_image(96, 96, 7), true);
  CHECK(largest_difference(exact.probability, rough.probability) < 0.05);  // 8 bits of mantissa, 17 layers
  CHECK_FALSE(exact.probability == rough.probability);
}

TEST_CASE("a device without memory gets fewer images, then smaller tiles, then gives up") {
  std::vector<std::string> warnings;
  MemoryLadder ladder(4, 1024, [&](const std::string& m) { warnings.push_back(m); });
  std::vector<std::int64_t> tried;
  ladder.climb([&](std::int64_t tile) {
    tried.push_back(tile);
    if (tile > 512) throw OutOfDeviceMemory{};
  });
  CHECK(tried == std::vector<std::int64_t>{1024, 1024, 1024, 512});
  CHECK(warnings.size() == 3);
  CHECK(test::exit_of([&] { ladder.climb([](std::int64_t) { throw OutOfDeviceMemory{}; }); }) == Exit::no_memory);
  ladder.climb([](std::int64_t) {});  // a call that failed leaves the ladder usable
}

TEST_CASE("devices that are not there are named") {
  CHECK(resolve_device("cpu").name == "cpu");
  CHECK(test::exit_of([] { resolve_device("cuda:99"); }) == Exit::unavailable);
  CHECK(test::exit_of([] { resolve_device("gpu"); }) == Exit::unavailable);
}

TEST_CASE("a network comes back from its file as it was") {
  const test::ScratchDir scratch;
  auto original = random_network("ci", network_shape("ci"), 9);
  NetworkMetadata m = original.metadata();
  m.thresholds = {0.61, 0.35, 0.45};
  m.scores = {{"ap_50", 0.97}, {"distance_px", 1.1}};
  m.training = "training: {profile: ci}\n";
  m.training_seconds = 123.5;
  const Network network = with_metadata(original, m);
  save_network(network, scratch / "a.h5");
  save_network(network, scratch / "b.h5");
  CHECK(sha256_of_file(scratch / "a.h5") == sha256_of_file(scratch / "b.h5"));
  const auto back = load_network(scratch / "a.h5");
  CHECK(back.metadata().shape == m.shape);
  CHECK(back.metadata().sha256 == m.sha256);
  CHECK(back.metadata().scores == m.scores);
  CHECK(back.metadata().training == m.training);
  CHECK(back.metadata().training_seconds == 123.5);
  CHECK(back.metadata().thresholds.suppression == 0.35);
  const StarImage image = noise_image(64, 64, 1);
  CHECK(equal_fields(float_predictor(network)(image, true), float_predictor(back)(image, true)));
}

TEST_CASE("files that are no weights, or damaged ones, are refused") {
  const test::ScratchDir scratch;
  save_network(random_network("ci", network_shape("ci"), 9), scratch / "a.h5");
  CHECK(test::exit_of([&] { load_network(scratch / "none.h5"); }) == Exit::no_input);
  CHECK(test::exit_of([&] { load_network(scratch.path()); }) == Exit::no_input);  // a folder without config.json
  write_atomically(scratch / "text.h5", "no HDF5");
  CHECK(test::exit_of([&] { load_network(scratch / "text.h5"); }) == Exit::data);
  const std::string bytes = read_text(scratch / "a.h5");
  write_atomically(scratch / "short.h5", bytes.substr(0, bytes.size() / 2));
  CHECK(test::exit_of([&] { load_network(scratch / "short.h5"); }) == Exit::data);
  std::string flipped = bytes;
  flipped[bytes.size() / 2] = static_cast<char>(flipped[bytes.size() / 2] ^ 1);  // in the middle of the weights
  write_atomically(scratch / "flipped.h5", flipped);
  CHECK(test::exit_of([&] { load_network(scratch / "flipped.h5"); }) == Exit::data);
}
