#pragma once
/// One line of `cathoscope verify`: a problem with a known answer.

#include <cmath>
#include <string>

namespace cathoscope {

struct Verification {
  std::string body;      ///< what was measured
  std::string quantity;  ///< of it
  double expected = 0;
  double measured = 0;
  double tolerance = 0;  ///< relative, or absolute where expected is 0
  [[nodiscard]] bool passed() const {
    return std::abs(measured - expected) <= tolerance * (expected == 0 ? 1 : std::abs(expected));
  }
};

}  // namespace cathoscope
