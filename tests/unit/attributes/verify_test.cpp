#include "attribute_bodies.hpp"
#include "test_data.hpp"

using namespace cathoscope;

// The tolerances and their reasons stand in verify.cpp; here they become a gate.
TEST_CASE("every analytic body is measured within its tolerance", "[slow]") {
  Progress progress;
  const auto results = verify_attributes(Context{progress, 2});
  CHECK(results.size() > 60);
  for (const Verification& r : results) {
    INFO(r.body << ": " << r.quantity << ": expected " << r.expected << ", measured " << r.measured);
    CHECK(r.passed());
  }
}

TEST_CASE("a verification beyond its tolerance, or NaN, does not pass") {
  CHECK_FALSE(Verification{"b", "q", 1.0, 1.02, 0.01}.passed());
  CHECK_FALSE(Verification{"b", "q", 0.0, 0.02, 0.01}.passed());
  CHECK_FALSE(Verification{"b", "q", 1.0, std::nan(""), 0.01}.passed());
  CHECK(Verification{"b", "q", 100.0, 100.9, 0.01}.passed());
}
