#pragma once
/// Input paths: resolved, and whether they lead to something.

#include <filesystem>
#include <string>

namespace cathoscope::configuring {

/// Absolute, without "." and "..".
std::string resolved_path(const std::string& text, const std::filesystem::path& folder);

/// What is wrong with an input (a file, a folder, or a glob with a match), or nothing.
std::string path_complaint(const std::string& text, const std::string& resolved);

}  // namespace cathoscope::configuring
