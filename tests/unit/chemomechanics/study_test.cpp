#include "network_case.hpp"
#include "test_data.hpp"

#include <cathoscope/chemomechanics/study.hpp>
#include <cathoscope/io/files.hpp>

#include <map>
#include <set>

using namespace cathoscope;

TEST_CASE("a discharge ends where a surface is full, and lithium is conserved") {
  auto c = test::with_feedback("film");
  c.kinetics.film_ohm_m2 = 0.005;
  const auto s = test::run(c);
  CHECK(s.finished);
  bool early = false;
  for (const auto& h : s.summaries) {
    CHECK(h.lithium_error < 1e-9);
    early = early || (h.half == HalfCycle::discharge && h.x_mean < 0.9499);
  }
  CHECK(early);
}

TEST_CASE("Morris' steps change one parameter each and stay in its range") {
  const auto design = morris_design({}, 4, 7);
  const auto& parameters = estimated_parameters();
  REQUIRE(design.runs.size() == 4 * (parameters.size() + 1));
  for (std::size_t r = 0; r < design.runs.size(); ++r) {
    auto run = design.runs[r].config;
    std::set<std::size_t> changed;
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const double value = parameters[p].member(run);
      CHECK(value >= parameters[p].low * (1 - 1e-12));
      CHECK(value <= parameters[p].high * (1 + 1e-12));
      if (r == 0) continue;
      auto before = design.runs[r - 1].config;
      if (value != parameters[p].member(before)) changed.insert(p);
    }
    if (design.changed[r] < parameters.size()) CHECK(changed == std::set<std::size_t>{design.changed[r]});
  }
}

TEST_CASE("Morris' effects of a linear function are its coefficients") {
  const auto design = morris_design({}, 6, 7);
  std::vector<StudyOutcome> outcomes;
  for (auto run : design.runs) {
    StudyOutcome o;
    o.x_ratio = 3 * run.config.cohesive.C_f - 20 * run.config.protocol.x_end;
    outcomes.push_back(o);
  }
  const Table t = morris_table(design, outcomes, 7);
  for (std::size_t row = 0; row < t.rows(); ++row) {
    if (t.find("output")->texts[row] != "x_ratio") continue;
    const std::string& name = t.find("parameter")->texts[row];
    const double expected = name == "cohesive.C_f" ? 3 * 0.7 : name == "protocol.x_end" ? -20 * 0.1 : 0;
    CHECK(t.numbers("mean")[row] == Approx(expected).margin(1e-9));
    CHECK(t.numbers("mean_magnitude")[row] == Approx(std::abs(expected)).margin(1e-9));
    CHECK(t.numbers("std")[row] == Approx(0).margin(1e-9));
    CHECK(t.numbers("effects")[row] == 6);
  }
}

TEST_CASE("outcomes survive their file, failures included") {
  StudyOutcome good, bad;
  good.x_ratio = 0.1 + 0.2;
  bad.x_ratio = std::nan("");
  bad.failure = "no step succeeds, \"really\"";
  const test::ScratchDir folder;
  for (const auto& o : {good, bad}) {
    write_atomically(folder / "o.csv", csv_text(outcome_table({{"run", {}}}, {o})));
    const auto read = outcome_from(read_csv(folder / "o.csv"));
    CHECK(read.failure == o.failure);
    CHECK((read.x_ratio == o.x_ratio || std::isnan(o.x_ratio)));
  }
}

TEST_CASE("strong convergence of contents comes from the reversion law") {
  Progress progress;
  std::map<std::string, double> ratio;
  for (const auto& run : law_comparison({})) {
    const auto o = outcome_of(run.config, 7, {progress, 1});
    CHECK(o.failure.empty());
    ratio[run.name] = o.x_ratio;
  }
  CHECK(ratio.size() == 10);
  for (const char* other : {"contact none", "contact scale_all", "contact multiply", "ohmic none"})
    CHECK(ratio["contact reversion"] < 0.1 * ratio[other]);
  CHECK(ratio["ohmic reversion"] == Approx(ratio["ohmic none"]));  // chi = 1: no advantage to lose
}
