#pragma once
/// YAML text to a tree. The only door to yaml-cpp.

#include <cathoscope/config/problems.hpp>
#include <cathoscope/config/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace cathoscope::configuring {

/// Empty where the text is not YAML that we accept; `problems` then says why. Also reported: duplicate keys, tags,
/// merge keys, several documents, quotations over several lines, anything beyond 100 000 values or 64 levels. A
/// document without content is null.
std::optional<ConfigValue> parse_yaml(std::string_view text, const std::string& name, int source, Problems& problems);

/// Text for messages: at most 60 bytes, without control characters.
std::string shown(std::string_view text);

}  // namespace cathoscope::configuring
