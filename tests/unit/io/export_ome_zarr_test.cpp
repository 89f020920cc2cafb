#include <cathoscope/io/export.hpp>

#include "export_samples.hpp"
#include "volume_inputs.hpp"

using namespace cathoscope;

namespace fs = std::filesystem;

namespace {

/// Every file of a folder with its bytes, by path.
std::vector<std::pair<std::string, std::string>> contents(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      all.emplace_back(entry.path().lexically_relative(folder).string(), test::bytes_of(entry.path()));
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Values that a mean rounds differently in each direction.
template <class T>
GridSource<T> long_grid(const Index3& shape) {
  auto values = array3<T>(shape);
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data()[i] =
        static_cast<T>(static_cast<std::int64_t>(i * 2654435761U >> 7U) % 101 - (std::is_signed_v<T> ? 50 : 0));
  return source_of(Grid<T>{std::move(values), test::sample_voxel_um, test::sample_origin_um});
}

template <class T>
void check_means(const Array3<T>& fine, const Array3<T>& coarse) {
  const Index3 n = shape_of(fine), m = shape_of(coarse);
  std::int64_t wrong = 0;
  for (std::int64_t z = 0; z < m[0]; ++z)
    for (std::int64_t y = 0; y < m[1]; ++y)
      for (std::int64_t x = 0; x < m[2]; ++x) {
        double sum = 0, count = 0;
        for (std::int64_t dz = 0; dz < 2 && 2 * z + dz < n[0]; ++dz)
          for (std::int64_t dy = 0; dy < 2 && 2 * y + dy < n[1]; ++dy)
            for (std::int64_t dx = 0; dx < 2 && 2 * x + dx < n[2]; ++dx, ++count)
              sum += static_cast<double>(fine(2 * z + dz, 2 * y + dy, 2 * x + dx));
        const double mean = std::is_integral_v<T> ? std::floor(sum / count + 0.5) : sum / count;
        if (static_cast<double>(coarse(z, y, x)) != static_cast<double>(static_cast<T>(mean))) ++wrong;
      }
  CHECK(wrong == 0);
}

template <class T>
void check_grey() {
  const test::ScratchDir dir;
  const auto grid = long_grid<T>({5, 150, 301});
  write_ome_zarr(dir / "a.ome.zarr", grid, {.threads = 2});
  const auto finest = open_volume(dir / "a.ome.zarr");
  CHECK(finest.shape == Index3{5, 150, 301});
  CHECK(finest.voxel_size_um == test::sample_voxel_um);
  CHECK(finest.synthetic.empty());
  const auto values = grid.load(whole(grid.shape));
  const auto read_back = finest.template as<T>().load(whole(finest.shape));
  CHECK(std::equal(values.begin(), values.end(), read_back.begin(), read_back.end()));
  OpenOptions one;
  one.dataset = "1";
  const auto coarse = open_volume(dir / "a.ome.zarr", one);
  CHECK(coarse.shape == Index3{3, 75, 151});
  for (std::size_t i = 0; i < 3; ++i) CHECK((*coarse.voxel_size_um)[i] == 2 * test::sample_voxel_um[i]);
  check_means<T>(values, coarse.template as<T>().load(whole(coarse.shape)));
  CHECK_FALSE(fs::exists(dir / "a.ome.zarr" / "2"));
}

}  // namespace

TEST_CASE("OME-Zarr: grey values come back, and coarser levels are means, halves up") {
  check_grey<std::uint8_t>();
  check_grey<std::int8_t>();
  check_grey<std::uint16_t>();
  check_grey<std::int32_t>();
  check_grey<float>();
  check_grey<double>();
}

TEST_CASE("OME-Zarr: labels stay labels, axes of one voxel stay, and what was made up says so") {
  const test::ScratchDir dir;
  const auto grid = long_grid<std::uint32_t>({1, 3, 1030});
  write_ome_zarr(dir / "labels.ome.zarr", grid, {.labels = true, .synthetic = "drawn", .image = "../volume.ome.zarr"});
  OpenOptions last;
  last.dataset = "3";
  const auto coarse = open_volume(dir / "labels.ome.zarr", last);
  CHECK(coarse.shape == Index3{1, 1, 129});
  CHECK(coarse.synthetic == "drawn");
  CHECK((*coarse.voxel_size_um)[0] == test::sample_voxel_um[0]);
  CHECK((*coarse.voxel_size_um)[2] == 8 * test::sample_voxel_um[2]);
  const auto fine = grid.load(whole(grid.shape));
  const auto values = coarse.as<std::uint32_t>().load(whole(coarse.shape));
  for (std::int64_t x = 0; x < 129; ++x) REQUIRE(values(0, 0, x) == fine(0, 0, 8 * x));
  const std::string text = test::bytes_of(dir / "labels.ome.zarr" / ".zattrs");
  CHECK(text.find("\"image-label\"") != std::string::npos);
  CHECK(text.find("\"../volume.ome.zarr\"") != std::string::npos);
}

TEST_CASE("OME-Zarr: the bytes do not depend on threads, and writing again replaces") {
  const test::ScratchDir dir;
  const auto grid = long_grid<std::uint16_t>({130, 140, 270});
  write_ome_zarr(dir / "a.zarr", long_grid<std::uint8_t>({300, 4, 4}));
  for (const int threads : {1, 3}) {
    write_ome_zarr(dir / (threads == 1 ? "a.zarr" : "b.zarr"), grid, {.threads = threads});
    CHECK(entries(dir.path()) == (threads == 1 ? 1U : 2U));
  }
  CHECK(contents(dir / "a.zarr").size() == 3 + 2 + 2 * 2 * 3 + 1 * 1 * 2 - 1);
  // .zattrs holds the folder's name
  auto a = contents(dir / "a.zarr"), b = contents(dir / "b.zarr");
  const auto unnamed = [](auto& all) {
    for (auto& [name, bytes] : all)
      if (name == ".zattrs") bytes.replace(bytes.find(".zarr") - 1, 1, "?");
  };
  unnamed(a), unnamed(b);
  CHECK(a == b);
}

TEST_CASE("OME-Zarr: a failure leaves nothing, and what is not ours is not touched") {
  const test::ScratchDir dir;
  auto grid = long_grid<std::uint8_t>({300, 300, 20});
  grid.read = [read = grid.read](const Box& box, std::uint8_t* out) {
    if (box.end[0] > 200) fail(Exit::data, "the source is damaged");
    read(box, out);
  };
  CHECK(test::outcome_of([&] { write_ome_zarr(dir / "a.zarr", grid); }).says("the source is damaged"));
  CHECK(entries(dir.path()) == 0);
  fs::create_directories(dir / "a.zarr");
  test::write_bytes(dir / "a.zarr" / "thesis.txt", "important");
  const auto good = long_grid<std::uint8_t>({3, 4, 5});
  CHECK(test::outcome_of([&] { write_ome_zarr(dir / "a.zarr", good); }).exit == Exit::cannot_create);
  CHECK(test::bytes_of(dir / "a.zarr" / "thesis.txt") == "important");
  CHECK(test::outcome_of([&] {
          write_ome_zarr(dir / "b.zarr", long_grid<std::uint8_t>({0, 4, 5}));
        }).exit == Exit::data);
}
