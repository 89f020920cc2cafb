#pragma once
/// A look at JSON text before it is parsed.

#include <string_view>

namespace cathoscope {

/// Deepest nesting of [] and {} in JSON text. Parsers take any depth, but printing and walking a value recurse: ask before
/// text of somebody else is parsed.
int json_nesting(std::string_view json);

/// The most that any file of this program or of its peers needs.
inline constexpr int deepest_json = 32;

}  // namespace cathoscope
