#pragma once
/// Severely damaged particles in space, for Fig. 2.

#include <cathoscope/core/table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

struct SevereParticle {
  std::size_t row = 0;            ///< of the table
  std::array<double, 3> place{};  ///< X, Y, Z in um
};

/// The severe ones of an electrode, out of statistics/fig2ab.csv.
std::vector<SevereParticle> severe_particles(const Table& particles, const std::string& electrode);

/// Another severe particle and how far it is, centre to centre.
struct SevereNeighbour {
  std::size_t index = 0;
  double distance_um = 0;
};
/// The three nearest others (fewer where there are not as many), nearest first, ties by index.
std::vector<SevereNeighbour> three_nearest(const std::vector<SevereParticle>& all, std::size_t centre);

/// Distances from each severe particle to its three nearest; from 2000 of them, evenly taken, where there are more.
std::vector<double> severe_distances(const std::vector<SevereParticle>& all);

/// Centres worth enlarging: the particle whose three nearest are nearest on average, and that of the median, or
/// the next one that is not among those three.
/// Empty below four severe particles.
std::vector<std::size_t> regions_to_enlarge(const std::vector<SevereParticle>& all);

}  // namespace cathoscope
