#pragma once
/// A run of the network on disk: resumable work folder, then tables and arrays.

#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/core/table.hpp>

#include <filesystem>
#include <string>

namespace cathoscope {

/// Runs the network in `work`, going on from what an earlier run with the same `key` left there; the result has the same
/// bits as an uninterrupted run. The state is saved every `save_every_s` seconds, when a stop is asked for, and where the
/// computation does not converge (then also as last_good.h5, and the message says so).
/// Throws what run_network throws, Error{cannot_create} and Error{write_error}.
NetworkState run_network_in(const std::filesystem::path& work, const std::string& key, const NetworkModel& model,
                            const Context& context, double save_every_s = 30);

/// Where write_network_results puts its files.
struct NetworkFiles {
  std::filesystem::path csv;     ///< a row a step and particle
  std::filesystem::path cycles;  ///< a row a half-cycle
  std::filesystem::path h5;      ///< the same as arrays, with the particles and the last profiles
};

/// Writes the results of the finished run in `work`, in bounded memory. Columns and units: docs/chemomechanics.md.
void write_network_results(const std::filesystem::path& work, const NetworkModel& model, const NetworkState& state,
                           const NetworkFiles& files);

/// The table of half-cycles.
Table half_cycle_table(const NetworkState& state);

}  // namespace cathoscope
