#include "../../../src/segmentation/cracks.hpp"
#include "segmentation_bodies.hpp"

using namespace test;

TEST_CASE("the blur of outlines is measured, and what slit is half as deep follows") {
  // An edge blurred by the scan and by the smoothing of 0.7 voxels. Curvature of a ball of 16 voxels and central differences
  // over two voxels change the steepness by a few per cent.
  for (const double sigma : {1.2, 1.8, 2.6}) {
    SegmentationConfig config;
    config.method = "watershed";
    config.watershed.smooth_um = 0;
    const Index3 n{56, 56, 56};
    const auto found =
        segmented(config, grey_inputs(blurred(balls(n, {0.1, 0.1, 0.1}, {{{2.8, 2.8, 2.8}, 1.7}}), sigma)));
    CHECK(found.count() == 1);
    const double expected = std::sqrt(sigma * sigma + 0.7 * 0.7) * 0.1;
    CHECK(found.number("edge_blur_um") == Approx(expected).epsilon(0.12));
    CHECK(found.number("crack_width_at_half_depth_um") == Approx(1.349 * found.number("edge_blur_um")).epsilon(1e-3));
  }
  CHECK(std::erf(half_depth_width(1.8) / (2 * std::sqrt(2.0) * 1.8)) == Approx(0.5));
}
