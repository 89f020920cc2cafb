#include "native.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <unordered_map>

namespace cathoscope {

namespace {

/// The two working voxels around a native one along an axis.
struct Around {
  std::int64_t low = 0, high = 0;
  float fraction = 0;  ///< of `high`
};

std::vector<Around> around(const WorkingGrid& g, std::size_t axis, std::int64_t begin, std::int64_t end) {
  std::vector<Around> result;
  for (std::int64_t i = begin; i < end; ++i) {
    if (g.native_shape[axis] == 1) {
      result.push_back({});
      continue;
    }
    const double at = (static_cast<double>(i) + 0.5) * g.native_um[axis] / g.voxel_um - 0.5;
    const double low = std::floor(at + 1e-9);
    const auto last = g.shape[axis] - 1;
    Around a{std::clamp<std::int64_t>(static_cast<std::int64_t>(low), 0, last),
             std::clamp<std::int64_t>(static_cast<std::int64_t>(low) + 1, 0, last),
             static_cast<float>(std::clamp(at - low, 0.0, 1.0))};
    if (a.fraction < 1e-6F) a.high = a.low;
    result.push_back(a);
  }
  return result;
}

/// The eight working voxels around a native one.
class Corners {
 public:
  void add(std::uint32_t label, float foreground, float weight) {
    if (weight <= 0) return;
    total_ += weight;
    sum_ += weight * foreground;
    if (label == 0) return;
    for (int i = 0; i < found_; ++i)
      if (label_[i] == label) {
        weight_[i] += weight;
        return;
      }
    label_[found_] = label;
    weight_[found_++] = weight;
  }

  [[nodiscard]] std::uint32_t label(float threshold) const {
    if (found_ == 0 || sum_ <= threshold * total_) return 0;
    int best = 0;
    for (int i = 1; i < found_; ++i)
      if (weight_[i] > weight_[best] || (weight_[i] == weight_[best] && label_[i] < label_[best])) best = i;
    return label_[best];
  }

 private:
  std::array<std::uint32_t, 8> label_{};
  std::array<float, 8> weight_{};
  int found_ = 0;
  float sum_ = 0, total_ = 0;
};

Array3<std::uint32_t> upsampled(const Box& block, const WorkingGrid& grid, const ScratchGrid<std::uint32_t>& labels,
                                const Array3<float>& foreground, float threshold) {
  constexpr float margin = 0.01F;  // a label that was filled or cut is so whatever its foreground says
  std::array<std::vector<Around>, 3> at;
  Box box;
  for (std::size_t a = 0; a < 3; ++a) {
    at[a] = around(grid, a, block.begin[a], block.end[a]);
    box.begin[a] = at[a].front().low;
    box.end[a] = at[a].back().high + 1;
    for (const Around& v : at[a]) box.end[a] = std::max(box.end[a], std::max(v.low, v.high) + 1);
  }
  const Array3<std::uint32_t> near = labels.padded(box, 0);
  const auto label_at = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    return near(z - box.begin[0], y - box.begin[1], x - box.begin[2]);
  };
  Array3<std::uint32_t> result = array3<std::uint32_t>(block.shape());
  std::size_t k = 0;
  for (const Around& z : at[0])
    for (const Around& y : at[1])
      for (const Around& x : at[2]) {
        const std::uint32_t first = label_at(z.low, y.low, x.low);
        bool same = true;
        for (const std::int64_t cz : {z.low, z.high})
          for (const std::int64_t cy : {y.low, y.high})
            for (const std::int64_t cx : {x.low, x.high}) same = same && label_at(cz, cy, cx) == first;
        if (same) {
          result.data()[k++] = first;
          continue;
        }
        Corners corners;
        for (int c = 0; c < 8; ++c) {
          const std::int64_t cz = c & 4 ? z.high : z.low, cy = c & 2 ? y.high : y.low, cx = c & 1 ? x.high : x.low;
          const float weight = (c & 4 ? z.fraction : 1 - z.fraction) * (c & 2 ? y.fraction : 1 - y.fraction) *
                               (c & 1 ? x.fraction : 1 - x.fraction);
          const std::uint32_t label = label_at(cz, cy, cx);
          const float f = foreground(cz, cy, cx);
          corners.add(label, label != 0 ? std::max(f, threshold + margin) : std::min(f, threshold - margin), weight);
        }
        result.data()[k++] = corners.label(threshold);
      }
  return result;
}

/// The first voxel of each label of a block, by linear index in the grid.
std::unordered_map<std::uint32_t, std::int64_t> firsts_of(const Array3<std::uint32_t>& labels, const Box& block,
                                                          const Index3& grid) {
  std::unordered_map<std::uint32_t, std::int64_t> firsts;
  const auto n = block.shape();
  std::uint32_t last = 0;
  std::size_t k = 0;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x, ++k) {
        if (labels.data()[k] == last) continue;
        last = labels.data()[k];
        firsts.try_emplace(last, ((block.begin[0] + z) * grid[1] + block.begin[1] + y) * grid[2] + block.begin[2] + x);
      }
  firsts.erase(0);
  return firsts;
}

void number_labels(const std::vector<std::int64_t>& first, NativeLabels& result) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t l = 1; l < first.size(); ++l)
    if (first[l] != std::numeric_limits<std::int64_t>::max()) order.push_back(l);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return first[a] < first[b]; });
  result.number.assign(first.size(), 0);
  for (std::uint32_t i = 0; i < order.size(); ++i) result.number[order[i]] = i + 1;
  result.count = static_cast<std::uint32_t>(order.size());
}

}  // namespace

NativeLabels native_labels(const Workspace& native, const WorkingGrid& grid, const ScratchGrid<std::uint32_t>& labels,
                           std::uint32_t count, const Array3<float>& foreground, double foreground_threshold,
                           const FieldOfView& inside) {
  NativeLabels result{ScratchGrid<std::uint32_t>(native), {}, 0};
  std::vector<std::int64_t> first(std::size_t{count} + 1, std::numeric_limits<std::int64_t>::max());
  std::mutex mutex;
  for_each_block(native, "native labels", [&](const Box& block) {
    Array3<std::uint32_t> values = upsampled(block, grid, labels, foreground, static_cast<float>(foreground_threshold));
    const Array3<std::uint8_t> seen = inside(block);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (seen.data()[i] == 0) values.data()[i] = 0;
    result.labels.write(block, values.data());
    const auto firsts = firsts_of(values, block, native.shape);
    const std::scoped_lock lock(mutex);
    for (const auto& [label, voxel] : firsts) first[label] = std::min(first[label], voxel);
  });
  number_labels(first, result);
  return result;
}

}  // namespace cathoscope
