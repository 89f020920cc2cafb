#include <cathoscope/volume/volume.hpp>

#include "volume_inputs.hpp"

#include <cmath>
#include <functional>
#include <numeric>

using namespace cathoscope;
using test::outcome_of;

namespace {

/// A volume in memory as if it were a file.
template <class T>
VolumeFile file_of(const Index3& shape, const std::function<T(std::int64_t, std::int64_t, std::int64_t)>& f) {
  auto values = std::make_shared<Array3<T>>(array3<T>(shape));
  for (std::int64_t i = 0; i < volume_of(shape); ++i)
    values->data()[i] = f(i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]);
  VolumeFile v;
  v.shape = shape;
  v.type = *value_type_from(std::is_floating_point_v<T>
                                ? (sizeof(T) == 4 ? "float32" : "float64")
                                : std::string(std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T)));
  v.two_dimensional = shape[0] == 1;
  v.files = {"memory"};
  v.read = [values, shape](const Box& box, void* out) { copy_box(values->data(), shape, box, static_cast<T*>(out)); };
  return v;
}

template <class T>
T noise(std::int64_t z, std::int64_t y, std::int64_t x) {
  const auto h = static_cast<std::uint32_t>(z * 73856093 ^ y * 19349663 ^ x * 83492791) * 2654435761U;
  return static_cast<T>(h >> 24) - static_cast<T>(std::is_signed_v<T> ? 100 : 0);
}

VolumeConfig config_of(double h = 0.1) {
  VolumeConfig c;
  c.voxel_size_um = VoxelSize{{h, h, h}};
  return c;
}

struct Loaded {
  VolumeMeta meta;
  std::vector<std::string> warnings;
};

Loaded load(const VolumeConfig& c, const VolumeFile& file, const std::filesystem::path& path, int threads = 1,
            std::uint64_t memory = 1 << 30) {
  Progress progress;
  auto out = H5File::create(path);
  Loaded l{load_volume(c, file, out, Context{progress, threads, memory}), {}};
  out.close();
  l.warnings = progress.warnings();
  return l;
}

double percentile(std::vector<double> v, double p) {
  std::sort(v.begin(), v.end());
  const double at = p / 100 * static_cast<double>(v.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  return v[i] + (v[std::min(i + 1, v.size() - 1)] - v[i]) * (at - static_cast<double>(i));
}

template <class T>
void check_round_trip() {
  const test::ScratchDir dir;
  const Index3 n{9, 20, 33};
  const auto file = file_of<T>(n, noise<T>);
  const auto meta = load(config_of(), file, dir / "v.h5").meta;
  const auto back = H5File::open(dir / "v.h5");
  CHECK(back.type_of("/volume") == name_of(file.type));
  const auto grid = back.grid<T>("/volume");
  const auto values = grid.load().values;
  std::vector<double> all;
  bool same = true;
  for (std::int64_t i = 0; i < volume_of(n); ++i) {
    same = same && values.data()[i] == noise<T>(i / 660, i / 33 % 20, i % 33);
    all.push_back(static_cast<double>(values.data()[i]));
  }
  CHECK(same);
  CHECK(meta.low_grey == Approx(percentile(all, 1)).epsilon(1e-12));
  CHECK(meta.high_grey == Approx(percentile(all, 99.8)).epsilon(1e-12));
}

}  // namespace

TEST_CASE("every type is stored as read, with exact percentiles") {
  check_round_trip<std::uint8_t>();
  check_round_trip<std::int8_t>();
  check_round_trip<std::uint16_t>();
  check_round_trip<std::int16_t>();
  check_round_trip<std::uint32_t>();
  check_round_trip<std::int32_t>();
  check_round_trip<std::uint64_t>();
  check_round_trip<std::int64_t>();
  check_round_trip<float>();
  check_round_trip<double>();
}

TEST_CASE("percentiles of floats of all magnitudes and signs are exact") {
  const auto f = [](std::int64_t z, std::int64_t y, std::int64_t x) {
    return static_cast<float>((x % 2 == 0 ? 1 : -1) * std::exp(static_cast<double>(noise<int>(z, y, x)) / 7));
  };
  const test::ScratchDir dir;
  auto c = config_of();
  c.normalise = {20, 63.7};
  const auto meta = load(c, file_of<float>({7, 31, 29}, f), dir / "v.h5", 2, 100000).meta;
  std::vector<double> all;
  for (int z = 0; z < 7; ++z)
    for (int y = 0; y < 31; ++y)
      for (int x = 0; x < 29; ++x) all.push_back(static_cast<double>(f(z, y, x)));
  CHECK(meta.low_grey == percentile(all, 20));
  CHECK(meta.high_grey == percentile(all, 63.7));
}

