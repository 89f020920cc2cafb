#include <cathoscope/core/error.hpp>
#include <cathoscope/io/export.hpp>
#include <cathoscope/io/h5.hpp>

#include "../../../src/io/export_stream.hpp"
#include "export_samples.hpp"
#include "test_data.hpp"

#include <sys/resource.h>
#include <tiffio.h>

#include <csignal>
#include <cstring>
#include <functional>

using namespace cathoscope;

namespace {

using Writer = std::function<void(const std::filesystem::path&)>;

/// One of each, by name.
std::vector<std::pair<std::string, Writer>> writers() {
  const auto labels = test::sample_grid<std::uint32_t>();
  const std::vector<NamedGrid> grids{{"labels", labels}, {"grey", test::sample_grid<float>()}};
  const Table table = test::sample_table();
  return {{"a.tif", [=](const auto& p) { write_tiff(p, labels); }},
          {"raw.tif", [=](const auto& p) { write_tiff(p, labels, {.compress = false}); }},
          {"a.npy", [=](const auto& p) { write_npy(p, labels); }},
          {"table.npy", [=](const auto& p) { write_npy(p, table); }},
          {"a.hdf", [=](const auto& p) { write_vtkhdf(p, grids); }},
          {"a.vti", [=](const auto& p) { write_vti(p, grids); }},
          {"points.hdf", [=](const auto& p) { write_vtkhdf(p, table); }},
          {"points.vtp", [=](const auto& p) { write_vtp(p, table); }}};
}

/// The exit code of the error that `f` throws; Exit::ok where it throws none.
Exit exit_of(const std::function<void()>& f, std::string* message = nullptr) {
  try {
    f();
  } catch (const Error& e) {
    if (message != nullptr) *message = e.what();
    return e.exit();
  }
  return Exit::ok;
}

/// While it lives no file of the process may grow past `bytes`: what a full disk looks like to a writer.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

template <class T>
std::vector<T> read_tiff(const std::filesystem::path& path, int& pages, std::string& description) {
  TIFF* tiff = TIFFOpen(path.c_str(), "r");
  REQUIRE(tiff != nullptr);
  const char* text = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &text) == 1) description = text;
  std::vector<T> values;
  pages = 0;
  do {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    for (std::uint32_t y = 0; y < height; ++y) {
      std::vector<T> row(width);
      REQUIRE(TIFFReadScanline(tiff, row.data(), y, 0) == 1);
      values.insert(values.end(), row.begin(), row.end());
    }
    ++pages;
  } while (TIFFReadDirectory(tiff) == 1);
  TIFFClose(tiff);
  return values;
}

template <class T>
bool is_sample(const std::vector<T>& values, const Index3& shape) {
  if (static_cast<std::int64_t>(values.size()) != volume_of(shape)) return false;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != test::sample_value<T>(static_cast<std::int64_t>(i))) return false;
  return true;
}

std::size_t files_in(const std::filesystem::path& dir) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir), {}));
}

}  // namespace

TEST_CASE("boxes tile a grid within the memory they are given") {
  const Index3 shape{130, 200, 300};
  const std::int64_t plane = 200 * 300 * 4;
  for (const std::int64_t limit : {std::int64_t{1}, 4 * 300 * std::int64_t{7}, plane, 10 * plane, 1000 * plane}) {
    std::int64_t next = 0;
    for (const Box& box : exporting::boxes_in_file_order(shape, 4, limit)) {
      CHECK((box.begin[0] * shape[1] + box.begin[1]) * shape[2] + box.begin[2] == next);  // no gap, in order
      next += box.size();
      CHECK(4 * box.size() <= std::max(limit, 4 * shape[2]));  // at least one row
      CHECK(box.shape()[0] <= 64);
    }
    CHECK(next == volume_of(shape));
    std::int64_t covered = 0;
    for (const Box& box : exporting::boxes_of_chunks(shape, 4, limit)) {
      for (int axis = 0; axis < 3; ++axis) CHECK(box.begin[axis] % 64 == 0);
      covered += box.size();
      CHECK(4 * box.size() <= std::max(limit, std::int64_t{4} * 64 * 64 * 64));  // at least one chunk
    }
    CHECK(covered == volume_of(shape));
  }
}

