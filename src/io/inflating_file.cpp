#include "inflating_file.hpp"

#include <cathoscope/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace cathoscope::readers {

namespace {

/// A position in the decompressed bytes that moves forward.
class InflatingStream {
 public:
  InflatingStream(const std::filesystem::path& path, std::uint64_t offset)
      : file_(path), offset_(offset), buffer_(1 << 16) {
    begin();
  }
  InflatingStream(const InflatingStream&) = delete;
  InflatingStream& operator=(const InflatingStream&) = delete;
  ~InflatingStream() { inflateEnd(&stream_); }

  void read(std::uint64_t position, std::size_t bytes, char* out) {
    if (position < position_) {
      inflateEnd(&stream_);
      begin();
    }
    std::vector<char> skipped(1 << 16);
    while (position_ < position)
      take(skipped.data(), static_cast<std::size_t>(std::min<std::uint64_t>(skipped.size(), position - position_)));
    while (bytes > 0) {
      const std::size_t part = std::min<std::size_t>(bytes, 1 << 30);  // zlib counts in 32 bits
      take(out, part);
      out += part;
      bytes -= part;
    }
  }

 private:
  void begin() {
    stream_ = {};
    if (inflateInit2(&stream_, 15 + 32) != Z_OK)
      fail(Exit::no_memory, "zlib cannot be started");  // + 32: zlib or gzip, by its header
    position_ = 0;
    in_ = offset_;
  }

  void take(char* out, std::size_t bytes) {
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(bytes);
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) refill();
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const std::uint64_t here = position_ + bytes - stream_.avail_out;
      if (result == Z_STREAM_END && stream_.avail_out > 0)
        fail(Exit::data, "{}: the compressed data end after {} bytes of voxels; more are declared",
             file_.path().string(), here);
      if (result != Z_OK && result != Z_STREAM_END)
        fail(Exit::data, "{}: the compressed data are damaged before byte {} of the file: {}", file_.path().string(),
             in_, stream_.msg != nullptr ? stream_.msg : "no further message");
    }
    position_ += bytes;
  }

  void refill() {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), file_.size() - in_));
    if (n == 0) fail(Exit::data, "{}: the compressed data are cut at byte {}", file_.path().string(), in_);
    file_.read(in_, n, buffer_.data());
    in_ += n;
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(n);
  }

  InputFile file_;
  std::uint64_t offset_;
  std::vector<char> buffer_;
  z_stream stream_{};
  std::uint64_t position_ = 0;  ///< in the decompressed bytes
  std::uint64_t in_ = 0;        ///< in the file
};

}  // namespace

std::function<void(const Box&, void*)> read_inflated(const std::filesystem::path& path, std::uint64_t offset,
                                                     const Index3& shape, ValueType type, bool big_endian) {
  struct State {
    State(const std::filesystem::path& p, std::uint64_t o) : stream(p, o) {}
    std::mutex mutex;
    InflatingStream stream;
  };
  auto state = std::make_shared<State>(path, offset);
  return [state, shape, size = size_of(type), big_endian](const Box& box, void* out) {
    const auto n = box.shape();
    const auto row_bytes = static_cast<std::size_t>(n[2]) * size;
    auto* target = static_cast<char*>(out);
    const std::scoped_lock lock(state->mutex);
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y, target += row_bytes)
        state->stream.read(static_cast<std::uint64_t>((z * shape[1] + y) * shape[2] + box.begin[2]) * size, row_bytes,
                           target);
    if (big_endian != (std::endian::native == std::endian::big))
      swap_bytes(out, static_cast<std::size_t>(box.size()), size);
  };
}

}  // namespace cathoscope::readers
