#include "grey.hpp"

#include <cathoscope/core/multiversion.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

namespace cathoscope {

namespace {

constexpr std::size_t fine_bins = 65536;

std::vector<float> gaussian_taps(double sigma) {
  const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma));
  std::vector<float> taps;
  for (std::int64_t d = -reach; d <= reach; ++d)
    taps.push_back(sigma > 0 ? static_cast<float>(std::exp(-0.5 * static_cast<double>(d * d) / (sigma * sigma)))
                             : 1.0F);
  return taps;
}

/// out[x] += the first four taps of four rows `step` apart, in this order.
CATHOSCOPE_MULTIVERSION void add_four(float* out, const float* in, std::int64_t step, const float* taps,
                                      std::int64_t n) {
  const float a = taps[0];
  const float b = taps[1];
  const float c = taps[2];
  const float d = taps[3];
  for (std::int64_t x = 0; x < n; ++x)
    out[x] = out[x] + a * in[x] + b * in[x + step] + c * in[x + 2 * step] + d * in[x + 3 * step];
}

CATHOSCOPE_MULTIVERSION void add_one(float* out, const float* in, float tap, std::int64_t n) {
  for (std::int64_t x = 0; x < n; ++x) out[x] += tap * in[x];
}

/// One axis of the filter: `from` covers `source`, the result covers `target`, which is narrower along that axis only.
/// Taps beyond the source are left out.
Array3<float> filtered(const Array3<float>& from, const Box& source, const Box& target, std::size_t axis,
                       const std::vector<float>& taps) {
  const auto reach = static_cast<std::int64_t>(taps.size() / 2);
  const auto n = target.shape();
  const auto m = source.shape();
  const std::array<std::int64_t, 3> stride{m[1] * m[2], m[2], 1};
  Array3<float> result = array3<float>(n);
  result.fill(0.0F);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      float* out = &result(z, y, 0);
      const Index3 at{z + target.begin[0] - source.begin[0], y + target.begin[1] - source.begin[1],
                      target.begin[2] - source.begin[2]};
      const float* in = from.data() + (at[0] * m[1] + at[1]) * m[2] + at[2];
      const auto whole_row = [&](std::int64_t d) {
        return at[axis] + d >= 0 && at[axis] + d + (axis == 2 ? n[2] : 1) <= m[axis];
      };
      for (std::int64_t d = -reach; d <= reach;) {
        const float* tap = taps.data() + d + reach;
        if (d + 3 <= reach && whole_row(d) && whole_row(d + 3)) {
          add_four(out, in + d * stride[axis], stride[axis], tap, n[2]);
          d += 4;
          continue;
        }
        if (whole_row(d)) {
          add_one(out, in + d * stride[axis], *tap, n[2]);
        } else if (axis == 2) {
          const std::int64_t low = std::max<std::int64_t>(0, -(at[2] + d));
          const std::int64_t high = std::min(n[2], m[2] - (at[2] + d));
          if (high > low) add_one(out + low, in + d + low, *tap, high - low);
        }
        ++d;
      }
    }
  return result;
}

Array3<float> filtered(Array3<float> values, Box source, const Box& target,
                       const std::array<std::vector<float>, 3>& taps) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Box next = source;
    next.begin[axis] = target.begin[axis];
    next.end[axis] = target.end[axis];
    values = filtered(values, source, next, axis, taps[axis]);
    source = next;
  }
  return values;
}

/// The filter of a constant 1 where no tap is cut off, with the same roundings as `filtered`.
float full_weight(const std::array<std::vector<float>, 3>& taps) {
  float weight = 1;
  for (const auto& along : taps) {
    float sum = 0;
    for (const float tap : along) sum += tap * weight;
    weight = sum;
  }
  return weight;
}

}  // namespace

Array3<std::uint8_t> FieldOfView::operator()(const Box& box) const {
  if (mask) return padded(*mask, box, std::uint8_t{0});
  Array3<std::uint8_t> result = array3<std::uint8_t>(box.shape());
  const Box in = intersect(box, whole(shape));
  result.fill(in == box ? 1 : 0);
  if (in == box || in.empty()) return result;
  for (std::int64_t z = in.begin[0]; z < in.end[0]; ++z)
    for (std::int64_t y = in.begin[1]; y < in.end[1]; ++y)
      std::fill_n(&result(z - box.begin[0], y - box.begin[1], in.begin[2] - box.begin[2]), in.shape()[2],
                  std::uint8_t{1});
  return result;
}

