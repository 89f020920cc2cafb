#pragma once
/// Files for other programs: TIFF (Fiji, napari), NumPy, VTK (ParaView), OME-Zarr (napari, Fiji). See docs/export.md.
///
/// Every writer streams the source box by box, holds about 256 MiB whatever the size of the grid, writes beside `path`
/// and renames at the end: the file is whole or absent. The same input gives the same bytes. Errors:
/// Error{cannot_create} where the file cannot be made, Error{write_error} where a write fails (disk full), both naming
/// the path; errors of the source pass through. For progress, or to stop early, wrap the `read` of the source.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace cathoscope {

/// How a TIFF is written.
struct TiffOptions {
  std::string description{};  ///< free text after the voxel size in the ImageDescription of the first page
  bool compress = true;       ///< deflate, for labels and masks; grey values hardly shrink
  /// A file that would grow past this is written as a BigTIFF instead; what classic TIFF can address, less a margin.
  std::uint64_t classic_bytes = (std::uint64_t{1} << 32) - (std::uint64_t{1} << 24);
};

/// A multi-page TIFF, one page a z plane. The voxel size is in ImageJ's description (um): z as `spacing`, x and y as
/// XResolution and YResolution, which TIFF holds to single precision. No predictor: ImageJ undoes it for LZW only.
/// T: (u)int8, (u)int16, (u)int32, float, double.
template <class T>
void write_tiff(const std::filesystem::path& path, const GridSource<T>& grid, const TiffOptions& options = {});

/// The smallest type that holds the ids of an exported label volume: uint16 up to 65,535, else uint32.
/// Throws Error{data} where the id does not fit 32 bits.
ValueType label_type(std::uint64_t largest_id);

/// The labels as uint16 for programs that want it. Reading throws Error{data} at the first id above 65,535.
GridSource<std::uint16_t> labels_as_uint16(const GridSource<std::uint32_t>& labels);

/// A NumPy array (format 1.0, C order, little-endian) of shape (z, y, x).
/// T: (u)int8, (u)int16, (u)int32, (u)int64, float, double.
template <class T>
void write_npy(const std::filesystem::path& path, const GridSource<T>& grid);

/// How an OME-Zarr image is written.
struct OmeZarrOptions {
  bool labels =
      false;  ///< coarser levels take the nearest voxel instead of the mean, and the image is marked as labels
  std::string synthetic{};  ///< how the data were made where they are no measurement
  std::string image{};      ///< labels: path from this folder to that of the grey image, where there is one
  int threads = 1;          ///< that compress; the bytes do not depend on it
};

/// A folder with an image of OME-Zarr 0.4 (https://ngff.openmicroscopy.org/0.4): level 0 is the grid, each further one
/// has half the voxels along every axis longer than 1 (rounded up), until no axis is longer than 256. Grey values are
/// means of the level before, rounded to the type, halves up; labels are those of the low voxel. Chunks of up to 128
/// voxels an axis, zlib. `translation` is the centre of the first voxel. The folder is whole or absent: it is written
/// beside `path` and renamed; a former image at `path` is replaced, anything else there is Error{cannot_create}. Holds
/// about 0.8 GiB at most. T: (u)int8, (u)int16, (u)int32, float, double.
template <class T>
void write_ome_zarr(const std::filesystem::path& path, const GridSource<T>& grid, const OmeZarrOptions& options = {});

/// A one-dimensional structured NumPy array, a field a column: numbers float64, ids uint64, text fixed-width Unicode.
/// Throws Error{data} where a column name is empty or occurs twice, or columns differ in length.
void write_npy(const std::filesystem::path& path, const Table& table);

/// A grid of any of the value types that VTK and TIFF share.
using AnyGrid =
    std::variant<GridSource<std::uint8_t>, GridSource<std::int8_t>, GridSource<std::uint16_t>, GridSource<std::int16_t>,
                 GridSource<std::uint32_t>, GridSource<std::int32_t>, GridSource<float>, GridSource<double>>;

/// A grid under the name that ParaView shows.
struct NamedGrid {
  std::string name;
  AnyGrid grid;
};

/// VTKHDF 1.0 ImageData, chunked, deflate. Name the file `.hdf`: ParaView 5.11 knows no other ending. Each grid is a
/// point array with its points at the voxel centres, um: the readers up to VTK 9.2 (ParaView 5.11) read no cell arrays
/// of images. Throws Error{data} where there is no grid, a name is empty, has a slash or occurs twice, the grids differ
/// in shape, voxel size or origin, or an axis has a single voxel (those readers crash): see vtk_ending().
void write_vtkhdf(const std::filesystem::path& path, const std::vector<NamedGrid>& grids);

/// A `.vti` file: XML with raw appended data, 64-bit sizes, uncompressed. A voxel is a cell: each grid is a cell array,
/// and the origin is the low corner of voxel (0, 0, 0), um. Throws Error{data} as write_vtkhdf() does, but takes any
/// shape.
void write_vti(const std::filesystem::path& path, const std::vector<NamedGrid>& grids);

/// Which of the two a grid of this shape can be: ".hdf", or ".vti" where an axis has a single voxel.
std::string vtk_ending(const Index3& shape);

/// The particles of a table as vertices at (X, Y, Z) in um, with every column of numbers or ids as point data:
/// VTKHDF 1.0 UnstructuredGrid. A missing Z (two-dimensional data) is 0. Returns the names of the columns left out,
/// which are those of text. Throws Error{data} where X or Y is absent or missing in a row.
std::vector<std::string> write_vtkhdf(const std::filesystem::path& path, const Table& table);

/// The same as a `.vtp` file (PolyData): XML with raw appended data.
std::vector<std::string> write_vtp(const std::filesystem::path& path, const Table& table);

}  // namespace cathoscope
