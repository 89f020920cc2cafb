/// Volumes in HDF5 files that h5py wrote.

#include <cathoscope/io/h5.hpp>

#include "volume_inputs.hpp"

using namespace cathoscope;
using test::opening;
using test::reading;

namespace {

constexpr Index3 shape{6, 7, 9};

/// Runs h5py code in a folder; v is the test volume.
void h5py(const test::ScratchDir& dir, const std::string& code) {
  test::python(
      "import os,numpy as np,h5py\nz,y,x=np.meshgrid(np.arange(6),np.arange(7),np.arange(9),indexing='ij')\n"
      "v=(z*31+y*7+x*3)%120\nos.chdir('" +
      dir.path().string() + "')\n" + code);
}

OpenOptions named(const std::string& dataset) {
  OpenOptions o;
  o.dataset = dataset;
  return o;
}

}  // namespace

TEST_CASE("HDF5: nabu's layout is found by itself, with its voxel size in cm") {
  const test::ScratchDir dir;
  h5py(dir,
       "f=h5py.File('a.h5','w')\nf['entry0000/reconstruction/results/data']=(v-60).astype('f4')\nf['other/"
       "volume']=v.astype('u1')\n"
       "f['entry0000/reconstruction/configuration/processing_options/reconstruction/"
       "voxel_size_cm']=np.array([5e-6,5e-6,5e-6])\n"
       "f=h5py.File('old.h5','w')\nf['entry/reconstruction/results/data']=v.astype('u2')\n"
       "f['entry/reconstruction/configuration/processing_options/reconstruction/pixel_size_cm']=6.5e-5\n"
       "f=h5py.File('odd.h5','w')\nf['entry/reconstruction/results/data']=v.astype('u2')\n"
       "f['entry/reconstruction/configuration/processing_options/reconstruction/"
       "voxel_size_cm']=np.array([1e-5,5e-6,5e-6])\n");
  auto v = open_volume(dir / "a.h5");
  test::check_values<float>(v, shape);
  REQUIRE(v.voxel_size_um);
  CHECK((*v.voxel_size_um)[0] == Approx(0.05));
  CHECK(v.voxel_size_from == "nabu voxel_size_cm");
  v = open_volume(dir / "old.h5");
  test::check_values<std::uint16_t>(v, shape);
  REQUIRE(v.voxel_size_um);
  CHECK((*v.voxel_size_um)[2] == Approx(0.65));
  CHECK_FALSE(open_volume(dir / "odd.h5").voxel_size_um);
}

TEST_CASE("HDF5: other known places, our own files, a single dataset, several, none") {
  const test::ScratchDir dir;
  h5py(dir,
       "h5py.File('savu.h5','w')['entry/final_result_tomo/data']=v.astype('u1')\n"
       "h5py.File('aps.h5','w')['exchange/data']=v.astype('u1')\n"
       "f=h5py.File('scan.h5','w')\nf['exchange/data']=v.astype('u2')\nf['exchange/data_white']=v[:1]\n"
       "f=h5py.File('one.h5','w')\nf.create_dataset('x/y/"
       "vol',data=(v-60).astype('i4'),chunks=(2,3,4),compression='gzip',shuffle=True)\nf['x/times']=np.arange(5)\n"
       "f['x/y/vol'].attrs['element_size_um']=[0.2,0.1,0.1]\n"
       "f=h5py.File('two.h5','w')\nf['a']=v\nf['b']=v\n"
       "h5py.File('none.h5','w')['a']=np.arange(4)\n"
       "h5py.File('flat.h5','w')['a']=v[0].astype('u1')\n"
       "f=h5py.File('types.h5','w')\nf['half']=(v-60).astype('f2')\nf['bool']=v>50\nf['big']=(v-60).astype('>i8')\nf['"
       "text']=np."
       "array(v,dtype='S4')\nf['four']=np.zeros((2,2,2,2))\n");
  CHECK(open_volume(dir / "savu.h5").format == "HDF5 (Savu or DAWN)");
  test::check_values<std::uint8_t>(open_volume(dir / "aps.h5"), shape);
  auto o = opening(dir / "scan.h5");
  CHECK(o.exit == Exit::data);
  CHECK(o.says("reconstruct it first"));
  const auto one = open_volume(dir / "one.h5");
  test::check_values<std::int32_t>(one, shape);
  REQUIRE(one.voxel_size_um);
  CHECK(*one.voxel_size_um == Vec3{0.2, 0.1, 0.1});
  CHECK(one.planes_together == 2);
  o = opening(dir / "two.h5");
  CHECK(o.exit == Exit::data);
  CHECK((o.says("/a") && o.says("/b")));
  CHECK(opening(dir / "none.h5").exit == Exit::data);
  CHECK(open_volume(dir / "flat.h5").two_dimensional);
  test::check_values<float>(open_volume(dir / "types.h5", named("half")), shape);
  CHECK(open_volume(dir / "types.h5", named("bool")).as<std::uint8_t>().load().values(0, 0, 0) == 0);
  CHECK(open_volume(dir / "types.h5", named("bool")).as<std::uint8_t>().load().values(5, 0, 0) ==
        (155 % 120 > 50 ? 1 : 0));
  test::check_values<std::int64_t>(open_volume(dir.path().string() + "/types.h5:/big"), shape);
  CHECK(opening(dir / "types.h5", named("text")).exit == Exit::data);
  CHECK(opening(dir / "types.h5", named("four")).says("4 dimensions"));
  CHECK(opening(dir / "types.h5", named("nothing")).exit == Exit::data);
  auto own = H5File::create(dir / "own.h5");
  own.create_grid<std::uint8_t>("/volume", {1, 2, 3}, {0.3, 0.2, 0.1}, {0, 0, 0}, Storage::checked)
      .write(whole({1, 2, 3}), std::vector<std::uint8_t>(6, 7).data());
  own.create_grid<std::uint8_t>("/mask", {1, 2, 3}, {0.3, 0.2, 0.1}, {0, 0, 0}, Storage::checked)
      .write(whole({1, 2, 3}), std::vector<std::uint8_t>(6, 1).data());
  own.close();
  const auto back = open_volume(dir / "own.h5");
  CHECK(*back.voxel_size_um == Vec3{0.3, 0.2, 0.1});
  CHECK(back.format == "HDF5 (Cathoscope)");
}

