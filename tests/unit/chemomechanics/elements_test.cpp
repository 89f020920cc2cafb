#include <cathoscope/chemomechanics/elements.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include "test_data.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>

using namespace cathoscope;

namespace {

/// One sphere on a coarse mesh with long steps: seconds, not accuracy.
ChemomechanicsConfig small_case() {
  ChemomechanicsConfig c;
  c.geometry.particles = 1;
  c.geometry.coverage.values = {0.6};
  c.mesh.h_over_R = 0.5;
  c.protocol.cycles = 1;
  c.time.dtau_charge = 0.03;
  c.time.dtau_discharge = 0.1;
  return c;
}

Context quiet(Progress& progress, int threads = 1) { return {progress, threads}; }

}  // namespace

TEST_CASE("one cycle of one sphere: lithium and charge balance, exact ends, damage late and only growing", "[slow]") {
  const auto config = small_case();
  const ElementModel model = elements_of(config, 0);
  ElementState state = initial_state(model);
  Progress progress;
  double damage = 0, content = 0.95, early = -1;
  ElementObserver observer;
  observer.step = [&](const ElementState&, const StepFacts& step, const ParticleRows& rows) {
    CHECK(rows.damage[0] >= damage);
    damage = rows.damage[0];
    if (step.half == HalfCycle::charge) {
      CHECK(rows.content[0] < content);
      content = rows.content[0];
      if (content > 0.95 - 0.7 * 0.65) early = damage;
    }
  };
  run_elements(model, state, observer, quiet(progress));
  const auto& summaries = state.progress.summaries;
  REQUIRE(summaries.size() == 2);
  CHECK(summaries[0].x_mean == Approx(0.30).epsilon(1e-7));
  CHECK(summaries[1].x_mean == Approx(0.95).epsilon(1e-7));
  CHECK(summaries[0].lithium_error < 1e-7);  // the tolerance of the currents, 1e-8 of a step
  CHECK(summaries[0].damage_mean > 0.2);
  CHECK(early < 0.15 * summaries[0].damage_mean);  // 0.117 with these long steps
  CHECK(summaries[1].damage_mean == summaries[0].damage_mean);
}

TEST_CASE("a run that is interrupted and resumed writes the same bytes, as does one with two threads", "[slow]") {
  const auto model = elements_of(small_case(), 0);
  const test::ScratchDir whole, broken;
  Progress plain;
  run_elements_in(whole.path(), "key", model, quiet(plain, 2));
  // The solver begins afresh every 16 steps, which 20 calls reach.
  for (int stops = 0;; ++stops) {
    REQUIRE(stops < 30);
    std::atomic<bool> stop{false};
    int calls = 0;
    Progress progress({[&](const std::string&, double) { stop = ++calls > 20; }, {}}, &stop);
    try {
      run_elements_in(broken.path(), "key", model, quiet(progress));
      CHECK(stops > 0);
      break;
    } catch (const Error& e) {
      REQUIRE(e.exit() == Exit::interrupted);
    }
  }
  CHECK(read_text(whole / "history.bin") == read_text(broken / "history.bin"));
  CHECK(read_text(whole / "checkpoint.h5") == read_text(broken / "checkpoint.h5"));
  for (const auto& file : std::filesystem::directory_iterator(whole / "fields"))
    CHECK(read_text(file.path()) == read_text(broken.path() / "fields" / file.path().filename()));
}

TEST_CASE("a voltage limit ends the charge where it is met") {
  auto config = small_case();
  config.protocol.V_max = 4.1;
  const ElementModel model = elements_of(config, 0);
  ElementState state = initial_state(model);
  Progress progress;
  run_elements(model, state, {}, quiet(progress));
  CHECK(state.progress.summaries[0].voltage == Approx(4.1).margin(1e-7));
  CHECK(state.progress.summaries[0].x_mean > 0.35);
}

TEST_CASE("a mesh without an interface is refused") {
  fem::SphereMeshSpec box;
  box.high = {1e-5, 1e-5, 1e-5};
  box.h = 5e-6;
  CHECK_THROWS_WITH(elements_on(fem::sphere_mesh(box), small_case()), Catch::Contains("no interface"));
}
