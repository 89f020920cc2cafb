#include "slab.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/multiversion.hpp>
#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace cathoscope::attributes {

namespace {

struct Sums {
  double sum = 0;
  double squares = 0;
};

/// Eight interleaved partial sums, added in one order: the same bits for any vector width. The last block is filled up
/// with zeros, which change no sum.
CATHOSCOPE_MULTIVERSION
Sums sums_of(const float* values, std::int32_t n) {
  using Floats = float __attribute__((vector_size(32)));
  using Doubles = double __attribute__((vector_size(64)));
  Doubles sum{}, squares{};
  for (std::int32_t i = 0; i < n; i += 8) {
    Floats block{};
    if (i + 8 <= n)
      std::memcpy(&block, values + i, sizeof block);
    else
      std::memcpy(&block, values + i, static_cast<std::size_t>(n - i) * sizeof(float));
    const Doubles v = __builtin_convertvector(block, Doubles);
    sum += v;
    squares += v * v;
  }
  Sums s;
  for (int k = 0; k < 8; ++k) {
    s.sum += sum[k];
    s.squares += squares[k];
  }
  return s;
}

/// A row of each input; absent ones are nullptr.
struct RowValues {
  RowInput states;
  const float* grey;
};

/// The inputs of a strip: read into buffers, or looked at in place where a whole grid lies in memory.
class StripValues {
 public:
  StripValues(const AttributeInputs& inputs, const ReadPlan& plan, const Box& strip, StripBuffers& buffers)
      : labels_(inputs.labels, strip, buffers.labels) {
    if (inputs.cracks.read) cracks_ = {inputs.cracks, strip, buffers.cracks};
    if (inputs.field_of_view) field_of_view_ = {*inputs.field_of_view, strip, buffers.field_of_view};
    if (plan.grey) grey_ = {*inputs.grey, strip, buffers.grey};
    size_ = static_cast<std::int32_t>(inputs.labels.shape[2]);
  }

  /// z and y count from the strip's begin.
  [[nodiscard]] RowValues row(std::int64_t z, std::int64_t y) const {
    return {{labels_.row(z, y), cracks_.row(z, y), field_of_view_.row(z, y), size_}, grey_.row(z, y)};
  }

 private:
  template <class T>
  struct Part {
    const T* values = nullptr;
    std::int64_t plane = 0, width = 0;

    Part() = default;
    Part(const GridSource<T>& source, const Box& strip, std::vector<T>& buffer) : width(source.shape[2]) {
      const T* all = values_in_memory(source);
      plane = width * (all != nullptr ? source.shape[1] : strip.end[1] - strip.begin[1]);
      if (all != nullptr) {
        values = all + (strip.begin[0] * source.shape[1] + strip.begin[1]) * width;
        return;
      }
      const auto n = static_cast<std::size_t>(strip.size());
      if (buffer.size() < n) buffer.resize(n);
      source.read(strip, buffer.data());
      values = buffer.data();
    }
    [[nodiscard]] const T* row(std::int64_t z, std::int64_t y) const {
      return values == nullptr ? nullptr : values + z * plane + y * width;
    }
  };

