#pragma once
/// A run of the network on disk: resumable work folder, then tables and arrays.

#include <cathoscope/chemomechanics/network.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/io/h5.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace cathoscope {

/// Runs the network in `work`, going on from what an earlier run with the same `key` left there; the result has the same
/// bits as an uninterrupted run. The state is saved every `save_every_s` seconds, when a stop is asked for, and where the
/// computation does not converge (then also as last_good.h5, and the message says so).
/// Throws what run_network throws, Error{cannot_create} and Error{write_error}.
NetworkState run_network_in(const std::filesystem::path& work, const std::string& key, const NetworkModel& model,
                            const Context& context, double save_every_s = 30);

/// A column of the table of steps and particles.
struct NetworkColumn {
  std::string_view name;
  std::string_view unit;
  std::string_view description;
};

/// The columns in their order.
inline constexpr std::array<NetworkColumn, 11> network_columns{{
    {"cycle", "", "from 1"},
    {"half_cycle", "", "charge, rest or discharge"},
    {"time_s", "s", "since the start"},
    {"tau", "", "time in the half-cycle times C / 3600; on rest in hours"},
    {"particle", "", "from 1"},
    {"concentration", "", "volume mean of c / c_max"},
    {"damage", "", "of the interface, 0 to 1"},
    {"hoop_stress_max_MPa", "MPa", "largest tangential stress of the free sphere with its profile of lithium"},
    {"interface_resistance_ohm_m2", "ohm m^2", "area mean of R T / (F i0) and what is in series"},
    {"voltage_V", "V", "of the collector"},
    {"current_A", "A", "of all particles, positive on charge"},
}};

/// Where write_network_results puts its files.
struct NetworkFiles {
  std::filesystem::path csv;     ///< a row a step and particle
  std::filesystem::path cycles;  ///< a row a half-cycle
  std::filesystem::path h5;      ///< the same as arrays, with the particles and the last profiles
};

/// Writes the results of the finished run in `work`, in bounded memory. Columns and units: docs/chemomechanics.md.
/// `groups`: the dimensionless groups; `more` adds to the .h5 file.
void write_network_results(const std::filesystem::path& work, const NetworkModel& model, const NetworkState& state,
                           const NetworkFiles& files, const std::vector<DimensionlessGroup>& groups,
                           const std::function<void(H5File&)>& more = {});

/// The table of half-cycles.
Table half_cycle_table(const NetworkState& state);

}  // namespace cathoscope
