#pragma once
/// Where a streaming stage works: blocks, threads, and grids in a scratch file that vanishes with the process.

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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

template <class T>
class ScratchTiles;

/// A grid in tiles, compressed, in an unlinked scratch file; zero until written. T: uint8, uint16, uint32, float.
/// Boxes may be read and disjoint boxes written by several threads at once; those that cover whole tiles of 32 x 16 x 16
/// voxels (64 x 64 of grids of few planes) are quickest. Copies are the same grid.
/// Throws Error{cannot_create} where the folder takes no file, Error{write_error} where its disk is full or broken.
template <class T>
class ScratchGrid {
 public:
  ScratchGrid() = default;
  explicit ScratchGrid(const Workspace& w);

  [[nodiscard]] const Index3& shape() const { return shape_; }
  void read(const Box& box, T* out) const;
  void write(const Box& box, const T* values) const;
  /// The values at the linear indices voxel(0), ..., voxel(count - 1), in any order. Stops where `progress` says so.
  [[nodiscard]] std::vector<T> at(std::uint32_t count, const std::function<std::int64_t(std::uint32_t)>& voxel,
                                  const Progress& progress) const;
  /// The box, which may reach beyond the grid, where it is filled with `outside`.
  [[nodiscard]] Array3<T> padded(const Box& box, T outside) const;
  /// Frees the space.
  void release() { stored_.reset(); }

 private:
  [[nodiscard]] std::size_t tile_number(const Index3& tile) const;
  [[nodiscard]] std::int64_t position_in_tile(std::int64_t z, std::int64_t y, std::int64_t x) const;

  Index3 shape_{0, 0, 0};
  Index3 tile_{1, 1, 1};
  Index3 tiles_{0, 0, 0};
  std::shared_ptr<ScratchTiles<T>> stored_;
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