TEST_CASE("the file is the same for any slabs and threads", "[slow]") {
  const test::ScratchDir dir;
  // Padding in the corners, NaN inside, more than one layer of chunks.
  const auto f = [](std::int64_t z, std::int64_t y, std::int64_t x) {
    if (x + y < 60) return 7.5F;
    if (z == 70 && y == 80 && x < 5) return std::nanf("");
    return noise<float>(z, y, x);
  };
  const auto file = file_of<float>({130, 90, 70}, f);
  for (const char* axes : {"zyx", "xzy"})
    for (const int bin : {1, 3}) {
      auto c = config_of();
      c.nan = "mask";
      c.axes = axes;
      c.bin = bin;
      load(c, file, dir / "a.h5");
      const std::string expected = test::read_bytes(dir / "a.h5");
      for (const int threads : {1, 3})
        for (const std::uint64_t memory : {std::uint64_t{1}, std::uint64_t{2000000}, std::uint64_t{1} << 33}) {
          CAPTURE(axes, bin, threads, memory);
          load(c, file, dir / "b.h5", threads, memory);
          const bool same =
              test::read_bytes(dir / "b.h5") == expected;  // not compared in the CHECK: it would print the bytes
          CHECK(same);
        }
    }
}

TEST_CASE("axes and depth: values, voxel size and handedness") {
  const test::ScratchDir dir;
  const Index3 n{4, 5, 6};  // as stored
  auto file = file_of<std::uint16_t>(
      n, [](auto a, auto b, auto c) { return static_cast<std::uint16_t>(100 * a + 10 * b + c); });
  file.voxel_size_um = Vec3{0.4, 0.5, 0.6};
  file.voxel_size_from = "test";
  for (const std::string axes : {"zyx", "zxy", "yzx", "yxz", "xzy", "xyz"})
    for (const std::string depth : {"z", "y", "x"}) {
      CAPTURE(axes, depth);
      VolumeConfig c;
      c.axes = axes;
      c.depth_axis = depth;
      const auto meta = load(c, file, dir / "v.h5").meta;
      const auto grid = H5File::open(dir / "v.h5").grid<std::uint16_t>("/volume");
      // x -> y -> z -> x: what stands at z', y', x'
      const std::string order = depth == "z" ? "zyx" : depth == "y" ? "yxz" : "xzy";
      std::array<std::size_t, 3> at{};
      for (std::size_t i = 0; i < 3; ++i) at[i] = axes.find(order[i]);
      CHECK(grid.shape == Index3{n[at[0]], n[at[1]], n[at[2]]});
      CHECK(grid.voxel_size_um[0] == Approx(0.4 + 0.1 * static_cast<double>(at[0])));
      CHECK(meta.depth_length_um == Approx(static_cast<double>(n[at[0]]) * grid.voxel_size_um[0]));
      CHECK(meta.voxel_size_from == "test");
      const auto values = grid.load().values;
      const std::array<int, 3> weight{100, 10, 1};
      CHECK(values(1, 2, 3) == weight[at[0]] + 2 * weight[at[1]] + 3 * weight[at[2]]);
    }
  VolumeConfig c;
  file.voxel_size_um.reset();
  const auto o = outcome_of([&] { load(c, file, dir / "v.h5"); });
  CHECK(o.exit == Exit::config);
  CHECK(o.says("voxel_size_um"));
}

