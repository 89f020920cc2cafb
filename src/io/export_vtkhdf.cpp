/// VTKHDF 1.0 (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html): all below the group /VTKHDF.
/// Images are point data at the voxel centres: the readers up to VTK 9.2 (ParaView 5.11) ask for as many values of a
/// cell array as there are points and fail, and they write past a buffer where an axis has one point.

#include <cathoscope/io/export.hpp>

#include "export_stream.hpp"
#include "export_vtk.hpp"
#include "h5_handle.hpp"

#include <algorithm>
#include <array>

namespace cathoscope {

namespace {

using h5::Id;

/// An HDF5 file in the making.
struct HdfOut {
  const std::filesystem::path& path;
  Id file;
  Id root;

  void check(bool good, const std::string& what) const {
    if (!good) fail(Exit::write_error, "{}: cannot write {}: {}", path.string(), what, h5::last_message());
  }
};

/// Links by name order and no times of objects: the same bytes every time.
HdfOut create_hdf(const std::filesystem::path& path, const std::filesystem::path& partial) {
  h5::quiet();
  HdfOut out{path, {}, {}};
  const Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, 0);
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  out.file = Id(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose);
  if (!out.file.valid()) fail(Exit::cannot_create, "{}: cannot be created: {}", path.string(), h5::last_message());
  return out;
}

Id create_group(const HdfOut& out, hid_t parent, const char* name) {
  const Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, 0);
  Id group(H5Gcreate2(parent, name, H5P_DEFAULT, creation, H5P_DEFAULT), H5Gclose);
  out.check(group.valid(), name);
  return group;
}

template <class T, std::size_t N>
void set_attribute(const HdfOut& out, hid_t object, const char* key, const std::array<T, N>& values) {
  const hsize_t count = N;
  const Id space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Id a(H5Acreate2(object, key, h5::memory_type<T>(), space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  out.check(a.valid() && H5Awrite(a, h5::memory_type<T>(), values.data()) >= 0, key);
}

/// VTK reads text as ASCII of fixed length only.
void set_attribute(const HdfOut& out, hid_t object, const char* key, const std::string& text) {
  const Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, text.size());
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  const Id a(H5Acreate2(object, key, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  out.check(a.valid() && H5Awrite(a, type, text.data()) >= 0, key);
}

void begin_vtkhdf(HdfOut& out, const std::string& type) {
  out.root = create_group(out, out.file, "VTKHDF");
  set_attribute(out, out.root, "Version", std::array<std::int64_t, 2>{1, 0});
  set_attribute(out, out.root, "Type", type);
}

void finish_hdf(HdfOut& out, exporting::PartialFile& file) {
  out.root.close();
  out.check(H5Fflush(out.file, H5F_SCOPE_GLOBAL) >= 0, "the last blocks");
  out.check(out.file.close(), "the last blocks");
  file.finish();
}

template <std::size_t N>
Id create_dataset(const HdfOut& out, hid_t parent, const std::string& name, hid_t type,
                  const std::array<hsize_t, N>& extent, const std::array<hsize_t, N>& chunk) {
  const Id space(H5Screate_simple(static_cast<int>(N), extent.data(), nullptr), H5Sclose);
  const Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, 0);
  if (std::find(chunk.begin(), chunk.end(), 0) == chunk.end()) {
    H5Pset_chunk(creation, static_cast<int>(N), chunk.data());
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, 1);
  }
  Id dataset(H5Dcreate2(parent, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose);
  out.check(dataset.valid(), name);
  return dataset;
}

std::array<hsize_t, 3> hdf_extent(const Index3& shape) {
  return {static_cast<hsize_t>(shape[0]), static_cast<hsize_t>(shape[1]), static_cast<hsize_t>(shape[2])};
}

template <class T>
void write_voxels(const HdfOut& out, hid_t parent, const std::string& name, const GridSource<T>& grid) {
  const auto extent = hdf_extent(grid.shape);
  std::array<hsize_t, 3> chunk{};
  for (std::size_t i = 0; i < 3; ++i) chunk[i] = std::min<hsize_t>(extent[i], exporting::chunk_edge);
  const Id dataset = create_dataset(out, parent, name, h5::memory_type<T>(), extent, chunk);
  std::vector<T> values;
  for (const Box& box : exporting::boxes_of_chunks(grid.shape, sizeof(T))) {
    values.resize(static_cast<std::size_t>(box.size()));
    grid.read(box, values.data());
    const auto start = hdf_extent(box.begin);
    const auto count = hdf_extent(box.shape());
    const Id space = h5::space_of(dataset);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
    const Id memory(H5Screate_simple(3, count.data(), nullptr), H5Sclose);
    out.check(H5Dwrite(dataset, h5::memory_type<T>(), memory, space, H5P_DEFAULT, values.data()) >= 0, name);
  }
}

template <class T>
void write_values(const HdfOut& out, hid_t parent, const std::string& name, const std::vector<T>& values,
                  hsize_t components = 1) {
  const hsize_t rows = values.size() / components;
  const hsize_t chunk = std::min<hsize_t>(rows, 1 << 16);
  const hid_t type = h5::memory_type<T>();
  const Id dataset = components == 1
                         ? create_dataset<1>(out, parent, name, type, {rows}, {chunk})
                         : create_dataset<2>(out, parent, name, type, {rows, components}, {chunk, components});
  if (!values.empty()) out.check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0, name);
}

/// n vertices: cell i is point i.
void write_vertices(const HdfOut& out, const exporting::Points& points) {
  const auto n = static_cast<std::int64_t>(points.count());
  std::vector<std::int64_t> offsets(points.count() + 1);
  for (std::size_t i = 0; i < offsets.size(); ++i) offsets[i] = static_cast<std::int64_t>(i);
  for (const char* name : {"NumberOfPoints", "NumberOfCells", "NumberOfConnectivityIds"})
    write_values<std::int64_t>(out, out.root, name, {n});
  write_values(out, out.root, "Points", points.xyz, 3);
  write_values(out, out.root, "Offsets", offsets);
  offsets.pop_back();
  write_values(out, out.root, "Connectivity", offsets);
  constexpr std::uint8_t vertex = 1;
  write_values(out, out.root, "Types", std::vector<std::uint8_t>(points.count(), vertex));
}

}  // namespace

