/// Zarr version 2 and OME-Zarr as zarr-python writes them, and as nobody should.

#include "volume_inputs.hpp"

using namespace cathoscope;
using test::opening;
using test::reading;

namespace fs = std::filesystem;

namespace {

constexpr Index3 shape{6, 7, 9};

/// Runs zarr-python in a folder; v is the test volume, save(name, values, ...) writes an array.
void zarr_python(const test::ScratchDir& dir, const std::string& code) {
  test::python(
      "import os,json,numpy as np,zarr,numcodecs as nc\n"
      "z,y,x=np.meshgrid(np.arange(6),np.arange(7),np.arange(9),indexing='ij')\nv=(z*31+y*7+x*3)%120\nos.chdir('" +
      dir.path().string() +
      "')\n"
      "def save(name,v,**k):\n"
      "  k={'chunks':(4,3,5),'compressor':None,**k}\n"
      "  a=zarr.open(name,mode='w',shape=v.shape,dtype=v.dtype,**k)\n"
      "  a[...]=v\n"
      "  return a\n"
      "def attributes(name,**k):\n"
      "  json.dump(k,open(name+'/.zattrs','w'))\n" +
      code);
}

OpenOptions named(const std::string& dataset) {
  OpenOptions o;
  o.dataset = dataset;
  return o;
}

const std::string zarray =
    R"({"zarr_format": 2, "shape": [6, 7, 9], "chunks": [6, 7, 9], "dtype": "|u1", "order": "C", "fill_value": 0,)"
    R"( "filters": null, "compressor": null, "dimension_separator": "."})";

/// An array of one chunk with .zarray changed: `before` replaced by `after`.
fs::path array_with(const test::ScratchDir& dir, const std::string& before, const std::string& after,
                    const std::string& chunk = test::bytes_of(test::values_of<std::uint8_t>(shape))) {
  std::string text = zarray;
  text.replace(text.find(before), before.size(), after);
  const fs::path folder = dir / "a.zarr";
  fs::remove_all(folder);
  fs::create_directories(folder);
  test::write_bytes(folder / ".zarray", text);
  test::write_bytes(folder / "0.0.0", chunk);
  return folder;
}

void check_size(const VolumeFile& v, const Vec3& um) {
  REQUIRE(v.voxel_size_um);
  for (std::size_t i = 0; i < 3; ++i) CHECK((*v.voxel_size_um)[i] == um[i]);
}

}  // namespace

TEST_CASE("Zarr: types, byte orders, layouts, separators") {
  const test::ScratchDir dir;
  zarr_python(dir,
              "for t in '|u1 |i1 <u2 >u2 <i2 >i2 <u4 >u4 <i4 <u8 <i8 <f4 >f4 <f8 >f8'.split():\n"
              "  w=v-60 if t[1] in 'if' else v\n"
              "  for o in 'CF':\n"
              "    for s,sep in ('dot','.'),('slash','/'):\n"
              "      save(f'{t[1:]}{\"big\" if t[0]==\">\" else "
              "\"\"}{o}{s}.zarr',w.astype(t),order=o,dimension_separator=sep)\n");
  for (const std::string end : {"Cdot", "Cslash", "Fdot", "Fslash"}) {
    const auto open = [&](const std::string& type) { return open_volume(dir / (type + end + ".zarr")); };
    test::check_values<std::uint8_t>(open("u1"), shape);
    test::check_values<std::int8_t>(open("i1"), shape);
    test::check_values<std::uint16_t>(open("u2"), shape);
    test::check_values<std::uint16_t>(open("u2big"), shape);
    test::check_values<std::int16_t>(open("i2"), shape);
    test::check_values<std::int16_t>(open("i2big"), shape);
    test::check_values<std::uint32_t>(open("u4"), shape);
    test::check_values<std::uint32_t>(open("u4big"), shape);
    test::check_values<std::int32_t>(open("i4"), shape);
    test::check_values<std::uint64_t>(open("u8"), shape);
    test::check_values<std::int64_t>(open("i8"), shape);
    test::check_values<float>(open("f4"), shape);
    test::check_values<float>(open("f4big"), shape);
    test::check_values<double>(open("f8"), shape);
    test::check_values<double>(open("f8big"), shape);
  }
  const auto v = open_volume(dir / "u2Cslash.zarr");
  CHECK(v.format == "Zarr array");
  CHECK(v.planes_together == 4);
  CHECK(v.files.size() == 1 + 2 * 3 * 2);
  CHECK_FALSE(v.voxel_size_um);
  CHECK(describe(v, "x").find("Zarr array") != std::string::npos);
}

