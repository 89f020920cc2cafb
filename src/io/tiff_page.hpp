#pragma once
/// One TIFF file opened by libtiff, and what its pages hold.

#include <cathoscope/io/volume_file.hpp>

#include <tiffio.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace cathoscope::readers {

/// A libtiff handle whose messages go into a string.
class TiffHandle {
 public:
  /// Throws Error{no_input} where the file is absent, Error{data} where libtiff refuses it.
  explicit TiffHandle(const std::filesystem::path& path);
  [[nodiscard]] TIFF* get() const { return tiff_.get(); }
  /// What libtiff said since the last call.
  std::string take_message();

 private:
  struct Close {
    void operator()(TIFF* t) const { TIFFClose(t); }
  };
  std::unique_ptr<std::string> message_;  // stays where it is when the handle moves: libtiff keeps its address
  std::unique_ptr<TIFF, Close> tiff_;
};

/// One page.
struct TiffPage {
  std::int64_t height = 0;
  std::int64_t width = 0;
  ValueType type = ValueType::uint8;
  bool bits = false;  ///< one bit a voxel; read as uint8 0 and 1
  bool raw = false;   ///< stored as is: read without libtiff
  bool tiled = false;
  bool white_is_zero = false;
  bool palette = false;
  std::int64_t block_height = 0;  ///< of a strip or tile
  std::int64_t block_width = 0;
  std::uint64_t directory = 0;         ///< position of the page's directory in the file
  std::vector<std::uint64_t> offsets;  ///< of strips and tiles
  std::vector<std::uint64_t> byte_counts;
};

/// A file's pages, in order; reduced copies and masks are left out.
struct TiffPages {
  std::vector<TiffPage> pages;
  std::string description;  ///< ImageDescription of the first page
  std::string software;
  double x_resolution = 0;  ///< 0 = absent
  double y_resolution = 0;
  int resolution_unit = 0;  ///< 1 none, 2 inch, 3 cm
  bool big_endian = false;
  std::size_t left_out = 0;
};

/// Reads all directories and checks them against the file's size. Throws Error{data} naming page and byte.
TiffPages tiff_pages(const std::filesystem::path& path);

/// What the file's text says of itself.
struct TiffMetadata {
  std::optional<Vec3> voxel_size_um;  ///< z, y, x
  std::string voxel_size_from;
  std::optional<std::int64_t> planes;  ///< of the volume, where the text says it
  bool contiguous = false;             ///< one directory, then all planes one after another
  std::string synthetic;               ///< the line of the text that says that the data are synthetic
  std::vector<std::string> notes;
};

/// From ImageJ, OME or tifffile text and the resolution tags. A voxel size is never guessed: print resolutions, inches,
/// and sizes of exactly 1 count as unknown. Throws Error{data} for channels and time series.
TiffMetadata tiff_metadata(const TiffPages& file, const std::filesystem::path& path, std::int64_t planes);

}  // namespace cathoscope::readers
