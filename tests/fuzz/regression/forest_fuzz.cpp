#include <cathoscope/core/error.hpp>
#include <cathoscope/regression/shap.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

using namespace cathoscope;

namespace {

/// Numbers that do not overflow when they are added and multiplied a few times.
bool moderate(const Forest& forest) {
  const auto small = [](double v) { return std::abs(v) < 1e60; };
  return std::all_of(forest.trees.begin(), forest.trees.end(), [&](const Tree& t) {
    return std::all_of(t.value.begin(), t.value.end(), small) && std::all_of(t.cover.begin(), t.cover.end(), small);
  });
}

void explain_two_rows(const Forest& forest) {
  const std::size_t features = forest.feature_names.size();
  FeatureRows rows{2, features, std::vector<float>(2 * features)};
  for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] = static_cast<float>(i) - 1.5F;
  const Explainer explainer(forest, {}, 1);
  const Explanation e = explain(explainer, rows, 1);
  for (std::size_t r = 0; r < 2; ++r) {
    double sum = e.expected_value, size = std::abs(sum);
    for (std::size_t f = 0; f < features; ++f) {
      sum += e.phi[r * features + f];
      size += std::abs(e.phi[r * features + f]);
    }
    if (moderate(forest) && !(std::abs(sum - e.prediction[r]) <= 1e-7 * std::max(1.0, size))) std::abort();
  }
}

}  // namespace

/// Any text as a forest: refused, or a forest that predicts, is explained additively and reads back as it was written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const Forest forest = forest_from_json({reinterpret_cast<const char*>(data), size});
    const std::string text = forest_json(forest);
    if (forest_json(forest_from_json(text)) != text) std::abort();
    if (forest.feature_names.size() < 16 && forest.trees.size() < 32) explain_two_rows(forest);
  } catch (const Error& e) {
    if (e.exit() == Exit::internal) std::abort();
  }
  return 0;
}
