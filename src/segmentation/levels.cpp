#include "cracks.hpp"
#include "neighbourhood.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <unordered_map>

namespace cathoscope {

namespace {

constexpr std::size_t level_bins = 256;
constexpr std::uint64_t least_samples = 30;
constexpr double smoothing_voxels = 0.7;
constexpr double tail = 1e-4;              // of grey values beyond the steps of SmoothGrey
constexpr double void_over_matrix = 1.27;  // (180 - 62) / (180 - 87) of a measured NMC cathode

using Counts = std::vector<std::uint32_t>;  // level_bins a label

struct LevelCounts {
  std::uint32_t first = 1;  ///< label of the first row
  Counts solid, matrix;

  LevelCounts(std::uint32_t from, std::size_t labels) : first(from), solid(labels * level_bins), matrix(solid.size()) {}
  [[nodiscard]] bool holds(std::uint32_t label) const {
    return label >= first && label < first + solid.size() / level_bins;
  }
  [[nodiscard]] std::size_t at(std::uint32_t label, std::size_t bin) const {
    return (label - first) * level_bins + bin;
  }
};

/// Counts of all labels that are wanted, filled by blocks in any order.
class SharedCounts {
 public:
  SharedCounts(LevelCounts& wanted, LevelCounts* of_all) : wanted_(wanted), of_all_(of_all) {}

  /// `counts`: first the solid's bins, then the matrix's.
  void add(const std::vector<std::uint32_t>& labels, const Counts& counts) {
    const std::scoped_lock lock(mutex_);
    for (std::size_t k = 0; k < labels.size(); ++k) {
      const std::uint32_t* row = counts.data() + 2 * level_bins * k;
      if (wanted_.holds(labels[k])) add_row(wanted_, wanted_.at(labels[k], 0), row);
      if (of_all_ != nullptr) add_row(*of_all_, 0, row);
    }
  }

 private:
  static void add_row(LevelCounts& to, std::size_t at, const std::uint32_t* row) {
    for (std::size_t b = 0; b < level_bins; ++b) {
      to.solid[at + b] += row[b];
      to.matrix[at + b] += row[level_bins + b];
    }
  }
  std::mutex mutex_;
  LevelCounts& wanted_;
  LevelCounts* of_all_;
};

/// Counts of one block, handed over when they grow large.
class BlockCounts {
 public:
  explicit BlockCounts(SharedCounts& shared) : shared_(shared) {}
  void add(std::uint32_t label, std::size_t bin, bool is_solid) {
    if (label != last_ || labels_.empty()) find(label);
    counts_[at_ + (is_solid ? 0 : level_bins) + bin] += 1;
  }
  void flush() {
    shared_.add(labels_, counts_);
    labels_.clear();
    counts_.clear();
    row_of_.clear();
  }

 private:
  void find(std::uint32_t label) {
    constexpr std::size_t most_rows = 4096;  // 8 MiB
    if (labels_.size() == most_rows) flush();
    const auto [row, is_new] = row_of_.try_emplace(label, labels_.size());
    if (is_new) {
      labels_.push_back(label);
      counts_.resize(counts_.size() + 2 * level_bins, 0);
    }
    at_ = 2 * level_bins * row->second;
    last_ = label;
  }
  SharedCounts& shared_;
  std::vector<std::uint32_t> labels_;
  Counts counts_;
  std::unordered_map<std::uint32_t, std::size_t> row_of_;
  std::uint32_t last_ = 0;
  std::size_t at_ = 0;
};

std::size_t inner_index(const Box& block, const Box& wide, std::int64_t z, std::int64_t y) {
  const auto n = wide.shape();
  return static_cast<std::size_t>(((z + block.begin[0] - wide.begin[0]) * n[1] + y + block.begin[1] - wide.begin[1]) *
                                      n[2] +
                                  block.begin[2] - wide.begin[2]);
}

/// Counts every voxel of a block that tells a level: deep in a particle, or in the surroundings of one.
void count_block(const Box& block, const Array3<std::uint16_t>& grey, const FieldOfView& inside,
                 const ScratchGrid<std::uint32_t>& labels, SharedCounts& shared) {
  const Box wide = grown(block, {9, 9, 9}, labels.shape());
  const Array3<std::uint32_t> names = labels.padded(wide, 0);
  const Array3<std::uint8_t> seen = inside(wide);
  const NearestLabel to_boundary(names, boundary_of(names, seen), 8.01);
  const auto n = block.shape();
  BlockCounts counts(shared);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const std::size_t row = inner_index(block, wide, z, y);
      const std::uint16_t* codes = &grey(z, y, 0);
      for (std::int64_t x = 0; x < n[2]; ++x) {
        const std::size_t i = row + static_cast<std::size_t>(x);
        const std::uint32_t label = names.data()[i];
        const std::uint32_t squared = to_boundary.squared(i);
        const std::size_t bin = codes[x] / (65536 / level_bins);
        if (label != 0 && squared >= 2) counts.add(label, bin, true);
        if (label == 0 && squared >= 7 && squared <= 64 && seen.data()[i] != 0)
          counts.add(to_boundary.label(i), bin, false);
      }
    }
  counts.flush();
}

std::uint64_t total_of(const std::uint32_t* counts) {
  std::uint64_t total = 0;
  for (std::size_t b = 0; b < level_bins; ++b) total += counts[b];
  return total;
}

/// The highest bin after smoothing over four bins, refined by a parabola.
double mode_of(const std::uint32_t* counts, const Histogram& bins) {
  constexpr int reach = 12;
  std::vector<double> smooth(level_bins, 0);
  for (int b = 0; b < static_cast<int>(level_bins); ++b)
    for (int d = -reach; d <= reach; ++d)
      if (b + d >= 0 && b + d < static_cast<int>(level_bins))
        smooth[static_cast<std::size_t>(b)] += std::exp(-d * d / 32.0) * counts[b + d];
  const auto top = static_cast<std::size_t>(std::max_element(smooth.begin(), smooth.end()) - smooth.begin());
  double shift = 0;
  if (top > 0 && top + 1 < level_bins) {
    const double bend = smooth[top - 1] - 2 * smooth[top] + smooth[top + 1];
    if (bend < 0) shift = 0.5 * (smooth[top - 1] - smooth[top + 1]) / bend;
  }
  return bins.centre(top) + shift * (bins.high - bins.low) / static_cast<double>(level_bins);
}

double median_of(const std::uint32_t* counts, const Histogram& bins) {
  Histogram h{bins.low, bins.high, {counts, counts + level_bins}};
  return h.quantile(0.5);
}

/// Spread on the side of the solid's mode where there are no voids.
double spread_of(const std::uint32_t* counts, const Histogram& bins, double solid, bool brighter) {
  double sum = 0;
  double total = 0;
  for (std::size_t b = 0; b < level_bins; ++b) {
    const double beyond = brighter ? bins.centre(b) - solid : solid - bins.centre(b);
    if (beyond < 0) continue;
    sum += counts[b] * beyond * beyond;
    total += counts[b];
  }
  return total > 0 ? std::sqrt(sum / total) : 0;
}

ParticleLevels levels_of(const std::uint32_t* solid, const std::uint32_t* matrix, const Histogram& bins) {
  ParticleLevels levels;
  if (total_of(solid) < least_samples || total_of(matrix) < least_samples) return levels;
  levels.solid = mode_of(solid, bins);
  levels.matrix = median_of(matrix, bins);
  const double contrast = levels.solid - levels.matrix;
  levels.void_level = levels.solid - void_over_matrix * contrast;
  const double spread = spread_of(solid, bins, levels.solid, contrast > 0);
  levels.noise = contrast == 0 ? 0 : spread / std::abs(void_over_matrix * contrast);
  levels.usable = std::abs(contrast) > 2 * spread && contrast != 0;
  return levels;
}

void count_samples(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                   const ScratchGrid<std::uint32_t>& labels, LevelCounts& counts, LevelCounts* of_all) {
  SharedCounts shared(counts, of_all);
  for_each_block(w, "grey levels of the particles",
                 [&](const Box& block) { count_block(block, grey.codes(block), inside, labels, shared); });
}

}  // namespace

