#pragma once
/// What the figures read out of the run's JSON files.

#include <cathoscope/figures/figures.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cathoscope {

struct FactInterval {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// Of <electrode>/regression.json. Absent numbers are NaN.
struct RegressionFacts {
  std::string profile;
  double oob_r2 = 0;
  double spatial_cv_r2 = 0;
  double spatial_cv_mae = 0;
  double rows_used = 0;
  std::map<std::string, FactInterval> groups;
  FactInterval self, neighbour, share_neighbour;
  std::map<std::string, FactInterval> sham;  ///< by attribute: high-X half minus low-X half
};
RegressionFacts regression_facts(const StudyResults& results, const std::string& electrode);

/// Of latent_summary.json.
struct LatentFacts {
  struct Latent {
    std::string name;
    double stability = 0;
    std::string leading;  ///< the attribute that it follows most
  };
  struct Comparison {
    std::string first, second;
    double different_pairs = 0;
    double largest_abs_delta_z = 0;
    double total_correlation_difference = 0;
    double total_correlation_p = 0;
  };
  std::string mode;
  std::vector<Latent> latents;
  std::map<std::string, double> rows;               ///< by electrode
  std::map<std::string, double> total_correlation;  ///< nats
  std::vector<Comparison> comparisons;
  double largest_sham_delta_z = 0;  ///< NaN where there is no sham
};
LatentFacts latent_facts(const StudyResults& results);

/// Of <electrode>/forest.json: rows of the table that the forest learnt from, in the order of shap.csv.
std::vector<std::size_t> training_rows(const StudyResults& results, const std::string& electrode);

}  // namespace cathoscope
