#include "frame.hpp"

#include <cathoscope/core/error.hpp>

namespace cathoscope::volumes {

std::size_t Frame::slowest() const {
  std::size_t i = 0;
  while (stored_axis[i] != 0) ++i;
  return i;
}

Box Frame::before_bin(const Box& box) const {
  Box r;
  for (std::size_t i = 0; i < 3; ++i) {
    r.begin[i] = used.begin[i] + box.begin[i] * bin[i];
    r.end[i] = used.begin[i] + box.end[i] * bin[i];
  }
  return r;
}

Box Frame::as_stored(const Box& box) const {
  Box r;
  for (std::size_t i = 0; i < 3; ++i) {
    r.begin[stored_axis[i]] = box.begin[i];
    r.end[stored_axis[i]] = box.end[i];
  }
  return r;
}

Index3 Frame::strides(const Box& box) const {
  const Index3 n = as_stored(box).shape();
  const Index3 stored{n[1] * n[2], n[2], 1};
  return {stored[stored_axis[0]], stored[stored_axis[1]], stored[stored_axis[2]]};
}

namespace {

/// Names of the axes that become z, y, x: the cyclic permutation that brings the depth to the front.
std::string order_for(const std::string& depth_axis) {
  if (depth_axis == "y") return "yxz";
  if (depth_axis == "x") return "xzy";
  return "zyx";
}

constexpr const char* axis_names = "zyx";

Box crop_box(const Frame& frame, const std::optional<std::array<Range, 3>>& crop, const std::string& path) {
  Box box = whole(frame.full);
  if (!crop) return box;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto [low, high] = (*crop)[i];
    if (low < 0 || high <= low || high > frame.full[i])
      fail(Exit::data,
           "crop of {} [{}, {}): must be within [0, {}) and not empty; {} has {} x {} x {} voxels (z, y, x)",
           axis_names[i], low, high, frame.full[i], path, frame.full[0], frame.full[1], frame.full[2]);
    box.begin[i] = low;
    box.end[i] = high;
  }
  return box;
}

}  // namespace

Frame frame_of(const VolumeFile& file, const std::string& axes, const std::string& depth_axis,
               const std::optional<std::array<Range, 3>>& crop, std::int64_t bin) {
  Frame frame;
  if (!file.two_dimensional) {
    const std::string order = order_for(depth_axis);
    for (std::size_t i = 0; i < 3; ++i) {
      frame.stored_axis[i] = axes.find(order[i]);
      if (frame.stored_axis[i] > 2) fail(Exit::config, "axes '{}' is not an order of z, y and x", axes);
    }
  }
  frame.full = ordered(frame, file.shape);
  const std::string path = file.files.empty() ? "the volume" : file.files.front().string();
  frame.used = crop_box(frame, crop, path);
  frame.bin = {file.two_dimensional ? 1 : bin, bin, bin};
  for (std::size_t i = 0; i < 3; ++i) {
    frame.shape[i] = (frame.used.end[i] - frame.used.begin[i]) / frame.bin[i];
    if (frame.shape[i] < 1)
      fail(Exit::data, "bin {} is larger than the {} voxels of {} in {}", bin, frame.used.end[i] - frame.used.begin[i],
           path, axis_names[i]);
    frame.used.end[i] = frame.used.begin[i] + frame.shape[i] * frame.bin[i];
  }
  return frame;
}

}  // namespace cathoscope::volumes

namespace cathoscope {

Index3 placed_shape(const VolumeFile& file, const std::string& axes, const Placement& placement) {
  return volumes::frame_of(file, axes, placement.depth_axis, placement.crop, placement.bin).shape;
}

}  // namespace cathoscope
