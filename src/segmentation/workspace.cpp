#include <cathoscope/segmentation/workspace.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include <blosc.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <numeric>
#include <vector>

namespace cathoscope {

namespace {

constexpr std::int64_t pencil_edge = 64;
constexpr std::int64_t tile_depth = 32;
constexpr std::int64_t tile_edge = 16;      // a box reads whole tiles: small ones waste little at its rim
constexpr std::int64_t flat_edge = 64;      // of grids of few planes
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

namespace {

constexpr const char* scratch_prefix = ".segmentation-scratch-";

/// Of a run that was killed between the making of a named file and its unlinking. Whoever still has one open keeps it.
void remove_scratch_left_behind(const std::filesystem::path& folder) {
  std::error_code none;
  for (std::filesystem::directory_iterator entry(folder, none), end; !none && entry != end; entry.increment(none))
    if (entry->path().filename().string().starts_with(scratch_prefix)) unlink(entry->path().c_str());
}

/// A descriptor, or -1 and errno. Some file systems of networks make no files without a name: there it is unlinked.
int open_nameless(const std::filesystem::path& folder) {
  const int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  std::string name = (folder / scratch_prefix).string() + "XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

/// A file without a name: the system frees it when the last grid on it goes, however the process ends.
class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& folder) : folder_(folder) {
    remove_scratch_left_behind(folder);
    fd_ = open_nameless(folder);
    if (fd_ < 0)
      fail(Exit::cannot_create, "{}: no scratch file can be made: {}", folder.string(), std::strerror(errno));
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { close(fd_); }

  void read(std::uint64_t offset, char* to, std::size_t bytes) const {
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

  void write(std::uint64_t offset, const char* from, std::size_t bytes) const {
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

 private:
  int fd_ = -1;
  std::filesystem::path folder_;
};

/// Where a tile lies in the file. One of a single value is not there: `offset` holds the value's bits.
struct Place {
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;  ///< as many as the tile has: not compressed
  std::uint32_t room = 0;
};

}  // namespace

/// Tiles one after the other as they come; written again, one stays where it is as long as it fits there.
template <class T>
class ScratchTiles {
 public:
  ScratchTiles(const std::filesystem::path& folder, std::int64_t tiles, std::int64_t values)
      : file_(folder), places_(static_cast<std::size_t>(tiles)), values_(static_cast<std::size_t>(values)) {}

  [[nodiscard]] std::size_t values() const { return values_; }

  void read(std::size_t tile, T* out) {
    const std::scoped_lock lock(lock_of(tile));
    unpack(places_[tile], out);
  }

  void write(std::size_t tile, const T* values) {
    if (is_constant(values)) {
      const std::scoped_lock lock(lock_of(tile));
      places_[tile] = constant(values[0]);
      return;
    }
    const std::vector<char> packed = pack(values);
    const std::scoped_lock lock(lock_of(tile));
    put(places_[tile], packed);
  }

  /// Calls change(values of the tile) with no other thread in it: the rest of the tile may be another's.
  template <class F>
  void update(std::size_t tile, const F& change) {
    std::vector<T> values(values_);
    const std::scoped_lock lock(lock_of(tile));
    unpack(places_[tile], values.data());
    change(values.data());
    if (is_constant(values.data()))
      places_[tile] = constant(values[0]);
    else
      put(places_[tile], pack(values.data()));
  }

 private:
  std::mutex& lock_of(std::size_t tile) { return locks_[tile % locks_.size()]; }

  [[nodiscard]] bool is_constant(const T* values) const {
    return std::memcmp(values, values + 1, (values_ - 1) * sizeof(T)) == 0;
  }

  static Place constant(T value) {
    Place place;
    std::memcpy(&place.offset, &value, sizeof(T));
    return place;
  }

  [[nodiscard]] std::vector<char> pack(const T* values) const {
    const std::size_t bytes = values_ * sizeof(T);
    std::vector<char> packed(bytes);
    const int n = blosc_compress_ctx(1, sizeof(T) > 1 ? BLOSC_SHUFFLE : BLOSC_NOSHUFFLE, sizeof(T), bytes, values,
                                     packed.data(), bytes - 1, "lz4", 0, 1);
    if (n > 0)
      packed.resize(static_cast<std::size_t>(n));
    else
      std::memcpy(packed.data(), values, bytes);
    return packed;
  }

  void put(Place& place, const std::vector<char>& packed) {
    const auto bytes = static_cast<std::uint32_t>(packed.size());
    if (place.bytes == 0 || bytes > place.room) {
      const std::uint32_t room = place.bytes == 0 ? bytes : bytes + bytes / 4;  // what has grown may grow on
      place = {end_.fetch_add(room), 0, room};
    }
    file_.write(place.offset, packed.data(), packed.size());
    place.bytes = bytes;
  }

