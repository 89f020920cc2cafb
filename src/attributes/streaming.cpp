#include "streaming.hpp"

#include "accumulator.hpp"
#include "slab.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

namespace cathoscope::attributes {

namespace {

constexpr std::int64_t wanted_samples = 2'000'000;

/// What comparing needs: the weights, the faces, and where the rim of the field of view goes.
struct Comparison {
  const CroftonWeights& weights;
  Faces faces;
  Index3 shape;
  bool rim;
};

std::int64_t sample_step_for(const Index3& shape) {
  std::int64_t step = 1;
  while (volume_of(shape) / (step * step * step) > wanted_samples) ++step;
  return step;
}

/// Points every few voxels along the border between seen and unseen.
void add_rim(std::int32_t begin, std::int32_t length, const Vec3& offset, std::vector<Vec3>& points) {
  constexpr std::int32_t every = 4;
  for (std::int32_t x = begin; x < begin + length; x += every) points.push_back({offset[0], offset[1], x + 0.5});
  points.push_back({offset[0], offset[1], begin + length - 0.5});
}

/// Label changes along a row.
void compare_along(std::span<const Run> row, const Comparison& c, std::int64_t z, std::int64_t y, Accumulator& sink,
                   std::vector<Vec3>& rim) {
  for (std::size_t i = 1; i < row.size(); ++i) {
    const State a = row[i - 1].state, b = row[i].state;
    sink.add_interface(a, b, c.weights.fixed[0]);
    if (!c.rim || (a != unseen && b != unseen)) continue;
    sink.meet_unseen(a, b);
    rim.push_back({static_cast<double>(z) + 0.5, static_cast<double>(y) + 0.5, static_cast<double>(row[i - 1].end)});
  }
}

struct RowAt {
  std::span<const Run> runs;
  std::int64_t z, y;
};

/// Label changes from row a to row b = a + (dz, dy), all three dx at once. k: index of the direction with dx = 0.
void compare_pair(const RowAt& a, const RowAt& b, std::size_t k, const Comparison& c, Accumulator& sink,
                  std::vector<Vec3>& rim) {
  const std::int64_t straight_weight = c.weights.fixed[k], diagonal_weight = c.weights.fixed[k + 1];
  const bool face_neighbours = std::abs(a.z - b.z) + std::abs(a.y - b.y) == 1;
  const std::int32_t row_begin = c.faces[2][0] ? -1 : 0;
  compare_rows(a.runs, b.runs, row_begin,
               [&](State p, State q, std::int32_t straight, std::int32_t diagonal, std::int32_t begin) {
                 sink.add_interface(p, q, straight * straight_weight + diagonal * diagonal_weight);
                 if (!c.rim || !face_neighbours || straight == 0 || (p != unseen && q != unseen)) return;
                 sink.meet_unseen(p, q);
                 add_rim(begin, straight,
                         {static_cast<double>(a.z + b.z + 1) / 2, static_cast<double>(a.y + b.y + 1) / 2, 0}, rim);
               });
}

/// Rows of the current slab, the last plane of the one before, and what lies behind physical faces.
class Rows {
 public:
  Rows(const Comparison& c, const Slab& now, const Slab* before)
      : shape_(c.shape), faces_(c.faces), now_(now), before_(before) {
    outside_ = {beyond, static_cast<std::int32_t>(shape_[2]) + (faces_[2][1] ? 1 : 0)};
  }

  /// Empty where the volume was cut.
  [[nodiscard]] std::span<const Run> at(std::int64_t z, std::int64_t y) const {
    if (behind(0, z) || behind(1, y)) {
      const bool inside_others = (physical(0, z) || !behind(0, z)) && (physical(1, y) || !behind(1, y));
      return inside_others ? std::span<const Run>(&outside_, 1) : std::span<const Run>();
    }
    return z < now_.z_begin ? before_->row(z, y) : now_.row(z, y);
  }

 private:
  [[nodiscard]] bool behind(std::size_t axis, std::int64_t i) const { return i < 0 || i >= shape_[axis]; }
  [[nodiscard]] bool physical(std::size_t axis, std::int64_t i) const {
    return i < 0 ? faces_[axis][0] : i >= shape_[axis] && faces_[axis][1];
  }

