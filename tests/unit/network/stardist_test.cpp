#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/network/description.hpp>
#include <cathoscope/network/network.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <functional>

using namespace cathoscope;

namespace {

void write_model(const std::filesystem::path& folder, int grid, int depth, int convolutions, int features, int seed) {
  const std::string command =
      fmt::format("/usr/bin/python3 -B {}/tests/unit/network/stardist_reference.py {} {} {} {} {} {}",
                  test::source_dir().string(), folder.string(), grid, depth, convolutions, features, seed);
  REQUIRE(std::system(command.c_str()) == 0);
}

std::vector<float> floats_in(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = a.size() == b.size() ? 0 : 1e9;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    worst = std::max(worst, std::abs(double{a[i]} - double{b[i]}));
  return worst;
}

void replace_in(const std::filesystem::path& path, const std::string& from, const std::string& to) {
  std::string text = read_text(path);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  write_atomically(path, text.replace(at, from.size(), to));
}

std::pair<Exit, std::string> refusal(const std::filesystem::path& folder) {
  try {
    load_network(folder);
  } catch (const Error& e) {
    return {e.exit(), e.what()};
  }
  return {Exit::ok, ""};
}

}  // namespace

TEST_CASE("StarDist models say what an independent computation says") {
  struct Model {
    int grid, depth, convolutions, features;
  };
  int seed = 1;
  for (const auto& [grid, depth, convolutions, features] :
       {Model{2, 3, 2, 16}, Model{1, 2, 2, 8}, Model{4, 1, 1, 8}, Model{2, 2, 3, 0}}) {
    const test::ScratchDir scratch;
    write_model(scratch / "model", grid, depth, convolutions, features, seed++);
    const auto network = load_network(scratch / "model");
    CHECK(network.metadata().origin == "stardist");
    CHECK(network.metadata().profile == "model");
    CHECK_FALSE(network.has_foreground());
    CHECK(network.metadata().thresholds.probability == 0.642);
    CHECK(network.metadata().thresholds.suppression == 0.3);
    const StarImage image{64, 64, floats_in(scratch / "model/image.f32")};
    const auto fields = predictor(network, {.device = {"cpu", Precision::float32}})(image, true);
    CHECK(fields.foreground.empty());
    CHECK(fields.grid == grid);
    // Single against double precision over up to 20 layers.
    CHECK(largest_difference(fields.probability, floats_in(scratch / "model/prob.f32")) < 1e-5);
    CHECK(largest_difference(fields.distances, floats_in(scratch / "model/dist.f32")) < 1e-4);
  }
}

TEST_CASE("StarDist models that use something else are refused by its name") {
  const test::ScratchDir scratch;
  write_model(scratch / "good", 2, 2, 2, 8, 3);
  struct Change {
    const char *from, *to, *named;
    Exit exit;
  };
  int n = 0;
  for (const auto& c :
       {Change{R"("unet_batch_norm": false)", R"("unet_batch_norm": true)", "unet_batch_norm", Exit::unavailable},
        Change{R"("n_channel_in": 1)", R"("n_channel_in": 3)", "n_channel_in", Exit::unavailable},
        Change{R"("n_rays": 32)", R"("n_rays": 64)", "n_rays", Exit::unavailable},
        Change{R"("unet_activation": "relu")", R"("unet_activation": "elu")", "unet_activation", Exit::unavailable},
        Change{R"("grid": [2, 2])", R"("grid": [2, 1])", "grid", Exit::unavailable},
        Change{R"("unet_n_filter_base": 4)", R"("unet_n_filter_base": 8)", "extents", Exit::version},
        Change{R"("unet_n_depth": 2)", R"("unet_n_depth": 3)", "lack", Exit::version},
        Change{R"({"n_dim")", R"([{"n_dim")", "JSON", Exit::data}}) {
    const auto folder = scratch / std::to_string(n++);
    std::filesystem::copy(scratch / "good", folder, std::filesystem::copy_options::recursive);
    replace_in(folder / "config.json", c.from, c.to);
    const auto [exit, message] = refusal(folder);
    CHECK(exit == c.exit);
    CHECK(message.find(c.named) != std::string::npos);
  }
  for (const char* part : {"weights_best.h5", "config.json", "thresholds.json"}) {
    const auto [exit, message] = refusal(scratch / "good" / part);
    CHECK(exit == Exit::data);
    CHECK(message.find("Name the folder: " + (scratch / "good").string()) != std::string::npos);
  }
  write_atomically(scratch / "model.zip", "PK");
  CHECK(refusal(scratch / "model.zip").second.find("Unpack it") != std::string::npos);
  write_atomically(scratch / "weights_alone.h5", "no model beside it");
  CHECK_FALSE(model_hint(scratch / "weights_alone.h5"));
  CHECK_FALSE(model_hint(scratch / "good"));
  std::filesystem::remove(scratch / "good/weights_best.h5");
  CHECK(refusal(scratch / "good").first == Exit::no_input);
}
