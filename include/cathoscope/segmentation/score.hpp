#pragma once
/// How well predicted particles agree with true ones. Definitions and sources: docs/evaluate.md.

#include <cathoscope/core/box.hpp>
#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace cathoscope {

/// A particle of the truth or of the prediction.
struct ScoredObject {
  std::uint64_t id = 0;
  std::int64_t voxels = 0;      ///< that are not ignored
  std::int64_t all_voxels = 0;  ///< ignored ones too
  Box box;
  bool touches_border = false;
  std::uint32_t image = 0;  ///< which pair it is of, where several are scored together
  bool dark = false;        ///< predictions: median grey below the midpoint of solid and matrix
};

/// Voxels that a true and a predicted particle share. Indices into the lists of OverlapTable.
struct Overlap {
  std::uint32_t truth = 0, prediction = 0;
  std::int64_t voxels = 0;
};

/// All that the scores of section "overlap" need of two label images.
struct OverlapTable {
  std::vector<ScoredObject> truth, prediction;  ///< ascending ids
  std::vector<Overlap> overlaps;                ///< ascending truth, then prediction; none is 0
};

struct LabelPair {
  GridSource<std::uint64_t> truth, prediction;     ///< 0 = background
  std::optional<GridSource<std::uint8_t>> ignore;  ///< non-zero = nobody knows; such voxels count nowhere
  std::optional<GridSource<float>> grey;           ///< for the lenient score: what is dark is no particle
};

/// Streams both images once (greys: twice more). Memory: a slab, and some hundred bytes a particle and overlap.
/// Throws Error{data} where shapes differ or greys are not finite.
OverlapTable overlap_table(const LabelPair& pair, const Context& context);

/// Particles of both tables side by side; those of `more` belong to the next image.
void append(OverlapTable& table, OverlapTable more);

/// Without true particles of fewer voxels (ignored ones included): they and their voxels count nowhere.
OverlapTable without_small(const OverlapTable& table, std::int64_t least_voxels);

/// Row i goes with column result[i] (-1 = none) at the least total cost; min(rows, columns) rows get one.
/// cost[i * columns + j], finite. Shortest augmenting paths (Crouse 2016, DOI 10.1109/TAES.2016.140952).
std::vector<std::int64_t> linear_assignment(std::int64_t rows, std::int64_t columns, const std::vector<double>& cost);

/// Pairs (truth, prediction) that go together at an IoU of at least tau > 0: as many as possible, among those the
/// greatest sum of IoU. Ascending.
std::vector<std::pair<std::uint32_t, std::uint32_t>> matched_pairs(const OverlapTable& table, double tau);

struct MatchScore {
  std::int64_t tp = 0, fp = 0, fn = 0;
  double precision = 0, recall = 0, f1 = 0;
  double ap = 0;                ///< tp / (tp + fp + fn); 1 where both are empty
  double mean_matched_iou = 0;  ///< over true positives
  double mean_true_iou = 0;     ///< the same sum over all true particles
  double pq = 0;                ///< sum of IoU / (tp + fp / 2 + fn / 2)
};

inline constexpr std::array<double, 10> score_thresholds{0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95};
using MatchScores = std::array<MatchScore, score_thresholds.size()>;

struct Score {
  std::int64_t n_truth = 0, n_prediction = 0, n_prediction_lenient = 0;
  MatchScores strict, lenient;
  double map = 0, map_lenient = 0;    ///< means of ap
  double vi_split = 0, vi_merge = 0;  ///< bits, on true particles
  double arand = 0;                   ///< adapted Rand error, on true particles
  double split_rate = 0, merge_rate = 0;
  std::optional<double> volume_bias;  ///< median of (|P| - |G|) / |G| over true positives at 0.5; empty without any
};

/// Scores of all particles.
Score score_of(const OverlapTable& table);
/// Scores of the true particles that do not touch the border. Predictions that touch it, or lie to one half at least in
/// true ones that do, count only where they match one of those (IoU >= 0.5).
Score interior_score_of(const OverlapTable& table);

/// Predictions that the lenient score leaves out: less than a quarter on true particles, and not dark.
std::vector<char> lenient_keep(const OverlapTable& table);

/// Distances between the surfaces of matched particles, means over the pairs, um.
struct SurfaceDistance {
  double assd_um = 0;         ///< average symmetric surface distance
  double hausdorff95_um = 0;  ///< 95th percentile of the distances of both surfaces
  std::int64_t pairs = 0;
  std::int64_t too_large = 0;  ///< pairs left out because their box exceeds the memory
};

/// Surfaces are voxels with a face neighbour (a plane: edge neighbour) outside their particle, within the image.
SurfaceDistance surface_distance(const LabelPair& pair, const OverlapTable& table, const Vec3& voxel_um,
                                 const Context& context);

/// Agreement of two lists of damage.
struct DamageScore {
  std::int64_t particles = 0;
  double mae = 0, bias = 0;     ///< bias: prediction less truth
  std::optional<double> r;      ///< Pearson; empty where a list is constant
  std::optional<double> slope;  ///< of the prediction over the truth
};
DamageScore damage_score(const std::vector<double>& prediction, const std::vector<double>& truth);

}  // namespace cathoscope