TEMPLATE_TEST_CASE("a TIFF holds the values, a page a plane", "[export]", std::uint8_t, std::int16_t, std::uint32_t,
                   float) {
  const test::ScratchDir dir;
  const bool compress = GENERATE(true, false);
  write_tiff(dir / "a.tif", test::sample_grid<TestType>(), {.description = "of a test", .compress = compress});
  int pages = 0;
  std::string description;
  CHECK(is_sample(read_tiff<TestType>(dir / "a.tif", pages, description), test::sample_shape));
  CHECK(pages == 70);
  CHECK(description == "ImageJ=\nimages=70\nslices=70\nunit=um\nspacing=0.3\nloop=false\nof a test\n");
  CHECK(files_in(dir.path()) == 1);
}

TEST_CASE("a TIFF past the size limit of the classic format is a BigTIFF") {
  const test::ScratchDir dir;
  const auto grid = test::sample_grid<std::uint16_t>();
  int pages = 0;
  std::string description;
  for (const bool compress : {true, false}) {
    write_tiff(dir / "big.tif", grid, {.compress = compress, .classic_bytes = 50000});
    CHECK(test::bytes_of(dir / "big.tif").substr(0, 4) == std::string("II\x2b\0", 4));
    CHECK(is_sample(read_tiff<std::uint16_t>(dir / "big.tif", pages, description), test::sample_shape));
  }
  write_tiff(dir / "classic.tif", grid);
  CHECK(test::bytes_of(dir / "classic.tif").substr(0, 4) == std::string("II\x2a\0", 4));
}

TEST_CASE("labels are uint16 while they fit, and a uint16 export refuses more") {
  CHECK(label_type(0) == ValueType::uint16);
  CHECK(label_type(65535) == ValueType::uint16);
  CHECK(label_type(65536) == ValueType::uint32);
  CHECK(exit_of([] { label_type(std::uint64_t{1} << 32); }) == Exit::data);
  const test::ScratchDir dir;
  auto labels = array3<std::uint32_t>({3, 2, 4});
  labels.fill(65535);
  write_tiff(dir / "fits.tif", labels_as_uint16(source_of(Grid<std::uint32_t>{labels, {1, 2, 3}, {}})));
  labels(2, 1, 0) = 65536;
  const auto too_many = labels_as_uint16(source_of(Grid<std::uint32_t>{labels, {1, 2, 3}, {}}));
  std::string message;
  CHECK(exit_of([&] { write_tiff(dir / "labels.tif", too_many); }, &message) == Exit::data);
  CHECK_THAT(message, Catch::Contains("65536") && Catch::Contains("65,535") && Catch::Contains("uint32"));
  CHECK(files_in(dir.path()) == 1);
}

TEST_CASE("a .npy volume is the head of its format and the values") {
  const test::ScratchDir dir;
  write_npy(dir / "a.npy", test::sample_grid<std::int16_t>());
  const std::string bytes = test::bytes_of(dir / "a.npy");
  const std::string head = "{'descr': '<i2', 'fortran_order': False, 'shape': (70, 9, 67), }";
  CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\0", 8));
  CHECK(bytes.substr(10, head.size()) == head);
  const std::size_t start = 10 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]);
  CHECK(start % 64 == 0);
  CHECK(bytes[start - 1] == '\n');
  std::vector<std::int16_t> values((bytes.size() - start) / 2);
  std::memcpy(values.data(), bytes.data() + start, 2 * values.size());
  CHECK(is_sample(values, test::sample_shape));
}

