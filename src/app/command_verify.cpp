#include "commands.hpp"
#include "stop.hpp"

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/chemomechanics/element_verification.hpp>
#include <cathoscope/chemomechanics/verify.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/pipeline/verify_regression.hpp>

#include <fmt/format.h>

namespace cathoscope::app {

namespace {

double error_of(const Verification& v) { return v.expected == 0 ? v.measured : (v.measured - v.expected) / v.expected; }
double error_of(const ChemomechanicsCheck& v) { return v.error(); }

/// Prints a line a check; returns the number of misses.
template <class Check>
int print_checks(const std::vector<Check>& checks) {
  fmt::print("{:<44} {:<32} {:>14} {:>14} {:>10} {:>10}\n", "body", "quantity", "expected", "measured", "error",
             "tolerance");
  int misses = 0;
  for (const auto& v : checks) {
    const double error = error_of(v);
    const bool passed = v.passed();
    misses += passed ? 0 : 1;
    fmt::print("{:<44} {:<32} {:>14.6g} {:>14.6g} {:>10.2e} {:>10.2e}{}\n", v.body, v.quantity, v.expected, v.measured,
               error, v.tolerance, passed ? "" : "  MISSED");
  }
  return misses;
}

}  // namespace

Exit verify(const VerifyCommand& c, Console& console) {
  const bool all = c.what == "all";
  if (!all && c.what != "attributes" && c.what != "regression" && c.what != "chemomechanics")
    fail(Exit::usage, "verify {}: allowed are attributes, chemomechanics, regression and all", c.what);
  Progress progress(console.listener(), &stop_flag());
  const Context context{progress, resolve_threads(0)};
  std::size_t count = 0;
  int misses = 0;
  const auto report = [&](const auto& checks) {
    misses += print_checks(checks);
    count += checks.size();
  };
  if (all || c.what == "attributes") report(verify_attributes(context));
  if (all || c.what == "chemomechanics") {
    auto checks = verify_chemomechanics(context);
    const auto elements = fem::verify_finite_elements(c.full, context);
    checks.insert(checks.end(), elements.begin(), elements.end());
    report(checks);
  }
  if (all || c.what == "regression") report(verify_regression(c.full, context));
  for (const auto& message : progress.warnings()) console.warn(message);
  fmt::print("{} checks, {} missed\n", count, misses);
  return misses == 0 ? Exit::ok : Exit::not_converged;
}

}  // namespace cathoscope::app
