#include <cathoscope/pipeline/pipeline.hpp>

#include "test_data.hpp"

using namespace cathoscope;

namespace {

ElectrodeInputs grey(std::int64_t edge) {
  ElectrodeInputs in;
  in.volume.emplace();
  in.volume->type = ValueType::uint16;
  in.shape = {edge, edge, edge};
  in.volume->shape = in.shape;
  in.voxel_size_um = in.binned_um = {0.07, 0.07, 0.07};
  return in;
}

Estimate of(const std::vector<ElectrodeInputs>& inputs, const std::vector<std::string>& stages, double gib) {
  Config config;
  config.electrodes.resize(inputs.size());
  return estimate(config, inputs, stages, static_cast<std::uint64_t>(gib * (1 << 30)), 2);
}

}  // namespace

TEST_CASE("only the stages of a run need disk, and electrodes follow one another in the same scratch space") {
  const double voxels = 400.0 * 400 * 400;
  CHECK(of({grey(400)}, {"attributes", "figures"}, 2).disk_bytes == 0);
  CHECK(of({grey(400)}, {"volume"}, 2).disk_bytes == 2 * voxels);
  const double one = of({grey(400)}, {"segmentation"}, 2).disk_bytes;
  const double two = of({grey(400), grey(400)}, {"segmentation"}, 2).disk_bytes;
  CHECK(one > voxels);
  CHECK(two < 1.5 * one);
  CHECK(of({grey(400)}, {"volume", "segmentation"}, 2).disk_bytes == 2 * voxels + one);
}

TEST_CASE("what a network foretells stays within the budget, and grows with it up to its need") {
  const auto segmentation = [](double gib) {
    return of({grey(1024)}, {"segmentation"}, gib).stages.at(1).bytes / (1 << 30);
  };
  CHECK(segmentation(2) <= 2);
  CHECK(segmentation(4) > segmentation(2));
  CHECK(segmentation(400) < 40);
}