  Part<std::uint32_t> labels_;
  Part<std::uint8_t> cracks_, field_of_view_;
  Part<float> grey_;
  std::int32_t size_;
};

/// The grey values worth keeping of one run: on the sampling lattice, and clear of the blur at its ends.
void sample_run(const float* row, std::int32_t z, std::int32_t y, std::int32_t begin, const Run& run,
                const ReadPlan& plan, std::vector<GreySample>& samples) {
  const std::int32_t margin = plan.sharp_grey ? 0 : 3;
  const auto step = static_cast<std::int32_t>(plan.sample_step);
  const std::int32_t first = (begin + margin + step - 1) / step * step;
  for (std::int32_t x = first; x < run.end - margin; x += step)
    samples.push_back({row[x], run.state != background, {z, y, x}});
}

void check_label(std::uint32_t label, std::size_t particles) {
  if (label > particles)
    fail(Exit::data, "label {} is in the volume, but there are only {} particles: labels must be 1 to {} without gaps",
         label, particles, particles);
}

void read_row(const ReadPlan& plan, const RowValues& values, std::int32_t z, std::int32_t y, Accumulator& accumulator,
              Strip& strip) {
  const std::int32_t nx = values.states.size;
  if (plan.faces[2][0]) strip.runs.push_back({beyond, 0});
  const std::size_t inner = strip.runs.size();
  append_runs(values.states, strip.runs);
  const bool sampled = plan.grey && z % plan.sample_step == 0 && y % plan.sample_step == 0;
  std::int32_t begin = 0;
  for (std::size_t r = inner; r < strip.runs.size(); ++r) {
    const Run run = strip.runs[r];
    if (run.state != unseen) strip.seen_voxels += run.end - begin;
    if (plan.moments && is_particle(run.state)) {
      check_label(label_of(run.state), accumulator.sums().size());
      accumulator.add_run(z, y, begin, run);
      if (plan.grey) {
        const Sums s = sums_of(values.grey + begin, run.end - begin);
        strip.grey.push_back({z, label_of(run.state), s.sum, s.squares});
      }
    }
    if (sampled && run.state != unseen && !is_crack(run.state))
      sample_run(values.grey, z, y, begin, run, plan, strip.samples);
    begin = run.end;
  }
  if (plan.faces[2][1]) strip.runs.push_back({beyond, nx + 1});
  strip.row_ends.push_back(strip.runs.size());
}

void read_strip(const AttributeInputs& inputs, const ReadPlan& plan, StripBuffers& buffers, Accumulator& accumulator,
                Strip& strip) {
  const Box& box = strip.box;
  const StripValues values(inputs, plan, box, buffers);
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
      read_row(plan, values.row(z - box.begin[0], y - box.begin[1]), static_cast<std::int32_t>(z),
               static_cast<std::int32_t>(y), accumulator, strip);
}

}  // namespace

Tiling tiling_for(const Index3& shape, std::size_t bytes_per_voxel, const Context& context) {
  Tiling t{std::min<std::int64_t>(64, shape[0]), std::min<std::int64_t>(64, shape[1])};
  const auto bytes = [&] {
    return static_cast<std::uint64_t>(t.thickness * t.height * shape[2]) * bytes_per_voxel *
           static_cast<std::uint64_t>(std::max(1, context.threads));
  };
  while (bytes() > context.memory_bytes / 4 && (t.height > 8 || t.thickness > 8))
    (t.height > 8 ? t.height : t.thickness) /= 2;
  return t;
}

Slab read_slab(const AttributeInputs& inputs, const ReadPlan& plan, std::int64_t z_begin, std::int64_t z_end,
               const Tiling& tiling, AccumulatorPool& pool, BufferPool& buffers, const Context& context, Slab spent) {
  const Index3& shape = inputs.labels.shape;
  Slab slab{z_begin, z_end, tiling.height, std::move(spent.strips)};
  slab.strips.resize(static_cast<std::size_t>((shape[1] + tiling.height - 1) / tiling.height));
  for (std::size_t i = 0; i < slab.strips.size(); ++i) {
    const std::int64_t y = static_cast<std::int64_t>(i) * tiling.height;
    slab.strips[i].restart({{z_begin, y, 0}, {z_end, std::min(shape[1], y + tiling.height), shape[2]}});
  }
  parallel_for(static_cast<std::int64_t>(slab.strips.size()), context.threads, [&](std::int64_t i) {
    context.progress.check_stop();
    buffers.with([&](StripBuffers& b) {
      pool.with([&](Accumulator& a) { read_strip(inputs, plan, b, a, slab.strips[static_cast<std::size_t>(i)]); });
    });
  });
  return slab;
}

}  // namespace cathoscope::attributes
