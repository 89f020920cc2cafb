#pragma once
/// Voxels in a zlib or gzip stream, read in bounded memory.

#include "input_file.hpp"

namespace cathoscope::readers {

/// The read function of a volume whose bytes are one zlib or gzip stream from `offset` on. Reading forward is cheap;
/// going back begins the stream again. Throws Error{data} where the stream is damaged or shorter than the volume.
std::function<void(const Box&, void*)> read_inflated(const std::filesystem::path& path, std::uint64_t offset,
                                                     const Index3& shape, ValueType type, bool big_endian);

}  // namespace cathoscope::readers