TEST_CASE("Zarr: compressors, and damage in each of them") {
  const test::ScratchDir dir;
  zarr_python(dir,
              "w=v.astype('u2')\n"
              "for n,c in dict(none=None,zlib=nc.Zlib(),gzip=nc.GZip(),zstd=nc.Zstd(),lz4=nc.LZ4(),\n"
              "  b_lz4=nc.Blosc('lz4',shuffle=1),b_zstd=nc.Blosc('zstd',shuffle=2),b_zlib=nc.Blosc('zlib',shuffle=0),\n"
              "  b_lz=nc.Blosc('blosclz'),b_hc=nc.Blosc('lz4hc')).items():\n"
              "  save(n+'.zarr',w,compressor=c)\n"
              "  save(n+'_whole.zarr',np.tile(w,(1,4,4)),compressor=c,chunks=(6,28,36))\n"
              "save('bz2.zarr',w,compressor=nc.BZ2())\n"
              "save('delta.zarr',w,filters=[nc.Delta('u2')])\n");
  for (const std::string name : {"none", "zlib", "gzip", "zstd", "lz4", "b_lz4", "b_zstd", "b_zlib", "b_lz", "b_hc"}) {
    INFO(name);
    test::check_values<std::uint16_t>(open_volume(dir / (name + ".zarr")), shape);
    const fs::path folder = dir / (name + "_whole.zarr"), chunk = folder / "0.0.0";
    const std::string good = test::read_bytes(chunk);
    CHECK(reading(folder).exit == Exit::ok);
    test::write_bytes(chunk, good.substr(0, good.size() / 2));
    const auto cut = reading(folder);
    CHECK(cut.exit == Exit::data);
    CHECK(cut.says("0.0.0"));
    test::write_bytes(chunk, good.substr(0, 3));
    CHECK(reading(folder).exit == Exit::data);
    test::write_bytes(chunk, std::string(good.size(), '\x5a'));
    CHECK(reading(folder).exit == (name == "none" ? Exit::ok : Exit::data));
    // A chunk of another size: what is stored decompresses well, but not to what .zarray says.
    test::write_bytes(chunk, test::read_bytes(dir / (name + ".zarr") / "0.0.0"));
    CHECK(reading(folder).exit == Exit::data);
    test::write_bytes(chunk, good + std::string(100000, 'x'));
    CHECK(reading(folder).exit == Exit::data);
    test::write_bytes(chunk, "");
    CHECK(opening(folder).says("empty"));
  }
  CHECK(opening(dir / "bz2.zarr").says("compressor 'bz2' is not read"));
  CHECK(opening(dir / "delta.zarr").says("delta"));
  CHECK(opening(dir / "delta.zarr").exit == Exit::data);
}