TEST_CASE("HDF5: raw NXtomo scans are refused with advice") {
  const test::ScratchDir dir;
  h5py(dir,
       "f=h5py.File('a.nx','w')\nf['entry0000/definition']='NXtomo'\nf['entry0000/instrument/detector/"
       "data']=v.astype('u2')\n");
  for (const auto& o : {opening(dir / "a.nx"), opening(dir / "a.nx", named("entry0000/instrument/detector/data"))}) {
    CHECK(o.exit == Exit::data);
    CHECK(o.says("nabu"));
  }
}

TEST_CASE("HDF5: a virtual dataset is read when all its parts are there, and only then") {
  const test::ScratchDir dir;
  h5py(dir,
       "os.mkdir('parts')\nl=h5py.VirtualLayout((6,7,9),'u2')\n"
       "for i in range(3):\n"
       "  h5py.File('parts/p%d.h5'%i,'w')['d']=v[2*i:2*i+2].astype('u2')\n"
       "  l[2*i:2*i+2]=h5py.VirtualSource('parts/p%d.h5'%i,'d',(2,7,9))\n"
       "h5py.File('m.h5','w').create_virtual_dataset('entry/reconstruction/results/data',l)\n");
  test::check_values<std::uint16_t>(open_volume(dir / "m.h5"), shape);
  std::filesystem::remove(dir.path() / "parts" / "p1.h5");
  auto o = opening(dir / "m.h5");
  CHECK(o.exit == Exit::no_input);
  CHECK(o.says("parts/p1.h5"));
  CHECK_FALSE(o.says("parts/p0.h5"));
  h5py(dir, "h5py.File('parts/p1.h5','w')['d']=v[2:3].astype('u2')\n");
  o = opening(dir / "m.h5");  // a part that is too small would read as zeros
  CHECK(o.exit == Exit::data);
  CHECK(o.says("smaller"));
}

