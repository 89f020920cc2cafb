#pragma once
/// Latent dimensions of the particles' attributes by an autoencoder, how they are linked in each electrode, and where
/// electrodes differ. After Li et al. (2022), DOI 10.1126/science.abm8962, Figs. 4A and 4B; what is our choice is said in
/// docs/latent.md.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/latent/autoencoder.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

/// `latent`
struct LatentConfig {
  std::int64_t dimensions = 9;
  std::string mode = "oblique";
  std::int64_t restarts = 8;
  std::int64_t bootstraps = 2000;
  std::int64_t permutations = 2000;
  bool include_damage = true;
  std::int64_t hidden = 16;
  std::int64_t iterations = 500;
  std::int64_t training_rows = 20000;
};

template <class V>
void fields(V& v, LatentConfig& c) {
  v("dimensions", c.dimensions, "latent dimensions; not more than columns of the table", between(1, 64));
  v("mode", c.mode,
    "oblique: one encoder for all electrodes, one latent a group of attributes; pooled: one encoder, ordered and "
    "decorrelated; reference: the same, trained on the first electrode; separate: one a electrode, as in the paper "
    "(exploratory)",
    one_of({"oblique", "pooled", "reference", "separate"}));
  v("restarts", c.restarts, "trainings from different random weights; the best is kept", between(1, 1000));
  v("bootstraps", c.bootstraps, "resamplings of the particles for the intervals", between(20, 1000000));
  v("permutations", c.permutations, "shuffles for each null distribution", between(20, 1000000));
  v("include_damage", c.include_damage, "the damage is one of the attributes");
  v("hidden", c.hidden, "units of each hidden layer", between(1, 1024));
  v("iterations", c.iterations, "most steps of the optimiser", between(1, 100000));
  v("training_rows", c.training_rows, "rows the network is trained on, at most; all rows get codes", at_least(100));
}

struct LatentElectrode {
  std::string name;
  std::vector<std::uint64_t> label;  ///< one a row
  DataMatrix values;                 ///< attributes as measured, without gaps
  std::vector<double> position;      ///< a coordinate that splits the electrode in two halves; may be empty
};

struct LatentInput {
  std::vector<std::string> columns;
  std::vector<LatentElectrode> electrodes;  ///< the first is what others are compared with
};

/// Mean and standard deviation of an electrode's columns: rows are standardised by their own electrode.
struct ColumnScale {
  std::vector<double> mean;
  std::vector<double> sd;
};

/// From the network's code z to the latents: y[k] = (z[order[k]] - offset[k]) * factor[k], of mean 0 and variance 1 over
/// the electrodes, positive along its leading attribute.
struct CodeScale {
  std::vector<std::int64_t> order;
  std::vector<double> offset;
  std::vector<double> factor;
};

/// One trained encoder, and how sure its latents are.
struct LatentModel {
  std::string trained_on;  ///< an electrode, or empty: all of them
  Autoencoder network;
  CodeScale code;
  std::vector<std::int64_t> group;  ///< [column] latent (from 0) that it feeds; empty: every latent sees every column
  std::vector<double> stability;    ///< [latent] mean |correlation| with the other restarts, after matching
  std::vector<double> half_stability;  ///< [latent] the same for the linear latents of random halves of the rows
  std::vector<double> explained;       ///< [k] share of variance that a linear map from latents 1..k+1 explains
  std::vector<double>
      decoder_explained;              ///< [k] that the decoder explains from 1..k+1; ordered modes, else only the last
  std::vector<double> loss;           ///< [restart]
  std::int64_t best = 0;              ///< restart that is kept
  std::vector<double> curve;          ///< its loss over the steps, training rows
  std::vector<double> holdout_curve;  ///< the same, rows held out
};

/// What a latent stands for: columns by falling |correlation| over all electrodes.
struct LatentMeaning {
  std::vector<std::int64_t> column;
  std::vector<double> correlation;
};

/// A pair of latents in one electrode; i < j count from 0.
struct LatentLink {
  std::int64_t i = 0, j = 0;
  double r = 0, low = 0, high = 0;  ///< correlation, 95 % bootstrap interval
  double p = 0, q = 0;              ///< by permutation; Benjamini-Hochberg over the pairs
  bool significant = false;         ///< q < 0.05 and |r| >= 0.1
};

/// Whether latents 1..count are independent: -1/2 log det of their correlations against shuffled columns.
struct Independence {
  std::int64_t count = 0;
  double largest_r = 0;
  double statistic = 0;
  double p = 0;
};

struct ElectrodeLatents {
  std::string name;
  std::vector<std::uint64_t> label;
  DataMatrix codes;  ///< rows x latents
  std::vector<LatentLink> links;
  std::vector<Independence> independence;  ///< counts 2, 3, ...
  double total_correlation = 0;            ///< -1/2 log det R of the latents, nats; 0 = independent
  double log_volume = 0;  ///< -1/2 log det of the covariance against that of all electrodes: any linear map of the
                          ///< code leaves differences of it unchanged
  double participation_ratio = 0;  ///< of the eigenvalues of the covariance, taken back to the attributes: 1 = one
                                   ///< direction; no linear map of the code changes it
};

struct LatentDifference {
  std::int64_t i = 0, j = 0;
  std::string state;   ///< common, only_first, only_second, sign_flip, none
  double delta_z = 0;  ///< atanh r of the second minus that of the first
  double p = 0, q = 0;
  bool different = false;  ///< q < 0.05 by permuted labels of electrode, and not none
};

/// A number of two samples, second minus first, against permuted labels.
struct LabelTest {
  double difference = 0;
  double p = 0;
};

/// Two samples in the same code.
struct LatentComparison {
  std::string first, second;
  std::vector<LatentDifference> pairs;
  LabelTest total_correlation, log_volume, participation_ratio;
  double largest_delta_z = 0;  ///< over the pairs
  double largest_p = 0;        ///< of that, by the same permutations
  double mean_delta_z = 0;     ///< mean |delta_z|
};

struct LatentResult {
  LatentConfig config;
  std::vector<std::string> columns;  ///< that were used
  std::vector<ColumnScale> scales;   ///< [electrode]
  std::vector<LatentModel> models;   ///< one, or one an electrode
  std::vector<LatentMeaning> meaning;
  std::vector<ElectrodeLatents> electrodes;
  std::vector<LatentComparison> comparisons;  ///< each electrode with the first
  std::vector<LatentComparison> shams;        ///< low against high half of an electrode: nothing should be there
};

/// The whole protocol. Same bits for any number of threads.
/// Throws Error{config} where dimensions exceed the columns that vary, Error{data} for gaps or for an electrode with too
/// few rows, Error{not_converged} where training ends in something that is no number.
LatentResult latent_analysis(const LatentConfig& config, const LatentInput& input, std::uint64_t seed,
                             const Context& context);

/// latent.csv of one electrode: label, LD1, LD2, ...
Table latent_codes_table(const ElectrodeLatents& electrode);
/// latent_links.csv
Table latent_links_table(const LatentResult& result);
/// latent_differences.csv
Table latent_differences_table(const LatentResult& result);
/// What was tested, for the report: stability, explained share, independence, intertwinement, shams.
std::string latent_summary_json(const LatentResult& result);
/// Networks, scales and loss curves as HDF5. Throws Error{cannot_create}, Error{write_error}.
void write_latent_model(const LatentResult& result, const std::filesystem::path& path);

}  // namespace cathoscope
