/// raw, .npy, .vol, EDF, MetaImage, NRRD, PNG.

#include "volume_inputs.hpp"

#include <png.h>

using namespace cathoscope;
using test::bytes_of;
using test::opening;
using test::reading;
using test::values_of;
using test::write_bytes;

namespace {

constexpr Index3 shape{6, 7, 9};

OpenOptions raw(const std::string& type, const Index3& n = shape, std::int64_t header = 0) {
  OpenOptions o;
  o.shape = n;
  o.type = type;
  o.header_bytes = header;
  return o;
}

}  // namespace

TEST_CASE("raw: both byte orders, a header, and sizes that must match") {
  const test::ScratchDir dir;
  const auto values = values_of<float>(shape);
  write_bytes(dir / "a.raw", bytes_of(values));
  test::check_values<float>(open_volume(dir / "a.raw", raw("float32")), shape);
  write_bytes(dir / "b.raw", std::string("header 12 by").append(bytes_of(values, true)));
  test::check_values<float>(open_volume(dir / "b.raw", raw(">float32", shape, 12)), shape);
  auto o = opening(dir / "b.raw", raw("float32"));
  CHECK(o.exit == Exit::data);
  CHECK(o.says("header_bytes: 12"));
  o = opening(dir / "a.raw", raw("uint8"));
  CHECK(o.says("float32"));
  CHECK(opening(dir / "a.raw", raw("float99")).says("float99"));
  CHECK(opening(dir / "a.raw", raw("uint8", {std::int64_t{1} << 40, std::int64_t{1} << 40, 1})).exit == Exit::data);
  CHECK(opening(dir / "a.raw", raw("uint8", {0, 5, 5})).exit == Exit::data);
  CHECK(opening(dir / "a.raw", raw("uint8", shape, -1)).exit == Exit::data);
}

TEST_CASE("npy: numpy's own files, both orders of axes and bytes") {
  const test::ScratchDir dir;
  test::python(
      "import numpy as np\n"
      "z,y,x=np.meshgrid(np.arange(6),np.arange(7),np.arange(9),indexing='ij')\n"
      "v=(z*31+y*7+x*3)%120\n"
      "d='" +
      dir.path().string() +
      "/'\n"
      "np.save(d+'c.npy',v.astype('u2'))\nnp.save(d+'f.npy',np.asfortranarray(v.astype('u2')))\n"
      "np.save(d+'big.npy',(v-60).astype('>f8'))\nnp.save(d+'flat.npy',v[0].astype('u1'))\nnp.save(d+'bool.npy',v>50)\n"
      "np.lib.format.write_array(open(d+'v3.npy','wb'),v.astype('u4'),version=(3,0))\n"
      "np.save(d+'half.npy',v.astype('f2'))\nnp.save(d+'rec.npy',np.zeros(3,dtype=[('a','f4')]))\nnp.save(d+'four.npy',"
      "np.zeros((2,2,2,2)))\n");
  test::check_values<std::uint16_t>(open_volume(dir / "c.npy"), shape);
  test::check_values<std::uint16_t>(open_volume(dir / "f.npy"), shape);
  test::check_values<double>(open_volume(dir / "big.npy"), shape);
  test::check_values<std::uint32_t>(open_volume(dir / "v3.npy"), shape);
  test::check_values<std::uint8_t>(open_volume(dir / "flat.npy"), {1, 7, 9});
  CHECK(open_volume(dir / "flat.npy").two_dimensional);
  CHECK(open_volume(dir / "bool.npy").type == ValueType::uint8);
  CHECK(opening(dir / "half.npy").exit == Exit::data);
  CHECK(opening(dir / "rec.npy").exit == Exit::data);
  CHECK(opening(dir / "four.npy").says("4 dimensions"));
  const std::string whole = test::read_bytes(dir / "c.npy");
  for (std::size_t cut = 6; cut < whole.size(); cut += 13) {
    write_bytes(dir / "cut.npy", whole.substr(0, cut));
    CHECK(opening(dir / "cut.npy").exit == Exit::data);
  }
}