TEST_CASE("crop and bin: coordinates stay those of the uncropped file") {
  const test::ScratchDir dir;
  auto c = config_of();
  c.voxel_size_um = VoxelSize{{0.1, 0.03, 0.03}};
  c.crop = {{{1, 10}, {4, 11}, {6, 12}}};
  c.bin = 2;
  const auto file = file_of<std::uint8_t>({12, 13, 14}, noise<std::uint8_t>);
  const auto meta = load(c, file, dir / "v.h5").meta;
  const auto grid = H5File::open(dir / "v.h5").grid<std::uint8_t>("/volume");
  CHECK(grid.shape == Index3{4, 3, 3});
  CHECK(grid.voxel_size_um == Vec3{0.2, 0.06, 0.06});
  CHECK(grid.origin_um[0] == Approx(0.1));
  CHECK(grid.origin_um[2] == Approx(0.18));
  CHECK(meta.depth_length_um == Approx(1.2));
  int sum = 0;
  for (int z = 3; z < 5; ++z)
    for (int y = 8; y < 10; ++y)
      for (int x = 6; x < 8; ++x) sum += noise<std::uint8_t>(z, y, x);
  CHECK(grid.load().values(1, 2, 0) == (2 * sum + 8) / 16);
  for (const auto& bad :
       {std::array<Range, 3>{{{3, 3}, {0, 1}, {0, 1}}}, std::array<Range, 3>{{{0, 13}, {0, 1}, {0, 1}}}}) {
    c.crop = bad;
    CHECK(outcome_of([&] { load(c, file, dir / "w.h5"); }).exit == Exit::data);
  }
  c.crop.reset();
  c.bin = 13;
  CHECK(outcome_of([&] { load(c, file, dir / "w.h5"); }).exit == Exit::data);
}

TEST_CASE("means of negative and of 64-bit integers are exact, halves up") {
  const test::ScratchDir dir;
  auto c = config_of();
  c.bin = 2;
  const auto one = [&](auto value) {
    using T = decltype(value);
    load(c, file_of<T>({2, 2, 2}, [&](auto z, auto, auto) { return static_cast<T>(value - (z == 0 ? 1 : 0)); }),
         dir / "v.h5");
    return H5File::open(dir / "v.h5").grid<T>("/volume").load().values(0, 0, 0);
  };
  CHECK(one(std::int16_t{-3}) == -3);  // -3.5
  CHECK(one(std::int16_t{4}) == 4);    // 3.5
  CHECK(one(std::uint64_t{1} << 63) == std::uint64_t{1} << 63);
  CHECK(one(std::numeric_limits<std::int64_t>::min() + 9) == std::numeric_limits<std::int64_t>::min() + 9);
}

TEST_CASE("NaN and infinity: refused, masked or replaced, with their number") {
  const test::ScratchDir dir;
  const auto file = file_of<float>({8, 12, 12}, [](auto z, auto y, auto x) {
    if (z == 3 && y == 4) return x == 0 ? INFINITY : std::nanf("");
    return noise<float>(z, y, x);
  });
  auto c = config_of();
  const auto o = outcome_of([&] { load(c, file, dir / "v.h5"); });
  CHECK(o.exit == Exit::data);
  CHECK((o.says("12 voxels") && o.says("slice 3") && o.says("nan: mask")));
  for (const char* policy : {"mask", "replace"}) {
    c.nan = policy;
    const auto l = load(c, file, dir / "v.h5");
    CHECK(l.meta.non_finite_voxels == 12);
    CHECK(l.warnings.size() == 1);
    CHECK(l.meta.has_mask == (c.nan == "mask"));
    const auto back = H5File::open(dir / "v.h5");
    std::vector<double> finite;
    for (int z = 0; z < 8; ++z)
      for (int y = 0; y < 12; ++y)
        for (int x = 0; x < 12; ++x)
          if (z != 3 || y != 4) finite.push_back(static_cast<double>(noise<float>(z, y, x)));
    const auto values = back.grid<float>("/volume").load().values;
    CHECK(values(3, 4, 5) == static_cast<float>(percentile(finite, 50)));
    CHECK(l.meta.low_grey == Approx(percentile(finite, 1)));
    if (l.meta.has_mask) {
      const auto mask = back.grid<std::uint8_t>("/mask").load().values;
      CHECK(std::accumulate(mask.begin(), mask.end(), 0) == 8 * 144 - 12);
      CHECK(mask(3, 4, 5) == 0);
    }
  }
}