TEST_CASE("a .npy table has a field a column") {
  const test::ScratchDir dir;
  write_npy(dir / "a.npy", test::sample_table());
  CHECK_THAT(test::bytes_of(dir / "a.npy"),
             Catch::Contains("[('label', '<u8'), ('X', '<f8'), ('Y', '<f8'), ('Z', '<f8'), ('Damage', '<f8'), "
                             "('source <&>', '<U5'), ('a<b & \"c\"', '<f8'), ]") &&
                 Catch::Contains("'shape': (3,)"));
}

TEST_CASE("VTKHDF: values, names, and a grid of many chunks") {
  const test::ScratchDir dir;
  const Index3 shape{65, 130, 129};
  write_vtkhdf(dir / "a.hdf",
               {{"labels", test::sample_grid<std::uint32_t>(shape)}, {"grey", test::sample_grid<float>(shape)}});
  const auto file = H5File::open(dir / "a.hdf");
  CHECK(file.attribute_text("/VTKHDF", "Type") == "ImageData");
  CHECK(file.attribute("/VTKHDF", "Version") == std::vector<double>{1, 0});
  CHECK(file.attribute("/VTKHDF", "WholeExtent") == std::vector<double>{0, 128, 0, 129, 0, 64});
  CHECK(file.attribute("/VTKHDF", "Spacing") == std::vector<double>{0.398, 0.2, 0.3});
  // Half a voxel above the low corner (3, -5, 7), in x, y, z.
  CHECK(file.attribute("/VTKHDF", "Origin") == std::vector<double>{3 + 0.398 / 2, -5 + 0.2 / 2, 7 + 0.3 / 2});
  const auto labels = file.grid<std::uint32_t>("/VTKHDF/PointData/labels").load();
  CHECK(is_sample(std::vector<std::uint32_t>(labels.values.begin(), labels.values.end()), shape));
  CHECK(file.type_of("/VTKHDF/PointData/grey") == "float32");
}

