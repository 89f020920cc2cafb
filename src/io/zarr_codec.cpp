#include "zarr_codec.hpp"

#include "input_file.hpp"

#include <cathoscope/core/error.hpp>

#include <blosc.h>
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace cathoscope::readers {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<const char*, ZarrCodec>, 5> codec_names{{{"zlib", ZarrCodec::zlib},
                                                                        {"gzip", ZarrCodec::gzip},
                                                                        {"zstd", ZarrCodec::zstd},
                                                                        {"lz4", ZarrCodec::lz4},
                                                                        {"blosc", ZarrCodec::blosc}}};

[[noreturn]] void fail_damaged(const fs::path& path, ZarrCodec codec, const std::string& why) {
  fail(Exit::data, "{}: the {} data of this chunk are damaged: {}", path.string(), name_of(codec), why);
}

[[noreturn]] void fail_size(const fs::path& path, std::uint64_t claimed, std::size_t bytes) {
  fail(Exit::data, "{}: holds {} bytes once decompressed, but a chunk of this array has {}", path.string(), claimed,
       bytes);
}

/// No compressor here makes a chunk much longer than it was, and none makes it more than `ratio` times shorter.
void check_stored(const fs::path& path, std::uint64_t stored, std::size_t bytes, std::uint64_t ratio) {
  if (stored > bytes + bytes / 8 + 65536)
    fail(Exit::data, "{}: has {} bytes, but a chunk of this array has {} before compression", path.string(), stored,
         bytes);
  if (bytes / ratio > stored)
    fail(Exit::data, "{}: has {} bytes, which cannot hold the {} of a chunk of this array", path.string(), stored,
         bytes);
}

std::vector<char> bytes_of(const InputFile& file) {
  std::vector<char> bytes(static_cast<std::size_t>(file.size()));
  file.read(0, bytes.size(), bytes.data());
  return bytes;
}

std::vector<char> inflated(const fs::path& path, ZarrCodec codec, const std::vector<char>& in, std::size_t bytes) {
  std::vector<char> out(bytes);
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK)  // + 32: zlib or gzip, by its header
    fail(Exit::no_memory, "zlib cannot be started");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const std::string why = stream.msg != nullptr ? stream.msg : "they are cut, or longer than a chunk";
  const std::uint64_t made = stream.total_out;
  inflateEnd(&stream);
  if (result != Z_STREAM_END) fail_damaged(path, codec, why);
  if (made != bytes) fail_size(path, made, bytes);
  return out;
}

std::vector<char> unpacked_zstd(const fs::path& path, const std::vector<char>& in, std::size_t bytes) {
  const unsigned long long claimed = ZSTD_getFrameContentSize(in.data(), in.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) fail_damaged(path, ZarrCodec::zstd, "not a Zstandard frame");
  if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != bytes) fail_size(path, claimed, bytes);
  std::vector<char> out(bytes);
  const std::size_t made = ZSTD_decompress(out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(made) != 0) fail_damaged(path, ZarrCodec::zstd, ZSTD_getErrorName(made));
  if (made != bytes) fail_size(path, made, bytes);
  return out;
}

/// numcodecs puts the length before an LZ4 block, 32 bits little-endian.
std::vector<char> unpacked_lz4(const fs::path& path, const std::vector<char>& in, std::size_t bytes) {
  if (in.size() < 4) fail_damaged(path, ZarrCodec::lz4, "shorter than its header");
  std::uint32_t claimed = 0;
  for (std::size_t i = 4; i-- > 0;) claimed = claimed << 8 | static_cast<unsigned char>(in[i]);
  if (claimed != bytes) fail_size(path, claimed, bytes);
  std::vector<char> out(bytes);
  const int made =
      LZ4_decompress_safe(in.data() + 4, out.data(), static_cast<int>(in.size() - 4), static_cast<int>(out.size()));
  if (made < 0) fail_damaged(path, ZarrCodec::lz4, "the block does not decompress");
  if (static_cast<std::size_t>(made) != bytes) fail_size(path, static_cast<std::uint64_t>(made), bytes);
  return out;
}

std::vector<char> unpacked_blosc(const fs::path& path, const std::vector<char>& in, std::size_t bytes) {
  std::size_t claimed = 0;
  if (blosc_cbuffer_validate(in.data(), in.size(), &claimed) != 0)
    fail_damaged(path, ZarrCodec::blosc, "not a Blosc buffer of this length");
  if (claimed != bytes) fail_size(path, claimed, bytes);
  std::vector<char> out(bytes);
  const int made = blosc_decompress_ctx(in.data(), out.data(), out.size(), 1);
  if (made < 0 || static_cast<std::size_t>(made) != bytes)
    fail_damaged(path, ZarrCodec::blosc, "they do not decompress, or with a compressor that this Blosc lacks");
  return out;
}

}  // namespace

std::optional<ZarrCodec> zarr_codec_from(const std::string& id) {
  for (const auto& [name, codec] : codec_names)
    if (id == name) return codec;
  return std::nullopt;
}

std::string name_of(ZarrCodec codec) {
  for (const auto& [name, c] : codec_names)
    if (c == codec) return name;
  return "uncompressed";
}

std::vector<char> decoded_chunk(const fs::path& path, ZarrCodec codec, std::size_t bytes) {
  const InputFile file(path);
  if (codec == ZarrCodec::none) {
    if (file.size() != bytes) fail_size(path, file.size(), bytes);
    return bytes_of(file);
  }
  const bool deflate = codec == ZarrCodec::zlib || codec == ZarrCodec::gzip;
  // DEFLATE packs 1032 bytes into one at best, LZ4 255; the others say their size in their header.
  check_stored(path, file.size(), bytes, deflate ? 1040 : codec == ZarrCodec::lz4 ? 260 : bytes + 1);
  const std::vector<char> in = bytes_of(file);
  if (deflate) return inflated(path, codec, in, bytes);
  if (codec == ZarrCodec::zstd) return unpacked_zstd(path, in, bytes);
  return codec == ZarrCodec::lz4 ? unpacked_lz4(path, in, bytes) : unpacked_blosc(path, in, bytes);
}

std::vector<char> zlib_chunk(const char* data, std::size_t bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes));
  std::vector<char> out(size);
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data),
                static_cast<uLong>(bytes), 1) != Z_OK)
    fail(Exit::no_memory, "zlib cannot compress {} bytes", bytes);
  out.resize(size);
  return out;
}

}  // namespace cathoscope::readers
