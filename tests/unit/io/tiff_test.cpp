#include <cathoscope/core/parallel.hpp>

#include "volume_inputs.hpp"

#include <tiffio.h>

#include <numeric>

using namespace cathoscope;
using test::opening;
using test::reading;

namespace {

struct Style {
  const char* mode = "w";  ///< of TIFFOpen: byte order and BigTIFF
  int compression = COMPRESSION_NONE;
  int predictor = 1;
  bool tiled = false;
  int rows_per_strip = 4;
  std::string description{};
  float x_resolution = 0;
  int resolution_unit = RESUNIT_NONE;
  int photometric = PHOTOMETRIC_MINISBLACK;
};

template <class T>
void set_tags(TIFF* t, const Index3& n, const Style& s) {
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(n[2]));
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(n[1]));
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(T)));
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(t, TIFFTAG_SAMPLEFORMAT,
               std::is_floating_point_v<T> ? SAMPLEFORMAT_IEEEFP
               : std::is_signed_v<T>       ? SAMPLEFORMAT_INT
                                           : SAMPLEFORMAT_UINT);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, s.photometric);
  TIFFSetField(t, TIFFTAG_COMPRESSION, s.compression);
  if (s.predictor != 1) TIFFSetField(t, TIFFTAG_PREDICTOR, s.predictor);
  if (!s.description.empty()) TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, s.description.c_str());
  if (s.x_resolution > 0) {
    TIFFSetField(t, TIFFTAG_XRESOLUTION, static_cast<double>(s.x_resolution));
    TIFFSetField(t, TIFFTAG_YRESOLUTION, static_cast<double>(s.x_resolution));
    TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, s.resolution_unit);
  }
  if (s.tiled) {
    TIFFSetField(t, TIFFTAG_TILEWIDTH, 16);
    TIFFSetField(t, TIFFTAG_TILELENGTH, 16);
  } else {
    TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, s.rows_per_strip);
  }
}

/// Planes [z0, z1) of the test values as pages of one file.
template <class T>
void write_tiff(const std::filesystem::path& path, const Index3& n, const Style& s = {}, std::int64_t z0 = 0) {
  TIFF* t = TIFFOpen(path.c_str(), s.mode);
  REQUIRE(t != nullptr);
  for (std::int64_t z = z0; z < z0 + n[0]; ++z) {
    set_tags<T>(t, n, s);
    if (s.tiled) {
      for (std::int64_t ty = 0; ty < n[1]; ty += 16)
        for (std::int64_t tx = 0; tx < n[2]; tx += 16) {
          std::vector<T> tile;
          for (std::int64_t y = ty; y < ty + 16; ++y)
            for (std::int64_t x = tx; x < tx + 16; ++x) tile.push_back(test::value_at<T>(z, y, x));
          TIFFWriteTile(t, tile.data(), static_cast<std::uint32_t>(tx), static_cast<std::uint32_t>(ty), 0, 0);
        }
    } else {
      for (std::int64_t y = 0; y < n[1]; ++y) {
        std::vector<T> row;
        for (std::int64_t x = 0; x < n[2]; ++x) row.push_back(test::value_at<T>(z, y, x));
        TIFFWriteScanline(t, row.data(), static_cast<std::uint32_t>(y), 0);
      }
    }
    TIFFWriteDirectory(t);
  }
  TIFFClose(t);
}

constexpr Index3 shape{6, 21, 35};

template <class T>
void check_all_styles() {
  const test::ScratchDir dir;
  for (const char* mode : {"wl", "wb", "wl8", "wb8"})
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_PACKBITS, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                  COMPRESSION_ZSTD, COMPRESSION_LZMA})
      for (const bool tiled : {false, true}) {
        CAPTURE(mode, compression, tiled);
        write_tiff<T>(dir / "a.tif", shape, {mode, compression, 1, tiled, 4});
        test::check_values<T>(open_volume(dir / "a.tif"), shape);
      }
  for (const int compression : {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE})
    for (const char* mode : {"wl", "wb"}) {
      const int predictor = std::is_floating_point_v<T> ? 3 : 2;
      if (predictor == 3 && mode[1] == 'b') continue;  // libtiff 4.5 writes these wrongly; see the next case
      CAPTURE(mode, compression, predictor);
      write_tiff<T>(dir / "a.tif", shape, {mode, compression, predictor, false, 4});
      test::check_values<T>(open_volume(dir / "a.tif"), shape);
    }
}

}  // namespace

TEST_CASE("TIFF: every byte order, compression, strips and tiles of the usual types") {
  check_all_styles<std::uint8_t>();
  check_all_styles<std::int16_t>();
  check_all_styles<float>();
}

