#pragma once
/// `--set key.path=value` on the tree of the file.

#include <cathoscope/config/describe.hpp>

#include <string>

namespace cathoscope::configuring {

/// Where the messages on an override say it stands: "--set key.path".
std::string override_name(const std::string& assignment);

/// Puts the value in place of what the file says, or adds the key. The description tells lists from maps and undoes
/// shorthands on the way.
void apply_override(const TypeInfo& type, const std::string& assignment, int source, ConfigValue& root,
                    Problems& problems);

}  // namespace cathoscope::configuring
