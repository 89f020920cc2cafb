/// Not a test but the writer of the files that tests/cli/test_export_readers.py opens with other programs' readers:
/// `CATHOSCOPE_EXPORT_SAMPLES=DIR test_unit_io "[export_samples]"`. Hidden: runs only when asked for.

#include <cathoscope/io/export.hpp>

#include "export_samples.hpp"
#include "test_data.hpp"

using namespace cathoscope;

namespace {

template <class T>
void write_type(const std::filesystem::path& dir, const std::string& name, std::vector<NamedGrid>& all) {
  const auto grid = test::sample_grid<T>();
  write_npy(dir / (name + ".npy"), grid);
  write_tiff(dir / (name + ".tif"), grid, {.description = "sample of " + name});
  write_tiff(dir / (name + "_raw.tif"), grid, {.description = {}, .compress = false});
  all.push_back({name, grid});
}

void write_tables(const std::filesystem::path& dir, const std::string& name, const Table& table) {
  write_npy(dir / (name + ".npy"), table);
  write_vtkhdf(dir / (name + ".hdf"), table);
  write_vtp(dir / (name + ".vtp"), table);
}

}  // namespace

TEST_CASE("write samples for other readers", "[.][export_samples]") {
  const char* given = std::getenv("CATHOSCOPE_EXPORT_SAMPLES");
  REQUIRE(given != nullptr);
  const std::filesystem::path dir = given;
  std::vector<NamedGrid> all;
  write_type<std::uint8_t>(dir, "uint8", all);
  write_type<std::int8_t>(dir, "int8", all);
  write_type<std::uint16_t>(dir, "uint16", all);
  write_type<std::int16_t>(dir, "int16", all);
  write_type<std::uint32_t>(dir, "uint32", all);
  write_type<std::int32_t>(dir, "int32", all);
  write_type<float>(dir, "float32", all);
  write_type<double>(dir, "float64", all);
  write_vtkhdf(dir / "image.hdf", all);
  write_vti(dir / "image.vti", all);
  write_npy(dir / "uint64.npy", test::sample_grid<std::uint64_t>());
  write_npy(dir / "int64.npy", test::sample_grid<std::int64_t>());
  write_tiff(dir / "big.tif", test::sample_grid<std::uint16_t>(), {.classic_bytes = 4096});
  write_tiff(dir / "slice.tif", test::sample_grid<std::uint16_t>({1, 9, 67}));
  write_vti(dir / "slice.vti", std::vector<NamedGrid>{{"slice", test::sample_grid<std::uint16_t>({1, 9, 67})}});
  write_vtkhdf(dir / "large.hdf", {{"values", test::sample_grid<std::uint32_t>({65, 130, 129})}});
  const auto labels = test::sample_grid<std::uint16_t>();
  write_tiff(dir / "labels.tif", labels);
  write_npy(dir / "labels.npy", labels);
  write_ome_zarr(dir / "labels.ome.zarr", labels, {.labels = true});
  write_vtkhdf(dir / "segmentation.hdf", {{"labels", labels}, {"cracks", test::sample_grid<std::uint8_t>()}});
  write_npy(dir / "attributes.npy", test::sample_table());
  write_tables(dir, "points", test::sample_table());
  Table empty = test::sample_table();
  for (Column& c : empty.columns) c.numbers.clear(), c.ids.clear(), c.texts.clear();
  write_tables(dir, "no_points", empty);
}
