#include "tiff_page.hpp"

#include "input_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace cathoscope::readers {

namespace {

constexpr tmsize_t most_at_once = tmsize_t{2} << 30;  // bytes that libtiff may ask for at once
constexpr std::uint16_t sample_format_complex_int = 5;

int keep_message(TIFF*, void* to, const char*, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  auto& message = *static_cast<std::string*>(to);
  if (message.empty()) message = text.data();  // the first one is the cause
  return 1;
}

int ignore_message(TIFF*, void*, const char*, const char*, va_list) { return 1; }

template <class T>
T field(TIFF* t, std::uint32_t tag, T otherwise) {
  T value{};
  return TIFFGetField(t, tag, &value) == 1 ? value : otherwise;
}

std::string text_field(TIFF* t, std::uint32_t tag) {
  const char* text = nullptr;
  return TIFFGetField(t, tag, &text) == 1 && text != nullptr ? text : "";
}

/// Where a page is: for messages.
struct Place {
  const std::filesystem::path& path;
  std::size_t page;  ///< from 1
  std::string of;    ///< " of 8", where known
  std::uint64_t file_bytes;
};

template <class... Args>
[[noreturn]] void refuse(const Place& at, fmt::format_string<Args...> format, Args&&... args) {
  fail(Exit::data, "{}: page {}{}: {}", at.path.string(), at.page, at.of,
       fmt::format(format, std::forward<Args>(args)...));
}

std::optional<ValueType> integer_type(unsigned bits, bool is_signed) {
  return value_type_from(fmt::format("{}int{}", is_signed ? "" : "u", bits));
}

ValueType value_type(const Place& at, unsigned bits, unsigned format) {
  if (format == SAMPLEFORMAT_IEEEFP) {
    if (bits == 32) return ValueType::float32;
    if (bits == 64) return ValueType::float64;
    refuse(at, "float{} values are not read; save as float32", bits);
  }
  if (format >= sample_format_complex_int) refuse(at, "complex values are not a volume");
  const auto type = integer_type(bits, format == SAMPLEFORMAT_INT);
  if (!type) refuse(at, "{} bits a voxel are not read; save with 8, 16 or 32 bits", bits);
  return *type;
}

void check_colour(TIFF* t, const Place& at, TiffPage& page) {
  const auto samples = field<std::uint16_t>(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  const auto photometric = field<std::uint16_t>(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  if (samples != 1)
    refuse(at, "{} samples a pixel: a colour image (RGB or with transparency); save as grey values", samples);
  page.white_is_zero = photometric == PHOTOMETRIC_MINISWHITE;
  page.palette = photometric == PHOTOMETRIC_PALETTE;
  const bool grey =
      photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MASK || page.white_is_zero || page.palette;
  if (!grey) refuse(at, "photometric interpretation {} is not grey; save as grey values", photometric);
}

void check_depth(TIFF* t, const Place& at) {
  if (field<std::uint32_t>(t, TIFFTAG_IMAGEDEPTH, 1) > 1 || field<std::uint32_t>(t, TIFFTAG_TILEDEPTH, 1) > 1)
    refuse(at, "volumetric TIFF (ImageDepth) is not read; save one page a slice");
}

bool is_fax(std::uint16_t c) {
  return c == COMPRESSION_CCITTRLE || c == COMPRESSION_CCITT_T4 || c == COMPRESSION_CCITT_T6;
}

/// The most that a byte of this compression can become; 0 = no useful bound.
std::uint64_t largest_ratio(std::uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE: return 1;
    case COMPRESSION_PACKBITS: return 64;
    case COMPRESSION_LZW: return 4096;
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE: return 1040;
    default: return 0;
  }
}

void check_compression(const Place& at, std::uint16_t c, bool bits) {
  const bool known = c == COMPRESSION_NONE || c == COMPRESSION_LZW || c == COMPRESSION_ADOBE_DEFLATE ||
                     c == COMPRESSION_DEFLATE || c == COMPRESSION_PACKBITS || c == COMPRESSION_LZMA ||
                     c == COMPRESSION_ZSTD || (bits && is_fax(c));
  const TIFFCodec* codec = TIFFFindCODEC(c);
  const std::string name = codec != nullptr ? codec->name : std::to_string(c);
  if (!known)
    refuse(at, "compression {} is not read (it loses information or is rare); save with LZW, deflate or none", name);
  if (TIFFIsCODECConfigured(c) != 1)
    refuse(at, "compression {} is not built into this libtiff; save with LZW, deflate or none", name);
}

void read_blocks(TIFF* t, const Place& at, TiffPage& page) {
  page.tiled = TIFFIsTiled(t) != 0;
  if (page.tiled) {
    page.block_height = field<std::uint32_t>(t, TIFFTAG_TILELENGTH, 0);
    page.block_width = field<std::uint32_t>(t, TIFFTAG_TILEWIDTH, 0);
  } else {
    page.block_height = std::min<std::int64_t>(page.height, field<std::uint32_t>(t, TIFFTAG_ROWSPERSTRIP, 0xFFFFFFFFU));
    page.block_width = page.width;
  }
  if (page.block_height < 1 || page.block_width < 1) refuse(at, "strips or tiles of no size");
  const auto down = static_cast<std::uint64_t>((page.height + page.block_height - 1) / page.block_height);
  const auto across = static_cast<std::uint64_t>((page.width + page.block_width - 1) / page.block_width);
  const auto count = page.tiled ? TIFFNumberOfTiles(t) : TIFFNumberOfStrips(t);
  if (count < down * across) refuse(at, "{} strips or tiles are listed, {} are needed", count, down * across);
  for (std::uint32_t i = 0; i < count; ++i) {
    page.offsets.push_back(TIFFGetStrileOffset(t, i));
    page.byte_counts.push_back(TIFFGetStrileByteCount(t, i));
    if (page.byte_counts.back() == 0) refuse(at, "strip or tile {} of {} holds no bytes", i + 1, count);
    if (page.offsets.back() > at.file_bytes || page.byte_counts.back() > at.file_bytes - page.offsets.back())
      refuse(at,
             "unreadable: its strip or tile {} of {} lies at bytes {} to {}, but the file ends at byte {} (truncated?)",
             i + 1, count, page.offsets.back(), page.offsets.back() + page.byte_counts.back(), at.file_bytes);
  }
}

/// Declared sizes against stored bytes, before anything is allocated.
void check_sizes(TIFF* t, const Place& at, const TiffPage& page, std::uint16_t compression) {
  const tmsize_t block = page.tiled ? TIFFTileSize(t) : TIFFStripSize(t);
  if (block <= 0 || block > most_at_once)
    refuse(at, "a strip or tile of {} x {} is too large to read", page.block_height, page.block_width);
  const std::uint64_t ratio = largest_ratio(compression);
  if (ratio == 0) return;
  // The last strip may be shorter than the others.
  const std::uint64_t rows_of_last =
      static_cast<std::uint64_t>(page.height - (page.height - 1) / page.block_height * page.block_height);
  for (std::size_t i = 0; i < page.byte_counts.size(); ++i) {
    std::uint64_t needed = static_cast<std::uint64_t>(block);
    if (!page.tiled && i + 1 == page.byte_counts.size())
      needed = needed / static_cast<std::uint64_t>(page.block_height) * rows_of_last;
    if (page.byte_counts[i] < needed / ratio)
      refuse(at, "strip or tile {} should hold {} bytes, but {} are stored", i + 1, needed, page.byte_counts[i]);
  }
}

TiffPage read_page(TIFF* t, const Place& at) {
  TiffPage page;
  page.height = field<std::uint32_t>(t, TIFFTAG_IMAGELENGTH, 0);
  page.width = field<std::uint32_t>(t, TIFFTAG_IMAGEWIDTH, 0);
  if (page.height < 1 || page.width < 1) refuse(at, "has no width or height");
  const unsigned bits = field<std::uint16_t>(t, TIFFTAG_BITSPERSAMPLE, 1);
  const unsigned format = field<std::uint16_t>(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  const auto compression = field<std::uint16_t>(t, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  page.bits = bits == 1;
  check_colour(t, at, page);
  check_depth(t, at);
  page.type =
      page.bits ? ValueType::uint8 : value_type(at, bits, format == SAMPLEFORMAT_VOID ? SAMPLEFORMAT_UINT : format);
  check_compression(at, compression, page.bits);
  page.directory = TIFFCurrentDirOffset(t);
  read_blocks(t, at, page);
  check_sizes(t, at, page, compression);
  const auto fill_order = field<std::uint16_t>(t, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
  page.raw = compression == COMPRESSION_NONE && !page.tiled && !page.bits && fill_order == FILLORDER_MSB2LSB;
  return page;
}

/// A palette is a matter of display where its program keeps values there (ImageJ), or where it is a grey ramp;
/// elsewhere the index is no grey value.
void check_palette(TIFF* t, const Place& at, const std::string& description) {
  std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  if (description.starts_with("ImageJ=") || TIFFGetField(t, TIFFTAG_COLORMAP, &red, &green, &blue) != 1) return;
  const unsigned bits = field<std::uint16_t>(t, TIFFTAG_BITSPERSAMPLE, 8);
  for (std::size_t i = 0; i < (std::size_t{1} << std::min(bits, 16U)); ++i)
    if (red[i] != green[i] || green[i] != blue[i] || (i > 0 && red[i] < red[i - 1]))
      refuse(at, "a colour palette: its numbers are not grey values; save as grey values");
}

/// "images=8" of ImageJ tells how many pages there should be.
std::string pages_expected(const std::string& description) {
  const auto at = description.find("images=");
  if (!description.starts_with("ImageJ=") || at == std::string::npos) return {};
  const auto end = description.find_first_not_of("0123456789", at + 7);
  return " of " + description.substr(at + 7, end == std::string::npos ? end : end - at - 7);
}

constexpr std::uint32_t subfile_skipped = FILETYPE_REDUCEDIMAGE | FILETYPE_MASK;

}  // namespace

TiffHandle::TiffHandle(const std::filesystem::path& path) : message_(std::make_unique<std::string>()) {
  const InputFile probe(path);  // says why, where the file cannot be opened
  std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                           &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, message_.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_message, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), most_at_once);
  tiff_.reset(
      TIFFOpenExt(path.c_str(), "rmc",
                  options.get()));  // m: no memory map, a file that shrinks must not kill us; c: strips as they are
  if (!tiff_)
    fail(Exit::data, "{}: not a readable TIFF: {} (the file has {} bytes)", path.string(), take_message(),
         probe.size());
}

std::string TiffHandle::take_message() {
  std::string text = std::move(*message_);
  message_->clear();
  return text.empty() ? "no further message" : text;
}

TiffPages tiff_pages(const std::filesystem::path& path) {
  TiffHandle handle(path);
  TIFF* t = handle.get();
  TiffPages file;
  file.description = text_field(t, TIFFTAG_IMAGEDESCRIPTION);
  file.software = text_field(t, TIFFTAG_SOFTWARE);
  file.x_resolution = static_cast<double>(field<float>(t, TIFFTAG_XRESOLUTION, 0));
  file.y_resolution = static_cast<double>(field<float>(t, TIFFTAG_YRESOLUTION, 0));
  file.resolution_unit = field<std::uint16_t>(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
  file.big_endian = TIFFIsBigEndian(t) != 0;
  Place at{path, 1, pages_expected(file.description), InputFile(path).size()};
  while (true) {
    if ((field<std::uint32_t>(t, TIFFTAG_SUBFILETYPE, 0) & subfile_skipped) != 0) {
      ++file.left_out;
    } else {
      file.pages.push_back(read_page(t, at));
      if (file.pages.back().palette) check_palette(t, at, file.description);
    }
    if (TIFFLastDirectory(t) != 0) break;
    ++at.page;
    if (TIFFReadDirectory(t) != 1)
      refuse(at, "unreadable: {}; the file ends at byte {} (truncated?)", handle.take_message(), at.file_bytes);
  }
  if (file.pages.empty()) fail(Exit::data, "{}: holds reduced copies only, no full image", path.string());
  return file;
}

}  // namespace cathoscope::readers
