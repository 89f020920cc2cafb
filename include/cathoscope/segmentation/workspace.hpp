#pragma once
/// Where a streaming stage works: blocks, threads, and grids in a scratch file that vanishes with the process.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace cathoscope {

/// A grid of any size cut into blocks. No result depends on `block`, the threads or the memory of the context.
struct Workspace {
  Index3 shape{0, 0, 0};
  Vec3 voxel_um{1, 1, 1};
  Index3 block{128, 128, 128};
  std::filesystem::path folder;  ///< of the scratch files
  const Context* context = nullptr;
};

/// The block that keeps all threads together within the context's memory.
Index3 block_for(const Index3& shape, const Context& context);

/// Calls f(block) for every block of the grid, in parallel, and reports progress under the name `task`.
void for_each_block(const Workspace& w, const std::string& task, const std::function<void(const Box&)>& f);

/// The same for pencils: boxes of 64 x 64 voxels and the whole length of the grid along `axis`.
void for_each_pencil(const Workspace& w, int axis, const std::string& task, const std::function<void(const Box&)>& f);

/// An unlinked file: the system frees it when the last grid on it goes, however the process ends.
class ScratchFile {
 public:
  /// Throws Error{cannot_create} where the folder cannot hold it.
  ScratchFile(const std::filesystem::path& folder, std::uint64_t bytes);
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  /// Throw Error{write_error}; thread-safe.
  void read(std::uint64_t offset, void* out, std::size_t bytes) const;
  void write(std::uint64_t offset, const void* data, std::size_t bytes) const;

 private:
  int fd_ = -1;
  std::filesystem::path folder_;
};

/// A grid in a scratch file, in tiles; zero until written. T: uint8, uint16, uint32, float.
/// Boxes may be read and disjoint boxes written by several threads at once.
template <class T>
class ScratchGrid {
 public:
  ScratchGrid() = default;
  explicit ScratchGrid(const Workspace& w);

  [[nodiscard]] const Index3& shape() const { return shape_; }
  void read(const Box& box, T* out) const;
  void write(const Box& box, const T* values) const;
  [[nodiscard]] T at(std::int64_t linear_index) const;
  /// The box, which may reach beyond the grid, where it is filled with `outside`.
  [[nodiscard]] Array3<T> padded(const Box& box, T outside) const;
  /// Frees the space.
  void release() { file_.reset(); }

 private:
  [[nodiscard]] std::uint64_t tile_offset(const Index3& tile) const;
  void write_part(const Box& box, const T* values, const Box& tile_box, std::uint64_t offset) const;

  Index3 shape_{0, 0, 0};
  Index3 tile_{1, 1, 1};
  Index3 tiles_{0, 0, 0};
  std::shared_ptr<ScratchFile> file_;
};

/// `box` of a source, which may reach beyond the grid, where it is filled with `outside`.
template <class T>
Array3<T> padded(const GridSource<T>& source, const Box& box, T outside) {
  const Box inside = intersect(box, whole(source.shape));
  if (inside == box) return source.load(box);
  Array3<T> result = array3<T>(box.shape());
  result.fill(outside);
  if (inside.empty()) return result;
  const Array3<T> part = source.load(inside);
  const auto n = inside.shape();
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      std::copy_n(&part(z, y, 0), n[2],
                  &result(z + inside.begin[0] - box.begin[0], y + inside.begin[1] - box.begin[1],
                          inside.begin[2] - box.begin[2]));
  return result;
}

/// The box grown by `margin` voxels an axis, not cut to the grid.
inline Box reaching(const Box& box, const Index3& margin) {
  Box r = box;
  for (std::size_t i = 0; i < 3; ++i) {
    r.begin[i] -= margin[i];
    r.end[i] += margin[i];
  }
  return r;
}

}  // namespace cathoscope
