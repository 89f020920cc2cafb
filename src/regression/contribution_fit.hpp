#pragma once
/// Fits that the protocol repeats: one forest, its contributions.

#include <cathoscope/regression/contributions.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// Which features form a group or a unit.
struct FeatureGroups {
  std::vector<std::string> group;              ///< [feature]: one of attribute_groups, or empty
  std::vector<std::vector<std::size_t>> unit;  ///< features that are permuted together
  std::vector<std::size_t> unit_of;            ///< [feature]
};
FeatureGroups feature_groups(const std::vector<std::string>& names);

/// The seed of one forest: counter-based keys by electrode, kind and run; plain run numbers for scikit-learn's draws.
std::uint64_t run_seed(const RegressionConfig& config, const ContributionInputs& inputs, std::string_view kind,
                       std::int64_t run);

ContributionScores scores_of(const Explanation& explanation, const FeatureGroups& groups);

/// Name of one forest of the protocol among finished pieces.
std::string piece_name(const ContributionInputs& inputs, const std::string& kind, std::int64_t run);
/// Those whose forests are computed here: all, but for a shard.
Shard shard_of(const ContributionInputs& inputs);
/// Whether the shard has the forest. One draw after the other belongs to the next shard.
bool is_of(const Shard& shard, const ContributionInputs& inputs, const std::string& kind, std::int64_t run);
/// Scores as one list: attributes, the four groups, self, neighbour, units; and back.
std::vector<double> flat_scores(const ContributionScores& scores);
ContributionScores scores_from(const std::vector<double>& flat, std::size_t attributes, std::size_t units);

/// A forest on the given rows, one thread, and the scores of those rows.
ContributionScores fitted_scores(const RegressionConfig& config, const FeatureRows& x, const std::vector<double>& y,
                                 const std::vector<std::string>& names, std::uint64_t seed,
                                 const FeatureGroups& groups);

/// Permutation test of every unit. [unit]: p, and the 95 % quantile of each feature's score while its unit is permuted.
/// Of a shard: its part of the draws, as many as its own let it expect to be needed.
struct PermutationFloor {
  std::vector<double> p;      ///< [unit]
  std::vector<double> floor;  ///< [feature]
};
PermutationFloor permutation_floor(const RegressionConfig& config, const ContributionInputs& inputs,
                                   const FeatureGroups& groups, const Context& context);

}  // namespace cathoscope
