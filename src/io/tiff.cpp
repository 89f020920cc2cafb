/// TIFF stacks: one page or many, one file or many.

#include "block_cache.hpp"
#include "input_file.hpp"
#include "readers.hpp"
#include "tiff_page.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cstring>

namespace cathoscope::readers {

namespace {

struct Slice {
  std::size_t file = 0;
  std::size_t page_number = 0;  ///< from 1, for messages
  TiffPage page;
};

/// Handles that are not in use, for the next thread that needs one. libtiff handles are not thread-safe themselves.
class HandlePool {
 public:
  struct Entry {
    std::size_t file;
    TiffHandle handle;
  };

  Entry take(std::size_t file, const std::filesystem::path& path) {
    {
      const std::scoped_lock lock(mutex_);
      const auto found = std::find_if(idle_.begin(), idle_.end(), [&](const Entry& e) { return e.file == file; });
      if (found != idle_.end()) {
        Entry entry = std::move(*found);
        idle_.erase(found);
        return entry;
      }
    }
    return {file, TiffHandle(path)};
  }
  void give_back(Entry entry) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(entry));
    if (idle_.size() > most_idle) idle_.pop_front();
  }

 private:
  static constexpr std::size_t most_idle = 16;
  std::mutex mutex_;
  std::list<Entry> idle_;
};

/// Everything that reading compressed or tiled pages needs.
struct Decoder {
  Paths files;
  std::vector<Slice> slices;
  HandlePool pool;
  BlockCache cache;

  std::vector<char> decode(const Slice& slice, std::uint32_t block) {
    auto entry = pool.take(slice.file, files[slice.file]);
    TIFF* t = entry.handle.get();
    const auto refuse = [&] {
      fail(Exit::data, "{}: page {}: strip or tile {} at byte {} is damaged: {}", files[slice.file].string(),
           slice.page_number, block + 1, slice.page.offsets[block], entry.handle.take_message());
    };
    if (TIFFCurrentDirOffset(t) != slice.page.directory && TIFFSetSubDirectory(t, slice.page.directory) != 1) refuse();
    std::vector<char> bytes(static_cast<std::size_t>(slice.page.tiled ? TIFFTileSize(t) : TIFFStripSize(t)));
    const auto wanted = slice.page.tiled ? static_cast<tmsize_t>(bytes.size()) : strip_bytes(t, slice.page, block);
    const tmsize_t got = slice.page.tiled ? TIFFReadEncodedTile(t, block, bytes.data(), wanted)
                                          : TIFFReadEncodedStrip(t, block, bytes.data(), wanted);
    if (got != wanted) refuse();
    pool.give_back(std::move(entry));
    return slice.page.bits ? unpacked(bytes, slice.page) : bytes;
  }

 private:
  static tmsize_t strip_bytes(TIFF* t, const TiffPage& page, std::uint32_t block) {
    const std::int64_t rows = std::min(page.block_height, page.height - block * page.block_height);
    return static_cast<tmsize_t>(rows) * TIFFScanlineSize(t);
  }

  /// One bit a voxel to one byte a voxel; rows start at whole bytes.
  static std::vector<char> unpacked(const std::vector<char>& bytes, const TiffPage& page) {
    const auto width = static_cast<std::size_t>(page.block_width);
    const std::size_t row_bytes = (width + 7) / 8;
    std::vector<char> values(width * static_cast<std::size_t>(page.block_height));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t y = i / width, x = i % width;
      const auto byte = static_cast<unsigned char>(bytes[y * row_bytes + x / 8]);
      values[i] = static_cast<char>(byte >> (7 - x % 8) & 1);
    }
    return values;
  }
};

/// The part of a decoded strip or tile that lies in the box.
void copy_block(const std::vector<char>& bytes, const TiffPage& page, std::int64_t by, std::int64_t bx, const Box& box,
                char* plane_out) {
  const std::size_t size = size_of(page.type);
  const std::int64_t y0 = std::max(box.begin[1], by), y1 = std::min({box.end[1], by + page.block_height, page.height});
  const std::int64_t x0 = std::max(box.begin[2], bx), x1 = std::min({box.end[2], bx + page.block_width, page.width});
  const std::int64_t out_width = box.end[2] - box.begin[2];
  for (std::int64_t y = y0; y < y1; ++y)
    std::memcpy(plane_out + static_cast<std::size_t>((y - box.begin[1]) * out_width + x0 - box.begin[2]) * size,
                bytes.data() + static_cast<std::size_t>((y - by) * page.block_width + x0 - bx) * size,
                static_cast<std::size_t>(x1 - x0) * size);
}

void read_decoded(Decoder& decoder, std::int64_t z, const Box& box, char* out) {
  const Slice& slice = decoder.slices[static_cast<std::size_t>(z)];
  const TiffPage& page = slice.page;
  const std::int64_t across = (page.width + page.block_width - 1) / page.block_width;
  for (std::int64_t row = box.begin[1] / page.block_height; row * page.block_height < box.end[1]; ++row)
    for (std::int64_t column = box.begin[2] / page.block_width; column * page.block_width < box.end[2]; ++column) {
      const auto block = static_cast<std::uint32_t>(row * across + column);
      const auto bytes = decoder.cache.get({z, block}, [&] { return decoder.decode(slice, block); });
      copy_block(*bytes, page, row * page.block_height, column * page.block_width, box, out);
    }
}