  void unpack(const Place& place, T* out) const {
    const std::size_t bytes = values_ * sizeof(T);
    if (place.bytes == 0) {
      T value{};
      std::memcpy(&value, &place.offset, sizeof(T));
      std::fill_n(out, values_, value);
    } else if (place.bytes == bytes) {
      file_.read(place.offset, reinterpret_cast<char*>(out), bytes);
    } else {
      std::vector<char> packed(place.bytes);
      file_.read(place.offset, packed.data(), packed.size());
      if (blosc_decompress_ctx(packed.data(), out, bytes, 1) != static_cast<int>(bytes))
        fail(Exit::write_error, "a scratch file does not hold what was written to it: is its disk sound?");
    }
  }

  ScratchFile file_;
  std::atomic<std::uint64_t> end_{0};
  std::vector<Place> places_;
  std::size_t values_;
  std::array<std::mutex, 256> locks_;
};

template <class T>
ScratchGrid<T>::ScratchGrid(const Workspace& w) : shape_(w.shape) {
  const std::int64_t across = shape_[0] < tile_edge ? flat_edge : tile_edge;
  const Index3 largest{tile_depth, across, across};
  for (std::size_t i = 0; i < 3; ++i) {
    tile_[i] = std::clamp<std::int64_t>(shape_[i], 1, largest[i]);
    tiles_[i] = (shape_[i] + tile_[i] - 1) / tile_[i];
  }
  stored_ = std::make_shared<ScratchTiles<T>>(w.folder, volume_of(tiles_), volume_of(tile_));
}

template <class T>
std::size_t ScratchGrid<T>::tile_number(const Index3& tile) const {
  return static_cast<std::size_t>((tile[0] * tiles_[1] + tile[1]) * tiles_[2] + tile[2]);
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
  std::vector<T> values(stored_->values());
  for_each_tile(box, tile_, [&](const Index3& tile, const Box& part) {
    stored_->read(tile_number(tile), values.data());
    for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
      for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y)
        copy_row(values.data() + position_in_tile(z, y, part.begin[2]), part.shape()[2],
                 out + position_in(box, z, y, part.begin[2]));
  });
}

template <class T>
void ScratchGrid<T>::write(const Box& box, const T* values) const {
  if (box.empty()) return;
  std::vector<T> whole_tile(stored_->values());
  for_each_tile(box, tile_, [&](const Index3& tile, const Box& part) {
    const auto copy_part = [&](T* to) {
      for (std::int64_t z = part.begin[0]; z < part.end[0]; ++z)
        for (std::int64_t y = part.begin[1]; y < part.end[1]; ++y)
          copy_row(values + position_in(box, z, y, part.begin[2]), part.shape()[2],
                   to + position_in_tile(z, y, part.begin[2]));
    };
    if (part.shape() != tile_) return stored_->update(tile_number(tile), copy_part);
    copy_part(whole_tile.data());
    stored_->write(tile_number(tile), whole_tile.data());
  });
}

template <class T>
std::int64_t ScratchGrid<T>::position_in_tile(std::int64_t z, std::int64_t y, std::int64_t x) const {
  return ((z % tile_[0]) * tile_[1] + y % tile_[1]) * tile_[2] + x % tile_[2];
}

template <class T>
std::vector<T> ScratchGrid<T>::at(std::uint32_t count, const std::function<std::int64_t(std::uint32_t)>& voxel,
                                  const Progress& progress) const {
  const auto place = [&](std::uint32_t k) {
    const std::int64_t i = voxel(k);
    return Index3{i / (shape_[1] * shape_[2]), i / shape_[2] % shape_[1], i % shape_[2]};
  };
  const auto tile_of = [&](std::uint32_t k) {
    const Index3 v = place(k);
    return tile_number({v[0] / tile_[0], v[1] / tile_[1], v[2] / tile_[2]});
  };
  std::vector<std::uint32_t> next(static_cast<std::size_t>(volume_of(tiles_)) + 1, 0);
  for (std::uint32_t k = 0; k < count; ++k) ++next[tile_of(k) + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<std::uint32_t> order(count);  // those of a tile together, so that each is read once
  for (std::uint32_t k = 0; k < count; ++k) order[next[tile_of(k)]++] = k;
  std::vector<T> result(count), values(stored_->values());
  std::uint32_t k = 0;
  for (std::size_t tile = 0; k < count; ++tile) {
    if (k == next[tile]) continue;
    progress.check_stop();
    stored_->read(tile, values.data());
    for (; k < next[tile]; ++k) {
      const Index3 v = place(order[k]);
      result[order[k]] = values[static_cast<std::size_t>(position_in_tile(v[0], v[1], v[2]))];
    }
  }
  return result;
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
