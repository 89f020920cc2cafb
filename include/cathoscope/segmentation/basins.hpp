#pragma once
/// Watershed instances by the basin graph: the same labels for any block size.
///
/// Every voxel with a value above 0 points to the best voxel of its 3 x 3 x 3 neighbourhood in the total order (higher
/// value, then smaller linear index); chains end at roots, which are the peaks of the basins. Two basins that touch
/// have a saddle: the maximum over their interface of the lower of the two values. Basins merge in descending order of
/// saddle, ties by the indices of the roots, while the lower of the two peaks rises less than a threshold above the
/// saddle.

#include <cathoscope/segmentation/workspace.hpp>

#include <cstdint>
#include <vector>

namespace cathoscope {

/// Basins in order of their roots' linear index.
struct BasinGraph {
  struct Basin {
    std::int64_t root = 0;   ///< linear index of the peak
    std::int64_t first = 0;  ///< linear index of the first voxel
    std::uint64_t voxels = 0;
    std::uint16_t peak = 0;
  };
  struct Saddle {
    std::uint32_t a = 0, b = 0;  ///< positions in `basins`, a < b
    std::uint16_t value = 0;
  };
  std::vector<Basin> basins;
  std::vector<Saddle> saddles;  ///< one a pair, in order of (a, b)
};

struct Basins {
  BasinGraph graph;
  ScratchGrid<std::uint32_t> ids;       ///< provisional ids, 0 = background
  std::vector<std::uint32_t> basin_of;  ///< position in graph.basins of each provisional id (0 unused)
};

Basins find_basins(const Workspace& w, const ScratchGrid<std::uint16_t>& field);

/// Two basins stay apart where the lower peak is at least max(least, share * lower peak) above the saddle.
struct MergeRule {
  double least = 0;
  double share = 0;
  double least_peak = 0;  ///< a peak below it does not stand apart: its basin joins the neighbour of the highest saddle
};

/// For each basin the smallest position of its merged group.
std::vector<std::uint32_t> merge_basins(const BasinGraph& graph, const MergeRule& rule);

/// Dense labels 1..n by first voxel in z, y, x.
struct Instances {
  std::vector<std::uint32_t> label_of;  ///< per basin; 0 = dropped
  std::uint32_t count = 0;
  std::uint64_t dropped = 0;  ///< instances of fewer than `least_voxels` voxels
  std::uint64_t dropped_voxels = 0;
  std::uint64_t unresolved_voxels = 0;  ///< of groups without a peak of `least_peak`, which get no label
};
Instances number_instances(const BasinGraph& graph, const std::vector<std::uint32_t>& group_of,
                           std::uint64_t least_voxels, std::uint16_t least_peak = 0);

}  // namespace cathoscope