/// Strips that follow one another become one run.
std::vector<RowRun> runs_of(const TiffPage& page) {
  std::vector<RowRun> runs;
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(page.width) * size_of(page.type);
  std::uint64_t expected = 0;
  for (std::size_t i = 0; static_cast<std::int64_t>(i) * page.block_height < page.height; ++i) {
    if (i == 0 || page.offsets[i] != expected)
      runs.push_back({static_cast<std::int64_t>(i) * page.block_height, page.offsets[i]});
    expected = page.offsets[i] + static_cast<std::uint64_t>(page.block_height) * row_bytes;
  }
  return runs;
}

std::string page_name(const Paths& files, const Slice& slice) {
  return fmt::format("{} page {}", files[slice.file].string(), slice.page_number);
}

std::string page_text(const TiffPage& page) {
  return fmt::format("{} x {} {}", page.height, page.width, page.bits ? "1-bit" : name_of(page.type));
}

void require_equal_pages(const Paths& files, const std::vector<Slice>& slices) {
  const Slice& first = slices.front();
  for (const Slice& s : slices)
    if (s.page.height != first.page.height || s.page.width != first.page.width || s.page.type != first.page.type)
      fail(Exit::data, "{} is {}, but {} is {}; all slices must be alike", page_name(files, s), page_text(s.page),
           page_name(files, first), page_text(first.page));
}

/// One directory, then all planes one after another (ImageJ above 4 GB, tifffile).
RawPlanes contiguous_layout(const Paths& files, const TiffPages& file, std::int64_t planes) {
  const TiffPage& page = file.pages.front();
  if (!page.raw)
    fail(Exit::data, "{}: should hold {} slices, but has one page and it is compressed or tiled",
         files.front().string(), planes);
  const Index3 shape{planes, page.height, page.width};
  const std::uint64_t bytes = checked_bytes(files.front(), shape, size_of(page.type));
  const std::uint64_t file_bytes = InputFile(files.front()).size();
  if (page.offsets.front() > file_bytes || bytes > file_bytes - page.offsets.front())
    fail(Exit::data,
         "{}: should hold {} slices behind one directory, {} bytes from byte {} on, but the file ends at byte {} "
         "(truncated?)",
         files.front().string(), planes, bytes, page.offsets.front(), file_bytes);
  return contiguous_planes(files.front(), page.offsets.front(), shape, page.type, file.big_endian);
}

std::function<void(const Box&, void*)> read_pages(const Paths& files, std::vector<Slice> slices, const Index3& shape,
                                                  bool all_raw, bool big_endian) {
  const ValueType type = slices.front().page.type;
  if (all_raw) {
    RawPlanes layout{std::make_shared<FileSet>(files), {}, shape, type, big_endian};
    for (const Slice& s : slices) layout.planes.push_back({s.file, runs_of(s.page)});
    return read_function(std::move(layout));
  }
  auto decoder = std::make_shared<Decoder>();
  decoder->files = files;
  decoder->slices = std::move(slices);
  return [decoder, type](const Box& box, void* out) {
    const auto plane_bytes =
        static_cast<std::size_t>((box.end[1] - box.begin[1]) * (box.end[2] - box.begin[2])) * size_of(type);
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      read_decoded(*decoder, z, box,
                   static_cast<char*>(out) + static_cast<std::size_t>(z - box.begin[0]) * plane_bytes);
  };
}

void add_notes(VolumeFile& v, const TiffMetadata& m, const std::vector<Slice>& slices, std::size_t left_out) {
  v.notes = m.notes;
  if (left_out > 0) v.notes.push_back(fmt::format("{} reduced copies or masks in the file were left out", left_out));
  if (slices.front().page.white_is_zero) v.notes.emplace_back("the file displays 0 as white; values are as stored");
  if (slices.front().page.palette) v.notes.emplace_back("values are indices into the file's colour table, as stored");
  if (slices.front().page.bits) v.notes.emplace_back("one bit a voxel, read as 0 and 1");
  if (m.planes && !m.contiguous && v.files.size() == 1 && *m.planes != v.shape[0])
    v.notes.push_back(fmt::format("the text in the file speaks of {} slices, but it holds {}", *m.planes, v.shape[0]));
}

}  // namespace

VolumeFile open_tiff(const Paths& files) {
  std::vector<Slice> slices;
  TiffPages first;
  bool all_raw = true;
  std::size_t left_out = 0;
  for (std::size_t f = 0; f < files.size(); ++f) {
    TiffPages file = tiff_pages(files[f]);
    if (f == 0) first = file;
    all_raw = all_raw && file.big_endian == first.big_endian;
    left_out += file.left_out;
    for (std::size_t p = 0; p < file.pages.size(); ++p) {
      all_raw = all_raw && file.pages[p].raw;
      slices.push_back({f, p + 1, std::move(file.pages[p])});
    }
    require_equal_pages(files, {slices.front(), slices.back()});
  }
  require_equal_pages(files, slices);
  auto planes = static_cast<std::int64_t>(slices.size());
  const TiffMetadata m = tiff_metadata(first, files.front(), planes);
  VolumeFile v;
  v.type = slices.front().page.type;
  v.files = files;
  if (m.contiguous && files.size() == 1) {
    planes = *m.planes;
    v.read = read_function(contiguous_layout(files, first, planes));
  }
  v.shape = {planes, slices.front().page.height, slices.front().page.width};
  checked_bytes(files.front(), v.shape, size_of(v.type));
  v.two_dimensional = planes == 1;
  v.format = files.size() > 1 ? "TIFF slices" : planes > 1 ? "TIFF stack" : "TIFF image";
  v.voxel_size_um = m.voxel_size_um;
  v.voxel_size_from = m.voxel_size_from;
  v.synthetic = m.synthetic;
  add_notes(v, m, slices, left_out);
  if (!v.read) v.read = read_pages(files, std::move(slices), v.shape, all_raw, first.big_endian);
  return v;
}

}  // namespace cathoscope::readers