Array3<float> smoothed(const GridSource<float>& grey, const FieldOfView& inside, const Vec3& sigma, const Box& box) {
  if (sigma == Vec3{0, 0, 0}) return grey.load(box);
  std::array<std::vector<float>, 3> taps;
  Index3 reach{};
  for (std::size_t i = 0; i < 3; ++i) {
    taps[i] = gaussian_taps(sigma[i]);
    reach[i] = static_cast<std::int64_t>(taps[i].size() / 2);
  }
  const Box source = grown(box, reach, grey.shape);
  Array3<float> values = grey.load(source);
  const Array3<std::uint8_t> seen = inside(source);
  const bool all_seen = std::find(seen.begin(), seen.end(), 0) == seen.end();
  if (all_seen && source == reaching(box, reach)) {
    values = filtered(std::move(values), source, box, taps);
    const float weight = full_weight(taps);
    for (float& v : values) v /= weight;
    return values;
  }
  Array3<float> weight = array3<float>(source.shape());
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight.data()[i] = seen.data()[i] == 0 ? 0.0F : 1.0F;
    if (seen.data()[i] == 0) values.data()[i] = 0.0F;
  }
  values = filtered(std::move(values), source, box, taps);
  weight = filtered(std::move(weight), source, box, taps);
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data()[i] = weight.data()[i] > 0 ? values.data()[i] / weight.data()[i] : 0.0F;
  return values;
}

std::size_t Histogram::bin_of(double value) const {
  const double bin = (value - low) / (high - low) * static_cast<double>(counts.size());
  return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(counts.size() - 1)));
}

double Histogram::centre(std::size_t bin) const {
  return low + (static_cast<double>(bin) + 0.5) * (high - low) / static_cast<double>(counts.size());
}

double Histogram::quantile(double q) const {
  std::uint64_t total = 0;
  for (const auto c : counts) total += c;
  const double wanted = q * static_cast<double>(total);
  std::uint64_t sum = 0;
  std::size_t bin = 0;
  while (bin + 1 < counts.size() && static_cast<double>(sum += counts[bin]) < wanted) ++bin;
  return centre(bin);
}

GreyRange grey_range(const Workspace& w, const GridSource<float>& grey, const FieldOfView& inside) {
  float low = std::numeric_limits<float>::max();
  float high = std::numeric_limits<float>::lowest();
  std::mutex mutex;
  for_each_block(w, "grey range", [&](const Box& block) {
    const Array3<float> values = grey.load(block);
    const Array3<std::uint8_t> seen = inside(block);
    float least = std::numeric_limits<float>::max();
    float most = std::numeric_limits<float>::lowest();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (seen.data()[i] == 0) continue;
      least = std::min(least, values.data()[i]);
      most = std::max(most, values.data()[i]);
    }
    const std::scoped_lock lock(mutex);
    low = std::min(low, least);
    high = std::max(high, most);
  });
  return {low, high};
}

namespace {

using Values = std::function<Array3<float>(const Box&)>;

void count_values(const Workspace& w, const Values& values_of, const FieldOfView& inside, Histogram& histogram) {
  histogram.counts.assign(fine_bins, 0);
  std::mutex mutex;
  for_each_block(w, "grey histogram", [&](const Box& block) {
    const Array3<float> values = values_of(block);
    const Array3<std::uint8_t> seen = inside(block);
    std::vector<std::uint32_t> counts(fine_bins, 0);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (seen.data()[i] != 0) counts[histogram.bin_of(values.data()[i])] += 1;
    const std::scoped_lock lock(mutex);
    for (std::size_t b = 0; b < fine_bins; ++b) histogram.counts[b] += counts[b];
  });
}

}  // namespace

Histogram grey_histogram(const Workspace& w, const GreyRange& range, const Values& values, const FieldOfView& inside) {
  Histogram all{range.low, range.high, {}};
  if (!(all.high > all.low)) return {};
  count_values(w, values, inside, all);
  const double low = all.quantile(1e-4);
  const double high = all.quantile(1 - 1e-4);
  if (!(high > low) || high - low > (all.high - all.low) / 64) return all;
  Histogram narrow{low, high, {}};  // a few outliers stretched the range
  count_values(w, values, inside, narrow);
  return narrow;
}

std::optional<double> otsu_threshold(const Histogram& h) {
  double total = 0;
  double sum = 0;
  for (std::size_t b = 0; b < h.counts.size(); ++b) {
    total += static_cast<double>(h.counts[b]);
    sum += static_cast<double>(h.counts[b]) * static_cast<double>(b);
  }
  double below = 0;
  double sum_below = 0;
  double best = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t b = 0; b + 1 < h.counts.size(); ++b) {
    below += static_cast<double>(h.counts[b]);
    sum_below += static_cast<double>(h.counts[b]) * static_cast<double>(b);
    if (below == 0 || below == total) continue;
    const double apart = sum_below / below - (sum - sum_below) / (total - below);
    const double between = below * (total - below) / total * apart * apart / total;
    if (between > best * (1 + 1e-12)) {
      best = between;
      first = b;
    }
    if (between >= best * (1 - 1e-12)) last = b;
  }
  if (best == 0) return std::nullopt;
  const double width = (h.high - h.low) / static_cast<double>(h.counts.size());
  return h.low + (static_cast<double>(first + last) / 2 + 1) * width;
}

}  // namespace cathoscope
