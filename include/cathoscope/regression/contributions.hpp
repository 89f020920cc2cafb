#pragma once
/// What makes particles crack, and how sure that is: contribution scores of the attributes over 20 runs as in Li et al.
/// (2022), DOI 10.1126/science.abm8962, with intervals, a floor, out-of-bag values and the share of the neighbourhood.

#include <cathoscope/core/finished_pieces.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/regression/regression.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cathoscope {

/// Means over the training rows of one forest.
struct ContributionScores {
  std::vector<double> attribute;  ///< mean |phi|
  std::array<double, 4> group{};  ///< mean |sum of phi over the group|
  double self = 0;                ///< mean |sum over the first three groups|
  double neighbour = 0;           ///< the fourth
  std::vector<double> unit;       ///< mean |sum over the unit|: a twin group, or a single attribute

  [[nodiscard]] double share() const { return neighbour + self > 0 ? neighbour / (neighbour + self) : 0; }
};

struct ContributionRun {
  std::string kind;  ///< seed: all particles; subset: a random subset
  std::int64_t run = 0;
  ContributionScores scores;
};

struct ScoreInterval {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// One row of contributions.csv. NaN where it was not computed.
struct AttributeContribution {
  std::string attribute;
  std::string group;
  ScoreInterval mean_abs_shap;  ///< mean of the runs, half-sampling interval
  double sd_seeds = 0;          ///< between runs of a kind, ddof 1; no sampling error
  double sd_subsets = 0;
  double null_floor = 0;         ///< 95 % quantile of the score with the column (and its twins) permuted
  double p = 0;                  ///< of the column's unit
  double q = 0;                  ///< Benjamini-Hochberg over the units
  double oob_mean_abs_shap = 0;  ///< each row by the trees that have not seen it
  double direction = 0;          ///< rank correlation of value and contribution: > 0: more of it, more of the target
  double per_sd_damage = 0;      ///< mean_abs_shap / sd(target)
  double reliability = 0;        ///< given from outside
};

struct Contributions {
  std::string electrode;
  std::string profile;
  std::vector<AttributeContribution> attributes;
  std::vector<ContributionRun> runs;
  std::vector<ContributionScores> halves;  ///< of the half samples
  std::array<ScoreInterval, 4> groups{};
  ScoreInterval self, neighbour, share_neighbour;
  double oob_r2 = 0;
  double spatial_cv_r2 = 0;  ///< NaN without positions or folds
  double spatial_cv_mae = 0;
  double sd_target = 0;
  std::size_t rows_used = 0;
  std::size_t rows_flagged = 0;
  std::size_t rows_without_target = 0;
  std::vector<std::pair<std::string, std::size_t>> filled;    ///< column, gaps filled
  std::vector<std::pair<std::string, std::size_t>> left_out;  ///< column with too many gaps, gaps
  std::int64_t subset_size = 0;                               ///< after the limit of 0.8 of the rows
  Forest forest;                                              ///< of seed 0; indices count the rows of the table
  Explanation explanation;                                    ///< of its training rows
  std::vector<std::uint64_t> training_label;
  std::vector<double> training_target;  ///< measured
  std::vector<double> out_of_bag;       ///< predicted by the trees that did not see the row; NaN where all saw it
};

struct ContributionInputs {
  const ModelTable& table;
  std::string electrode;
  std::string profile;
  std::uint64_t seed = 0;
  std::map<std::string, double> reliability;  ///< by attribute
  const FinishedPieces* pieces = nullptr;     ///< forests that were finished before, if there may be any
};

/// The whole protocol for one electrode and profile. Same bits for any number of threads.
/// Intervals: half samples without replacement, whose spread around their mean is that of the full sample (m = n / 2);
/// they cover sampling of particles within one electrode, nothing else. Floor: columns permuted against everything
/// else, twins together (Sphericity with VSratio; SurfInner, SurfOuter, Volume); permutations of a unit stop early
/// where ten have exceeded the score, after 99 (Besag and Clifford 1991, DOI 10.1093/biomet/78.2.301).
Contributions contributions(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context);

/// What a shard does of contributions(): the forests of its part of the runs, half samples and permutations are kept in
/// inputs.pieces, where contributions() finds them; what it finds not, it computes. Errors as there.
void contribution_pieces(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context);

/// Only the runs of contributions(): seeds, then subsets.
std::vector<ContributionRun> contribution_runs(const RegressionConfig& config, const ContributionInputs& inputs,
                                               const Context& context);

/// Held-out blocks: slabs of equal count along the longer of X and Y.
struct SpatialScore {
  double r2 = 0;
  double mae = 0;
};
SpatialScore spatial_cross_validation(const RegressionConfig& config, const ContributionInputs& inputs,
                                      const Context& context);

/// One row of contribution_differences.csv: second minus first, paired by run number, which is arbitrary.
struct ContributionDifference {
  std::string attribute;
  double mean = 0;
  double sd = 0;           ///< over the pairs, ddof 1
  ScoreInterval interval;  ///< by the half samples of both
  double q = 0;            ///< of a normal test with the half samples' spread, Benjamini-Hochberg
};
/// Attributes that both have, in the order of the first.
std::vector<ContributionDifference> contribution_differences(const Contributions& first, const Contributions& second);

/// A comparison where there is nothing to find: the half of the electrode with low X against the half with high X.
/// Mean differences by attribute (the grey band of the figures); empty without positions.
std::vector<ContributionDifference> sham_differences(const RegressionConfig& config, const ContributionInputs& inputs,
                                                     const Context& context);
/// What a shard does of it, like contribution_pieces().
void sham_pieces(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context);

Table contributions_table(const Contributions& result);
Table contribution_runs_table(const std::vector<const Contributions*>& results);
/// Every score behind the intervals and differences: profile, kind (seed, subset, half), run, attribute, mean_abs_shap.
Table contribution_samples_table(const std::vector<const Contributions*>& results);
/// What contribution_differences needs, back from such a table: runs, halves and names of one profile.
Contributions contributions_from_samples(const Table& samples, const std::string& electrode,
                                         const std::string& profile);
struct NamedDifferences {
  std::string first, second, profile;
  std::vector<ContributionDifference> differences;
};
Table contribution_differences_table(const std::vector<NamedDifferences>& comparisons);
/// predictions.csv: the training rows of the forest of seed 0, measured, predicted, and predicted out of bag.
Table predictions_table(const Contributions& result);
/// regression.json
std::string regression_json(const Contributions& result, const std::vector<ContributionDifference>& sham);

}  // namespace cathoscope