TEST_CASE("TIFF: every byte order, compression, strips and tiles of the other types", "[slow]") {
  check_all_styles<std::int8_t>();
  check_all_styles<std::uint16_t>();
  check_all_styles<std::uint32_t>();
  check_all_styles<std::int32_t>();
  check_all_styles<double>();
}

TEST_CASE("TIFF: floating-point predictor in both byte orders, encoded as Adobe's Technical Note 3 says") {
  const test::ScratchDir dir;
  test::python(
      "import numpy as np,struct,zlib\n"
      "y,x=np.meshgrid(np.arange(21),np.arange(35),indexing='ij')\n"
      "v=((y*7+x*3)%120-60)\n"
      "for e in '<>':\n"
      "  for n in (4,8):\n"
      "    rows=v.astype('>f%d'%n).view('u1').reshape(21,35,n).transpose(0,2,1).reshape(21,-1)\n"
      "    data=zlib.compress(np.diff(rows,axis=1,prepend=np.zeros((21,1),'u1')).astype('u1').tobytes())\n"
      "    "
      "tags=[(256,35),(257,21),(258,8*n),(259,8),(262,1),(273,8),(277,1),(278,21),(279,len(data)),(317,3),(339,3)]\n"
      "    b=(b'II*\\0' if e=='<' else b'MM\\0*')+struct.pack(e+'I',8+len(data))+data+struct.pack(e+'H',len(tags))\n"
      "    for t,w in tags: b+=struct.pack(e+'HHII',t,4,1,w) if t in (273,279) else struct.pack(e+'HHIHH',t,3,1,w,0)\n"
      "    open('" +
      dir.path().string() + "/'+('le' if e=='<' else 'be')+str(n)+'.tif','wb').write(b+b'\\0\\0\\0\\0')\n");
  test::check_values<float>(open_volume(dir / "le4.tif"), {1, 21, 35});
  test::check_values<float>(open_volume(dir / "be4.tif"), {1, 21, 35});
  test::check_values<double>(open_volume(dir / "le8.tif"), {1, 21, 35});
  test::check_values<double>(open_volume(dir / "be8.tif"), {1, 21, 35});
}

TEST_CASE("TIFF: type, format and dimensions are told") {
  const test::ScratchDir dir;
  write_tiff<std::int16_t>(dir / "a.tif", shape);
  const auto v = open_volume(dir / "a.tif");
  CHECK(v.type == ValueType::int16);
  CHECK(v.format == "TIFF stack");
  CHECK_FALSE(v.two_dimensional);
  CHECK_FALSE(v.voxel_size_um.has_value());
  write_tiff<std::int16_t>(dir / "one.tif", {1, 21, 35});
  CHECK(open_volume(dir / "one.tif").two_dimensional);
  CHECK(describe(v, "a.tif").find("6 x 21 x 35") != std::string::npos);
  CHECK(describe_json(v, "a.tif").find("\"voxel_size_um\": null") != std::string::npos);
}

TEST_CASE("TIFF: threads may read at once") {
  const test::ScratchDir dir;
  write_tiff<std::uint16_t>(dir / "a.tif", shape, {"wl", COMPRESSION_LZW, 2});
  const auto source = open_volume(dir / "a.tif").as<std::uint16_t>();
  parallel_for(64, 4, [&](std::int64_t i) {
    const std::int64_t z = i % 6;
    const auto part = source.load({{z, 0, 0}, {z + 1, 21, 35}});
    if (part(0, 20, 34) != test::value_at<std::uint16_t>(z, 20, 34)) throw std::runtime_error("wrong value");
  });
}

TEST_CASE("TIFF: a cut file is refused naming page and byte, wherever it is cut") {
  const test::ScratchDir dir;
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW}) {
    write_tiff<std::uint16_t>(dir / "a.tif", {8, 21, 35}, {"wl", compression});
    const std::string whole = test::read_bytes(dir / "a.tif");
    for (std::size_t cut = 0; cut < whole.size(); cut += 97) {
      CAPTURE(compression, cut);
      test::write_bytes(dir / "cut.tif", whole.substr(0, cut));
      const auto outcome = reading(dir / "cut.tif");
      CHECK(outcome.exit == Exit::data);
    }
    test::write_bytes(dir / "cut.tif", whole.substr(0, whole.size() * 6 / 10));
    const auto outcome = opening(dir / "cut.tif");
    CHECK(outcome.says("page 5"));
    CHECK(outcome.says("file ends at byte " + std::to_string(whole.size() * 6 / 10)));
  }
}

