#include "resample.hpp"

#include "grey.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/segmentation/working.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr std::int64_t native_edge = 96;  // of the boxes that are read at once, besides the rim

/// Keys' cubic convolution kernel with a = -1/2.
double keys(double t) {
  t = std::abs(t);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2;
  return 0;
}

Taps mean_taps(double from, double to, std::int64_t inputs) {
  from = std::min(from, static_cast<double>(inputs) - 1e-6);
  to = std::clamp(to, from + 1e-6, static_cast<double>(inputs));
  Taps t{static_cast<std::int64_t>(std::floor(from)), {}};
  const auto last = std::min(inputs - 1, static_cast<std::int64_t>(std::ceil(to - 1e-9)) - 1);
  for (std::int64_t k = t.first; k <= std::max(last, t.first); ++k) {
    const double covered = std::min(to, static_cast<double>(k + 1)) - std::max(from, static_cast<double>(k));
    t.weights.push_back(static_cast<float>(covered / (to - from)));
  }
  return t;
}

Taps cubic_taps(double centre, std::int64_t inputs) {
  const auto k = static_cast<std::int64_t>(std::floor(centre));
  Taps t{std::clamp<std::int64_t>(k - 1, 0, inputs - 1), {}};
  const std::int64_t last = std::clamp<std::int64_t>(k + 2, 0, inputs - 1);
  t.weights.assign(static_cast<std::size_t>(last - t.first + 1), 0.0F);
  for (std::int64_t j = k - 1; j <= k + 2; ++j)
    t.weights[static_cast<std::size_t>(std::clamp(j, t.first, last) - t.first)] +=
        static_cast<float>(keys(centre - static_cast<double>(j)));
  return t;
}

/// An array that covers a box, and the lines of taps along one axis for outputs [begin, end).
Array3<float> along_axis(const Array3<float>& in, const Box& in_box, std::size_t axis, const std::vector<Taps>& taps,
                         std::int64_t begin, std::int64_t end) {
  const Index3 m = in_box.shape();
  Index3 n = m;
  n[axis] = end - begin;
  Array3<float> out = array3<float>(n);
  const std::int64_t stride = axis == 0 ? m[1] * m[2] : m[2];
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      float* to = &out(z, y, 0);
      if (axis == 2) {
        const float* row = in.data() + (z * m[1] + y) * m[2] - in_box.begin[2];
        for (std::int64_t x = 0; x < n[2]; ++x) {
          const Taps& t = taps[static_cast<std::size_t>(begin + x)];
          float sum = 0;
          for (std::size_t k = 0; k < t.weights.size(); ++k)
            sum += t.weights[k] * row[t.first + static_cast<std::int64_t>(k)];
          to[x] = sum;
        }
        continue;
      }
      const Taps& t = taps[static_cast<std::size_t>(begin + (axis == 0 ? z : y))];
      std::fill_n(to, n[2], 0.0F);
      const std::int64_t first = t.first - in_box.begin[axis];
      const float* from = axis == 0 ? in.data() + (first * m[1] + y) * m[2] : in.data() + (z * m[1] + first) * m[2];
      for (std::size_t k = 0; k < t.weights.size(); ++k, from += stride)
        for (std::int64_t x = 0; x < n[2]; ++x) to[x] += t.weights[k] * from[x];
    }
  return out;
}

using AllTaps = std::array<std::vector<Taps>, 3>;

/// The native box that a box of outputs needs.
Box needed(const Box& out, const AllTaps& taps) {
  Box in;
  for (std::size_t a = 0; a < 3; ++a) {
    in.begin[a] = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t i = out.begin[a]; i < out.end[a]; ++i) {
      const Taps& t = taps[a][static_cast<std::size_t>(i)];
      in.begin[a] = std::min(in.begin[a], t.first);
      in.end[a] = std::max(in.end[a], t.first + static_cast<std::int64_t>(t.weights.size()));
    }
  }
  return in;
}

Array3<float> filtered(Array3<float> values, Box box, const Box& out, const AllTaps& taps) {
  for (const std::size_t axis : {2U, 1U, 0U}) {
    values = along_axis(values, box, axis, taps[axis], out.begin[axis], out.end[axis]);
    box.begin[axis] = out.begin[axis];
    box.end[axis] = out.end[axis];
  }
  return values;
}

Array3<float> resampled_box(const GridSource<float>& grey, const FieldOfView& inside, const Box& out,
                            const AllTaps& taps) {
  const Box in = needed(out, taps);
  Array3<float> values = grey.load(in);
  const Array3<std::uint8_t> seen = inside(in);
  if (std::find(seen.begin(), seen.end(), 0) == seen.end()) return filtered(std::move(values), in, out, taps);
  Array3<float> weight = array3<float>(in.shape());
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight.data()[i] = seen.data()[i] != 0 ? 1.0F : 0.0F;
    if (seen.data()[i] == 0) values.data()[i] = 0;
  }
  values = filtered(std::move(values), in, out, taps);
  weight = filtered(std::move(weight), in, out, taps);
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data()[i] =
        weight.data()[i] >= 0.5F ? values.data()[i] / weight.data()[i] : std::numeric_limits<float>::quiet_NaN();
  return values;
}

}  // namespace

std::vector<Taps> line_taps(std::int64_t inputs, double input_um, std::int64_t outputs, double output_um) {
  std::vector<Taps> taps;
  const double ratio = output_um / input_um;
  const bool same = std::abs(ratio - 1) < 1e-9;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const auto at = static_cast<double>(i);
    if (inputs == 1 || same)
      taps.push_back({std::min(i, inputs - 1), {1.0F}});
    else if (ratio > 1)
      taps.push_back(mean_taps(at * ratio, (at + 1) * ratio, inputs));
    else
      taps.push_back(cubic_taps((at + 0.5) * ratio - 0.5, inputs));
  }
  return taps;
}

Array3<float> resampled(const GridSource<float>& grey, const std::optional<GridSource<std::uint8_t>>& field_of_view,
                        const WorkingGrid& grid, const Context& context) {
  AllTaps taps;
  Index3 block{};
  for (std::size_t a = 0; a < 3; ++a) {
    taps[a] = line_taps(grid.native_shape[a], grid.native_um[a], grid.shape[a], grid.voxel_um);
    block[a] = std::max<std::int64_t>(
        8, static_cast<std::int64_t>(static_cast<double>(native_edge) * grid.native_um[a] / grid.voxel_um));
  }
  block[2] = std::max(block[2], std::min<std::int64_t>(grid.shape[2], 4 * block[2]));
  const FieldOfView inside{field_of_view, grid.native_shape};
  Array3<float> result = array3<float>(grid.shape);
  GridSink<float> sink = sink_into(result);
  const auto boxes = blocks(grid.shape, block);
  context.progress.begin("working volume", static_cast<std::uint64_t>(volume_of(grid.shape)));
  parallel_for(static_cast<std::int64_t>(boxes.size()), context.threads, [&](std::int64_t i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    sink.write(box, resampled_box(grey, inside, box, taps).data());
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
  });
  return result;
}

}  // namespace cathoscope
