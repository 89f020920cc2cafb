#include "input_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace cathoscope::readers {

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) fail(Exit::no_input, "{}: {}", path_.string(), std::strerror(errno));
  if (!S_ISREG(info.st_mode)) fail(Exit::data, "{}: is not a regular file", path_.string());
  size_ = static_cast<std::uint64_t>(info.st_size);
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) fail(Exit::no_input, "{}: cannot be opened: {}", path_.string(), std::strerror(errno));
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read(std::uint64_t offset, std::size_t bytes, void* out) const {
  auto* target = static_cast<char*>(out);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pread(fd_, target + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      fail(Exit::data, "{}: cannot be read at byte {}: {}", path_.string(), offset + done, std::strerror(errno));
    if (n == 0)
      fail(Exit::data, "{}: ends at byte {}, but {} bytes are needed from byte {} on", path_.string(), offset + done,
           bytes, offset);
    done += static_cast<std::size_t>(n);
  }
}

std::string InputFile::head(std::size_t bytes) const {
  std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_)), '\0');
  read(0, text.size(), text.data());
  return text;
}

std::shared_ptr<const InputFile> FileSet::open(std::size_t index) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& entry) { return entry.first == index; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return open_.front().second;
  }
  open_.emplace_front(index, std::make_shared<const InputFile>(paths_[index]));
  if (open_.size() > most_open) open_.pop_back();
  return open_.front().second;
}

namespace {

/// Part of one plane of a box: rows [y0, y1), columns [x0, x1) into `out`.
void read_plane(const RawPlanes& layout, std::int64_t z, const Box& box, char* out) {
  const Plane& plane = layout.planes[static_cast<std::size_t>(z)];
  const auto file = layout.files->open(plane.file);
  const std::size_t size = size_of(layout.type);
  const auto row_bytes = static_cast<std::uint64_t>(layout.shape[2]) * size;
  const auto part_bytes = static_cast<std::size_t>(box.end[2] - box.begin[2]) * size;
  const bool whole_rows = part_bytes == row_bytes;
  auto run = std::prev(std::upper_bound(plane.runs.begin(), plane.runs.end(), box.begin[1],
                                        [](std::int64_t row, const RowRun& r) { return row < r.first_row; }));
  std::int64_t y = box.begin[1];
  while (y < box.end[1]) {
    const auto next = std::next(run);
    const std::int64_t run_end = next == plane.runs.end() ? box.end[1] : std::min(box.end[1], next->first_row);
    const std::int64_t rows = whole_rows ? run_end - y : 1;
    const std::uint64_t offset = run->offset + static_cast<std::uint64_t>(y - run->first_row) * row_bytes +
                                 static_cast<std::uint64_t>(box.begin[2]) * size;
    const std::size_t bytes = part_bytes * static_cast<std::size_t>(rows);
    file->read(offset, bytes, out);
    out += bytes;
    y += rows;
    if (y == run_end) run = next;
  }
}

}  // namespace

std::function<void(const Box&, void*)> read_function(RawPlanes layout) {
  return [layout = std::make_shared<const RawPlanes>(std::move(layout))](const Box& box, void* out) {
    const std::size_t size = size_of(layout->type);
    const auto plane_values = static_cast<std::size_t>((box.end[1] - box.begin[1]) * (box.end[2] - box.begin[2]));
    auto* target = static_cast<char*>(out);
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z, target += plane_values * size) {
      read_plane(*layout, z, box, target);
      if (layout->big_endian != (std::endian::native == std::endian::big)) swap_bytes(target, plane_values, size);
    }
  };
}

RawPlanes contiguous_planes(const std::filesystem::path& path, std::uint64_t offset, const Index3& shape,
                            ValueType type, bool big_endian) {
  RawPlanes layout{std::make_shared<FileSet>(std::vector{path}), {}, shape, type, big_endian};
  const auto plane_bytes = static_cast<std::uint64_t>(shape[1] * shape[2]) * size_of(type);
  layout.planes.reserve(static_cast<std::size_t>(shape[0]));
  for (std::int64_t z = 0; z < shape[0]; ++z)
    layout.planes.push_back({0, {{0, offset + static_cast<std::uint64_t>(z) * plane_bytes}}});
  return layout;
}

namespace {

template <class U, class Swap>
void swap_each(void* values, std::size_t count, Swap swap) {
  auto* bytes = static_cast<char*>(values);
  for (std::size_t i = 0; i < count; ++i) {
    U v;
    std::memcpy(&v, bytes + i * sizeof v, sizeof v);
    v = swap(v);
    std::memcpy(bytes + i * sizeof v, &v, sizeof v);
  }
}

}  // namespace

void swap_bytes(void* values, std::size_t count, std::size_t size) {
  if (size == 2) swap_each<std::uint16_t>(values, count, [](std::uint16_t v) { return __builtin_bswap16(v); });
  if (size == 4) swap_each<std::uint32_t>(values, count, [](std::uint32_t v) { return __builtin_bswap32(v); });
  if (size == 8) swap_each<std::uint64_t>(values, count, [](std::uint64_t v) { return __builtin_bswap64(v); });
}

std::uint64_t checked_bytes(const std::filesystem::path& path, const Index3& shape, std::size_t value_size) {
  std::uint64_t bytes = value_size;
  for (const std::int64_t n : shape) {
    if (n < 1)
      fail(Exit::data, "{}: extent {} in shape {}; every extent must be at least 1", path.string(), n,
           shape_text(shape));
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes) || bytes > (std::uint64_t{1} << 62))
      fail(Exit::data, "{}: shape {} is larger than any file can be", path.string(), shape_text(shape));
  }
  return bytes;
}

std::string shape_text(const Index3& shape) { return fmt::format("{} x {} x {}", shape[0], shape[1], shape[2]); }

std::string voxel_size_text(const Vec3& zyx) {
  return fmt::format("{}, {}, {} um", text_of(zyx[0]), text_of(zyx[1]), text_of(zyx[2]));
}

}  // namespace cathoscope::readers
