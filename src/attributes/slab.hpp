#pragma once
/// A slab of the volume as runs, and what reading it yields.

#include "accumulator.hpp"
#include "streaming.hpp"

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace cathoscope::attributes {

/// Sums of grey values over one run of a particle. They are added up in z, y, x order, whatever the blocks.
struct GreyRun {
  std::int32_t z;
  std::uint32_t label;
  double sum;
  double sum_of_squares;
};

/// Rows [y0, y1) of the planes of a slab; what one task reads.
struct Strip {
  Box box;
  std::vector<Run> runs;
  std::vector<std::size_t> row_ends;  ///< in `runs`, by z then y
  std::vector<GreyRun> grey;          ///< by z, y, x
  std::vector<GreySample> samples;    ///< by z, y, x
  std::int64_t seen_voxels = 0;

  /// Empty, over another box, with the memory it has.
  void restart(const Box& next) {
    box = next;
    runs.clear(), row_ends.clear(), grey.clear(), samples.clear();
    seen_voxels = 0;
  }
  [[nodiscard]] std::span<const Run> row(std::int64_t z, std::int64_t y) const {
    const auto i = static_cast<std::size_t>((z - box.begin[0]) * (box.end[1] - box.begin[1]) + y - box.begin[1]);
    const std::size_t begin = i == 0 ? 0 : row_ends[i - 1];
    return {runs.data() + begin, row_ends[i] - begin};
  }
};

/// How a volume is cut up. No result depends on it.
struct Tiling {
  std::int64_t thickness;  ///< planes of a slab
  std::int64_t height;     ///< rows of a strip
};

/// Slabs that suit files in chunks of 64 voxels, within the memory.
Tiling tiling_for(const Index3& shape, std::size_t bytes_per_voxel, const Context& context);

struct Slab {
  std::int64_t z_begin = 0, z_end = 0;
  std::int64_t height = 1;
  std::vector<Strip> strips;

  [[nodiscard]] std::span<const Run> row(std::int64_t z, std::int64_t y) const {
    return strips[static_cast<std::size_t>(y / height)].row(z, y);
  }
};

/// What reading needs to know besides the data.
struct ReadPlan {
  bool moments = true;           ///< and boxes and counts of the particles
  bool grey = true;              ///< sums and samples of grey values
  std::int64_t sample_step = 1;  ///< every how many voxels an axis one grey value is kept
  bool sharp_grey = false;       ///< values are phases: keep samples next to boundaries as well
  Faces faces{};
};

/// Raw voxels of a strip, for inputs that are not in memory.
struct StripBuffers {
  std::vector<std::uint32_t> labels;
  std::vector<std::uint8_t> cracks, field_of_view;
  std::vector<float> grey;
};

/// Buffers that tasks borrow, kept for the whole stream: fresh memory costs more than the reading.
class BufferPool {
 public:
  template <class F>
  void with(const F& f) {
    StripBuffers mine;
    {
      const std::scoped_lock lock(mutex_);
      if (!free_.empty()) {
        mine = std::move(free_.back());
        free_.pop_back();
      }
    }
    f(mine);
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(mine));
  }

 private:
  std::mutex mutex_;
  std::vector<StripBuffers> free_;
};

/// Reads strips in parallel and adds their moments to borrowed accumulators. `spent` is a slab that is not needed any
/// more: its memory is used again.
Slab read_slab(const AttributeInputs& inputs, const ReadPlan& plan, std::int64_t z_begin, std::int64_t z_end,
               const Tiling& tiling, AccumulatorPool& pool, BufferPool& buffers, const Context& context,
               Slab spent = {});

}  // namespace cathoscope::attributes
