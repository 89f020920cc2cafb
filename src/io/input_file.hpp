#pragma once
/// Bytes of input files by position, with few files open at once; and voxels that lie in them uncompressed.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cathoscope::readers {

/// One file open for reading. Thread-safe (pread).
class InputFile {
 public:
  /// Throws Error{no_input} where it is absent or unreadable, Error{data} where it is no regular file.
  explicit InputFile(std::filesystem::path path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] int descriptor() const { return fd_; }
  /// Exactly `bytes` bytes. Throws Error{data} where the file ends before, or the disk fails.
  void read(std::uint64_t offset, std::size_t bytes, void* out) const;
  /// The first bytes, at most `bytes`.
  [[nodiscard]] std::string head(std::size_t bytes) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

/// Files of a stack, opened when needed; the least recently used is closed again. Thread-safe.
class FileSet {
 public:
  explicit FileSet(std::vector<std::filesystem::path> paths) : paths_(std::move(paths)) {}
  [[nodiscard]] const std::vector<std::filesystem::path>& paths() const { return paths_; }
  std::shared_ptr<const InputFile> open(std::size_t index);

 private:
  static constexpr std::size_t most_open = 32;  // far below the usual limit of 1024 descriptors
  std::vector<std::filesystem::path> paths_;
  std::mutex mutex_;
  std::list<std::pair<std::size_t, std::shared_ptr<const InputFile>>> open_;
};

/// Rows from `first_row` on lie one after another from `offset`.
struct RowRun {
  std::int64_t first_row = 0;
  std::uint64_t offset = 0;
};

/// One plane (slowest index) in a file.
struct Plane {
  std::size_t file = 0;
  std::vector<RowRun> runs;
};

/// Voxels that lie in files as they are.
struct RawPlanes {
  std::shared_ptr<FileSet> files;
  std::vector<Plane> planes;
  Index3 shape{0, 0, 0};
  ValueType type = ValueType::uint8;
  bool big_endian = false;
};

/// The read function of such a volume.
std::function<void(const Box&, void*)> read_function(RawPlanes layout);

/// Planes one after another in one file.
RawPlanes contiguous_planes(const std::filesystem::path& path, std::uint64_t offset, const Index3& shape,
                            ValueType type, bool big_endian);

/// Reverses the bytes of each of `count` values of `size` bytes.
void swap_bytes(void* values, std::size_t count, std::size_t size);

/// Bytes of a volume. Throws Error{data} naming `path` where an extent is below 1 or the product is beyond 2^62.
std::uint64_t checked_bytes(const std::filesystem::path& path, const Index3& shape, std::size_t value_size);

/// "100 x 200 x 300", slowest first.
std::string shape_text(const Index3& shape);

/// How a voxel size is written in notes and messages: "0.05, 0.05, 0.05 um".
std::string voxel_size_text(const Vec3& zyx);

}  // namespace cathoscope::readers
