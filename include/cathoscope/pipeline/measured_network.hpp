#pragma once
/// A network of measured particles, and how its damage compares with theirs.

#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/core/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

/// Particles of an attribute table that the network takes, with what it needs of them.
struct MeasuredParticles {
  std::vector<std::uint64_t> labels;
  std::vector<NetworkParticle> particles;
  std::vector<double> volume_um3, damage;
  std::vector<bool> interior;  ///< whole particles, which count in the comparison
  double thickness_um = 0, cross_section_um2 = 0;
  std::size_t without_shape = 0;     ///< rows left out: no volume or position
  std::size_t without_coverage = 0;  ///< rows left out: the proxy's column is empty
};

/// Radius of the ball of equal volume, depth from Z, coverage by `geometry.proxy`. Throws Error{data} naming what the table
/// lacks, or where fewer than two particles remain.
MeasuredParticles measured_particles(const Table& table, const ChemomechanicsGeometryConfig& geometry);

/// The network of these particles, with the potential along the depth.
NetworkModel measured_network(const ChemomechanicsConfig& config, const MeasuredParticles& measured);
/// The same particles with nothing but their size: mean coverage, no depth.
NetworkModel radius_only_network(const ChemomechanicsConfig& config, const MeasuredParticles& measured);

/// Rank correlation of a prediction with measured damage over the interior particles.
struct DamageAgreement {
  double spearman = 0;
  double partial = 0;  ///< given Volume: Pearson correlation of the residuals of ranks on ranks of Volume
  double null_low = 0, null_high = 0;  ///< 2.5 and 97.5 % of it with shuffled residuals
  double p = 0;                        ///< two-sided, by those permutations
};
DamageAgreement damage_agreement(const MeasuredParticles& measured, const std::vector<double>& predicted,
                                 int permutations, std::uint64_t seed);

/// A row a particle.
Table measured_table(const MeasuredParticles& measured, const std::vector<double>& predicted,
                     const std::vector<double>& radius_only);
/// The comparison, labelled exploratory.
std::string measured_json(const std::string& electrode, const ChemomechanicsGeometryConfig& geometry,
                          const MeasuredParticles& measured, const std::vector<double>& predicted,
                          const std::vector<double>& radius_only, std::uint64_t seed);

}  // namespace cathoscope
