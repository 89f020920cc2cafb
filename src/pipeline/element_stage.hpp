#pragma once
/// The chemomechanics stage with model: finite_elements.

#include <cathoscope/chemomechanics/config.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/pipeline/run.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace cathoscope {

/// Runs the finite elements in `folder`/chemomechanics.work and writes their tables and arrays (under partial names).
void run_element_stage(const ChemomechanicsConfig& settings, std::uint64_t seed, const std::string& key,
                       const std::filesystem::path& folder, const Run& run, const Context& context);

}  // namespace cathoscope
