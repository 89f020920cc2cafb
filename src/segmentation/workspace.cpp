#include <cathoscope/segmentation/workspace.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace cathoscope {

namespace {

constexpr std::int64_t pencil_edge = 64;
constexpr std::int64_t tile_depth = 64;  // along z a part of a tile is one piece of the file
constexpr std::int64_t tile_edge = 16;   // along y and x a box reads whole tiles: narrow ones waste little at its rim
constexpr std::int64_t flat_edge = 64;   // of grids of few planes
constexpr std::int64_t widest_margin = 14;  // of the passes that look beyond their block
constexpr std::int64_t bytes_a_voxel = 40;  // of the pass that holds most

void run_boxes(const Workspace& w, const std::string& task, const std::vector<Box>& boxes,
               const std::function<void(const Box&)>& f) {
  w.context->progress.begin(task, static_cast<std::uint64_t>(volume_of(w.shape)));
  parallel_for(static_cast<std::int64_t>(boxes.size()), w.context->threads, [&](std::int64_t i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    f(box);
    w.context->progress.advance(static_cast<std::uint64_t>(box.size()));
  });
}

}  // namespace

Index3 block_for(const Index3& shape, const Context& context) {
  if (shape[0] == 1) return {1, 1024, 1024};
  const auto bytes = [](std::int64_t edge) {
    const std::int64_t wide = edge + 2 * widest_margin;
    return static_cast<std::uint64_t>(wide * wide * wide * bytes_a_voxel);
  };
  const std::uint64_t each = context.memory_bytes / static_cast<std::uint64_t>(std::max(1, context.threads));
  const std::int64_t edge = bytes(128) <= each ? 128 : 64;
  return {edge, edge, edge};
}

void for_each_block(const Workspace& w, const std::string& task, const std::function<void(const Box&)>& f) {
  run_boxes(w, task, blocks(w.shape, w.block), f);
}

void for_each_pencil(const Workspace& w, int axis, const std::string& task, const std::function<void(const Box&)>& f) {
  Index3 pencil{pencil_edge, pencil_edge, pencil_edge};
  pencil[static_cast<std::size_t>(axis)] = std::max<std::int64_t>(1, w.shape[static_cast<std::size_t>(axis)]);
  run_boxes(w, task, blocks(w.shape, pencil), f);
}

ScratchFile::ScratchFile(const std::filesystem::path& folder, std::uint64_t bytes) : folder_(folder) {
  std::string name = (folder / ".segmentation-scratch-XXXXXX").string();
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) fail(Exit::cannot_create, "{}: no scratch file can be made: {}", folder.string(), std::strerror(errno));
  unlink(name.c_str());
  if (ftruncate(fd_, static_cast<off_t>(bytes)) != 0) {
    const int reason = errno;
    close(fd_);
    fail(Exit::write_error, "{}: no scratch file of {} bytes: {}", folder.string(), bytes, std::strerror(reason));
  }
}

ScratchFile::~ScratchFile() { close(fd_); }

