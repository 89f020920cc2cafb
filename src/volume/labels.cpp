/// Label volumes in the run's frame.

#include "bins.hpp"
#include "frame.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace cathoscope {

namespace {

using volumes::Frame;

std::string path_of(const VolumeFile& file) { return file.files.empty() ? "labels" : file.files.front().string(); }

template <class T>
std::uint64_t id_of(T v, const std::string& path) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!(v >= 0) || v != std::floor(v) || v >= T{18446744073709551615.0})
      fail(Exit::data, "{}: {} is no particle id; ids are whole numbers from 0 on", path,
           text_of(static_cast<double>(v)));
  } else if constexpr (std::is_signed_v<T>) {
    if (v < 0)
      fail(Exit::data, "{}: {} is no particle id; ids are whole numbers from 0 on", path, static_cast<std::int64_t>(v));
  }
  return static_cast<std::uint64_t>(v);
}

/// The commonest id; of equally common ones the smallest. Sorts `ids`.
std::uint64_t majority(std::vector<std::uint64_t>& ids) {
  std::sort(ids.begin(), ids.end());
  std::size_t best_count = 0;
  std::uint64_t best = 0;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t end = i;
    while (end < ids.size() && ids[end] == ids[i]) ++end;
    if (end - i > best_count) {
      best_count = end - i;
      best = ids[i];
    }
    i = end;
  }
  return best;
}

template <class T>
void place(const T* stored, const Frame& frame, const Box& part, const std::string& path, std::uint64_t* out) {
  const Index3 strides = frame.strides(frame.before_bin(part));
  const bool single = frame.bin == Index3{1, 1, 1};
  std::vector<std::uint64_t> ids;
  const auto reduce = [&](const T* first) {
    if (single) return id_of(*first, path);
    ids.clear();
    volumes::for_bin(first, frame.bin, strides, [&](T v) { ids.push_back(id_of(v, path)); });
    return majority(ids);
  };
  for (std::int64_t z = 0; z < part.shape()[0]; ++z)
    volumes::reduce_plane(stored, strides, frame.bin, part.shape(), z, out, reduce);
}

/// Reads a few planes of the result at a time, so that little of the file is in memory.
template <class T>
void read_labels(const VolumeFile& file, const Frame& frame, const Box& box, std::uint64_t* out) {
  constexpr std::int64_t most_values = std::int64_t{1} << 23;
  const Index3 n = box.shape();
  const std::int64_t per_plane = volume_of(frame.bin) * n[1] * n[2];
  const std::int64_t planes = std::clamp<std::int64_t>(most_values / std::max<std::int64_t>(1, per_plane), 1, n[0]);
  std::vector<T> buffer(static_cast<std::size_t>(planes * per_plane));
  for (std::int64_t z = box.begin[0]; z < box.end[0]; z += planes) {
    Box part = box;
    part.begin[0] = z;
    part.end[0] = std::min(z + planes, box.end[0]);
    file.read(frame.as_stored(frame.before_bin(part)), buffer.data());
    place(buffer.data(), frame, part, path_of(file), out);
    out += part.size();
  }
}

void read_any(const VolumeFile& file, const Frame& frame, const Box& box, std::uint64_t* out) {
  switch (file.type) {
    case ValueType::uint8: return read_labels<std::uint8_t>(file, frame, box, out);
    case ValueType::int8: return read_labels<std::int8_t>(file, frame, box, out);
    case ValueType::uint16: return read_labels<std::uint16_t>(file, frame, box, out);
    case ValueType::int16: return read_labels<std::int16_t>(file, frame, box, out);
    case ValueType::uint32: return read_labels<std::uint32_t>(file, frame, box, out);
    case ValueType::int32: return read_labels<std::int32_t>(file, frame, box, out);
    case ValueType::uint64: return read_labels<std::uint64_t>(file, frame, box, out);
    case ValueType::int64: return read_labels<std::int64_t>(file, frame, box, out);
    case ValueType::float32: return read_labels<float>(file, frame, box, out);
    case ValueType::float64: return read_labels<double>(file, frame, box, out);
  }
}

}  // namespace

GridSource<std::uint64_t> placed_labels(const VolumeFile& file, const std::string& axes, const Placement& placement,
                                        const Vec3& voxel_size_um) {
  const Frame frame = volumes::frame_of(file, axes, placement.depth_axis, placement.crop, placement.bin);
  GridSource<std::uint64_t> source;
  source.shape = frame.shape;
  for (std::size_t i = 0; i < 3; ++i) {
    source.voxel_size_um[i] = voxel_size_um[i] * static_cast<double>(frame.bin[i]);
    source.origin_um[i] = voxel_size_um[i] * static_cast<double>(frame.used.begin[i]);
  }
  source.read = [file, frame](const Box& box, std::uint64_t* out) {
    if (!box.empty()) read_any(file, frame, box, out);
  };
  return source;
}

}  // namespace cathoscope
