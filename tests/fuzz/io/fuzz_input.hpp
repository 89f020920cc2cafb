#pragma once
/// Bytes as a file, opened and read like a user's. Errors are what a bad file should give; anything else is a find.

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

namespace fuzz {

/// A folder of this process in memory where there is one.
inline const std::filesystem::path& folder() {
  static const std::filesystem::path path = [] {
    const auto root = std::filesystem::exists("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                          : std::filesystem::temp_directory_path();
    auto p = root / ("cathoscope-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(p);
    return p;
  }();
  return path;
}

inline std::filesystem::path write(const std::string& name, const std::uint8_t* data, std::size_t size) {
  auto path = folder() / name;
  std::FILE* f = std::fopen(path.c_str(), "wb");
  if (f != nullptr) {
    std::fwrite(data, 1, size, f);
    std::fclose(f);
  }
  return path;
}

/// Opens, and reads a corner and the last voxel.
inline void open_and_read(const std::filesystem::path& path, const cathoscope::OpenOptions& options = {}) {
  using namespace cathoscope;
  try {
    const VolumeFile v = open_volume(path, options);
    (void)describe(v, path.string());
    const auto source = v.as<float>();
    Box corner = whole(v.shape);
    for (std::size_t i = 0; i < 3; ++i) corner.end[i] = std::min<std::int64_t>(corner.end[i], 32);
    (void)source.load(corner);
    (void)source.load({{v.shape[0] - 1, v.shape[1] - 1, v.shape[2] - 1}, v.shape});
  } catch (const Error&) {
  }
}

}  // namespace fuzz
