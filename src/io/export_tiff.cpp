#include <cathoscope/core/text.hpp>
#include <cathoscope/io/export.hpp>

#include "export_stream.hpp"
#include "voxel_types.hpp"

#include <tiffio.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace cathoscope {

namespace {

struct TiffCloser {
  void operator()(TIFF* t) const { TIFFClose(t); }
};

/// An open TIFF and the last message of the library about it.
struct TiffOut {
  const std::filesystem::path& path;
  std::unique_ptr<std::string> message;
  std::unique_ptr<TIFF, TiffCloser> tiff;

  void check(bool good) const {
    if (!good)
      fail(Exit::write_error, "{}: cannot write: {}", path.string(), message->empty() ? "unknown cause" : *message);
  }
  template <class... Values>
  void set(std::uint32_t tag, Values... values) const {
    check(TIFFSetField(tiff.get(), tag, values...) == 1);
  }
};

int keep_message(TIFF*, void* message, const char*, const char* format, va_list values) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, values);
  *static_cast<std::string*>(message) = text;
  return 1;
}

TiffOut open_tiff(const std::filesystem::path& path, const std::filesystem::path& partial, bool big) {
  TiffOut out{path, std::make_unique<std::string>(), nullptr};
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, out.message.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_message, out.message.get());
  out.tiff.reset(TIFFOpenExt(partial.c_str(), big ? "wl8" : "wl", options.get()));
  if (!out.tiff) fail(Exit::cannot_create, "{}: cannot be created: {}", path.string(), *out.message);
  return out;
}

/// ImageJ takes a file that names its version for one contiguous block of raw voxels and skips the pages after the
/// first; with the version left empty it reads page by page.
std::string imagej_description(const Index3& shape, const Vec3& voxel_size_um, const std::string& text) {
  std::string d = fmt::format("ImageJ=\nimages={0}\nslices={0}\nunit=um\nspacing={1}\nloop=false\n", shape[0],
                              text_of(voxel_size_um[0]));
  if (!text.empty()) d += text + "\n";
  return d;
}

template <class T>
void set_page_tags(const TiffOut& out, const GridSource<T>& grid, const TiffOptions& options, bool first) {
  const auto row_bytes = grid.shape[2] * static_cast<std::int64_t>(sizeof(T));
  const auto rows = std::clamp<std::int64_t>((std::int64_t{1} << 18) / row_bytes, 1, grid.shape[1]);
  out.set(TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(grid.shape[2]));
  out.set(TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(grid.shape[1]));
  out.set(TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(T)));
  out.set(TIFFTAG_SAMPLESPERPIXEL, 1);
  out.set(TIFFTAG_SAMPLEFORMAT, std::is_floating_point_v<T> ? SAMPLEFORMAT_IEEEFP
                                : std::is_signed_v<T>       ? SAMPLEFORMAT_INT
                                                            : SAMPLEFORMAT_UINT);
  out.set(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  out.set(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  out.set(TIFFTAG_COMPRESSION, options.compress ? COMPRESSION_ADOBE_DEFLATE : COMPRESSION_NONE);
  out.set(TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(rows));
  out.set(TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE);
  out.set(TIFFTAG_XRESOLUTION, 1 / grid.voxel_size_um[2]);
  out.set(TIFFTAG_YRESOLUTION, 1 / grid.voxel_size_um[1]);
  if (first)
    out.set(TIFFTAG_IMAGEDESCRIPTION, imagej_description(grid.shape, grid.voxel_size_um, options.description).c_str());
}

std::uint64_t size_so_far(const TiffOut& out) {
  return TIFFGetSizeProc(out.tiff.get())(TIFFClientdata(out.tiff.get()));
}

/// False where the file would pass what classic TIFF holds; the caller then begins again.
template <class T>
bool write_pages(const TiffOut& out, const GridSource<T>& grid, const TiffOptions& options, bool big) {
  const std::int64_t row = grid.shape[2];
  const auto box_bytes_of = [](const Box& box) { return static_cast<std::uint64_t>(box.size()) * sizeof(T); };
  bool fits = true;
  exporting::for_each_box(grid, [&](const Box& box, T* values) {
    fits = big || size_so_far(out) + box_bytes_of(box) <= options.classic_bytes;
    if (!fits) return false;
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z) {
      if (box.begin[1] == 0) set_page_tags(out, grid, options, z == 0);
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y, values += row)
        out.check(TIFFWriteScanline(out.tiff.get(), values, static_cast<std::uint32_t>(y), 0) == 1);
      if (box.end[1] == grid.shape[1]) out.check(TIFFWriteDirectory(out.tiff.get()) == 1);
    }
    return true;
  });
  return fits;
}

template <class T>
bool try_tiff(const exporting::PartialFile& file, const GridSource<T>& grid, const TiffOptions& options, bool big) {
  const TiffOut out = open_tiff(file.path(), file.partial(), big);
  return write_pages(out, grid, options, big);
}

void check_for_tiff(const std::filesystem::path& path, const Index3& shape, const Vec3& voxel_size_um) {
  exporting::check_not_empty(path, shape);
  if (std::max(shape[1], shape[2]) > std::numeric_limits<std::int32_t>::max())
    fail(Exit::data, "{}: {} x {} voxels are too many for a page of a TIFF", path.string(), shape[1], shape[2]);
  for (const double size : voxel_size_um)
    if (!(size > 0) || !(1 / size > 0))
      fail(Exit::data, "{}: a voxel size of {} um cannot be written; it must be above 0", path.string(), text_of(size));
}

}  // namespace

template <class T>
void write_tiff(const std::filesystem::path& path, const GridSource<T>& grid, const TiffOptions& options) {
  check_for_tiff(path, grid.shape, grid.voxel_size_um);
  exporting::PartialFile file(path);
  const auto raw_bytes = static_cast<std::uint64_t>(volume_of(grid.shape)) * sizeof(T);
  const bool surely_big = !options.compress && raw_bytes > options.classic_bytes;
  if (surely_big || !try_tiff(file, grid, options, false)) try_tiff(file, grid, options, true);
  file.finish();
}

ValueType label_type(std::uint64_t largest_id) {
  if (largest_id > std::numeric_limits<std::uint32_t>::max())
    fail(Exit::data, "label {} does not fit 32 bits; export the labels as this program numbers them", largest_id);
  return largest_id <= std::numeric_limits<std::uint16_t>::max() ? ValueType::uint16 : ValueType::uint32;
}

GridSource<std::uint16_t> labels_as_uint16(const GridSource<std::uint32_t>& labels) {
  GridSource<std::uint16_t> narrow{labels.shape, labels.voxel_size_um, labels.origin_um, {}};
  narrow.read = [read = labels.read](const Box& box, std::uint16_t* out) {
    const auto count = static_cast<std::size_t>(box.size());
    const std::unique_ptr<std::uint32_t[]> wide(new std::uint32_t[count]);
    read(box, wide.get());
    for (std::size_t i = 0; i < count; ++i) {
      if (wide[i] > 65535)
        fail(Exit::data, "label {} does not fit uint16, which holds 65,535 objects; export as uint32", wide[i]);
      out[i] = static_cast<std::uint16_t>(wide[i]);
    }
  };
  return narrow;
}

#define CATHOSCOPE_INSTANTIATE(T) \
  template void write_tiff<T>(const std::filesystem::path&, const GridSource<T>&, const TiffOptions&);
CATHOSCOPE_OF_VOXEL_TYPES(CATHOSCOPE_INSTANTIATE)
#undef CATHOSCOPE_INSTANTIATE

}  // namespace cathoscope