void ScratchFile::read(std::uint64_t offset, void* out, std::size_t bytes) const {
  auto* to = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t n = pread(fd_, to, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      fail(Exit::write_error, "{}: the scratch file cannot be read back: {}", folder_.string(), std::strerror(errno));
    to += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
}

void ScratchFile::write(std::uint64_t offset, const void* data, std::size_t bytes) const {
  const auto* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = pwrite(fd_, from, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      fail(Exit::write_error, "{}: {} bytes cannot be written to a scratch file: {}; make room on that disk",
           folder_.string(), bytes, std::strerror(errno));
    from += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
}

template <class T>
ScratchGrid<T>::ScratchGrid(const Workspace& w) : shape_(w.shape) {
  const std::int64_t across = shape_[0] < tile_edge ? flat_edge : tile_edge;
  const Index3 largest{tile_depth, across, across};
  for (std::size_t i = 0; i < 3; ++i) {
    tile_[i] = std::clamp<std::int64_t>(shape_[i], 1, largest[i]);
    tiles_[i] = (shape_[i] + tile_[i] - 1) / tile_[i];
  }
  const std::int64_t values = volume_of(tiles_) * volume_of(tile_);
  file_ = std::make_shared<ScratchFile>(w.folder, static_cast<std::uint64_t>(values) * sizeof(T));
}

template <class T>
std::uint64_t ScratchGrid<T>::tile_offset(const Index3& tile) const {
  return static_cast<std::uint64_t>(((tile[0] * tiles_[1] + tile[1]) * tiles_[2] + tile[2]) * volume_of(tile_)) *
         sizeof(T);
}

namespace {

/// Calls f(tile, part): the tiles that `box` meets and the part of the box in each.
template <class F>
void for_each_tile(const Box& box, const Index3& tile, const F& f) {
  Index3 t;
  for (t[0] = box.begin[0] / tile[0]; t[0] * tile[0] < box.end[0]; ++t[0])
    for (t[1] = box.begin[1] / tile[1]; t[1] * tile[1] < box.end[1]; ++t[1])
      for (t[2] = box.begin[2] / tile[2]; t[2] * tile[2] < box.end[2]; ++t[2]) {
        const Index3 low{t[0] * tile[0], t[1] * tile[1], t[2] * tile[2]};
        f(t, intersect(box, Box{low, {low[0] + tile[0], low[1] + tile[1], low[2] + tile[2]}}));
      }
}

/// Most rows are as long as a tile is wide: a length known to the compiler.
template <class T>
void copy_row(const T* from, std::int64_t n, T* to) {
  if (n == tile_edge)
    std::copy_n(from, tile_edge, to);
  else
    std::copy_n(from, n, to);
}

std::int64_t position_in(const Box& box, std::int64_t z, std::int64_t y, std::int64_t x) {
  const auto n = box.shape();
  return ((z - box.begin[0]) * n[1] + (y - box.begin[1])) * n[2] + (x - box.begin[2]);
}

}  // namespace

template <class T>
void ScratchGrid<T>::read(const Box& box, T* out) const {
  if (box.empty()) return;
  const std::int64_t plane = tile_[1] * tile_[2];
  std::vector<T> planes(static_cast<std::size_t>(volume_of(tile_)));
  for_each_tile(box, tile_, [&](const Index3& tile, const Box& part) {
    const std::int64_t first = part.begin[0] - tile[0] * tile_[0];
    file_->read(tile_offset(tile) + static_cast<std::uint64_t>(first * plane) * sizeof(T), planes.data(),
                static_cast<std::size_t>(part.shape()[0] * plane) * sizeof(T));
    for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
      for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y) {
        const T* row = planes.data() + (z - part.begin[0]) * plane + (y - tile[1] * tile_[1]) * tile_[2];
        copy_row(row + part.begin[2] - tile[2] * tile_[2], part.shape()[2],
                 out + position_in(box, z, y, part.begin[2]));
      }
  });
}

template <class T>
void ScratchGrid<T>::write(const Box& box, const T* values) const {
  if (box.empty()) return;
  const std::int64_t plane = tile_[1] * tile_[2];
  std::vector<T> planes(static_cast<std::size_t>(volume_of(tile_)));
  for_each_tile(box, tile_, [&](const Index3& tile, const Box& part) {
    const Index3 low{tile[0] * tile_[0], tile[1] * tile_[1], tile[2] * tile_[2]};
    Box all = intersect({low, {low[0] + tile_[0], low[1] + tile_[1], low[2] + tile_[2]}}, whole(shape_));
    all.begin[0] = part.begin[0];  // whole planes of a tile are one piece
    all.end[0] = part.end[0];
    if (!(part == all)) return write_part(box, values, part, tile_offset(tile));
    for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
      for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y)
        copy_row(values + position_in(box, z, y, part.begin[2]), part.shape()[2],
                 planes.data() + (z - part.begin[0]) * plane + (y - low[1]) * tile_[2]);
    file_->write(tile_offset(tile) + static_cast<std::uint64_t>((part.begin[0] - low[0]) * plane) * sizeof(T),
                 planes.data(), static_cast<std::size_t>(part.shape()[0] * plane) * sizeof(T));
  });
}

/// Row by row, for boxes that do not cover their tile: the rest of the tile may be another thread's.
template <class T>
void ScratchGrid<T>::write_part(const Box& box, const T* values, const Box& part, std::uint64_t offset) const {
  for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
    for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y) {
      const std::int64_t at = ((z % tile_[0]) * tile_[1] + y % tile_[1]) * tile_[2] + part.begin[2] % tile_[2];
      file_->write(offset + static_cast<std::uint64_t>(at) * sizeof(T), values + position_in(box, z, y, part.begin[2]),
                   static_cast<std::size_t>(part.shape()[2]) * sizeof(T));
    }
}

template <class T>
T ScratchGrid<T>::at(std::int64_t i) const {
  const Index3 v{i / (shape_[1] * shape_[2]), i / shape_[2] % shape_[1], i % shape_[2]};
  const Index3 tile{v[0] / tile_[0], v[1] / tile_[1], v[2] / tile_[2]};
  const std::int64_t in = ((v[0] % tile_[0]) * tile_[1] + v[1] % tile_[1]) * tile_[2] + v[2] % tile_[2];
  T value{};
  file_->read(tile_offset(tile) + static_cast<std::uint64_t>(in) * sizeof(T), &value, sizeof(T));
  return value;
}

template <class T>
Array3<T> ScratchGrid<T>::padded(const Box& box, T outside) const {
  GridSource<T> source;
  source.shape = shape_;
  source.read = [this](const Box& b, T* out) { read(b, out); };
  return cathoscope::padded(source, box, outside);
}

template class ScratchGrid<std::uint8_t>;
template class ScratchGrid<std::uint16_t>;
template class ScratchGrid<std::uint32_t>;
template class ScratchGrid<float>;

}  // namespace cathoscope
