#pragma once
/// What shells need to complete the command line.

#include <CLI/CLI.hpp>

#include <string>

namespace cathoscope::app {

/// A script for bash, zsh or fish with every command and option of `app`. Throws Error{usage} for another shell.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace cathoscope::app