std::string vtk_ending(const Index3& shape) {
  return *std::min_element(shape.begin(), shape.end()) > 1 ? ".hdf" : ".vti";
}

void write_vtkhdf(const std::filesystem::path& path, const std::vector<NamedGrid>& grids) {
  const auto [shape, voxel, origin] = exporting::common_frame(path, grids);
  if (vtk_ending(shape) != ".hdf")
    fail(Exit::data, "{}: VTK's readers do not open an image one voxel thick in this format; write a .vti",
         path.string());
  exporting::PartialFile file(path);
  HdfOut out = create_hdf(path, file.partial());
  begin_vtkhdf(out, "ImageData");
  const Vec3 centre{origin[0] + voxel[0] / 2, origin[1] + voxel[1] / 2, origin[2] + voxel[2] / 2};
  set_attribute(out, out.root, "WholeExtent",
                std::array<std::int64_t, 6>{0, shape[2] - 1, 0, shape[1] - 1, 0, shape[0] - 1});
  set_attribute(out, out.root, "Origin", std::array<double, 3>{centre[2], centre[1], centre[0]});
  set_attribute(out, out.root, "Spacing", std::array<double, 3>{voxel[2], voxel[1], voxel[0]});
  set_attribute(out, out.root, "Direction", std::array<double, 9>{1, 0, 0, 0, 1, 0, 0, 0, 1});
  {
    const Id data = create_group(out, out.root, "PointData");
    for (const NamedGrid& g : grids)
      std::visit([&](const auto& grid) { write_voxels(out, data, g.name, grid); }, g.grid);
  }
  finish_hdf(out, file);
}

std::vector<std::string> write_vtkhdf(const std::filesystem::path& path, const Table& table) {
  const exporting::Points points = exporting::points_of(path, table);
  exporting::PartialFile file(path);
  HdfOut out = create_hdf(path, file.partial());
  begin_vtkhdf(out, "UnstructuredGrid");
  write_vertices(out, points);
  {
    const Id data = create_group(out, out.root, "PointData");
    for (const Column* column : points.columns) {
      if (column->ids.empty())
        write_values(out, data, column->name, column->numbers);
      else
        write_values(out, data, column->name, column->ids);
    }
  }
  finish_hdf(out, file);
  return points.left_out;
}

}  // namespace cathoscope
