#include "../../../src/pipeline/network_model.hpp"

#include "test_data.hpp"

#include <cathoscope/core/error.hpp>

#include <cstdlib>

using namespace cathoscope;

namespace {

Network tiny(std::uint64_t seed = 1) {
  NetworkShape shape = network_shape("ci");
  shape.base = 4;
  shape.features = 8;
  return random_network("tiny", shape, seed);
}

Exit refusal(const ModelConfig& config) {
  try {
    open_model(config, "cpu");
  } catch (const Error& e) {
    return e.exit();
  }
  return Exit::ok;
}

}  // namespace

TEST_CASE("a model is found by its path, and known by its content") {
  const test::ScratchDir dir;
  save_network(tiny(), dir / "a.h5");
  const RunModel model = open_model({(dir / "a.h5").string(), {}}, "cpu");
  const std::string sha256 = model.network.metadata().sha256;
  CHECK(model.key_text().find(sha256) != std::string::npos);
  CHECK(model.key_text().find("cpu") != std::string::npos);
  CHECK(refusal({(dir / "a.h5").string(), sha256}) == Exit::ok);
  CHECK(refusal({(dir / "a.h5").string(), std::string(64, '0')}) == Exit::version);
  CHECK(refusal({(dir / "b.h5").string(), {}}) == Exit::no_input);
}

TEST_CASE("built-in weights are looked for in $CATHOSCOPE_DATA first") {
  const test::ScratchDir dir;
  std::filesystem::create_directories(dir / "models");
  save_network(tiny(5), dir / "models/default.h5");
  setenv("CATHOSCOPE_DATA", dir.path().c_str(), 1);
  CHECK(model_path({"builtin", {}}) == dir / "models/default.h5");
  CHECK(refusal({"builtin", {}}) == Exit::ok);
  unsetenv("CATHOSCOPE_DATA");
}

TEST_CASE("a run's network predicts, with its thresholds") {
  const test::ScratchDir dir;
  save_network(tiny(), dir / "a.h5");
  const RunModel model = open_model({(dir / "a.h5").string(), {}}, "cpu");
  Progress progress;
  const Context context{progress, 1};
  const NetworkInputs in = network_inputs(model, {}, context);
  CHECK(in.low_percentile == 1);
  CHECK(in.high_percentile == 99.8);
  CHECK(in.foreground_threshold == model.network.metadata().thresholds.foreground);
  CHECK_FALSE(in.own_scale);
  const StarFields f = in.predict({33, 47, std::vector<float>(33 * 47, 0.5F)}, false);
  CHECK(f.rows == 17);
  CHECK(f.columns == 24);
  CHECK(f.foreground.size() == f.probability.size());
}
