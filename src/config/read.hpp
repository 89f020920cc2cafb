#pragma once
/// A parsed tree against its description.

#include <cathoscope/config/config.hpp>

#include <string>
#include <vector>

namespace cathoscope::configuring {

/// "unknown key 'bni' in 'volume'; did you mean 'bin'?": suggests from `unused`, else lists `known`.
std::string unknown_key(const std::string& key, const std::string& path, const std::vector<std::string>& unused,
                        const std::vector<std::string>& known);

/// {path: scan.tif} from scan.tif.
ConfigValue map_of_shorthand(const TypeInfo& type, const ConfigValue& value);

}  // namespace cathoscope::configuring
