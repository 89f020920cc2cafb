#pragma once
/// A study as the commands open it: its configuration, checked, and its inputs, open.

#include <cathoscope/config/config.hpp>
#include <cathoscope/pipeline/pipeline.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope::app {

struct Study {
  Loaded<Config> loaded;
  std::vector<ElectrodeInputs> inputs;
};

/// Throws Error{config} with every mistake, Error{no_input}, Error{data}.
Study open_study(const std::string& file, const std::vector<std::string>& set);

/// The run folder: what --output gave, else `output` beside the configuration.
std::filesystem::path output_of(const Config& config, const std::filesystem::path& config_file,
                                const std::string& given);

/// Throws Error{unavailable} at once, not after hours, where the stages need libtorch for latents and it cannot be loaded.
/// Networks are told apart by checked_network_text.
void require_torch(const std::vector<std::string>& stages);

}  // namespace cathoscope::app
