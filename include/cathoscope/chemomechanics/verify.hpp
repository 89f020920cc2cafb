#pragma once
/// Problems with known answers, solved with the code that runs use.

#include <cathoscope/core/progress.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace cathoscope {

/// One quantity of one problem.
struct ChemomechanicsCheck {
  std::string body;  ///< the problem
  std::string quantity;
  double expected = 0;
  double measured = 0;
  double tolerance = 0;
  bool absolute = false;  ///< the tolerance is a difference, not a share of `expected`

  [[nodiscard]] double error() const {
    return absolute || expected == 0 ? measured - expected : (measured - expected) / expected;
  }
  [[nodiscard]] bool passed() const { return std::abs(error()) <= tolerance; }  // false for NaN
};

/// Every problem of docs/chemomechanics.md that needs no mesh, in the order of that page.
std::vector<ChemomechanicsCheck> verify_chemomechanics(const Context& context);

}  // namespace cathoscope