TEST_CASE("OME-Zarr: levels, units, axes of length 1, chosen datasets") {
  const test::ScratchDir dir;
  zarr_python(dir,
              "def axes(names,unit='nanometer'):\n"
              "  return [dict(name=n,type='space',unit=unit) if n in 'zyx' else "
              "dict(name=n,type={'t':'time','c':'channel'}[n]) for n in names]\n"
              "def image(name,w,names,scale,unit='nanometer',whole=None,**k):\n"
              "  zarr.open_group(name,mode='w')\n"
              "  one=(1,)*(w.ndim-3)\n"
              "  save(name+'/s0',w.astype('u2'),chunks=one+(4,3,5),dimension_separator='/',compressor=nc.Blosc())\n"
              "  save(name+'/s1',w[...,::2,::2,::2].astype('u2'),chunks=one+(4,3,5),dimension_separator='/')\n"
              "  t=lambda f:[dict(type='scale',scale=[s*(f if n in 'zyx' else 1) for s,n in zip(scale,names)])]\n"
              "  "
              "m=dict(version='0.4',name='n',axes=axes(names,unit),datasets=[dict(path='s0',coordinateTransformations="
              "t(1)),dict(path='s1',coordinateTransformations=t(2))],**k)\n"
              "  if whole: m['coordinateTransformations']=[dict(type='scale',scale=whole)]\n"
              "  attributes(name,multiscales=[m])\n"
              "image('nm.ome.zarr',v,'zyx',[50,30,30])\n"
              "image('um.zarr',v,'zyx',[0.05,0.03,0.03],'micrometer')\n"
              "image('mm.zarr',v,'zyx',[0.0005,0.0003,0.0003],'millimeter')\n"
              "image('angstrom.zarr',v,'zyx',[500,300,300],'angstrom')\n"
              "image('twice.zarr',v,'zyx',[1,1,1],'micrometer',[0.5,0.25,0.25])\n"
              "image('one.zarr',v,'zyx',[1,1,1],'micrometer')\n"
              "image('parsec.zarr',v,'zyx',[50,30,30],'parsec')\n"
              "image('five.zarr',v[None,None],'tczyx',[1,1,50,30,30])\n"
              "image('channels.zarr',np.stack([v,v])[None],'tczyx',[1,1,50,30,30])\n"
              "image('turned.zarr',v,'xyz',[50,30,30])\n"
              "zarr.open_group('group.zarr',mode='w')\n"
              "image('group.zarr/labels',v,'zyx',[50,30,30])\n"
              "save('image.zarr',v[0].astype('u1'),chunks=(4,5))\n");
  auto v = open_volume(dir / "nm.ome.zarr");
  test::check_values<std::uint16_t>(v, shape);
  CHECK(v.format == "OME-Zarr");
  check_size(v, {0.05, 0.03, 0.03});
  CHECK(test::has_note(v, "level 0 of 2, 's0'; `dataset` names another: s1"));
  CHECK(v.files.front() == dir / "nm.ome.zarr" / ".zattrs");
  v = open_volume(dir / "nm.ome.zarr", named("s1"));
  CHECK(v.shape == Index3{3, 4, 5});
  check_size(v, {0.1, 0.06, 0.06});
  CHECK(v.as<std::uint16_t>().load({{2, 3, 4}, {3, 4, 5}})(0, 0, 0) == test::value_at<std::uint16_t>(4, 6, 8));
  CHECK(open_volume(dir / "nm.ome.zarr:/s1").shape == Index3{3, 4, 5});
  CHECK(open_volume((dir / "nm.ome.zarr").string() + "/").voxel_size_um);
  CHECK(test::has_note(open_volume(dir / "nm.ome.zarr" / "s1"), "open the folder above"));
  check_size(open_volume(dir / "um.zarr"), {0.05, 0.03, 0.03});
  check_size(open_volume(dir / "mm.zarr"), {0.5, 0.3, 0.3});
  check_size(open_volume(dir / "angstrom.zarr"), {0.05, 0.03, 0.03});
  check_size(open_volume(dir / "twice.zarr"), {0.5, 0.25, 0.25});
  CHECK(test::has_note(open_volume(dir / "one.zarr"), "voxel size unknown"));
  CHECK(test::has_note(open_volume(dir / "parsec.zarr"), "'parsec'"));
  v = open_volume(dir / "five.zarr");
  test::check_values<std::uint16_t>(v, shape);
  check_size(v, {0.05, 0.03, 0.03});
  const auto channels = opening(dir / "channels.zarr");
  CHECK(channels.exit == Exit::data);
  CHECK(channels.says("axis 'c' has length 2"));
  v = open_volume(dir / "turned.zarr");
  test::check_values<std::uint16_t>(v, shape);
  CHECK(test::has_note(v, "axes xyz"));
  CHECK(opening(dir / "group.zarr").says("`dataset`: labels"));
  check_size(open_volume(dir / "group.zarr", named("labels")), {0.05, 0.03, 0.03});
  check_size(open_volume(dir / "group.zarr", named("/labels/s1")), {0.1, 0.06, 0.06});
  v = open_volume(dir / "image.zarr");
  CHECK(v.two_dimensional);
  CHECK(v.shape == Index3{1, 7, 9});
  CHECK(opening(dir / "nm.ome.zarr", named("s7")).exit == Exit::no_input);
}

