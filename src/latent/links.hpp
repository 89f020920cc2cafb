#pragma once
/// Correlations of latents and what they are compared with.

#include <cathoscope/latent/latent.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cathoscope::latent_detail {

/// Pairs i < j of k latents, row by row.
std::vector<std::pair<std::int64_t, std::int64_t>> latent_pairs(std::int64_t k);

/// Count, sums and products of rows of codes.
struct CodeMoments {
  explicit CodeMoments(std::int64_t latents)
      : k(latents),
        sum(static_cast<std::size_t>(latents)),
        product(static_cast<std::size_t>(latents * (latents + 1) / 2)) {}

  void add(const double* row);
  void subtract(const CodeMoments& other);
  [[nodiscard]] double covariance(std::int64_t i, std::int64_t j) const;  ///< i <= j
  /// Of the pairs; 0 where a latent does not vary.
  [[nodiscard]] std::vector<double> correlations() const;

  std::int64_t k;
  double n = 0;
  std::vector<double> sum;
  std::vector<double> product;  ///< i <= j, row by row
};

/// -1/2 log det of the correlations of latents 1..c for c = 1, 2, ..., from one Cholesky factor. Pivots below 1e-12 count
/// as 1e-12.
std::vector<double> total_correlations(std::int64_t k, const std::vector<double>& correlations);

/// q values of Benjamini and Hochberg (1995), DOI 10.1111/j.2517-6161.1995.tb02031.x.
std::vector<double> benjamini_hochberg(const std::vector<double>& p);

/// Whose draws they are.
struct LinkStream {
  std::uint64_t seed = 0;
  std::string name;
};

/// Links and independence of one electrode: r, percentile intervals of `bootstraps` resamplings of the rows, p of
/// `permutations` in which each latent's values are shuffled on their own.
struct Links {
  std::vector<LatentLink> pairs;
  std::vector<Independence> independence;
  double total_correlation = 0;
};
Links links_of(const DataMatrix& codes, const LatentConfig& config, const LinkStream& stream, const Context& context);

/// What the comparisons share: the products of the linear decoder, latents x latents (see participation_ratio).
struct Metric {
  DataMatrix decoder_product;
  double log_det = 0;  ///< of the covariance of all electrodes
};

double log_volume(const CodeMoments& moments, const Metric& metric);
double participation_ratio(const CodeMoments& moments, const Metric& metric);

/// Two samples by `permutations` of their labels, codes as they are. Links give the states.
LatentComparison compare(const DataMatrix& first, const DataMatrix& second, const std::vector<LatentLink>& first_links,
                         const std::vector<LatentLink>& second_links, const Metric& metric, const LatentConfig& config,
                         const LinkStream& stream, const Context& context);

}  // namespace cathoscope::latent_detail
