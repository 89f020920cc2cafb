#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/pipeline/verify_regression.hpp>

#include <fmt/format.h>

namespace cathoscope::app {

namespace {

/// Prints a line a check; returns the number of misses.
int print_checks(const std::vector<Verification>& checks) {
  fmt::print("{:<44} {:<16} {:>14} {:>14} {:>10} {:>10}\n", "body", "quantity", "expected", "measured", "error",
             "tolerance");
  int misses = 0;
  for (const auto& v : checks) {
    const double error = v.expected == 0 ? v.measured : (v.measured - v.expected) / v.expected;
    const bool passed = v.passed();
    misses += passed ? 0 : 1;
    fmt::print("{:<44} {:<16} {:>14.6g} {:>14.6g} {:>10.2e} {:>10.2e}{}\n", v.body, v.quantity, v.expected, v.measured,
               error, v.tolerance, passed ? "" : "  MISSED");
  }
  return misses;
}

}  // namespace

Exit verify(const VerifyCommand& c, Console& console) {
  const bool all = c.what == "all";
  if (!all && c.what != "attributes" && c.what != "regression")
    fail(Exit::usage, "verify {}: allowed are attributes, regression and all", c.what);
  Progress progress(console.listener(), &stop_flag());
  const Context context{progress, resolve_threads(0)};
  std::vector<Verification> checks;
  const auto add = [&](std::vector<Verification> more) { checks.insert(checks.end(), more.begin(), more.end()); };
  if (all || c.what == "attributes") add(verify_attributes(context));
  if (all || c.what == "regression") add(verify_regression(c.full, context));
  for (const auto& message : progress.warnings()) console.warn(message);
  const int misses = print_checks(checks);
  fmt::print("{} checks, {} missed\n", checks.size(), misses);
  return misses == 0 ? Exit::ok : Exit::not_converged;
}

}  // namespace cathoscope::app
