#pragma once
/// Slabs of the run's volume, read along the file's slowest axis so that every byte is read once whatever the axes.

#include "bins.hpp"
#include "frame.hpp"

#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace cathoscope::volumes {

/// Slabs of at most `thickness` planes across axis `axis` of a grid.
inline std::vector<Box> slabs_across(const Index3& shape, std::size_t axis, std::int64_t thickness) {
  std::vector<Box> result;
  for (std::int64_t a = 0; a < shape[axis]; a += thickness) {
    Box box = whole(shape);
    box.begin[axis] = a;
    box.end[axis] = std::min(a + thickness, shape[axis]);
    result.push_back(box);
  }
  return result;
}

/// Planes of the result that may be read at once with half of the memory; at least 1. The other half is for the layer
/// of 64 planes that is written at once.
inline std::int64_t slab_thickness(const Frame& frame, std::size_t value_size, std::uint64_t memory_bytes) {
  const std::size_t axis = frame.slowest();
  Box plane = whole(frame.shape);
  plane.end[axis] = 1;
  const auto bytes = static_cast<std::uint64_t>(frame.before_bin(plane).size() + plane.size()) * (value_size + 1);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(memory_bytes / 2 / std::max<std::uint64_t>(1, bytes)), 1,
                                  64);
}

/// Reads a stored box in parallel, in groups of planes that the format likes to read together.
template <class T>
void read_stored(const VolumeFile& file, const Box& box, int threads, T* out) {
  const std::int64_t together = std::max<std::int64_t>(1, file.planes_together);
  const std::int64_t first = box.begin[0] / together, last = (box.end[0] + together - 1) / together;
  const std::int64_t plane = (box.end[1] - box.begin[1]) * (box.end[2] - box.begin[2]);
  parallel_for(last - first, threads, [&](std::int64_t i) {
    Box part = box;
    part.begin[0] = std::max(box.begin[0], (first + i) * together);
    part.end[0] = std::min(box.end[0], (first + i + 1) * together);
    file.read(part, out + (part.begin[0] - box.begin[0]) * plane);
  });
}

/// Permutes and bins a stored buffer into the box of the result.
template <class T>
void place_means(const T* stored, const Frame& frame, const Box& box, int threads, T* out) {
  const Index3 strides = frame.strides(frame.before_bin(box));
  const Index3 n = box.shape();
  const bool single = frame.bin == Index3{1, 1, 1};
  const std::int64_t count = volume_of(frame.bin);
  parallel_for(n[0], threads, [&](std::int64_t z) {
    if (single) return reduce_plane(stored, strides, frame.bin, n, z, out, [](const T* v) { return *v; });
    reduce_plane(stored, strides, frame.bin, n, z, out, [&](const T* first) {
      BinMean<T> mean(count);
      for_bin(first, frame.bin, strides, [&](T v) { mean.add(v); });
      return mean.value();
    });
  });
}

/// inside[i] = 1 where no voxel behind voxel i of the result is outside.
inline void place_inside(const std::uint8_t* outside, const Frame& frame, const Box& box, int threads,
                         std::uint8_t* inside) {
  const Index3 strides = frame.strides(frame.before_bin(box));
  const Index3 n = box.shape();
  parallel_for(n[0], threads, [&](std::int64_t z) {
    reduce_plane(outside, strides, frame.bin, n, z, inside, [&](const std::uint8_t* first) {
      bool all = true;
      for_bin(first, frame.bin, strides, [&](std::uint8_t v) { all = all && v == 0; });
      return static_cast<std::uint8_t>(all ? 1 : 0);
    });
  });
}

}  // namespace cathoscope::volumes
