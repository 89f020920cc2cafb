#include <cathoscope/core/error.hpp>
#include <cathoscope/io/h5.hpp>

#include "exits.hpp"
#include "test_data.hpp"

#include <malloc.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

using namespace cathoscope;

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_sample(const std::filesystem::path& path) {
  auto file = H5File::create(path);
  Array3<std::uint16_t> values = array3<std::uint16_t>({70, 65, 80});
  for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] = static_cast<std::uint16_t>(i * 7);
  auto grid = file.create_grid<std::uint16_t>("/volume", {70, 65, 80}, {0.3, 0.2, 0.1}, {1, 2, 3}, Storage::checked);
  for (const Box& slab : slabs({70, 65, 80}, 64)) {
    std::vector<std::uint16_t> part(static_cast<std::size_t>(slab.size()));
    copy_box(values.data(), Index3{70, 65, 80}, slab, part.data());
    grid.write(slab, part.data());
  }
  const auto labels =
      file.create_grid<std::uint16_t>("/labels", {70, 65, 80}, {1, 1, 1}, {0, 0, 0}, Storage::compressed);
  labels.write(whole({70, 65, 80}), values.data());
  file.write_array<std::uint64_t>("/ids", {1, 2, 1ULL << 60});
  file.write_texts("/group/names", {"a", "", "long name"});
  file.set_attribute("/", "text", "hello");
  file.close();
}

}  // namespace

TEST_CASE("grids, arrays, texts and attributes survive the round trip") {
  const test::ScratchDir dir;
  write_sample(dir / "a.h5");
  const auto file = H5File::open(dir / "a.h5");
  const auto grid = file.grid<float>("/volume");
  CHECK(grid.shape == Index3{70, 65, 80});
  CHECK(grid.voxel_size_um == Vec3{0.3, 0.2, 0.1});
  CHECK(grid.origin_um == Vec3{1, 2, 3});
  const auto part = grid.load(Box{{63, 10, 20}, {66, 12, 23}});
  CHECK(part(1, 1, 2) == static_cast<float>(static_cast<std::uint16_t>(((64 * 65 + 11) * 80 + 22) * 7)));
  CHECK(file.read_array<std::uint64_t>("/ids") == std::vector<std::uint64_t>{1, 2, 1ULL << 60});
  CHECK(file.read_texts("/group/names") == std::vector<std::string>{"a", "", "long name"});
  CHECK(file.attribute_text("/", "text") == "hello");
  CHECK(file.type_of("/volume") == "uint16");
  CHECK(file.contains("/group/names"));
  CHECK_FALSE(file.contains("/nothing"));
}

TEST_CASE("the same writes give the same bytes, whatever the time and whatever was in memory") {
  const test::ScratchDir dir;
  mallopt(M_MMAP_MAX, 0);  // else large blocks come zeroed from the kernel
  mallopt(M_PERTURB, 1);
  write_sample(dir / "a.h5");
  mallopt(M_PERTURB, 77);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 keeps times in whole seconds
  write_sample(dir / "b.h5");
  mallopt(M_PERTURB, 0);
  const bool same = bytes_of(dir / "a.h5") == bytes_of(dir / "b.h5");  // not inside CHECK, which would print 8 MB
  CHECK(same);
}

TEST_CASE("absent, foreign and damaged files have their own errors") {
  const test::ScratchDir dir;
  CHECK(test::exit_of([&] { H5File::open(dir / "none.h5"); }) == Exit::no_input);
  std::ofstream(dir / "text.h5") << "not hdf5";
  CHECK(test::exit_of([&] { H5File::open(dir / "text.h5"); }) == Exit::data);
  CHECK(test::exit_of([&] {
          H5File::create(dir / "no");
          H5File::create(dir.path() / "missing" / "x.h5");
        }) == Exit::cannot_create);
  write_sample(dir / "a.h5");
  auto bytes = bytes_of(dir / "a.h5");
  const auto at = bytes.find(std::string("\x07\x00\x0e\x00\x15\x00", 6));  // values 1, 2, 3 of the grid
  REQUIRE(at != std::string::npos);
  bytes[at] = '\x55';
  std::ofstream(dir / "bad.h5", std::ios::binary) << bytes;
  const auto file = H5File::open(dir / "bad.h5");
  CHECK(test::exit_of([&] { (void)file.grid<std::uint16_t>("/volume").load(); }) == Exit::data);
}