TEST_CASE("HDF5: nothing outside the input's folder is read") {
  const test::ScratchDir dir;
  h5py(dir,
       "os.mkdir('in')\nh5py.File('secret.h5','w')['d']=v.astype('u1')\nh5py.File('in/"
       "good.h5','w')['d']=v.astype('u1')\n"
       "h5py.File('in/out.h5','w')['x']=h5py.ExternalLink('../secret.h5','/d')\n"
       "h5py.File('in/near.h5','w')['x']=h5py.ExternalLink('good.h5','/d')\n"
       "h5py.File('in/gone.h5','w')['x']=h5py.ExternalLink('gone2.h5','/d')\n"
       "h5py.File('in/soft.h5','w')['x']=h5py.SoftLink('/y')\n"
       "f=h5py.File('in/loop.h5','w')\nf['x']=h5py.SoftLink('/y')\nf['y']=h5py.SoftLink('/x')\n"
       "l=h5py.VirtualLayout((6,7,9),'u1')\nl[:]=h5py.VirtualSource(os.path.abspath('secret.h5'),'d',(6,7,9))\n"
       "h5py.File('in/vds.h5','w').create_virtual_dataset('x',l)\n"
       "open('in/raw.bin','wb').write(v.astype('u1').tobytes())\n"
       "h5py.File('in/ext.h5','w').create_dataset('x',(6,7,9),'u1',external=[('raw.bin',0,378)])\n"
       "h5py.File('in/etc.h5','w').create_dataset('x',(6,7,9),'u1',external=[('/etc/passwd',0,378)])\n"
       "h5py.File('in/short.h5','w').create_dataset('x',(60,7,9),'u1',external=[('raw.bin',0,3780)])\n"
       "os.symlink('../secret.h5','in/link.h5')\nh5py.File('in/sym.h5','w')['x']=h5py.ExternalLink('link.h5','/d')\n");
  const auto in = dir / "in";
  for (const char* name : {"out.h5", "vds.h5", "etc.h5", "sym.h5"}) {
    CAPTURE(name);
    const auto o = opening(in / name, named("x"));
    CHECK(o.exit == Exit::data);
    CHECK(o.says("outside"));
  }
  CHECK(opening(in / "short.h5", named("x")).exit == Exit::data);
  CHECK(opening(in / "gone.h5", named("x")).exit == Exit::no_input);
  CHECK(opening(in / "soft.h5", named("x")).exit == Exit::data);
  CHECK(opening(in / "loop.h5", named("x")).exit == Exit::data);
  CHECK(opening(in / "loop.h5").exit == Exit::data);
  test::check_values<std::uint8_t>(open_volume(in / "near.h5", named("x")), shape);
  test::check_values<std::uint8_t>(open_volume(in / "ext.h5", named("x")), shape);
}

TEST_CASE("HDF5: declared sizes that nothing stands behind are refused; high compression is not") {
  const test::ScratchDir dir;
  h5py(dir,
       "h5py.File('huge.h5','w').create_dataset('x',(10**6,10**6,10**6),'f4',chunks=(64,64,64))\n"
       "h5py.File('empty.h5','w').create_dataset('x',(6,7,9),'f4')\n"
       "f=h5py.File('few.h5','w').create_dataset('x',(10**5,10**5,10**5),'f4',chunks=(64,64,64))\nf[0,0,0]=1\n"
       "h5py.File('bomb.h5','w').create_dataset('x',data=np.zeros((300,1000,1000),'u1'),chunks=(16,1000,1000),"
       "compression='gzip',compression_opts=9)\n");
  for (const char* name : {"huge.h5", "empty.h5", "few.h5"}) {
    CAPTURE(name);
    CHECK(opening(dir / name).exit == Exit::data);
  }
  CHECK(std::filesystem::file_size(dir / "bomb.h5") < 400000);
  const auto v = open_volume(dir / "bomb.h5");
  CHECK(v.as<std::uint8_t>().load({{290, 0, 0}, {300, 10, 10}}).size() == 1000);
}

TEST_CASE("HDF5: a filter that is not installed is named with the remedy") {
  const test::ScratchDir dir;
  // A dataset that declares filter 32008 and holds one chunk as that filter would have left it.
  h5py(dir,
       "from h5py import "
       "h5d,h5p,h5s,h5t,h5z\nf=h5py.File('a.h5','w')\np=h5p.create(h5p.DATASET_CREATE)\np.set_chunk((6,7,9))\n"
       "p.set_filter(32008,h5z.FLAG_OPTIONAL,())\n"
       "d=h5d.create(f.id,b'x',h5t.STD_U8LE,h5s.create_simple((6,7,9)),p)\nd.write_direct_chunk((0,0,0),v.astype('u1')."
       "tobytes(),0)\n");
  const auto o = opening(dir / "a.h5");
  CHECK(o.exit == Exit::data);
  CHECK((o.says("32008") && o.says("bitshuffle") && o.says("h5repack")));
}

TEST_CASE("HDF5: cut and scribbled files are errors or the same values, never a crash") {
  const test::ScratchDir dir;
  h5py(dir, "h5py.File('a.h5','w').create_dataset('x',data=v.astype('u2'),chunks=(3,7,9),fletcher32=True)\n");
  const std::string whole = test::read_bytes(dir / "a.h5");
  const auto expected = open_volume(dir / "a.h5").as<std::uint16_t>().load().values;
  for (std::size_t cut = 1; cut < whole.size(); cut += 101) {
    test::write_bytes(dir / "cut.h5", whole.substr(0, cut));
    CAPTURE(cut);
    CHECK(reading(dir / "cut.h5").exit == Exit::data);
  }
  std::uint32_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::string bad = whole;
    state = state * 1664525 + 1013904223;
    bad[(state >> 8) % bad.size()] ^= static_cast<char>(1 + (state >> 28));
    test::write_bytes(dir / "bad.h5", bad);
    const auto o = reading(dir / "bad.h5");
    CAPTURE(round, o.message);
    CHECK((o.exit == Exit::ok || o.exit == Exit::data || o.exit == Exit::no_input));
  }
  CHECK(expected.size() == 378);
}
