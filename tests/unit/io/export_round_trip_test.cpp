#include <cathoscope/io/export.hpp>

#include "export_samples.hpp"
#include "test_data.hpp"

using namespace cathoscope;

TEST_CASE("this program reads back the TIFF and the array that it exports") {
  const test::ScratchDir dir;
  const bool compress = GENERATE(true, false);
  write_tiff(dir / "a.tif", test::sample_grid<std::uint32_t>(), {.compress = compress});
  write_npy(dir / "a.npy", test::sample_grid<std::uint32_t>());
  for (const char* name : {"a.tif", "a.npy"}) {
    const VolumeFile file = open_volume(dir / name);
    CHECK(file.shape == test::sample_shape);
    CHECK(file.type == ValueType::uint32);
    const auto values = file.as<std::uint32_t>().load(whole(file.shape));
    CHECK(values == test::sample_grid<std::uint32_t>().load(whole(file.shape)));
    if (!file.voxel_size_um) continue;
    for (int axis = 0; axis < 3; ++axis)  // a TIFF holds the resolution to single precision
      CHECK((*file.voxel_size_um)[axis] == Approx(test::sample_voxel_um[axis]).epsilon(1e-6));
  }
  CHECK(open_volume(dir / "a.tif").voxel_size_um.has_value());
}
