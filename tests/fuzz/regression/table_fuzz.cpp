#include "../io/fuzz_input.hpp"

#include <cathoscope/core/progress.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/regression.hpp>

#include <cstdlib>

using namespace cathoscope;

namespace {

/// Splits X at 0.5 and Y at 2.
constexpr char forest_text[] = R"({"n_features": 2, "feature_names": ["X", "Y"], "trees": [{
  "children_left": [1, -1, 3, -1, -1], "children_right": [2, -1, 4, -1, -1], "feature": [0, -2, 1, -2, -2],
  "threshold": [0.5, -2, 2, -2, -2], "value": [2, 1, 3, 2, 4], "weighted_n_node_samples": [4, 2, 2, 1, 1]}]})";

}  // namespace

/// Any bytes as the table of `explain` and of `fit`: refused with line and column, or a row of values for each of its rows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto forest =
      fuzz::write("forest.json", reinterpret_cast<const std::uint8_t*>(forest_text), sizeof forest_text - 1);
  const auto table = fuzz::write("t.csv", data, size);
  Progress progress;
  try {
    ExplainFiles files{forest, table, fuzz::folder() / "shap.csv", {}, {}};
    const ExplainReport report = explain_csv(files, Context{progress, 1, std::uint64_t{1} << 28});
    if (read_csv(files.output).rows() != report.rows) std::abort();
  } catch (const Error& e) {
    if (e.exit() == Exit::internal) std::abort();
  }
  try {
    (void)model_table(read_csv(table), "Damage", {});
  } catch (const Error& e) {
    if (e.exit() == Exit::internal) std::abort();
  }
  return 0;
}
