#pragma once
/// Voxel grids, in memory and behind a reader. Order z, y, x (x fastest); lengths in micrometres.

#include <cathoscope/core/box.hpp>

#include <xtensor/xtensor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace cathoscope {

template <class T>
using Array3 = xt::xtensor<T, 3>;

/// An uninitialised array of the given shape.
template <class T>
Array3<T> array3(const Index3& shape) {
  return Array3<T>(std::array<std::size_t, 3>{static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]),
                                              static_cast<std::size_t>(shape[2])});
}

template <class T>
Index3 shape_of(const Array3<T>& a) {
  return {static_cast<std::int64_t>(a.shape(0)), static_cast<std::int64_t>(a.shape(1)),
          static_cast<std::int64_t>(a.shape(2))};
}

/// A grid in memory.
template <class T>
struct Grid {
  Array3<T> values;
  Vec3 voxel_size_um{1, 1, 1};
  Vec3 origin_um{0, 0, 0};  ///< of the low corner of voxel (0, 0, 0), in the frame of the uncropped file

  [[nodiscard]] Index3 shape() const { return shape_of(values); }
};

/// A grid of any size that is read box by box: a file, or a grid in memory.
/// `read(box, out)` fills out[0 .. box.size()) in z, y, x order, may be called from several threads at once,
/// and throws Error{data} where the bytes are bad.
template <class T>
struct GridSource {
  Index3 shape{0, 0, 0};
  Vec3 voxel_size_um{1, 1, 1};
  Vec3 origin_um{0, 0, 0};
  std::function<void(const Box&, T*)> read;

  [[nodiscard]] Array3<T> load(const Box& box) const {
    Array3<T> values = array3<T>(box.shape());
    if (!box.empty()) read(box, values.data());
    return values;
  }
  [[nodiscard]] Grid<T> load() const { return {load(whole(shape)), voxel_size_um, origin_um}; }
};

/// A grid of any size that is written box by box; boxes may come in any order and cover the grid once.
template <class T>
struct GridSink {
  Index3 shape{0, 0, 0};
  std::function<void(const Box&, const T*)> write;
};

/// Copies `box` out of a dense array of shape `shape`.
template <class T, class U>
void copy_box(const T* from, const Index3& shape, const Box& box, U* out) {
  const auto n = box.shape();
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const T* row = from + ((box.begin[0] + z) * shape[1] + box.begin[1] + y) * shape[2] + box.begin[2];
      U* target = out + (z * n[1] + y) * n[2];
      for (std::int64_t x = 0; x < n[2]; ++x) target[x] = static_cast<U>(row[x]);
    }
}

/// Reads from a grid in memory, which it keeps alive.
template <class T>
struct MemoryReader {
  std::shared_ptr<const Grid<T>> grid;

  void operator()(const Box& box, T* out) const { copy_box(grid->values.data(), grid->shape(), box, out); }
};

/// A source over a grid in memory, which it keeps alive.
template <class T>
GridSource<T> source_of(Grid<T> grid) {
  GridSource<T> s;
  s.shape = grid.shape();
  s.voxel_size_um = grid.voxel_size_um;
  s.origin_um = grid.origin_um;
  s.read = MemoryReader<T>{std::make_shared<const Grid<T>>(std::move(grid))};
  return s;
}

/// The values behind a source where they lie in memory as a whole (made by source_of), z, y, x; else nullptr.
/// Valid as long as the source. Streams look at values in place instead of copying them first.
template <class T>
const T* values_in_memory(const GridSource<T>& source) {
  const auto* reader = source.read.template target<MemoryReader<T>>();
  return reader == nullptr ? nullptr : reader->grid->values.data();
}

/// The same grid with values converted one by one (static_cast).
template <class To, class From>
GridSource<To> converted(GridSource<From> from) {
  GridSource<To> s{from.shape, from.voxel_size_um, from.origin_um, {}};
  s.read = [read = std::move(from.read)](const Box& box, To* out) {
    const std::int64_t n = box.size();
    const std::unique_ptr<From[]> buffer(new From[static_cast<std::size_t>(n)]);
    read(box, buffer.get());
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(buffer[i]);
  };
  return s;
}

/// A sink over an array in memory that must outlive it.
template <class T>
GridSink<T> sink_into(Array3<T>& values) {
  GridSink<T> s;
  s.shape = shape_of(values);
  s.write = [&values, shape = s.shape](const Box& box, const T* in) {
    const auto n = box.shape();
    for (std::int64_t z = 0; z < n[0]; ++z)
      for (std::int64_t y = 0; y < n[1]; ++y)
        std::copy_n(in + (z * n[1] + y) * n[2], n[2],
                    values.data() + ((box.begin[0] + z) * shape[1] + box.begin[1] + y) * shape[2] + box.begin[2]);
  };
  return s;
}

}  // namespace cathoscope
