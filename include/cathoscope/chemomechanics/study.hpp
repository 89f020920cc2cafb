#pragma once
/// Which assumption carries the result: the network under other laws and parameters, and which of the estimated ones
/// decide (Morris (1991), DOI 10.1080/00401706.1991.10484804).

#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/core/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

/// One run of a study.
struct StudyRun {
  std::string name;
  ChemomechanicsConfig config;
};

/// What is kept of a run. Ratios compare the last end of charge with the first (contents) or the largest (damage).
struct StudyOutcome {
  double x_std_first = 0, x_std_last = 0, x_ratio = 0;
  double damage_std_peak = 0, damage_std_last = 0, damage_ratio = 0;
  double variation_ratio = 0;  ///< of std over mean of -ln(1 - D)
  double damage_mean_first = 0, damage_mean_last = 0;
  double voltage_last = 0;
  /// Synchrony: the first end of charge, from the largest spread of damage on, where that spread (standard deviation) has
  /// come down to a quarter of its largest value; its cycle and the mean damage then. NaN where no cycle got there.
  double sync_cycle = 0, damage_mean_sync = 0;
  /// The same with one fixed spread for all electrodes, `together_std`.
  double together_cycle = 0, damage_mean_together = 0;
  std::string failure;  ///< why there are no numbers
};

/// Spread of damage below which an electrode counts as together whatever it was before: five points of damage.
inline constexpr double together_std = 0.05;

/// The configuration's network to its end. A run that does not converge is an outcome, not an error.
StudyOutcome outcome_of(const ChemomechanicsConfig& config, std::uint64_t seed, const Context& context);

/// Five feedback laws, each with the contrast in the contact (as configured) and in the conductivity alone (ohmic mode).
std::vector<StudyRun> law_comparison(const ChemomechanicsConfig& base);
/// One parameter at a time.
std::vector<StudyRun> parameter_study(const ChemomechanicsConfig& base);

/// Electrodes from well to poorly formed: ten particles whose coverages lie evenly within 1/2 +- s, for nine s, each with
/// the base's law, without feedback, and with an endurance so high that damage does not go to 1 (C_f 0.7).
std::vector<StudyRun> coverage_study(const ChemomechanicsConfig& base);

/// A parameter that was estimated, and the range in which it may lie.
struct EstimatedParameter {
  std::string name;
  double low, high;
  bool logarithmic;
  double& (*member)(ChemomechanicsConfig&);
};
const std::vector<EstimatedParameter>& estimated_parameters();

/// Morris trajectories on four levels: run t (P + 1) + s is step s of trajectory t, P parameters.
struct MorrisDesign {
  std::vector<StudyRun> runs;
  std::vector<std::size_t> changed;  ///< by run: the parameter that differs from the run before; P for the first
  std::vector<int> direction;        ///< +1 or -1
};
MorrisDesign morris_design(const ChemomechanicsConfig& base, int trajectories, std::uint64_t seed);

/// A row an output and parameter: mean, mean magnitude with its 95 % bootstrap interval over trajectories, and standard
/// deviation of the elementary effects (change of the output over the whole range), and their number.
Table morris_table(const MorrisDesign& design, const std::vector<StudyOutcome>& outcomes, std::uint64_t seed);
/// A row a run.
Table outcome_table(const std::vector<StudyRun>& runs, const std::vector<StudyOutcome>& outcomes);
/// The outcome that a table of one row holds.
StudyOutcome outcome_from(const Table& row);

}  // namespace cathoscope
