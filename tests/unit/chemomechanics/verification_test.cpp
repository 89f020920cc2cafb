#include <cathoscope/chemomechanics/element_verification.hpp>

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>

using namespace cathoscope::fem;

namespace {

/// Every row with what was measured; VERBOSE in the environment prints them.
void check(const Verifications& rows) {
  REQUIRE_FALSE(rows.empty());
  for (const auto& r : rows) {
    if (std::getenv("VERBOSE") != nullptr)
      std::printf("%-4s %-70s %10.3g  <= %8.3g %s\n", r.id.c_str(), r.problem.c_str(), r.error, r.tolerance,
                  r.holds() ? "" : "MISSED");
    INFO(r.id << " " << r.problem << ": " << r.error << ", allowed " << r.tolerance);
    CHECK(r.holds());
  }
}

}  // namespace

TEST_CASE("meshes hold V18 and V19") { check(verify_mesh(false)); }
TEST_CASE("elasticity holds V5, V6, V15, V16 and V17") { check(verify_elasticity(false, 1)); }
TEST_CASE("the interface holds V7, V8, V20 and V24", "[slow]") { check(verify_interface(false, 1)); }
TEST_CASE("electrochemistry holds V1 to V3, V11 to V14, V17 and V24", "[slow]") {
  check(verify_electrochemistry(false));
}

// Minutes to an hour: hidden, run by scripts/test-long.sh. `cathoscope verify chemomechanics --full` has them all.
TEST_CASE("fine meshes hold V18 and V19", "[.][long]") { check(verify_mesh(true)); }
TEST_CASE("elasticity holds its rows on fine meshes", "[.][long]") { check(verify_elasticity(true, 1)); }
TEST_CASE("the interface holds its rows on fine meshes", "[.][long]") { check(verify_interface(true, 1)); }
TEST_CASE("electrochemistry holds its rows on fine meshes", "[.][long]") { check(verify_electrochemistry(true)); }
TEST_CASE("one particle follows the network: V21", "[.][long]") {
  cathoscope::Progress progress;
  const double h = GENERATE(0.5, 1.0 / 3);
  check(verify_against_network(h, {progress, 1}));
}
TEST_CASE("three spheres hold V22 and V23", "[.][long]") {
  cathoscope::Progress progress;
  check(verify_three_spheres(0.5, 0.4, {progress, 1}));
}
TEST_CASE("three spheres hold V22 and V23 on fine meshes", "[.][long]") {
  cathoscope::Progress progress;
  check(verify_three_spheres(1.0 / 3, 0.25, {progress, 1}));
}
