#include "oracle.hpp"

#include <cathoscope/core/error.hpp>

using namespace test;

TEST_CASE("an oracle's answers become its labels, in a plane") {
  const auto scene = oracle_scene(packed_labels({1, 260, 300}, 0.2, 9.6, 3), 9.6);
  const auto found = segmented(scene.config, scene.inputs);
  const auto m = matches(scene.truth.values, found.labels, 0.8, false, 300);
  INFO(m.found << " " << m.missed << " " << m.invented << " iou " << m.mean_iou << " bias " << m.volume_bias);
  CHECK(m.ap() == 1);
  CHECK(m.mean_iou > 0.95);  // cells two pixels apart: half a pixel of outline on discs of 48
}

TEST_CASE("an oracle's answers become its labels, in space", "[slow]") {
  for (const std::string views : {"axial3", "diagonal9"}) {
    auto scene = oracle_scene(packed_labels({96, 100, 104}, 0.3, 9.6, 5), 9.6);
    scene.config.views = views;
    const auto found = segmented(scene.config, scene.inputs, {2, {}});
    const auto m = matches(scene.truth.values, found.labels, 0.75, false, 300);
    INFO(views << ": " << m.found << " " << m.missed << " " << m.invented << " iou " << m.mean_iou << " bias "
               << m.volume_bias);
    CHECK(m.found >= 5);
    CHECK(m.ap() == 1);
    CHECK(m.mean_iou > 0.9);
    CHECK(std::abs(m.volume_bias) < 0.03);  // outlines between cells two pixels apart are chords
  }
}

TEST_CASE("labels of the network's route do not show blocks or threads", "[slow]") {
  auto scene = oracle_scene(packed_labels({60, 70, 80}, 0.15, 9.6, 6), 9.6, 0.1);
  const auto one = segmented(scene.config, scene.inputs, {1, {}});
  REQUIRE(one.count() >= 5);
  for (const How& how : {How{4, {}}, How{2, Index3{17, 23, 80}}, How{3, Index3{64, 64, 64}}})
    CHECK(segmented(scene.config, scene.inputs, how).bytes == one.bytes);
}

TEST_CASE("fields are kept at working voxels, with what was found on the way") {
  auto scene = oracle_scene(packed_labels({40, 60, 50}, 0.1, 9.6, 7), 9.6);
  const ScratchDir dir;
  Progress progress;
  auto out = H5File::create(dir / "s.h5");
  segment(scene.config, scene.inputs, out, Context{progress, 1});
  out.close();
  const auto file = H5File::open(dir / "s.h5");
  const auto p = file.grid<float>("/probability").load();
  CHECK(p.shape() == Index3{20, 30, 25});
  CHECK(p.voxel_size_um[0] == Approx(0.2));
  CHECK(file.grid<float>("/disagreement").shape == p.shape());
  CHECK(file.grid_shape("/labels") == Index3{40, 60, 50});
  CHECK(file.attribute("/", "particle_diameter_um")->at(0) == 9.6);
  CHECK(file.attribute("/", "working_voxel_um")->at(0) == Approx(0.2));
  CHECK(file.attribute("/", "unresolved_fraction")->at(0) == 0);
}

TEST_CASE("a working volume that does not fit is refused before anything is read, with numbers and a remedy") {
  auto scene = oracle_scene(packed_labels({40, 60, 50}, 0.2, 9.6, 7), 9.6);
  scene.inputs.grey->read = [](const Box&, float*) { FAIL("the volume was read"); };
  scene.config.cracks = "auto";
  try {
    segmented(scene.config, scene.inputs, {1, {}, 40 * 60 * 50 * 13});
    FAIL("accepted");
  } catch (const Error& e) {
    const std::string text = e.what();
    INFO(text);
    CHECK(e.exit() == Exit::no_memory);
    for (const char* part : {"40 x 60 x 50", "0.00156 GiB", "0.00145", "--memory", "particle_diameter_um"})
      CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("weights of the views and the threshold that goes with them are kept with the result") {
  auto scene = oracle_scene(packed_labels({40, 60, 50}, 0.2, 9.6, 7), 9.6);
  scene.config.views = "axial3";
  scene.inputs.network->view_weights = {1, 0.5, 0.25};
  scene.inputs.network->foreground_threshold = 0.4;
  const ScratchDir dir;
  Progress progress;
  auto out = H5File::create(dir / "s.h5");
  segment(scene.config, scene.inputs, out, Context{progress, 1});
  out.close();
  const auto file = H5File::open(dir / "s.h5");
  CHECK(*file.attribute("/", "view_weights") == std::vector<double>{1, 0.5, 0.25});
  CHECK(file.attribute("/", "foreground_threshold")->at(0) == 0.4);
  scene.inputs.network->view_weights = {1, 1};
  CHECK_THROWS_AS(segmented(scene.config, scene.inputs), Error);
}