  Index3 shape_;
  Faces faces_;
  const Slab& now_;
  const Slab* before_;
  Run outside_{};
};

/// Interfaces within plane z, and between planes z - 1 and z. With z = depth: only the latter, to the far face.
void compare_plane(const Rows& rows, const Comparison& c, std::int64_t z, Accumulator& sink, std::vector<Vec3>& rim) {
  const bool real = z < c.shape[0];
  for (std::int64_t y = -1; y <= c.shape[1]; ++y) {
    const RowAt here{rows.at(z, y), z, y};
    if (here.runs.empty()) continue;
    if (real && y >= 0 && y < c.shape[1]) compare_along(here.runs, c, z, y, sink, rim);
    const auto compare = [&](std::int64_t oz, std::int64_t oy, std::size_t k) {
      const RowAt other{rows.at(z + oz, y + oy), z + oz, y + oy};
      if (!other.runs.empty()) compare_pair(other, here, k, c, sink, rim);
    };
    if (real) compare(0, -1, 2);
    compare(-1, 1, 5);  // the pair (z - 1, y + 1) to (z, y) is direction (1, -1, .)
    compare(-1, 0, 8);
    compare(-1, -1, 11);
  }
}

void compare_slab(const Slab& now, const Slab* before, const Comparison& c, AccumulatorPool& pool, PassOne& result,
                  const Context& context) {
  const Rows rows(c, now, before);
  const std::int64_t z_end = now.z_end + (now.z_end == c.shape[0] && c.faces[0][1] ? 1 : 0);
  std::vector<std::vector<Vec3>> rims(static_cast<std::size_t>(z_end - now.z_begin));
  parallel_for(z_end - now.z_begin, context.threads, [&](std::int64_t i) {
    pool.with([&](Accumulator& a) { compare_plane(rows, c, now.z_begin + i, a, rims[static_cast<std::size_t>(i)]); });
  });
  for (const auto& points : rims) result.edge_points.insert(result.edge_points.end(), points.begin(), points.end());
}

/// Adds grey sums in z, y, x order: strips hold their rows in that order for each plane.
void add_grey(const Slab& slab, std::vector<ParticleSums>& particles) {
  std::vector<std::size_t> next(slab.strips.size(), 0);
  for (std::int64_t z = slab.z_begin; z < slab.z_end; ++z)
    for (std::size_t s = 0; s < slab.strips.size(); ++s) {
      const auto& runs = slab.strips[s].grey;
      for (; next[s] < runs.size() && runs[next[s]].z == z; ++next[s]) {
        ParticleSums& p = particles[runs[next[s]].label - 1];
        p.grey += runs[next[s]].sum;
        p.grey_squared += runs[next[s]].sum_of_squares;
      }
    }
}

/// In z, y, x order, like add_grey.
void add_samples(const Slab& slab, std::vector<GreySample>& samples) {
  std::vector<std::size_t> next(slab.strips.size(), 0);
  for (auto z = static_cast<std::int32_t>(slab.z_begin); z < slab.z_end; ++z)
    for (std::size_t s = 0; s < slab.strips.size(); ++s) {
      const auto& strip = slab.strips[s].samples;
      const std::size_t first = next[s];
      while (next[s] < strip.size() && strip[next[s]].position[0] == z) ++next[s];
      samples.insert(samples.end(), strip.begin() + static_cast<std::ptrdiff_t>(first),
                     strip.begin() + static_cast<std::ptrdiff_t>(next[s]));
    }
}

}  // namespace

Faces physical_faces(const AttributeInputs& inputs) {
  constexpr std::array<const char*, 6> names{"z_low", "z_high", "y_low", "y_high", "x_low", "x_high"};
  Faces faces{};
  for (const std::string& name : inputs.physical_faces) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      fail(Exit::config, "physical_faces: {} is none of z_low, z_high, y_low, y_high, x_low, x_high", name);
    const auto i = static_cast<std::size_t>(at - names.begin());
    faces[i / 2][i % 2] = true;
  }
  if (inputs.two_dimensional) faces[0] = {false, false};
  return faces;
}

PassOne stream_volume(const AttributeInputs& inputs, const Context& context, const PassOneOptions& options) {
  const Index3& shape = inputs.labels.shape;
  const Vec3& h = inputs.labels.voxel_size_um;
  const std::size_t particles = inputs.label_ids.size();
  PassOne result;
  result.weights = inputs.two_dimensional ? crofton_weights_in_plane(h) : crofton_weights(h);
  const Comparison comparison{result.weights, physical_faces(inputs), shape, inputs.field_of_view.has_value()};
  ReadPlan plan;
  plan.grey = options.grey && inputs.grey.has_value();
  plan.sample_step = sample_step_for(shape);
  plan.sharp_grey = inputs.damage_source == "phases";
  plan.faces = comparison.faces;

  std::vector<ParticleSums> grey(particles);
  AccumulatorPool pool(particles);
  BufferPool buffers;
  const Tiling tiling = tiling_for(shape, 10, context);
  Slab before, spent;
  context.progress.begin("attributes: moments and surfaces", static_cast<std::uint64_t>(volume_of(shape)));
  for (const Box& box : slabs(shape, tiling.thickness)) {
    Slab now = read_slab(inputs, plan, box.begin[0], box.end[0], tiling, pool, buffers, context, std::move(spent));
    if (options.interfaces) compare_slab(now, &before, comparison, pool, result, context);
    if (plan.grey) {
      add_grey(now, grey);
      add_samples(now, result.samples);
    }
    for (const Strip& strip : now.strips) result.seen_voxels += strip.seen_voxels;
    spent = std::exchange(before, std::move(now));
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
  }
  Accumulator total = pool.total();
  result.particles = std::move(total.sums());
  for (std::size_t i = 0; i < particles; ++i) {
    result.particles[i].grey = grey[i].grey;
    result.particles[i].grey_squared = grey[i].grey_squared;
  }
  result.contacts = total.contacts();
  return result;
}

}  // namespace cathoscope::attributes
