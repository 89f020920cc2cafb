#pragma once
/// From a user's file to the run's volume: axes, crop, bin, field of view.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/io/h5.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// Grey levels that the network maps to 0 and 1, as percentiles inside the field of view.
struct NormaliseConfig {
  double low_percentile = 1;
  double high_percentile = 99.8;
};

template <class V>
void fields(V& v, NormaliseConfig& c) {
  v("low_percentile", c.low_percentile, "percentile of the grey values inside the field of view that becomes 0",
    between(0, 100));
  v("high_percentile", c.high_percentile, "percentile that becomes 1", between(0, 100));
}

using Range = std::array<std::int64_t, 2>;

/// `electrodes[].volume`
struct VolumeConfig {
  InputPath path;
  std::optional<std::string> dataset;
  std::optional<VoxelSize> voxel_size_um;
  std::string axes = "zyx";
  std::string depth_axis = "z";
  std::string depth_origin = "low";
  std::optional<std::array<std::int64_t, 3>> shape;
  std::optional<std::string> type;
  std::int64_t header_bytes = 0;
  std::optional<std::array<Range, 3>> crop;
  std::int64_t bin = 1;
  std::string mask = "auto";
  std::vector<std::string> physical_faces{"z_low", "z_high"};
  NormaliseConfig normalise;
  std::string nan = "refuse";

  static constexpr std::string_view shorthand = "path";
};

template <class V>
void fields(V& v, VolumeConfig& c) {
  v("path", c.path, "file, folder of slices, or glob", required(any_value()));
  v("dataset", c.dataset, "path inside an HDF5 file or a Zarr folder; null = found by itself");
  v("voxel_size_um", c.voxel_size_um,
    "edge of a voxel in um: a number, or [z, y, x] of the run (after axes and depth_axis: z is the depth); null = from "
    "the file, which must say it",
    above(0));
  v("axes", c.axes, "order of the axes as stored, slowest first", one_of({"zyx", "zxy", "yzx", "yxz", "xzy", "xyz"}));
  v("depth_axis", c.depth_axis, "which axis is the depth of the electrode; it is moved to z by a cyclic permutation",
    one_of({"z", "y", "x"}));
  v("depth_origin", c.depth_origin, "which end of the depth axis has Z = 0", one_of({"low", "high"}));
  v("shape", c.shape, "raw files: number of voxels as stored, slowest axis first", at_least(1));
  v("type", c.type, "raw files: value type (uint8, int16, float32, ...); '>' before it means big-endian");
  v("header_bytes", c.header_bytes, "raw files: bytes before the first voxel", at_least(0));
  v("crop", c.crop,
    "[[z0, z1], [y0, y1], [x0, x1]] of the run (after axes and depth_axis: z is the depth), in voxels, half open",
    at_least(0));
  v("bin", c.bin, "edge of the cube of voxels that is averaged into one", between(1, 64));
  v("mask", c.mask, "field of view: auto = find constant padding at the border; none = everything is inside",
    one_of({"auto", "none"}));
  v("physical_faces", c.physical_faces,
    "faces that are real ends of the electrode (foil, separator), not cuts through it; z, y, x of the run (after axes "
    "and "
    "depth_axis: z is the depth)",
    one_of({"z_low", "z_high", "y_low", "y_high", "x_low", "x_high"}));
  v("normalise", c.normalise, "grey levels for the network; the stored volume is never normalised");
  v("nan", c.nan, "NaN or infinite voxels: refuse, mask (outside the field of view), or replace (by the median)",
    one_of({"refuse", "mask", "replace"}));
}

/// `electrodes[].labels` and `electrodes[].cracks`: a volume of particle ids, or of crack voxels.
struct LabelConfig {
  InputPath path;
  std::optional<std::string> dataset;
  std::optional<std::array<std::int64_t, 3>> shape;
  std::optional<std::string> type;
  std::string axes = "zyx";
  std::optional<VoxelSize> voxel_size_um;

  static constexpr std::string_view shorthand = "path";
};

