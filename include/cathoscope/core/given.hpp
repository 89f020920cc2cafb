#pragma once
/// What an earlier check, or the configuration's own, says is there.

#include <optional>
#include <stdexcept>

namespace cathoscope {

/// Throws std::logic_error where nothing is there: that would be a mistake of the program, not of its user.
template <class T>
const T& given(const std::optional<T>& value) {
  if (!value) throw std::logic_error("something that was checked to be there is not");
  return *value;
}

}  // namespace cathoscope
