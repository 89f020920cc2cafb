/// read(canonical(x)) == x for random x, and what is written about a configuration agrees with what is read.
#include <cathoscope/config/config.hpp>
#include <cathoscope/core/random.hpp>

#include "study_config.hpp"
#include "test_data.hpp"

#include <bit>
#include <cmath>
#include <fstream>

using namespace cathoscope;
using study::Study;

namespace {

/// Any finite double in (0, high], often of an extreme size.
double positive(Stream& random, double high) {
  for (;;) {
    const double value = random.below(4) == 0 ? random.uniform() : std::abs(std::bit_cast<double>(random.next64()));
    if (std::isnormal(value) && value <= high) return value;
  }
}

/// Text with everything that YAML gives a meaning to.
std::string text(Stream& random) {
  static const std::vector<std::string> pieces{
      "a",  "Z",  "0",   "1e5",  ".",   "-",    "- ",   ": ",  ":",      " #",     "#",      "'",
      "\"", "\\", "\\n", "[",    "]",   "{",    "}",    ",",   "&",      "*",      "!",      "|",
      ">",  "%",  "@",   "`",    "~",   "null", "true", "no",  " ",      "  ",     "é",      "€",
      "😀", "<<", "? ",  "auto", "---", "...",  "=",    "0x1", "\u0085", "\u2028", "\uFEFF", "\u00A0"};
  std::string result;
  for (auto n = random.below(6); n > 0; --n) result += pieces[random.below(pieces.size())];
  return result;
}

study::Scan scan(Stream& random) {
  study::Scan scan;
  scan.path.text = "s" + text(random);
  if (random.below(2) == 0) scan.dataset = text(random);
  if (random.below(2) == 0) scan.voxel_size_um = VoxelSize{{positive(random, 1e300), 0.1, 2}};
  if (random.below(3) == 0) scan.voxel_size_um = VoxelSize{{0.05, 0.05, 0.05}};
  if (random.below(2) == 0) scan.axes = "xyz";
  if (random.below(2) == 0) scan.crop = {{{0, 5}, {1, INT64_MAX}, {2, 3}}};
  scan.bin = 1 + static_cast<std::int64_t>(random.below(64));
  if (random.below(2) == 0) scan.faces = {"y_low"};
  if (random.below(4) == 0) scan.faces = {};
  scan.levels = {random.uniform(0, 50), random.uniform(50.1, 100)};
  return scan;
}

Study random_study(Stream& random) {
  Study study;
  study.name = text(random);
  study.seed = random.next64();
  study.level = static_cast<std::int32_t>(random.next32());
  study.match = random.below(2) == 0;
  study.sigma_um = positive(random, 1e308);
  if (random.below(2) == 0) study.threshold.value = -positive(random, 1e308);
  if (random.below(2) == 0) study.workers.value = 1 + static_cast<std::int64_t>(random.below(100));
  if (random.below(2) == 0) study.minimum_um3 = positive(random, 10);
  for (auto n = random.below(4); n > 0; --n) study.exclude.push_back(random.next64());
  study.weights = {random.uniform(), 0, 1};
  for (std::size_t i = random.below(3); i > 0; --i) {
    study::Electrode electrode{"e" + std::to_string(i), {}, {}};
    if (random.below(2) == 0) electrode.volume = scan(random);
    if (random.below(2) == 0) electrode.labels = scan(random);
    study.electrodes.push_back(electrode);
  }
  return study;
}

Study read_back(const std::string& yaml) {
  return read_config_text<Study>(yaml, "run.yaml", "/data", {}, Inputs::may_be_missing).value;
}

/// The resolved path belongs to the reading, not to the text.
void resolve(std::optional<study::Scan>& scan) {
  if (scan) scan->path.resolved = std::filesystem::path("/data/" + scan->path.text).lexically_normal().string();
}

}  // namespace

TEST_CASE("a canonical configuration reads back to the same value, and is a fixed point") {
  Stream random(1, {"config round trip"});
  for (int i = 0; i < 2000; ++i) {
    Study study = random_study(random);
    for (auto& electrode : study.electrodes) {
      resolve(electrode.volume);
      resolve(electrode.labels);
    }
    const std::string yaml = canonical_yaml(study);
    INFO(yaml);
    const Study again = read_back(yaml);
    REQUIRE(again == study);
    REQUIRE(canonical_yaml(again) == yaml);
  }
}

TEST_CASE("the canonical form does not depend on how the user wrote it") {
  const std::string block = "seed: 3\nname: a\nelectrodes:\n  - name: e\n    volume: s.tif\nsigma_um: 1.50\n";
  const std::string flow =
      "{name: 'a', sigma_um: 15e-1, seed: 3, electrodes: [{volume: {path: s.tif, bin: 1}, name: \"e\"}]}";
  CHECK(canonical_yaml(read_back(block)) == canonical_yaml(read_back(flow)));
}

TEST_CASE("the canonical form, spelled out") {
  CHECK(
      canonical_yaml(read_back("name: a b\nsigma_um: 1e-7\nelectrodes: [{name: no, volume: s.tif}]\n")) ==
      "name: \"a b\"\nseed: 7\nlevel: 0\nmatch: true\nsigma_um: 1.0e-07\nthreshold: auto\nworkers: auto\n"
      "minimum_um3: null\nexclude: []\nweights: [0.5]\nelectrodes:\n  - name: \"no\"\n    volume:\n      path: s.tif\n"
      "      dataset: null\n      voxel_size_um: null\n      axes: zyx\n      crop: null\n      bin: 1\n"
      "      faces: [z_low, z_high]\n      levels:\n        low: 1\n        high: 99.8\n    labels: null\n");
}

TEST_CASE("keys and paths can be left out, paths made absolute") {
  const Study study = read_back("name: a\nelectrodes: [{name: e, volume: sub/../s.tif}]\n");
  const std::string part = canonical_yaml(study, {.without = {"seed", "level"}, .paths = Paths::left_out});
  CHECK(part.find("seed") == std::string::npos);
  CHECK(part.find("s.tif") == std::string::npos);
  CHECK(canonical_yaml(study).find("path: sub/../s.tif\n") != std::string::npos);
  CHECK(canonical_yaml(study, {.paths = Paths::absolute}).find("path: /data/s.tif\n") != std::string::npos);
}

TEST_CASE("the template reads back to the defaults once its inputs exist") {
  test::ScratchDir folder;
  std::filesystem::create_directory(folder / "scan");
  std::ofstream(folder / "scan/1.tif") << "x";
  const std::string yaml = template_yaml<Study>("A configuration");
  INFO(yaml);
  Study expected;
  expected.name = "change-me";
  expected.electrodes.push_back({"first", study::Scan{}, {}});
  expected.electrodes[0].volume->path = {"scan/*.tif", (folder / "scan/*.tif").string()};
  CHECK(read_config_text<Study>(yaml, "run.yaml", folder.path()).value == expected);
  CHECK(
      yaml.find("      # edge of the cube that is averaged (a whole number from 1 to 64; default 1)\n      bin: 1\n") !=
      std::string::npos);
}