SmoothGrey::SmoothGrey(const Workspace& w, const GridSource<float>& grey, const GreyRange& range,
                       const FieldOfView& inside) {
  const Histogram histogram = grey_histogram(
      w, range, [&](const Box& block) { return grey.load(block); }, inside);
  if (histogram.counts.empty()) return;
  low_ = histogram.quantile(tail);
  high_ = histogram.quantile(1 - tail);
  if (empty()) return;
  codes_ = ScratchGrid<std::uint16_t>(w);
  const Vec3 sigma{w.shape[0] > 1 ? smoothing_voxels : 0, smoothing_voxels, smoothing_voxels};
  for_each_block(w, "smoothing", [&](const Box& block) {
    const Array3<float> values = smoothed(grey, inside, sigma, block);
    std::vector<std::uint16_t> steps(values.size());
    for (std::size_t i = 0; i < steps.size(); ++i)
      steps[i] =
          static_cast<std::uint16_t>(std::clamp((values.data()[i] - low_) / (high_ - low_), 0.0, 1.0) * 65535 + 0.5);
    codes_.write(block, steps.data());
  });
}

double ParticleLevels::weak() const { return std::max(0.3, 2.5 * noise); }
double ParticleLevels::strong() const { return std::max(0.5, 4.5 * noise); }
double ParticleLevels::partial_volume() const { return std::max(0.15, 2.5 * noise); }

std::vector<ParticleLevels> particle_levels(const Workspace& w, const SmoothGrey& grey, const FieldOfView& inside,
                                            const ScratchGrid<std::uint32_t>& labels, std::uint32_t count) {
  std::vector<ParticleLevels> levels(count + 1);
  if (grey.empty() || count == 0) return levels;
  const Histogram bins{grey.low(), grey.high(), std::vector<std::uint64_t>(level_bins)};
  // Labels in batches that fit: 2 KiB each.
  const auto batch = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(w.context->memory_bytes / 4 / (2 * level_bins * sizeof(std::uint32_t)), 1, count));
  LevelCounts all(0, 1);
  for (std::uint64_t first = 1; first <= count; first += batch) {
    LevelCounts counts(static_cast<std::uint32_t>(first), std::min<std::uint64_t>(batch, count + 1 - first));
    count_samples(w, grey, inside, labels, counts, first == 1 ? &all : nullptr);
    const ParticleLevels common = levels_of(all.solid.data(), all.matrix.data(), bins);
    for (std::uint64_t label = first; label < first + batch && label <= count; ++label) {
      const std::size_t at = (label - first) * level_bins;
      const bool own_solid = total_of(&counts.solid[at]) >= least_samples;
      const bool own_matrix = total_of(&counts.matrix[at]) >= least_samples;
      ParticleLevels& l = levels[label] = levels_of(own_solid ? &counts.solid[at] : all.solid.data(),
                                                    own_matrix ? &counts.matrix[at] : all.matrix.data(), bins);
      // A particle that looks like the matrix, or the other way round from all the others, has no levels of its own.
      if ((l.solid - l.matrix) * (common.solid - common.matrix) <= 0) l.usable = false;
    }
  }
  return levels;
}

}  // namespace cathoscope