TEST_CASE("TIFF: damaged compressed data are an error, not other values") {
  const test::ScratchDir dir;
  write_tiff<std::uint16_t>(dir / "a.tif", {1, 64, 64}, {"wl", COMPRESSION_ADOBE_DEFLATE, 1, false, 64});
  std::string bytes = test::read_bytes(dir / "a.tif");
  for (std::size_t i = 20; i < 60; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  test::write_bytes(dir / "a.tif", bytes);
  const auto outcome = reading(dir / "a.tif");
  CHECK(outcome.exit == Exit::data);
  CHECK(outcome.says("page 1"));
}

TEST_CASE("TIFF: what would be read wrongly is refused with its reason") {
  const test::ScratchDir dir;
  const auto with = [&](auto&& change) {
    TIFF* t = TIFFOpen((dir / "a.tif").c_str(), "w");
    set_tags<std::uint16_t>(t, {1, 4, 4}, {});
    change(t);
    std::vector<std::uint16_t> row(32);
    for (std::uint32_t y = 0; y < 4; ++y) TIFFWriteScanline(t, row.data(), y, 0);
    TIFFClose(t);
    return opening(dir / "a.tif");
  };
  auto o = with([](TIFF* t) { TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP); });
  CHECK(o.exit == Exit::data);
  CHECK(o.says("float16"));
  o = with([](TIFF* t) {
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 3), TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB),
        TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  });
  CHECK(o.exit == Exit::data);
  CHECK(o.says("colour"));
  o = with([](TIFF* t) {
    std::vector<std::uint16_t> red(65536, 5), green(65536, 9), blue(65536, 1);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_PALETTE),
        TIFFSetField(t, TIFFTAG_COLORMAP, red.data(), green.data(), blue.data());
  });
  CHECK(o.exit == Exit::data);
  CHECK(o.says("palette"));
  o = with([](TIFF* t) {
    std::vector<std::uint16_t> ramp(65536);
    for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint16_t>(i);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_PALETTE),
        TIFFSetField(t, TIFFTAG_COLORMAP, ramp.data(), ramp.data(), ramp.data());
  });
  CHECK(o.exit == Exit::ok);
  CHECK(test::has_note(open_volume(dir / "a.tif"), "indices into the file's colour table"));
  o = with([](TIFF* t) { TIFFSetField(t, TIFFTAG_IMAGEDEPTH, 2); });
  CHECK(o.exit == Exit::data);
  CHECK(o.says("volumetric"));
  write_tiff<std::uint8_t>(dir / "j.tif", {1, 32, 32}, {"w", COMPRESSION_JPEG, 1, false, 32});
  o = opening(dir / "j.tif");
  CHECK(o.exit == Exit::data);
  CHECK(o.says("compression JPEG"));
}

TEST_CASE("TIFF: one bit a voxel is read as 0 and 1") {
  const test::ScratchDir dir;
  TIFF* t = TIFFOpen((dir / "a.tif").c_str(), "w");
  set_tags<std::uint8_t>(t, {1, 3, 11}, {});
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 1);
  unsigned char rows[3][2] = {{0x80, 0x20}, {0xff, 0xe0}, {0x01, 0x00}};
  for (std::uint32_t y = 0; y < 3; ++y) TIFFWriteScanline(t, rows[y], y, 0);
  TIFFClose(t);
  const auto values = open_volume(dir / "a.tif").as<std::uint8_t>().load().values;
  CHECK(values(0, 0, 0) == 1);
  CHECK(values(0, 0, 1) == 0);
  CHECK(values(0, 0, 10) == 1);
  CHECK(std::accumulate(values.begin(), values.end(), 0) == 14);
}

TEST_CASE("TIFF: pages and files that differ are named") {
  const test::ScratchDir dir;
  write_tiff<std::uint8_t>(dir / "s_1.tif", {1, 21, 35});
  write_tiff<std::uint8_t>(dir / "s_2.tif", {1, 21, 34});
  auto o = opening(dir / "s_*.tif");
  CHECK(o.exit == Exit::data);
  CHECK(o.says("s_2.tif"));
  write_tiff<std::uint16_t>(dir / "s_2.tif", {1, 21, 35});
  o = opening(dir / "s_*.tif");
  CHECK(o.exit == Exit::data);
  CHECK(o.says("uint16"));
}