TEST_CASE("Zarr: missing chunks are the fill value, and are counted") {
  const test::ScratchDir dir;
  zarr_python(dir,
              "import pathlib\n"
              "for n,f in dict(seven=7,none=None,nan=float('nan'),bad='QUJD').items():\n"
              "  save(n+'.zarr',v.astype('f4' if n=='nan' else 'u2'),fill_value=0 if n=='bad' else f)\n"
              "  p=pathlib.Path(n+'.zarr/.zarray'); d=json.loads(p.read_text())\n"
              "  if n=='bad': d['fill_value']='QUJD'\n"
              "  p.write_text(json.dumps(d))\n"
              "  os.remove(n+'.zarr/1.2.1')\n");
  const auto v = open_volume(dir / "seven.zarr");
  CHECK(test::has_note(v, "warning: 1 of 12 chunks are missing; their voxels are read as the fill value 7"));
  const auto all = v.as<std::uint16_t>().load();
  CHECK(all.values(5, 6, 8) == 7);
  CHECK(all.values(5, 5, 8) == test::value_at<std::uint16_t>(5, 5, 8));
  CHECK(std::isnan(open_volume(dir / "nan.zarr").as<float>().load().values(5, 6, 8)));
  CHECK(opening(dir / "none.zarr").says("fill_value is null"));
  CHECK(opening(dir / "bad.zarr").says("'fill_value'"));
  for (const auto& entry : fs::directory_iterator(dir / "seven.zarr"))
    if (entry.path().filename() != ".zarray") fs::remove(entry.path());
  CHECK(opening(dir / "seven.zarr").says("none of its 12 chunks is there"));
}

TEST_CASE("Zarr: descriptions that cannot be are refused before memory is taken") {
  const test::ScratchDir dir;
  const auto refused = [&](const std::string& before, const std::string& after) {
    const auto o = opening(array_with(dir, before, after));
    INFO(before << " -> " << after << ": " << o.message);
    return o.exit == Exit::data && o.says("a.zarr");
  };
  CHECK(reading(array_with(dir, "2", "2")).exit == Exit::ok);
  CHECK(refused(R"("zarr_format": 2)", R"("zarr_format": 3)"));
  CHECK(refused("[6, 7, 9], \"chunks\"", "[6, 7, 0], \"chunks\""));
  CHECK(refused("[6, 7, 9], \"chunks\"", "[6, 7, -9], \"chunks\""));
  CHECK(refused("[6, 7, 9], \"chunks\"", "[6, 7], \"chunks\""));
  CHECK(refused("[6, 7, 9], \"chunks\"", "[6.5, 7, 9], \"chunks\""));
  CHECK(refused("[6, 7, 9], \"chunks\"", "[4000000000, 4000000000, 4000000000], \"chunks\""));
  CHECK(refused("\"chunks\": [6, 7, 9]", "\"chunks\": [6, 7, 0]"));
  CHECK(refused("\"chunks\": [6, 7, 9]", "\"chunks\": [4096, 4096, 4096]"));
  CHECK(refused("\"chunks\": [6, 7, 9]", "\"chunks\": [6, 7]"));
  CHECK(refused("\"chunks\": [6, 7, 9]", "\"chunks\": [6, 7, 8]"));  // the one chunk has another size
  CHECK(refused("|u1", "<f2"));
  CHECK(refused("|u1", "<c8"));
  CHECK(refused("\"|u1\"", "[[\"r\", \"|u1\"]]"));
  CHECK(refused("\"order\": \"C\"", "\"order\": \"K\""));
  CHECK(refused("\"dimension_separator\": \".\"", "\"dimension_separator\": \"..\""));
  CHECK(refused("\"fill_value\": 0", "\"fill_value\": 300"));
  CHECK(refused("\"fill_value\": 0", "\"fill_value\": \"NaN\""));
  CHECK(refused("\"compressor\": null", "\"compressor\": {\"id\": \"zfp\"}"));
  CHECK(refused("\"compressor\": null,", ""));
  CHECK(refused("{", "{{"));
  CHECK(refused(zarray, "[]"));
  CHECK(refused(zarray, std::string("{\"a\": ").append(100, '[').append(100, ']').append("}")));
  CHECK(refused(zarray, ""));
}