TEST_CASE("VTKHDF points: numbers and ids, and the names of what was left out") {
  const test::ScratchDir dir;
  CHECK(write_vtkhdf(dir / "a.hdf", test::sample_table()) == std::vector<std::string>{"source <&>"});
  const auto file = H5File::open(dir / "a.hdf");
  CHECK(file.attribute_text("/VTKHDF", "Type") == "UnstructuredGrid");
  CHECK(file.read_array<std::int64_t>("/VTKHDF/Offsets") == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(file.read_array<double>("/VTKHDF/Points") == std::vector<double>{1.5, 10, -1, 2.25, 20, 0, 3, 30, 5});
  CHECK(file.read_array<std::uint64_t>("/VTKHDF/PointData/label") ==
        std::vector<std::uint64_t>{7, 12, (1ULL << 53) + 1});
  CHECK_FALSE(file.contains("/VTKHDF/PointData/source <&>"));
}

TEST_CASE("a .vti announces its arrays where they are") {
  const test::ScratchDir dir;
  write_vti(dir / "a.vti", {{"mask", test::sample_grid<std::uint8_t>()}, {"a<b", test::sample_grid<float>()}});
  const std::string bytes = test::bytes_of(dir / "a.vti");
  const std::uint64_t voxels = 70 * 9 * 67;
  CHECK_THAT(bytes, Catch::Contains("WholeExtent=\"0 67 0 9 0 70\" Origin=\"3 -5 7\" Spacing=\"0.398 0.2 0.3\""));
  CHECK_THAT(bytes, Catch::Contains("Name=\"a&lt;b\" NumberOfComponents=\"1\" format=\"appended\" offset=\"" +
                                    std::to_string(8 + voxels) + "\""));
  const std::size_t data = bytes.find("_", bytes.find("<AppendedData")) + 1;
  std::uint64_t announced = 0;
  std::memcpy(&announced, bytes.data() + data + 8 + voxels, 8);
  CHECK(announced == 4 * voxels);
  float last = 0;
  std::memcpy(&last, bytes.data() + data + 16 + 5 * voxels - 4, 4);
  CHECK(last == test::sample_value<float>(static_cast<std::int64_t>(voxels) - 1));
}

TEST_CASE("every export gives the same bytes twice") {
  const test::ScratchDir dir;
  for (const auto& [name, write] : writers()) {
    INFO(name);
    write(dir / "first");
    write(dir / "second");
    CHECK(test::bytes_of(dir / "first") == test::bytes_of(dir / "second"));
  }
}

TEST_CASE("a write error leaves the earlier file and nothing else") {
  const test::ScratchDir dir;
  for (const auto& [name, write] : writers()) {
    INFO(name);
    const auto path = dir / name;
    { std::ofstream(path) << "earlier"; }
    std::string message;
    Exit exit = Exit::ok;
    {
      const FileSizeLimit limit(200);
      exit = exit_of([&] { write(path); }, &message);
    }
    CHECK(exit == Exit::write_error);
    CHECK_THAT(message, Catch::Contains(path.string()));
    CHECK(test::bytes_of(path) == "earlier");
    std::filesystem::remove(path);
    CHECK(files_in(dir.path()) == 0);
  }
}

TEST_CASE("an export into a folder that is not there cannot be created") {
  const test::ScratchDir dir;
  for (const auto& [name, write] : writers()) {
    INFO(name);
    std::string message;
    CHECK(exit_of([&] { write(dir / "no" / name); }, &message) == Exit::cannot_create);
    CHECK_THAT(message, Catch::Contains((dir / "no" / name).string()));
  }
}

TEST_CASE("an error of the source passes through and leaves no file") {
  const test::ScratchDir dir;
  auto grid = test::sample_grid<float>();
  grid.read = [](const Box&, float*) { fail(Exit::interrupted, "stopped"); };
  CHECK(exit_of([&] { write_tiff(dir / "a.tif", grid); }) == Exit::interrupted);
  CHECK(exit_of([&] { write_npy(dir / "a.npy", grid); }) == Exit::interrupted);
  CHECK(exit_of([&] { write_vtkhdf(dir / "a.hdf", {{"grey", grid}}); }) == Exit::interrupted);
  CHECK(exit_of([&] { write_vti(dir / "a.vti", {{"grey", grid}}); }) == Exit::interrupted);
  CHECK(files_in(dir.path()) == 0);
}

TEST_CASE("what a format cannot hold is refused") {
  const test::ScratchDir dir;
  const auto grid = test::sample_grid<float>();
  auto moved = grid;
  moved.origin_um[1] += 1;
  const auto thin = test::sample_grid<float>({1, 9, 67});
  CHECK(exit_of([&] { write_vti(dir / "a", {}); }) == Exit::data);
  CHECK(exit_of([&] { write_vti(dir / "a", {{"a", grid}, {"a", grid}}); }) == Exit::data);
  CHECK(exit_of([&] { write_vtkhdf(dir / "a", {{"a/b", grid}}); }) == Exit::data);
  CHECK(exit_of([&] { write_vtkhdf(dir / "a", {{"a", grid}, {"b", moved}}); }) == Exit::data);
  CHECK(exit_of([&] { write_vtkhdf(dir / "a", {{"a", thin}}); }) == Exit::data);
  CHECK(vtk_ending(thin.shape) == ".vti");
  CHECK(vtk_ending(grid.shape) == ".hdf");
  auto flat = grid;
  flat.voxel_size_um[2] = 0;
  CHECK(exit_of([&] { write_tiff(dir / "a", flat); }) == Exit::data);
  flat.shape[0] = 0;
  CHECK(exit_of([&] { write_npy(dir / "a", flat); }) == Exit::data);
  Table table = test::sample_table();
  table.columns[1].numbers[2] = std::numeric_limits<double>::quiet_NaN();
  CHECK(exit_of([&] { write_vtp(dir / "a", table); }) == Exit::data);
  table.columns[1].numbers.pop_back();
  CHECK(exit_of([&] { write_npy(dir / "a", table); }) == Exit::data);
  table.columns[1].name = "label";
  CHECK(exit_of([&] { write_npy(dir / "a", table); }) == Exit::data);
  CHECK(files_in(dir.path()) == 0);
}