TEST_CASE("TIFF: ImageJ above 4 GB keeps one directory and all planes behind it") {
  const test::ScratchDir dir;
  const Index3 n{9, 21, 35};
  Style s{"wb"};
  s.rows_per_strip = 21;
  s.description = "ImageJ=1.53t\nimages=9\nslices=9\nunit=um\nspacing=0.2\n";
  s.x_resolution = 10;
  // Byte by byte: header, one directory, then the planes.
  write_tiff<std::uint16_t>(dir / "one.tif", {1, n[1], n[2]}, s);
  const std::string one = test::read_bytes(dir / "one.tif");
  auto v = opening(dir / "one.tif");
  CHECK(v.exit == Exit::data);  // eight planes are not there
  CHECK(v.says("9 slices"));
  TIFF* t = TIFFOpen((dir / "one.tif").c_str(), "r");
  const std::uint64_t at = TIFFGetStrileOffset(t, 0);
  TIFFClose(t);
  std::string bytes = one;
  // All planes go to the end of the file, and the directory's strip offset points there.
  const auto planes = test::bytes_of(test::values_of<std::uint16_t>(n), true);
  const std::string pointer{static_cast<char>(at >> 24), static_cast<char>(at >> 16), static_cast<char>(at >> 8),
                            static_cast<char>(at)};
  const std::string tag("\x01\x11\x00\x04\x00\x00\x00\x01", 8);
  const auto entry = bytes.find(tag + pointer);
  REQUIRE(entry != std::string::npos);
  const auto end = static_cast<std::uint32_t>(bytes.size());
  for (int i = 0; i < 4; ++i) bytes[entry + 8 + static_cast<std::size_t>(i)] = static_cast<char>(end >> (24 - 8 * i));
  test::write_bytes(dir / "one.tif", bytes + planes);
  const auto read = open_volume(dir / "one.tif");
  test::check_values<std::uint16_t>(read, n);
  REQUIRE(read.voxel_size_um.has_value());
  CHECK(*read.voxel_size_um == Vec3{0.2, 0.1, 0.1});
}

TEST_CASE("TIFF: voxel sizes come from metadata that mean it") {
  const test::ScratchDir dir;
  const auto size_of_file = [&](const std::string& description, float resolution, int unit, Index3 n = {2, 4, 4}) {
    Style s;
    s.description = description;
    s.x_resolution = resolution;
    s.resolution_unit = unit;
    write_tiff<std::uint8_t>(dir / "a.tif", n, s);
    return open_volume(dir / "a.tif").voxel_size_um;
  };
  const auto near = [](const std::optional<Vec3>& v, const Vec3& w) {
    return v && std::abs((*v)[0] - w[0]) < 1e-6 && std::abs((*v)[1] - w[1]) < 1e-6 &&
           std::abs((*v)[2] - w[2]) < 1e-6;  // resolutions are float32 ratios
  };
  const std::string ij = "ImageJ=1.53t\nimages=2\nslices=2\n";
  CHECK(near(size_of_file(ij + "unit=um\nspacing=0.3\n", 10, RESUNIT_NONE), {0.3, 0.1, 0.1}));
  CHECK(near(size_of_file(ij + "unit=\\u00B5m\nspacing=0.3\n", 10, RESUNIT_NONE), {0.3, 0.1, 0.1}));
  CHECK(near(size_of_file(ij + "unit=nm\nspacing=50\n", 0.02F, RESUNIT_NONE), {0.05, 0.05, 0.05}));
  CHECK_FALSE(size_of_file(ij + "unit=um\n", 10, RESUNIT_NONE));  // no spacing
  CHECK_FALSE(size_of_file(ij + "unit=pixel\nspacing=1.0\n", 1, RESUNIT_NONE));
  CHECK_FALSE(size_of_file(ij + "unit=um\nspacing=1.0\n", 1, RESUNIT_NONE));  // 1 means nothing was set
  CHECK_FALSE(size_of_file(ij + "unit=inch\nspacing=0.01\n", 72, RESUNIT_INCH));
  CHECK(near(size_of_file("ImageJ=1.53t\nunit=um\n", 20, RESUNIT_NONE, {1, 4, 4}), {0.05, 0.05, 0.05}));
  CHECK(near(size_of_file("<?xml?><OME><Pixels PhysicalSizeX=\"50\" PhysicalSizeXUnit=\"nm\" PhysicalSizeY=\"50\" "
                          "PhysicalSizeYUnit=\"nm\" PhysicalSizeZ=\"100\" "
                          "PhysicalSizeZUnit=\"nm\" SizeZ=\"2\" SizeC=\"1\" SizeT=\"1\"/></OME>",
                          0, 0),
             {0.1, 0.05, 0.05}));
  CHECK(
      near(size_of_file("<OME><Pixels PhysicalSizeX=\"0.5\" PhysicalSizeY=\"0.5\" PhysicalSizeZ=\"0.5\"/></OME>", 0, 0),
           {0.5, 0.5, 0.5}));
  CHECK(near(size_of_file("", 200000, RESUNIT_CENTIMETER, {1, 4, 4}), {0.05, 0.05, 0.05}));
  CHECK_FALSE(size_of_file("", 200000, RESUNIT_CENTIMETER));  // of a stack the tags do not say z
  CHECK(test::has_note(open_volume(dir / "a.tif"), "0.05 um in x and 0.05 um in y"));
  CHECK(test::has_note(open_volume(dir / "a.tif"), "give voxel_size_um"));
  CHECK_FALSE(size_of_file("", 72, RESUNIT_INCH));
  CHECK_FALSE(size_of_file("", 508000, RESUNIT_INCH));          // an inch is never a voxel size
  CHECK_FALSE(size_of_file("", 28.3465F, RESUNIT_CENTIMETER));  // 72 dots an inch in other words
  CHECK_FALSE(size_of_file("", 118.11F, RESUNIT_CENTIMETER));
  CHECK_FALSE(size_of_file("", 1, RESUNIT_NONE));
}

