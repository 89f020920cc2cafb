#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/regression.hpp>

#include <fmt/format.h>

namespace cathoscope::app {

namespace {

/// What `--set` reaches in `fit`: the block `regression` of a study.
struct FitSettings {
  RegressionConfig regression;
};

template <class V>
void fields(V& v, FitSettings& c) {
  v("regression", c.regression, "the forest");
}

}  // namespace

Exit fit(const FitCommand& c, Console& console) {
  end_at_signals();
  auto settings = read_config_text<FitSettings>("regression: {}\n", "fit", ".", c.set).value;
  if (!c.target.empty()) settings.regression.target = c.target;
  const FitResult result =
      fit_forest(read_csv(c.table), settings.regression, c.seed, resolve_threads(c.threads.value_or(0)));
  for (const auto& note : result.model.notes()) console.info(note);
  write_atomically(c.output, forest_json(result.forest));
  console.info(fmt::format("{} rows, {} columns; out-of-bag R2 {}; R2 on held-out rows {}", result.model.y.size(),
                           result.model.features.size(), text_of(result.oob_r2), text_of(result.test_r2)));
  return Exit::ok;
}

Exit explain(const ExplainCommand& c, Console& console) {
  ExplainFiles files{c.forest, c.table, c.output, std::nullopt, std::nullopt};
  if (!c.interactions.empty()) files.interactions = c.interactions;
  if (!c.background.empty()) files.background = c.background;
  Progress progress(console.listener(), &stop_flag());
  const auto report = explain_csv(files, {progress, resolve_threads(c.threads.value_or(0))});
  console.info(fmt::format("{} rows explained, expected value {}", report.rows, text_of(report.expected_value)));
  if (report.rows_filled > 0)
    console.info(fmt::format("{} rows had gaps; they were filled as for the fit", report.rows_filled));
  if (report.rows_with_gaps > 0)
    console.warn(fmt::format("{} rows lack a value that the forest needs, the first in line {}; their fields are empty",
                             report.rows_with_gaps, report.first_gap_line));
  return Exit::ok;
}

}  // namespace cathoscope::app
