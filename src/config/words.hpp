#pragma once
/// What a key may be, in words; and what to write instead of what was written.

#include <cathoscope/config/describe.hpp>

#include <string>
#include <string_view>

namespace cathoscope::configuring {

/// "a whole number from 1 to 64, or null".
std::string allowed(const TypeInfo& type, const Rule& rule);

/// "'abc'", "null", "a list", "a map".
std::string what_is(const ConfigValue& value);

/// "; write 0.05, with a point", or nothing. A number with a unit is converted to the unit that ends the key's name,
/// where both are known; elsewhere no number is named.
std::string number_hint(const ConfigValue& value, bool whole, const std::string& path);
/// "; write true", or nothing.
std::string boolean_hint(const ConfigValue& value);

/// The value on one line: "null", "1", "[a, b]", "{a: 1}"; texts in quotes where YAML needs them.
std::string flow_text(const ConfigValue& value);
/// A scalar as canonical YAML.
std::string scalar_text(const ConfigValue& value);

}  // namespace cathoscope::configuring
