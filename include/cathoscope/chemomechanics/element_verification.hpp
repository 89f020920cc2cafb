#pragma once
/// Verification problems of the finite elements: what was computed against what is known exactly.

#include <cathoscope/chemomechanics/verify.hpp>
#include <cathoscope/core/progress.hpp>

#include <string>
#include <vector>

namespace cathoscope::fem {

struct Verification {
  std::string id;       ///< V5, V6, ...
  std::string problem;  ///< in words, with the mesh
  double error = 0;     ///< measured
  double tolerance = 0;
  [[nodiscard]] bool holds() const { return error <= tolerance; }
};
using Verifications = std::vector<Verification>;

/// `fine` adds meshes that take minutes.
Verifications verify_mesh(bool fine);                     ///< V18, V19
Verifications verify_elasticity(bool fine, int threads);  ///< V5, V6, V15, V16, V17
Verifications verify_interface(bool fine, int threads);   ///< V7, V8, V20, V24 (interface)
Verifications verify_electrochemistry(bool fine);         ///< V1 to V3, V11 to V14, V17 (time), V24
/// V21 on the coupled model with elements of h = R times `h_over_R`: minutes.
Verifications verify_against_network(double h_over_R, const Context& context);
/// V22 and V23, the latter against a finer mesh too: minutes, at R/3 against R/4 a quarter of an hour and more.
Verifications verify_three_spheres(double h_over_R, double finer, const Context& context);

/// All of them, as `verify` prints them: error 0 expected.
std::vector<ChemomechanicsCheck> verify_finite_elements(bool fine, const Context& context);

}  // namespace cathoscope::fem
