#pragma once
/// Any volume format a user brings, opened for reading by box. See docs/formats.md for the list.

#include <cathoscope/core/grid.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// Type of a voxel, named as in NumPy.
enum class ValueType { uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64 };

std::string name_of(ValueType type);
std::size_t size_of(ValueType type);
/// Empty where the name is none of ours.
std::optional<ValueType> value_type_from(const std::string& name);

/// What the user says of a file that the file may not say itself.
struct OpenOptions {
  std::optional<std::string> dataset;  ///< path inside an HDF5 file or a Zarr folder
  std::optional<Index3> shape;         ///< raw files: as stored, slowest first
  std::optional<std::string> type;     ///< raw files: "uint8" ... "float64"; ">" or "<" before it gives the byte order
  std::int64_t header_bytes = 0;       ///< raw files: bytes to skip
};

/// An opened volume. Axes are in the order stored, slowest first; nothing is permuted, cropped or scaled.
struct VolumeFile {
  Index3 shape{0, 0, 0};
  ValueType type = ValueType::uint8;
  bool two_dimensional = false;       ///< a single image: shape[0] is 1
  std::optional<Vec3> voxel_size_um;  ///< slowest first; empty where the file does not say (never assumed)
  std::string voxel_size_from;  ///< where it was found: "ImageJ spacing and XResolution", "nabu voxel_size_cm", ...
  std::string format;           ///< "TIFF stack", "HDF5", ...
  std::vector<std::filesystem::path> files;  ///< every file that holds voxels or describes them, in order
  std::vector<std::string> notes;            ///< what a user should know, e.g. the first and last slice of a stack
  std::string synthetic;             ///< what the file says of its making where it is no measurement; else empty
  std::int64_t planes_together = 1;  ///< planes of the slowest axis that are best read in one call (depth of chunks)
  /// Fills box.size() values of `type` in native byte order. Thread-safe. Throws Error{data} on damage.
  std::function<void(const Box&, void*)> read;

  /// The values converted to T: static_cast, and where T cannot hold a value its nearest bound, 0 for NaN.
  template <class T>
  [[nodiscard]] GridSource<T> as() const;
};

/// Opens a file, a folder of slices, or a glob. Throws Error{no_input} where nothing is there, Error{data} where it is
/// damaged, ambiguous or of a kind that would be read wrongly.
/// A folder or glob is a stack of slices: natural order, one numbering without gaps; a folder of Zarr is a volume.
/// "file.h5:/dataset" names a dataset, "x.zarr:/1" an array.
VolumeFile open_volume(const std::filesystem::path& path_or_glob, const OpenOptions& options = {});

/// What `cathoscope info FILE` prints: shape, type, voxel size and where it was found, format, number of files, notes.
std::string describe(const VolumeFile& file, const std::string& path);
/// The same as a JSON object.
std::string describe_json(const VolumeFile& file, const std::string& path);

}  // namespace cathoscope