TEST_CASE("vol: two dialects of the info, its absence, sizes and byte order") {
  const test::ScratchDir dir;
  const std::string head = "! PyHST_SLAVE VOLUME INFO FILE\nNUM_X =  9\nNUM_Y =  7\nNUM_Z =  6\n";
  write_bytes(dir / "a.vol", bytes_of(values_of<float>(shape), true));
  auto o = opening(dir / "a.vol");
  CHECK(o.exit == Exit::no_input);
  CHECK(o.says("a.vol.info"));
  write_bytes(dir / "a.vol.info", head + "voxelSize =  0.05\nBYTEORDER = HIGHBYTEFIRST\nValMin =  0\n");
  auto v = open_volume(dir / "a.vol");
  test::check_values<float>(v, shape);
  REQUIRE(v.voxel_size_um);
  CHECK(*v.voxel_size_um == Vec3{0.05, 0.05, 0.05});
  for (const char* unknown : {"1", "1.0", "0", "-3", "nan", "inf", "x"}) {
    write_bytes(dir / "a.vol.info", head + "voxelSize = " + unknown + "\n");
    CHECK_FALSE(open_volume(dir / "a.vol").voxel_size_um);
  }
  write_bytes(dir / "b.vol", bytes_of(values_of<std::uint16_t>(shape)));
  write_bytes(dir / "b.vol.info", head);
  CHECK(open_volume(dir / "b.vol").type == ValueType::uint16);
  write_bytes(dir / "b.vol.info", head + "DATA_TYPE = PACKED_BINARY\n");
  CHECK(opening(dir / "b.vol").says("PACKED_BINARY"));
  write_bytes(dir / "b.vol.info", head + "DATA_TYPE = uint8\n");
  CHECK(opening(dir / "b.vol").says("uint16"));
  write_bytes(dir / "b.vol", bytes_of(values_of<std::uint16_t>(shape)) + "x");
  write_bytes(dir / "b.vol.info", head);
  o = opening(dir / "b.vol");
  CHECK(o.exit == Exit::data);
  CHECK(o.says("6 x 7 x 9"));
  write_bytes(dir / "b.vol.info", "NUM_X = 9\nNUM_Y = 99999999999999999999\nNUM_Z = 6\n");
  CHECK(opening(dir / "b.vol").exit == Exit::data);
  write_bytes(dir / "lone.vol.info", head);
  CHECK(opening(dir / "lone.vol.info").exit == Exit::no_input);
}

namespace {

std::string edf_frame(const std::string& keys, const std::string& data) {
  std::string header = "{\n" + keys;
  header.resize(1022, ' ');
  return header + "}\n" + data;
}

}  // namespace

TEST_CASE("EDF: frames, stacks, spellings, and cut files") {
  const test::ScratchDir dir;
  const auto plane = [](std::int64_t z) {
    const auto all = values_of<std::uint16_t>(shape);
    return std::vector<std::uint16_t>(all.begin() + z * 63, all.begin() + (z + 1) * 63);
  };
  const std::string keys =
      "ByteOrder = HighByteFirst ;\nDATATYPE = UnsignedShort ;\nDim_1 = 9 ;\nDim_2 = 7 ;\nhistory = a=b = c ;\n";
  std::string frames;
  for (int z = 0; z < 6; ++z) {
    const std::string frame = edf_frame(keys, bytes_of(plane(z), true));
    write_bytes(dir / ("s_" + std::to_string(z) + ".edf"), frame);
    frames += frame;
  }
  test::check_values<std::uint16_t>(open_volume(dir / "s_*.edf"), shape);
  write_bytes(dir / "multi.edf", frames);
  test::check_values<std::uint16_t>(open_volume(dir / "multi.edf"), shape);
  for (std::size_t cut = 3; cut < frames.size(); cut += 211) {
    if (cut % 1150 == 0) continue;
    write_bytes(dir / "cut.edf", frames.substr(0, cut));
    CAPTURE(cut);
    CHECK(opening(dir / "cut.edf").exit == Exit::data);
  }
  write_bytes(dir / "x.edf", edf_frame(keys + "Size = 4;\n", bytes_of(plane(0), true)));
  CHECK(opening(dir / "x.edf").exit == Exit::data);
  write_bytes(dir / "x.edf", edf_frame(keys + "Compression = GZip;\n", bytes_of(plane(0), true)));
  CHECK(opening(dir / "x.edf").says("ompress"));
  write_bytes(dir / "x.edf", edf_frame("DataType = UnsignedByte;Dim_1 = 4000000000; Dim_2 = 4000000000;\n", "1234"));
  CHECK(opening(dir / "x.edf").exit == Exit::data);
}

