#pragma once
/// `cathoscope verify regression`.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/verification.hpp>

#include <vector>

namespace cathoscope {

/// Shapley values by their definition on small trees; additivity on a grown forest and on a chain of 200 splits; tables
/// against traversal; planted causes in synthetic tables. With the reference forests of scikit-learn and shap (folder
/// `forest_reference` of $CATHOSCOPE_TEST_DATA) also theirs; a warning where they are absent. `full`: also the permutation
/// floor where nothing is planted, about a minute.
std::vector<Verification> verify_regression(bool full, const Context& context);

}  // namespace cathoscope
