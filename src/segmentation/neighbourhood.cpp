#include "neighbourhood.hpp"

#include <cathoscope/core/error.hpp>
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

Array3<std::uint8_t> boundary_of(const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& seen) {
  const Index3 n = shape_of(labels);
  Array3<std::uint8_t> boundary = array3<std::uint8_t>(n);
  boundary.fill(0);
  const std::int64_t plane = n[1] * n[2];
  const auto meet = [&](std::int64_t i, std::int64_t j) {
    const std::uint32_t a = labels.data()[i];
    const std::uint32_t b = labels.data()[j];
    if (a == b || seen.data()[i] == 0 || seen.data()[j] == 0) return;
    if (a != 0) boundary.data()[i] = 1;
    if (b != 0) boundary.data()[j] = 1;
  };
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t dz = 0; dz <= 1 && z + dz < n[0]; ++dz)
        for (std::int64_t dy = dz == 0 ? 0 : -1; dy <= 1; ++dy) {
          if (y + dy < 0 || y + dy >= n[1]) continue;
          const std::int64_t row = z * plane + y * n[2];
          const std::int64_t other = (z + dz) * plane + (y + dy) * n[2];
          for (std::int64_t dx = dz == 0 && dy == 0 ? 1 : -1; dx <= 1; ++dx)
            for (std::int64_t x = std::max<std::int64_t>(0, -dx); x < std::min(n[2], n[2] - dx); ++x)
              meet(row + x, other + x + dx);
        }
  return boundary;
}

}  // namespace cathoscope
