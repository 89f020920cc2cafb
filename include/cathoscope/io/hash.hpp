#pragma once
/// SHA-256 of files so large that somebody may want to stop meanwhile.

#include <filesystem>
#include <functional>
#include <string>

namespace cathoscope {

/// As sha256_of_file of files.hpp; `between_pieces` is called every few hundred kilobytes and may throw.
std::string sha256_of_file(const std::filesystem::path& path, const std::function<void()>& between_pieces);

}  // namespace cathoscope