TEST_CASE("Zarr: nothing leads out of the folder") {
  const test::ScratchDir dir;
  fs::create_directories(dir / "secret");
  const auto inner = array_with(dir, "2", "2");
  fs::copy(inner, dir / "secret", fs::copy_options::recursive);
  const auto refused = [](const test::Outcome& o) { return o.exit == Exit::data && o.says("below this folder"); };
  CHECK(refused(opening(inner, named("../secret"))));
  CHECK(refused(opening(inner, named("x/../../secret"))));
  const fs::path ome = dir / "b.zarr";
  fs::create_directories(ome);
  const auto with_path = [&](const std::string& path) {
    test::write_bytes(ome / ".zattrs",
                      R"({"multiscales": [{"axes": ["z", "y", "x"], "datasets": [{"path": ")" + path + R"("}]}]})");
    return opening(ome);
  };
  CHECK(refused(with_path("../secret")));
  CHECK(refused(with_path((dir / "secret").string())));
  CHECK(refused(with_path("")));
  fs::create_directory_symlink(dir / "secret", ome / "link");
  CHECK(with_path("link").says("leads out of the folder"));
  CHECK(opening(ome, named("link")).says("leads out of the folder"));
  fs::remove(inner / "0.0.0");
  fs::create_symlink(dir / "secret" / "0.0.0", inner / "0.0.0");
  CHECK(opening(inner).says("leads out of the folder"));
  fs::remove(inner / "0.0.0");
  fs::copy(dir / "secret" / "0.0.0", inner / "kept");
  fs::create_symlink("kept", inner / "0.0.0");
  CHECK(reading(inner).exit == Exit::ok);  // within the folder a link is as good as a file
  fs::remove(inner / "0.0.0");
  fs::create_directories(inner / "0.0.0");
  CHECK(opening(inner).says("not a regular file"));
}

TEST_CASE("Zarr version 3 and N5 are named, with what to do") {
  const test::ScratchDir dir;
  const auto folder_with = [&](const std::string& folder, const std::string& file, const std::string& text) {
    fs::create_directories(dir / folder);
    test::write_bytes(dir / folder / file, text);
    return opening(dir / folder);
  };
  CHECK(folder_with("v3.zarr", "zarr.json", "{}").says("zarr_format=2"));
  CHECK(folder_with("x.n5", "attributes.json", "{}").says("is N5"));
  CHECK(folder_with("y.zarr", "attributes.json", "{}").says("is N5"));
  CHECK(folder_with("new.zarr", ".zattrs", R"({"multiscales": [{"version": "0.6", "datasets": []}]})").says("'0.6'"));
  CHECK(folder_with("empty.zarr", "readme", "nothing").says("neither an array"));
  CHECK(folder_with("none.zarr", ".zattrs", R"({"multiscales": [{"version": "0.4", "datasets": []}]})").exit ==
        Exit::data);
  CHECK(folder_with("gone.zarr", ".zattrs",
                    R"({"multiscales": [{"axes": ["z", "y", "x"], "datasets": [{"path": "0"}]}]})")
            .exit == Exit::no_input);
}