template <class V>
void fields(V& v, LabelConfig& c) {
  v("path", c.path, "file, folder of slices, or glob", required(any_value()));
  v("dataset", c.dataset, "path inside an HDF5 file or a Zarr folder");
  v("shape", c.shape, "raw files: number of voxels as stored, slowest axis first", at_least(1));
  v("type", c.type, "raw files: value type");
  v("axes", c.axes, "order of the axes as stored, slowest first", one_of({"zyx", "zxy", "yzx", "yxz", "xzy", "xyz"}));
  v("voxel_size_um", c.voxel_size_um,
    "edge of a voxel in um: a number, or [z, y, x] of the run (after axes and depth_axis: z is the depth); needed "
    "where "
    "no grey volume gives it",
    above(0));
}

/// What every input of one electrode shares: labels and cracks are oriented, cropped and binned like the volume.
struct Placement {
  std::string depth_axis = "z";
  std::optional<std::array<Range, 3>> crop;
  std::int64_t bin = 1;
};

/// What later stages need to know of a loaded volume; kept as attributes of volume.h5.
struct VolumeMeta {
  bool two_dimensional = false;
  std::string depth_origin = "low";
  double depth_length_um = 0;  ///< L of the uncropped file: Z = L - z where depth_origin is high
  std::vector<std::string> physical_faces;
  double low_grey = 0;  ///< value at normalise.low_percentile
  double high_grey = 1;
  std::string voxel_size_from;
  std::string synthetic;                ///< how the data were made where they are no measurement; else empty
  bool has_mask = false;                ///< /mask (uint8, 1 = inside) is stored
  std::int64_t non_finite_voxels = 0;   ///< NaN or infinite in the file, within the crop
  std::int64_t outside_voxels = 0;      ///< of the stored volume: outside the field of view
  std::optional<double> padding_value;  ///< the constant around the field of view, where one was found
};

/// The voxel size after `axes` and depth are in order, from the configuration or else the file. Every triple of the
/// configuration (voxel_size_um, crop, faces) is in that order already: its z is the depth.
/// Throws Error{config} where neither says it.
Vec3 voxel_size_of(const std::optional<VoxelSize>& configured, const VolumeFile& file, const std::string& axes,
                   const std::string& depth_axis);

/// Writes /volume (values as read after crop and bin; bin = mean rounded to the input type, halves up), /mask where needed,
/// and the attributes of VolumeMeta. Streams in slabs of context.memory_bytes (at least 64 planes of the result are held, and
/// one slice of the file); the file's bytes do not depend on them nor on
/// the threads. The input is read once, and up to 65 of its slices once more. Bins that are not whole are left out.
/// /mask is stored where padding was found or `nan: mask` meets a float type; a bin is inside where all its voxels are.
/// Low and high grey are exact percentiles of the stored values inside, interpolated as numpy.percentile does.
/// 64-bit and 32-bit integers are stored as they are; beyond 2^24 a warning says that later stages work in float32.
/// `nan: mask` and `replace` store the median inside for NaN and infinity.
/// Throws Error{data} on NaN (unless allowed), empty crops, damaged files; Error{config} without a voxel size.
VolumeMeta load_volume(const VolumeConfig& config, const VolumeFile& file, H5File& out, const Context& context);
/// Reads the attributes back.
VolumeMeta volume_meta(const H5File& file);

/// Shape in z, y, x after axes, depth, crop and bin. Throws Error{data} where the crop is empty or leaves the file.
Index3 placed_shape(const VolumeFile& file, const std::string& axes, const Placement& placement);

/// Labels with the volume's orientation, crop and bin (majority in a bin, ties to the smallest id).
/// `voxel_size_um` is that of the file in z, y, x (voxel_size_of), before the bin; the source has that of the bins.
/// Throws Error{data} where ids are negative or not whole.
GridSource<std::uint64_t> placed_labels(const VolumeFile& file, const std::string& axes, const Placement& placement,
                                        const Vec3& voxel_size_um);

}  // namespace cathoscope
