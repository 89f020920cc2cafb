/// Files that other programs wrote, with what their authors say of them.

#include "volume_inputs.hpp"

#include <algorithm>
#include <map>

using namespace cathoscope;
using test::data_file;

TEST_CASE("real: a big-endian slice without Compression tag") {
  const auto v = open_volume(data_file("electrode_slices/example_xy.tif"));
  CHECK(v.shape == Index3{1, 655, 2048});
  CHECK(v.two_dimensional);
  CHECK(v.type == ValueType::uint8);
  CHECK_FALSE(v.voxel_size_um);
  const auto g = v.as<std::uint8_t>().load().values;
  CHECK(g(0, 0, 0) == 99);  // the padding value
  CHECK(g(0, 654, 2047) == 99);
}

TEST_CASE("real: a PackBits stack whose 72 per inch is no voxel size") {
  const auto v = open_volume(data_file("segmented_nmc_volume/nmc-1-cal_generatedCBD_bridge.tif"));
  CHECK(v.shape == Index3{251, 301, 301});
  CHECK_FALSE(v.voxel_size_um);
  CHECK(test::has_note(v, "print resolution"));
  std::map<int, std::int64_t> counts;
  const auto s = v.as<std::uint8_t>();
  for (const Box& slab : slabs(s.shape, 50))
    for (const auto value : s.load(slab)) ++counts[value];
  CHECK(counts.size() == 3);
  CHECK(counts.begin()->first == 0);
  CHECK(counts.rbegin()->first == 2);
}

TEST_CASE("real: headerless sand") {
  const auto path = data_file("sand_raw/sand_200x200x100_uint8.raw");
  CHECK(test::opening(path).says("shape"));
  OpenOptions o;
  o.shape = Index3{100, 200, 200};
  o.type = "uint8";
  CHECK(open_volume(path, o).shape == Index3{100, 200, 200});
  o.type = "uint16";
  CHECK(test::opening(path, o).says("uint8"));
}

TEST_CASE("real: a .vol.info beside the sand") {
  const test::ScratchDir dir;
  std::filesystem::copy(data_file("sand_raw/sand_200x200x100_uint8.raw"), dir / "sand.vol");
  std::filesystem::copy(data_file("esrf_edf/example.vol.info"), dir / "sand.vol.info");
  for (const char* name : {"sand.vol", "sand.vol.info"}) {
    const auto v = open_volume(dir / name);
    CHECK(v.shape == Index3{100, 200, 200});
    CHECK(v.type == ValueType::uint8);
    CHECK_FALSE(v.voxel_size_um);  // it says 1.0
    const std::string raw = test::read_bytes(dir / "sand.vol");
    CHECK(v.as<std::uint8_t>().load().values(37, 11, 5) == static_cast<std::uint8_t>(raw[(37 * 200 + 11) * 200 + 5]));
  }
}

TEST_CASE("real: labels with 64-bit ids, several datasets in a file") {
  const auto path = data_file("labels_hdf5/sample_patch.h5");
  const auto o = test::opening(path);
  CHECK(o.exit == Exit::data);
  CHECK((o.says("/raw") && o.says("/label") && o.says("/big_label")));
  const auto v = open_volume(path.string() + ":/label");
  CHECK(v.shape == Index3{64, 200, 200});
  CHECK(v.type == ValueType::int64);
  const auto g = v.as<std::uint32_t>().load().values;
  CHECK(*std::max_element(g.begin(), g.end()) == 63928);
  OpenOptions named;
  named.dataset = "raw";
  CHECK(open_volume(path, named).type == ValueType::uint16);
  named.dataset = "rwa";
  CHECK(test::opening(path, named).says("did you mean /raw"));
}

TEST_CASE("real: big-endian negative floats, and labels with a display palette") {
  const auto v = open_volume(data_file("nanoxct_nmc_slices/1.tif"));
  CHECK(v.type == ValueType::float32);
  const auto g = v.as<float>().load().values;
  // From the file's bytes with numpy; the min and max in its text are limits of display.
  CHECK(*std::min_element(g.begin(), g.end()) == -0.9169168472290039F);
  CHECK(*std::max_element(g.begin(), g.end()) == 2.952852249145508F);
  const auto labels = open_volume(data_file("nanoxct_nmc_slices/1_label.tif"));
  const auto l = labels.as<std::uint8_t>().load().values;
  CHECK(*std::max_element(l.begin(), l.end()) == 2);
  CHECK(test::has_note(labels, "colour table"));
}

TEST_CASE("real: signed bytes") {
  const auto v = open_volume(data_file("small_binary/NMC_lr_input.tif"));
  CHECK(v.type == ValueType::int8);
  CHECK(v.shape == Index3{128, 128, 128});
  const auto g = v.as<std::int32_t>().load().values;
  CHECK(*std::max_element(g.begin(), g.end()) == 1);
  CHECK(*std::min_element(g.begin(), g.end()) == 0);
}

TEST_CASE("real: three dialects of EDF") {
  auto v = open_volume(data_file("esrf_edf/face.edf"));
  CHECK(v.shape == Index3{1, 456, 123});
  CHECK(v.type == ValueType::float32);
  v = open_volume(data_file("esrf_edf/i01f0001.edf"));
  CHECK(v.shape == Index3{1, 576, 625});
  CHECK(v.type == ValueType::float64);
  v = open_volume(data_file("esrf_edf/im0000.edf"));
  CHECK(v.shape == Index3{1, 256, 256});
  // The image is the file's last bytes.
  const std::string bytes = test::read_bytes(data_file("esrf_edf/im0000.edf"));
  float last = 0;
  std::memcpy(&last, bytes.data() + bytes.size() - 4, 4);
  CHECK(v.as<float>().load().values(0, 255, 255) == last);
}
