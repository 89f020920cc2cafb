#pragma once
/// Compressors of Zarr chunks, as numcodecs writes them.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope::readers {

enum class ZarrCodec { none, zlib, gzip, zstd, lz4, blosc };

/// By the id in .zarray; empty where it is none of those that are read.
std::optional<ZarrCodec> zarr_codec_from(const std::string& id);
std::string name_of(ZarrCodec codec);

/// The bytes of a chunk, exactly `bytes` of them. What the file claims is compared with that before memory is taken.
/// Throws Error{data} naming the file where it is damaged, or holds more or less.
std::vector<char> decoded_chunk(const std::filesystem::path& path, ZarrCodec codec, std::size_t bytes);

/// A chunk as a zlib stream of level 1: the fastest, and every reader of Zarr knows it. The same bytes for the same input.
std::vector<char> zlib_chunk(const char* data, std::size_t bytes);

}  // namespace cathoscope::readers