TEST_CASE("MetaImage: header and file size are checked before anything is read") {
  const test::ScratchDir dir;
  const auto header = [](const std::string& size, const std::string& more) {
    return "ObjectType = Image\nNDims = 3\nBinaryData = True\n" + more + "DimSize = " + size +
           "\nElementType = MET_SHORT\nElementSpacing = 0.4 0.4 0.4\n";
  };
  const std::string data = bytes_of(values_of<std::int16_t>(shape));
  write_bytes(dir / "a.mha", header("9 7 6", "BinaryDataByteOrderMSB = False\n") + "ElementDataFile = LOCAL\n" + data);
  const auto v = open_volume(dir / "a.mha");
  test::check_values<std::int16_t>(v, shape);
  CHECK_FALSE(v.voxel_size_um);
  CHECK(test::has_note(v, "0.4"));
  write_bytes(dir / "big.mhd", header("9 7 6", "ElementByteOrderMSB = True\n") + "ElementDataFile = big.raw\n");
  CHECK(opening(dir / "big.mhd").exit == Exit::no_input);
  write_bytes(dir / "big.raw", bytes_of(values_of<std::int16_t>(shape), true));
  test::check_values<std::int16_t>(open_volume(dir / "big.mhd"), shape);
  for (const char* size :
       {"9 7 7", "-9 7 6", "4000000 4000000 4000000", "9 7", "9 7 x", "0 7 6", "99999999999999999999 1 1"}) {
    CAPTURE(size);
    write_bytes(dir / "bad.mha", header(size, "") + "ElementDataFile = LOCAL\n" + data);
    CHECK(opening(dir / "bad.mha").exit == Exit::data);
  }
  for (const char* name : {"/etc/passwd", "../../../../etc/passwd", "LIST"}) {
    CAPTURE(name);
    write_bytes(dir / "bad.mhd", header("9 7 6", "") + "ElementDataFile = " + std::string(name) + "\n");
    CHECK(opening(dir / "bad.mhd").exit == Exit::data);
  }
  std::filesystem::create_symlink("/etc/passwd", dir / "link.raw");
  write_bytes(dir / "bad.mhd", header("9 7 6", "") + "ElementDataFile = link.raw\n");
  CHECK(opening(dir / "bad.mhd").exit == Exit::data);
}

TEST_CASE("MetaImage and NRRD: compressed data stream, forward and back") {
  const test::ScratchDir dir;
  test::python(
      "import numpy as np,zlib,gzip\n"
      "z,y,x=np.meshgrid(np.arange(6),np.arange(7),np.arange(9),indexing='ij')\n"
      "v=((z*31+y*7+x*3)%120-60).astype('<i2').tobytes()\nd='" +
      dir.path().string() +
      "/'\n"
      "h=b'NDims = 3\\nCompressedData = True\\nDimSize = 9 7 6\\nElementType = MET_SHORT\\nElementDataFile = "
      "LOCAL\\n'\n"
      "open(d+'z.mha','wb').write(h+zlib.compress(v))\n"
      "open(d+'short.mha','wb').write(h+zlib.compress(v[:-5]))\n"
      "open(d+'cut.mha','wb').write(h+zlib.compress(v)[:-20])\n"
      "n=b'NRRD0004\\n# c\\ntype: short\\ndimension: 3\\nsizes: 9 7 6\\nendian: little\\nencoding: gzip\\nspacings: "
      "0.1 0.1 0.2\\nunits: \"um\" \"um\" \"um\"\\n\\n'\n"
      "open(d+'z.nrrd','wb').write(n+gzip.compress(v))\n");
  test::check_values<std::int16_t>(open_volume(dir / "z.mha"), shape);
  const auto v = open_volume(dir / "z.nrrd");
  test::check_values<std::int16_t>(v, shape);
  REQUIRE(v.voxel_size_um);
  CHECK(*v.voxel_size_um == Vec3{0.2, 0.1, 0.1});
  CHECK(reading(dir / "short.mha").exit == Exit::data);
  CHECK(reading(dir / "cut.mha").exit == Exit::data);
}