TEST_CASE("constant padding is masked, pores and phases are not") {
  const test::ScratchDir dir;
  const Index3 n{5, 120, 100};
  const auto inside_circle = [](std::int64_t y, std::int64_t x) {
    return std::hypot(static_cast<double>(y) - 59.5, static_cast<double>(x) - 49.5) < 48;
  };
  const auto padded =
      file_of<float>(n, [&](auto z, auto y, auto x) { return inside_circle(y, x) ? noise<float>(z, y, x) : -3.25F; });
  auto l = load(config_of(), padded, dir / "v.h5");
  REQUIRE(l.meta.has_mask);
  CHECK(*l.meta.padding_value == -3.25);
  auto mask = H5File::open(dir / "v.h5").grid<std::uint8_t>("/mask").load().values;
  std::int64_t wrong_inside = 0, lost = 0;
  for (std::int64_t y = 0; y < 120; ++y)
    for (std::int64_t x = 0; x < 100; ++x) {
      const bool in = mask(2, static_cast<std::size_t>(y), static_cast<std::size_t>(x)) == 1;
      wrong_inside += in && !inside_circle(y, x);
      lost += !in && inside_circle(y, x);
    }
  CHECK(wrong_inside < 150);  // where the circle touches the border, padding is thinner than the window
  CHECK(lost < 2 * 302 * 6);  // the rim: at most 6 voxels along the circumference
  CHECK(l.meta.outside_voxels == std::count(mask.begin(), mask.end(), 0));
  auto c = config_of();
  c.mask = "none";
  CHECK_FALSE(load(c, padded, dir / "v.h5").meta.has_mask);
  // Noise without padding, a segmented volume whose pores reach the corners, a constant, all zeros.
  CHECK_FALSE(load(config_of(), file_of<std::uint8_t>(n, noise<std::uint8_t>), dir / "v.h5").meta.has_mask);
  CHECK_FALSE(load(config_of(),
                   file_of<std::uint8_t>(
                       n, [&](auto, auto y, auto x) { return static_cast<std::uint8_t>(inside_circle(y, x) ? 1 : 0); }),
                   dir / "v.h5")
                  .meta.has_mask);
  l = load(config_of(), file_of<std::uint8_t>(n, [](auto, auto, auto) { return std::uint8_t{0}; }), dir / "v.h5");
  CHECK_FALSE(l.meta.has_mask);
  CHECK((l.meta.low_grey == 0 && l.meta.high_grey == 0));
  l = load(config_of(), file_of<float>(n, [](auto, auto, auto) { return 4.5F; }), dir / "v.h5");
  CHECK(l.meta.high_grey == 4.5);
}

TEST_CASE("odd and tiny volumes load") {
  const test::ScratchDir dir;
  for (const Index3& n : {Index3{1, 1, 1}, Index3{1, 7, 5}, Index3{3, 1, 1}, Index3{65, 3, 129}}) {
    const auto meta = load(config_of(), file_of<std::uint16_t>(n, noise<std::uint16_t>), dir / "v.h5", 2, 1000).meta;
    CHECK(meta.two_dimensional == (n[0] == 1));
    CHECK(H5File::open(dir / "v.h5").grid_shape("/volume") == n);
  }
}

TEST_CASE("images are not permuted, and binned in their plane only") {
  const test::ScratchDir dir;
  auto c = config_of();
  c.axes = "xyz";
  c.depth_axis = "x";
  c.bin = 2;
  load(c, file_of<std::uint16_t>({1, 8, 6}, noise<std::uint16_t>), dir / "v.h5");
  const auto grid = H5File::open(dir / "v.h5").grid<std::uint16_t>("/volume");
  CHECK(grid.shape == Index3{1, 4, 3});
  CHECK(grid.voxel_size_um[0] == 0.1);
}

TEST_CASE("everything about the volume is read back") {
  const test::ScratchDir dir;
  auto c = config_of();
  c.depth_origin = "high";
  c.physical_faces = {"z_low", "x_high"};
  const auto meta = load(c, file_of<std::uint8_t>({3, 20, 20}, noise<std::uint8_t>), dir / "v.h5").meta;
  const auto back = volume_meta(H5File::open(dir / "v.h5"));
  CHECK(back.depth_origin == "high");
  CHECK(back.physical_faces == c.physical_faces);
  CHECK(back.low_grey == meta.low_grey);
  CHECK(back.high_grey == meta.high_grey);
  CHECK(back.depth_length_um == meta.depth_length_um);
  CHECK(back.voxel_size_from == "configuration");
  CHECK_FALSE(back.has_mask);
  CHECK_FALSE(back.padding_value);
  H5File::create(dir / "old.h5").close();
  CHECK(outcome_of([&] { (void)volume_meta(H5File::open(dir / "old.h5")); }).exit != Exit::ok);
  // Our own files are inputs like any other.
  const auto again = open_volume(dir / "v.h5");
  CHECK(*again.voxel_size_um == Vec3{0.1, 0.1, 0.1});
}

