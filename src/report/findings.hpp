#pragma once
/// The numbers of the summary, from the tables of a run.

#include "html.hpp"

#include <cathoscope/core/table.hpp>
#include <cathoscope/report/report.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cathoscope::report {

/// One attribute's contribution to the predicted damage, as contributions.csv has it.
struct Contribution {
  std::string attribute;
  std::string group;
  Interval score;    ///< mean |SHAP|, 95 % over half samples
  double floor = 0;  ///< 95 % quantile of the score with the column permuted
  double q = 0;
  double direction = 0;  ///< rank correlation of value and contribution

  /// Above its null floor, and still after correction for the number of attributes.
  [[nodiscard]] bool clear() const { return score.value > floor && q <= 0.05; }
};

/// How well the forest predicts, and from what.
struct ForestFindings {
  std::string profile;
  std::size_t rows = 0;
  double oob_r2 = 0;
  double spatial_r2 = 0;                    ///< blocks of the electrode held out in turn
  Interval share_neighbour;                 ///< of the neighbourhood in the scores of self and neighbourhood
  std::vector<Contribution> contributions;  ///< largest first
};

/// Whether severely damaged particles lie together.
struct Clustering {
  std::size_t severe = 0;
  double distance_um = 0;  ///< mean distance to the three nearest severe particles
  double expected_um = 0;  ///< with damage shuffled among particles of like depth and size
  double p = 0;
};

struct ElectrodeFindings {
  std::string name;
  std::string target;
  std::string synthetic;  ///< how the data were made, where they are no measurement
  std::size_t particles = 0;
  std::size_t flagged = 0;         ///< left out of inference by a flag
  std::size_t without_target = 0;  ///< left out because damage is unknown
  std::vector<double> damage;      ///< of the particles that are used
  Interval mean;                   ///< 95 % by bootstrap of the particles
  double median = 0;
  Interval variation;      ///< standard deviation over mean: how uneven damage is
  double worst_tenth = 0;  ///< share of all damage that the most damaged tenth carries
  std::optional<ForestFindings> forest;
  std::optional<Clustering> clustering;
  std::vector<double> mean_draws;  ///< the bootstrap's, for comparisons
  std::vector<double> variation_draws;

  [[nodiscard]] std::size_t used() const { return damage.size(); }
};

/// An electrode against the first.
struct Comparison {
  std::string first, second;
  Interval mean_difference;  ///< second minus first
  Interval variation_difference;
  std::vector<std::string> attributes;  ///< contributions that differ at q <= 0.05
  std::size_t latent_pairs = 0;
  std::size_t latent_different = 0;
};

struct Findings {
  std::vector<ElectrodeFindings> electrodes;  ///< those that have a table
  std::vector<Comparison> comparisons;

  [[nodiscard]] bool synthetic() const;
};

/// A number of a table; NaN where the column or the number is missing.
double number_at(const Table& table, std::string_view column, std::size_t row);
/// A text of a table, "" where there is none.
std::string text_at(const Table& table, std::string_view column, std::size_t row);
/// The table, empty where there is no such file. Throws Error{data} where it is damaged.
std::optional<Table> table_if_there(const std::filesystem::path& csv);
/// The JSON, null where there is no such file. Throws Error{data} where it is damaged.
Json json_if_there(const std::filesystem::path& file);

/// Whether the results of a stage count.
bool finished(const ReportInputs& inputs, const std::string& electrode, const std::string& stage,
              const std::string& part = "");

/// Mean and variation of the sample with their intervals; 200 to 2000 resamplings, the same for equal seed and name.
void resample(ElectrodeFindings& electrode, std::uint64_t seed);

/// Reads what the run folder has.
Findings findings_of(const ReportInputs& inputs);

}  // namespace cathoscope::report
