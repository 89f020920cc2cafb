#include <cathoscope/pipeline/version.hpp>

#include "git_state.hpp"

namespace cathoscope {

std::string version_text() { return CATHOSCOPE_VERSION; }
std::string git_text() { return CATHOSCOPE_GIT_STATE; }
std::string library_versions() { return CATHOSCOPE_LIBRARY_VERSIONS; }

}  // namespace cathoscope