TEST_CASE("TIFF: hyperstacks are refused") {
  const test::ScratchDir dir;
  Style s;
  s.description = "ImageJ=1.53t\nimages=4\nchannels=2\nslices=2\n";
  write_tiff<std::uint8_t>(dir / "a.tif", {4, 4, 4}, s);
  const auto o = opening(dir / "a.tif");
  CHECK(o.exit == Exit::data);
  CHECK(o.says("2 channels"));
}

TEST_CASE("slices are in natural order and none may be missing or doubled") {
  const test::ScratchDir dir;
  for (int i = 8; i < 13; ++i)
    write_tiff<std::uint8_t>(dir / ("rec_2023_" + std::to_string(i) + ".tif"), {1, 5, 6}, {}, i);
  const auto v = open_volume(dir.path());
  CHECK(v.shape == Index3{5, 5, 6});
  CHECK(v.as<std::uint8_t>().load().values(3, 0, 0) == test::value_at<std::uint8_t>(11, 0, 0));
  CHECK(test::has_note(v, "from rec_2023_8.tif to rec_2023_12.tif"));
  CHECK(open_volume(dir.path() / "*_1?.tif").shape == Index3{3, 5, 6});
  std::filesystem::remove(dir / "rec_2023_10.tif");
  auto o = opening(dir.path());
  CHECK(o.exit == Exit::data);
  CHECK(o.says("10"));
  CHECK(o.says("rec_2023_9.tif"));
  CHECK(o.says("rec_2023_11.tif"));
  std::filesystem::copy(dir / "rec_2023_11.tif", dir / "rec_2023_10.tif");
  std::filesystem::copy(dir / "rec_2023_11.tif", dir / "rec_2023_011.tif");
  o = opening(dir.path());
  CHECK(o.exit == Exit::data);
  CHECK(o.says("rec_2023_011.tif"));
  std::filesystem::remove(dir / "rec_2023_011.tif");
  std::filesystem::copy(dir / "rec_2023_11.tif", dir / "preview.tif");
  o = opening(dir.path());
  CHECK(o.exit == Exit::data);
  CHECK(o.says("preview.tif"));
}

TEST_CASE("a stack that was thinned out evenly is whole") {
  const test::ScratchDir dir;
  for (int i = 0; i < 50; i += 10) write_tiff<std::uint8_t>(dir / ("s" + std::to_string(i) + ".tif"), {1, 5, 6}, {}, i);
  CHECK(open_volume(dir.path()).shape[0] == 5);
}

TEST_CASE("absent paths, empty folders and unknown files have their own errors") {
  const test::ScratchDir dir;
  CHECK(opening(dir / "none.tif").exit == Exit::no_input);
  CHECK(opening(dir / "none_*.tif").exit == Exit::no_input);
  CHECK(opening(dir.path()).exit == Exit::no_input);
  test::write_bytes(dir / "empty.tif", "");
  CHECK(opening(dir / "empty.tif").says("empty"));
  test::write_bytes(dir / "text.txt", "hello");
  CHECK(opening(dir / "text.txt").exit == Exit::data);
  test::write_bytes(dir / "text.tif", "hello");
  CHECK(opening(dir / "text.tif").exit == Exit::data);
  CHECK(opening(dir / "a [1] \xF0\x9F\x94\xA5.tif").exit == Exit::no_input);
  write_tiff<std::uint8_t>(dir / "a [1] \xF0\x9F\x94\xA5.tif", {2, 5, 6});
  CHECK(open_volume(dir / "a [1] \xF0\x9F\x94\xA5.tif").shape[0] == 2);
}
