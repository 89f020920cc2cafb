#include "paths.hpp"

#include "parse.hpp"

#include <cathoscope/core/text.hpp>

#include <fmt/core.h>
#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cathoscope::configuring {

namespace {

namespace fs = std::filesystem;

bool is_glob(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

bool glob_matches(const std::string& pattern) {
  glob_t found{};
  const bool any = glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0 && found.gl_pathc > 0;
  globfree(&found);
  return any;
}

/// Names beside the missing one, for a suggestion; a huge folder is not read to its end.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end && names.size() < 2000;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

std::string missing(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.parent_path();
  if (!fs::is_directory(folder, error)) return fmt::format("there is no folder {}", shown(folder.string()));
  const auto near = nearest_name(path.filename().string(), names_in(folder));
  return fmt::format("there is no {}{}", path.string(), near ? "; did you mean '" + *near + "'?" : "");
}

/// A user who writes file.h5:/dataset means the key `dataset`.
bool names_dataset(const std::string& path) {
  const auto colon = path.find(":/");
  std::error_code error;
  return colon != std::string::npos && fs::is_regular_file(path.substr(0, colon), error);
}

}  // namespace

std::string resolved_path(const std::string& text, const fs::path& folder) {
  return fs::absolute(folder / text).lexically_normal().string();
}

std::string path_complaint(const std::string& text, const std::string& resolved) {
  if (text.empty()) return "must be a path, not an empty text";
  if (text.starts_with("~")) return "is not found: '~' is not replaced here, write the folder out";
  std::error_code error;
  const bool exists = fs::exists(resolved, error);
  if (error) return fmt::format("cannot be read: {}: {}", shown(resolved), error.message());
  if (exists && access(resolved.c_str(), R_OK) != 0)
    return fmt::format("cannot be read: {}: {}", resolved, std::strerror(errno));
  if (exists || (is_glob(resolved) && glob_matches(resolved))) return {};
  if (is_glob(resolved)) return "is not found: nothing matches " + resolved;
  if (names_dataset(resolved)) return "is not found: write what follows ':' into the key dataset";
  return "is not found: " + missing(resolved);
}

}  // namespace cathoscope::configuring
