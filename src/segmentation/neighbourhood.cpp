#include "neighbourhood.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/multiversion.hpp>
#include <cathoscope/segmentation/distance.hpp>

#include <algorithm>

namespace cathoscope {

namespace {

constexpr unsigned name_bits = 22;  // more names than a block has voxels
constexpr std::uint32_t name_mask = (1U << name_bits) - 1;

std::vector<std::uint32_t> names_of(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& is_site) {
  std::vector<std::uint32_t> names;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (is_site.data()[i] != 0 && (names.empty() || names.back() != labels.data()[i]))
      names.push_back(labels.data()[i]);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

NearestLabel::NearestLabel(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& is_site, double limit)
    : names_(names_of(labels, is_site)), packed_(array3<std::uint32_t>(shape_of(labels))) {
  if (names_.size() > name_mask) fail(Exit::internal, "{} labels in one block", names_.size());
  std::uint32_t last = 0;
  std::uint32_t index = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    packed_.data()[i] = far;
    if (is_site.data()[i] == 0) continue;
    if (labels.data()[i] != last || i == 0) {
      last = labels.data()[i];
      index = static_cast<std::uint32_t>(std::lower_bound(names_.begin(), names_.end(), last) - names_.begin());
    }
    packed_.data()[i] = index;
  }
  if (names_.empty()) return;
  SquaredMetric metric;
  metric.weight = {1U << name_bits, 1U << name_bits, 1U << name_bits};
  metric.unit_um = 1.0 / (1U << (name_bits / 2));
  near_distances(packed_, metric, limit);
}

std::uint32_t NearestLabel::squared(std::size_t i) const {
  const std::uint32_t p = packed_.data()[i];
  return p == far ? beyond : p >> name_bits;
}

std::uint32_t NearestLabel::label(std::size_t i) const { return names_[packed_.data()[i] & name_mask]; }

namespace {

/// `take` of each voxel and its two neighbours along an axis.
template <class Take>
Array3<std::uint32_t> of_three(const Array3<std::uint32_t>& from, int axis, const Take& take) {
  const Index3 n = shape_of(from);
  const std::int64_t stride = axis == 0 ? n[1] * n[2] : axis == 1 ? n[2] : 1;
  Array3<std::uint32_t> to = from;
  const auto row = [&](std::int64_t out, std::int64_t in, std::int64_t count) {
    std::uint32_t* a = to.data() + out;
    const std::uint32_t* b = from.data() + in;
    for (std::int64_t x = 0; x < count; ++x) a[x] = take(a[x], b[x]);
  };
  const std::int64_t length = n[static_cast<std::size_t>(axis)];
  const std::int64_t period = stride * length;
  for (std::int64_t base = 0; base < volume_of(n); base += period) {
    row(base + stride, base, period - stride);
    row(base, base + stride, period - stride);
  }
  return to;
}

template <class Take>
Array3<std::uint32_t> of_neighbourhood(Array3<std::uint32_t> values, const Take& take) {
  for (const int axis : {2, 1, 0}) values = of_three(values, axis, take);
  return values;
}

}  // namespace

namespace {

/// out[i] = out[i] and other[i] and a[i] == b[i].
CATHOSCOPE_MULTIVERSION void keep_equal(std::uint8_t* out, const std::uint8_t* other, const std::uint32_t* a,
                                        const std::uint32_t* b, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(out[i] & other[i] & (a[i] == b[i] ? 1 : 0));
}

/// 1 where all 26 neighbours that the array has are of the voxel's own label, axis by axis.
Array3<std::uint8_t> alike(const Array3<std::uint32_t>& labels) {
  const Index3 n = shape_of(labels);
  const std::array<std::int64_t, 3> stride{n[1] * n[2], n[2], 1};
  Array3<std::uint8_t> same = array3<std::uint8_t>(n);
  same.fill(1);
  const std::uint32_t* l = labels.data();
  for (const int axis : {2, 1, 0}) {
    const Array3<std::uint8_t> before = same;
    const std::int64_t step = stride[static_cast<std::size_t>(axis)];
    const std::int64_t period = step * n[static_cast<std::size_t>(axis)];
    for (std::int64_t base = 0; base < volume_of(n); base += period) {
      keep_equal(same.data() + base + step, before.data() + base, l + base + step, l + base, period - step);
      keep_equal(same.data() + base, before.data() + base + step, l + base, l + base + step, period - step);
    }
  }
  return same;
}

}  // namespace

Array3<std::uint8_t> boundary_of(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& seen) {
  if (std::find(seen.begin(), seen.end(), 0) == seen.end()) {
    Array3<std::uint8_t> boundary = alike(labels);
    for (std::size_t i = 0; i < labels.size(); ++i)
      boundary.data()[i] = labels.data()[i] != 0 && boundary.data()[i] == 0 ? 1 : 0;
    return boundary;
  }
  Array3<std::uint32_t> low = labels;  // what was not seen is no neighbour
  Array3<std::uint32_t> high = labels;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (seen.data()[i] == 0) {
      low.data()[i] = 0xFFFFFFFFu;
      high.data()[i] = 0;
    }
  low = of_neighbourhood(std::move(low), [](auto a, auto b) { return std::min(a, b); });
  high = of_neighbourhood(std::move(high), [](auto a, auto b) { return std::max(a, b); });
  Array3<std::uint8_t> boundary = array3<std::uint8_t>(shape_of(labels));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint32_t own = labels.data()[i];
    boundary.data()[i] = own != 0 && seen.data()[i] != 0 && (low.data()[i] != own || high.data()[i] != own) ? 1 : 0;
  }
  return boundary;
}

}  // namespace cathoscope
