#pragma once
/// The run folder itself: who owns it, who holds it, what dead runs left; and facts of the host.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace cathoscope {

/// Throws Error{cannot_create} where `folder` holds something that no run made, or a run of another name.
void check_run_folder(const std::filesystem::path& folder, const std::string& run_name);
/// The same, and makes the folder with its marker `.cathoscope-run`.
void make_run_folder(const std::filesystem::path& folder, const std::string& run_name);
/// Makes an electrode's folder; throws Error{cannot_create} where a link would lead out of the run folder.
void make_electrode_folder(const std::filesystem::path& folder);

/// Takes the lock (freed by the kernel when the process ends, however it ends) and returns its descriptor. A `shared` lock
/// is one of any number, but not beside one that is not shared. Throws Error{interrupted} naming the holder.
int lock_run_folder(const std::filesystem::path& folder, bool shared = false);

void unlock_run_folder(int lock, bool shared = false);

/// Removes the temporary files that a killed run left, and links that somebody put where a stage is going to write (a run
/// folder may come from elsewhere). Call with the lock held.
void remove_dead_partials(const std::filesystem::path& folder);

void reset_peak_memory();
/// Peak resident bytes of this process since the last reset.
std::uint64_t peak_memory();
/// Processor time of this process so far, with that of the programs it started and that have ended, s.
double processor_seconds();
/// Host, cores, kernel, UTC time, program version.
nlohmann::ordered_json host_facts();

}  // namespace cathoscope