TEST_CASE("labels: orientation, crop, majority in bins, huge ids") {
  const std::uint64_t huge = (std::uint64_t{1} << 32) - 1;
  const auto file = file_of<std::uint64_t>({4, 4, 6}, [&](auto z, auto y, auto x) -> std::uint64_t {
    if (x < 2) return 9;                                               // a whole bin
    if (x < 4) return (z + y + x) % 2 == 0 ? 7 : 3;                    // four of each
    return z % 2 == 0 && y % 2 == 0 ? huge : (x % 2 == 0 ? huge : 0);  // six and two, or five and three
  });
  Placement p;
  p.bin = 2;
  const auto s = placed_labels(file, "zyx", p, {0.1, 0.1, 0.1});
  CHECK(s.shape == Index3{2, 2, 3});
  CHECK(s.voxel_size_um == Vec3{0.2, 0.2, 0.2});
  const auto v = s.load().values;
  CHECK(v(1, 1, 0) == 9);
  CHECK(v(0, 1, 1) == 3);  // a tie: the smallest id
  CHECK(v(1, 0, 2) == huge);
  CHECK(s.load({{1, 0, 2}, {2, 1, 3}})(0, 0, 0) == huge);
  Placement turned;
  turned.depth_axis = "x";
  turned.crop = {{{1, 6}, {0, 4}, {2, 4}}};
  const auto t = placed_labels(file, "zyx", turned, {0.1, 0.1, 0.1});
  CHECK(t.shape == Index3{5, 4, 2});
  const auto turned_values = t.load().values;
  CHECK(turned_values(0, 3, 1) == 9);                               // x = 1
  CHECK(turned_values(1, 1, 0) == ((1 + 2 + 2) % 2 == 0 ? 7 : 3));  // x = 2, z = 1, y = 2
}

TEST_CASE("labels: negative and fractional ids are refused") {
  Placement p;
  const auto exit_of = [&](const VolumeFile& f) {
    return outcome_of([&] { (void)placed_labels(f, "zyx", p, {1, 1, 1}).load(); }).exit;
  };
  CHECK(exit_of(file_of<std::int16_t>({2, 2, 2}, [](auto z, auto, auto) { return static_cast<std::int16_t>(-z); })) ==
        Exit::data);
  CHECK(exit_of(file_of<float>({2, 2, 2}, [](auto, auto, auto x) { return 0.5F * static_cast<float>(x); })) ==
        Exit::data);
  CHECK(exit_of(file_of<float>({2, 2, 2}, [](auto, auto, auto) { return std::nanf(""); })) == Exit::data);
  CHECK(exit_of(file_of<float>({2, 2, 2}, [](auto, auto, auto x) { return static_cast<float>(x); })) == Exit::ok);
}

TEST_CASE("real: the padding of a nano-holotomography slice") {
  const test::ScratchDir dir;
  const auto l = load(config_of(0.07), open_volume(test::data_file("electrode_slices/example_xy.tif")), dir / "v.h5");
  REQUIRE(l.meta.has_mask);
  CHECK(*l.meta.padding_value == 99);
  // 3.2 % of the slice is padding; the dilation adds its rim.
  const double share = static_cast<double>(l.meta.outside_voxels) / (655.0 * 2048.0);
  CHECK(share > 0.030);
  CHECK(share < 0.045);
}

TEST_CASE("real: a segmented electrode has no padding, and its phases stay") {
  const test::ScratchDir dir;
  const auto l =
      load(config_of(0.398), open_volume(test::data_file("segmented_nmc_volume/nmc-1-cal_generatedCBD_bridge.tif")),
           dir / "v.h5", 2, 1 << 24);
  CHECK_FALSE(l.meta.has_mask);
  CHECK(H5File::open(dir / "v.h5").grid_shape("/volume") == Index3{251, 301, 301});
}
