#pragma once
/// Statistics behind the figures on damage: distributions, correlations, agglomeration of severely damaged particles,
/// spatial coupling. Every spatial statement comes with a random-labelling null: same positions, damage shuffled among
/// all particles, and among particles of like depth and size only.

#include <cathoscope/core/progress.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

/// Bin edges of Freedman and Diaconis (1981, DOI 10.1007/BF01025868) for the pooled sample; at most 200 bins.
std::vector<double> common_bins(const std::vector<double>& pooled);
/// Histogram with integral 1 over the bins; values outside are not counted. Zeros where nothing is inside.
std::vector<double> density(const std::vector<double>& values, const std::vector<double>& edges);
/// Largest distance of the two distribution functions (Kolmogorov-Smirnov).
double ks_distance(std::vector<double> a, std::vector<double> b);
/// Area between the two distribution functions (Wasserstein-1), in the unit of the values.
double wasserstein(std::vector<double> a, std::vector<double> b);

/// One sample of a comparison.
struct DensityCurve {
  std::vector<double> density;  ///< by bin
  std::vector<double> low;      ///< pointwise 95 % bootstrap band
  std::vector<double> high;
  double median = 0;
  double lower_quartile = 0;
  double upper_quartile = 0;
  std::size_t n = 0;  ///< values that are not missing
};

struct DensityComparison {
  std::vector<double> edges;
  std::vector<DensityCurve> curves;  ///< [sample]
  std::vector<double> ks;  ///< [sample]: distances from the first sample; 0 for itself, NaN where one is empty
  std::vector<double> wasserstein;
};

/// Samples (missing values left out) on common bins; no bins where all are empty.
DensityComparison compare_densities(const std::vector<std::vector<double>>& samples, int bootstraps,
                                    std::uint64_t seed);

/// One attribute against damage.
struct DamageCorrelation {
  std::string attribute;
  std::size_t n = 0;
  double pearson = 0;
  double ci_low = 0;  ///< Fisher's z, 95 %
  double ci_high = 0;
  double p = 0;
  double spearman = 0;
};
/// Rows where one of the two is missing are left out. NaN below four rows or for a constant column.
DamageCorrelation damage_correlation(const std::string& attribute, const std::vector<double>& values,
                                     const std::vector<double>& damage);

/// Particles in space.
struct DamagedParticles {
  std::vector<std::array<double, 3>> position;  ///< um, finite, any order of axes; 2-D: one of them 0
  std::vector<double> damage;
  std::vector<double> depth;  ///< for the strata; empty: one stratum
  std::vector<double> size;
};

/// Stratum of each particle: tercile of depth and tercile of size, 9 at most.
std::vector<int> depth_and_size_strata(const DamagedParticles& particles);

/// An observed statistic beside the two nulls.
struct NullComparison {
  double observed = 0;
  double expected = 0;  ///< mean of the null
  double low = 0;       ///< 2.5 and 97.5 % of the null
  double high = 0;
  double p = 0;  ///< one-sided, in the direction of more clustering
};
struct SpatialNull {
  NullComparison plain;
  NullComparison stratified;
};

/// Severely damaged particles and their nearest severe neighbours.
struct SevereAgglomeration {
  double threshold = 0;
  std::size_t severe = 0;
  std::vector<double> distances;  ///< um, to the 3 nearest severe ones, by the reduced-sample edge rule
  std::size_t distances_cut = 0;  ///< left out by that rule: the particle is nearer to the bounding box
  SpatialNull mean_distance;      ///< over all severe particles; small = clustered
  double scaled_distance = 0;     ///< mean distance times severe^(1/3)
};
/// Damage at or above the limit. A particle without damage is never severe, though a quantile of mostly intact particles is 0.
bool is_severe(double damage, double threshold);
/// Severe: see is_severe. `permutations` shuffles for each null. NaN statistics below four severe particles.
SevereAgglomeration severe_agglomeration(const DamagedParticles& particles, double threshold, int permutations,
                                         std::uint64_t seed, const Context& context);

/// Similarity of damage among neighbours.
struct SpatialCoupling {
  SpatialNull moran;                   ///< Moran's I on the graph of the 6 nearest neighbours (row-standardised)
  SpatialNull neighbour_correlation;   ///< r(damage, mean damage of the 6 nearest)
  std::vector<double> lag_um;          ///< upper ends of the variogram's bins
  std::vector<double> pairs;           ///< in each bin
  std::vector<SpatialNull> variogram;  ///< half the mean squared difference; small = similar
};
/// NaN statistics below eight particles or for constant damage.
SpatialCoupling spatial_coupling(const DamagedParticles& particles, int permutations, std::uint64_t seed,
                                 const Context& context);

}  // namespace cathoscope
