#pragma once
/// An array of Zarr version 2 (https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html): its .zarray and its chunks.

#include "zarr_codec.hpp"

#include <cathoscope/io/volume_file.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope::readers {

/// A folder that a user named, and that nothing may lead out of.
struct ZarrRoot {
  std::filesystem::path path;
  std::filesystem::path canonical;

  explicit ZarrRoot(const std::filesystem::path& folder);
  /// Throws Error{data} where a link leads out of the folder.
  void require_inside(const std::filesystem::path& path) const;
};

/// One of the JSON files. Throws Error{data} naming the file where it is no JSON object, absurdly large or deep.
nlohmann::json zarr_json(const ZarrRoot& root, const std::filesystem::path& path);

/// What .zarray says, checked. Vectors have an entry a dimension, as stored.
struct ZarrArray {
  std::filesystem::path folder;
  std::vector<std::int64_t> shape, chunk;
  ValueType type = ValueType::uint8;
  bool big_endian = false;
  bool fortran = false;  ///< within a chunk the first axis runs fastest
  char separator = '.';
  ZarrCodec codec = ZarrCodec::none;
  std::vector<char> fill;  ///< one value in native order; empty where the file does not say it

  [[nodiscard]] std::size_t chunk_bytes() const;
};

/// Throws Error{data} where it is not of version 2 or of a kind that is not read.
ZarrArray zarr_array(const ZarrRoot& root, const std::filesystem::path& folder);

/// The chunks of an array of which two or three dimensions count (`axes`, slowest first); the others are of length 1.
/// Sets shape, type, reading and depth of chunks of `v`, adds chunk files to `v.files` and what is missing to `v.notes`.
/// Throws Error{data} where no chunk is there, or one is missing and .zarray does not say its value.
void add_zarr_voxels(const ZarrRoot& root, ZarrArray array, const std::vector<std::size_t>& axes, VolumeFile& v);

}  // namespace cathoscope::readers
