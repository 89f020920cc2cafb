#pragma once
#include <string>

namespace cathoscope {

/// "0.1.0"
std::string version_text();
/// State of the source tree that was built: a commit, with "-dirty" where it was changed; "unknown" outside git.
std::string git_text();
/// Names and versions of the libraries the program was built with, one a line.
std::string library_versions();

}  // namespace cathoscope