TEST_CASE("NRRD: header and file size are checked") {
  const test::ScratchDir dir;
  const auto header = [](const std::string& size, const std::string& more) {
    return "NRRD0004\ntype: unsigned short\ndimension: 3\nsizes: " + size + "\nendian: big\nencoding: raw\n" + more;
  };
  const std::string data = bytes_of(values_of<std::uint16_t>(shape), true);
  write_bytes(
      dir / "a.nrrd",
      header("9 7 6", "space directions: (0.3,0.4,0) (0,0.5,0) (0,0,0.5)\nspace units: \"um\" \"um\" \"um\"\n") + "\n" +
          data);
  const auto v = open_volume(dir / "a.nrrd");
  test::check_values<std::uint16_t>(v, shape);
  REQUIRE(v.voxel_size_um);
  CHECK((*v.voxel_size_um)[2] == Approx(0.5));
  write_bytes(dir / "a.nrrd", header("9 7 6", "spacings: 0.5 0.5 0.5\n") + "\n" + data);
  CHECK_FALSE(open_volume(dir / "a.nrrd").voxel_size_um);  // no unit
  write_bytes(dir / "d.raw", data);
  write_bytes(dir / "d.nhdr", header("9 7 6", "data file: d.raw\n"));
  test::check_values<std::uint16_t>(open_volume(dir / "d.nhdr"), shape);
  for (const char* size : {"9 7 5", "-9 7 6", "4000000 4000000 4000000", "9 7"}) {
    write_bytes(dir / "bad.nrrd", header(size, "") + "\n" + data);
    CHECK(opening(dir / "bad.nrrd").exit == Exit::data);
  }
  write_bytes(dir / "bad.nhdr", header("9 7 6", "data file: /etc/passwd\n"));
  CHECK(opening(dir / "bad.nhdr").exit == Exit::data);
}

namespace {

void write_png(const std::filesystem::path& path, int colour, int depth, std::int64_t z, bool interlaced = false) {
  std::FILE* f = std::fopen(path.c_str(), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, f);
  png_set_IHDR(png, info, 9, 7, depth, colour, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<std::vector<unsigned char>> rows(7);
  std::vector<png_bytep> pointers;
  for (std::int64_t y = 0; y < 7; ++y) {
    for (std::int64_t x = 0; x < 9; ++x)
      for (int c = 0; c < (colour == PNG_COLOR_TYPE_RGB ? 3 : 1); ++c) {
        if (depth == 16) rows[static_cast<std::size_t>(y)].push_back(0);
        rows[static_cast<std::size_t>(y)].push_back(test::value_at<std::uint8_t>(z, y, x));
      }
    pointers.push_back(rows[static_cast<std::size_t>(y)].data());
  }
  png_set_rows(png, info, pointers.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(f);
}

}  // namespace

TEST_CASE("PNG: 8 and 16 bits, stacks, colours refused, cut files refused") {
  const test::ScratchDir dir;
  for (int z = 0; z < 6; ++z)
    write_png(dir / ("p" + std::to_string(z) + ".png"), PNG_COLOR_TYPE_GRAY, 16, z, z % 2 == 1);
  test::check_values<std::uint16_t>(open_volume(dir.path()), shape);
  write_png(dir / "one.png", PNG_COLOR_TYPE_GRAY, 8, 2);
  const auto one = open_volume(dir / "one.png");
  CHECK(one.two_dimensional);
  CHECK(one.as<std::int32_t>().load().values(0, 6, 8) == test::value_at<std::uint8_t>(2, 6, 8));
  write_png(dir / "rgb.png", PNG_COLOR_TYPE_RGB, 8, 0);
  CHECK(opening(dir / "rgb.png").says("colour"));
  const std::string whole = test::read_bytes(dir / "p1.png");
  for (std::size_t cut = 4; cut + 12 < whole.size(); cut += 3) {
    write_bytes(dir / "cut.png", whole.substr(0, cut));
    CAPTURE(cut);
    CHECK(reading(dir / "cut.png").exit == Exit::data);
  }
}

TEST_CASE("values that a type cannot hold become its bounds") {
  const test::ScratchDir dir;
  write_bytes(dir / "a.raw", bytes_of(std::vector<float>{-5, 300, NAN, 17.9F}));
  const auto g = open_volume(dir / "a.raw", raw("float32", {1, 2, 2})).as<std::uint8_t>().load().values;
  CHECK((g(0, 0, 0) == 0 && g(0, 0, 1) == 255 && g(0, 1, 0) == 0 && g(0, 1, 1) == 17));
}
