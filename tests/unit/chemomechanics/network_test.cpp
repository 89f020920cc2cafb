#include "network_case.hpp"
#include "test_data.hpp"

#include <cathoscope/chemomechanics/verify.hpp>
#include <cathoscope/core/error.hpp>

#include <numeric>

using namespace cathoscope;
using test::charged;
using test::run;
using test::with_feedback;

TEST_CASE("every verification problem is within its tolerance") {
  Progress progress;
  for (const auto& check : verify_chemomechanics({progress, 1})) {
    INFO(check.body << ", " << check.quantity << ": " << check.measured << " for " << check.expected);
    CHECK(check.passed());
  }
}

TEST_CASE("on charge contents diverge at once, in the order of coverage (B1)") {
  const auto s = run({});
  const auto& first = charged(s, 1);
  CHECK(first.x_std_peak >= 0.015);
  CHECK(first.x_std >= 0.008);
  CHECK(first.x[0] < first.x[1]);
  CHECK(first.x[1] < first.x[2]);
}

TEST_CASE("contents come together again with the feedback and do not without (B2, B5)") {
  const auto with = run({}), without = run(with_feedback("none"));
  const double ratio = charged(with, 20).x_std / charged(with, 1).x_std;
  const double control = charged(without, 20).x_std / charged(without, 1).x_std;
  CHECK(ratio <= 0.30);
  CHECK(control >= 0.80);
  CHECK(ratio <= 0.4 * control);
  for (std::int64_t cycle = 3; cycle <= 20; ++cycle)
    CHECK(charged(with, cycle).x_std <= 1.01 * charged(with, cycle - 1).x_std);
}

TEST_CASE("damage comes late in the charge and in the order of coverage (B3)") {
  const auto s = run({});
  const auto& first = charged(s, 1);
  CHECK(first.damage_mean_70 <= 0.10 * first.damage_mean);
  CHECK(first.damage[0] > first.damage[1]);
  CHECK(first.damage[1] > first.damage[2]);
  CHECK(first.damage_std >= 0.05);
}

TEST_CASE("damage peaks early and converges; its variation tells the feedback from saturation (B4)") {
  const auto s = run({}), without = run(with_feedback("none"));
  double peak = 0;
  std::int64_t peak_cycle = 0;
  for (std::int64_t cycle = 1; cycle <= 20; ++cycle)
    if (charged(s, cycle).damage_std > peak) peak = charged(s, cycle).damage_std, peak_cycle = cycle;
  CHECK(peak_cycle <= 3);
  CHECK(charged(s, 20).damage_std <= 0.35 * peak);
  CHECK(charged(s, 20).damage_variation <= 0.5 * charged(s, 1).damage_variation);
  CHECK(charged(without, 20).damage_variation >= 0.8 * charged(without, 1).damage_variation);
  const auto deviation = [&](std::int64_t cycle, std::size_t k) {
    return charged(s, cycle).damage[k] - charged(s, cycle).damage_mean;
  };
  for (std::int64_t cycle = 1; cycle <= 20; ++cycle)
    CHECK(std::abs(deviation(cycle, 0) + deviation(cycle, 1) + deviation(cycle, 2)) < 1e-12);
  for (std::size_t k = 0; k < 3; ++k) CHECK(std::abs(deviation(20, k)) < std::abs(deviation(1, k)));
}

TEST_CASE("without the cyclic law damage freezes (B6)") {
  ChemomechanicsConfig c;
  c.cohesive.cyclic = false;
  const auto s = run(c);
  for (std::size_t k = 0; k < 3; ++k) CHECK(charged(s, 20).damage[k] == Approx(charged(s, 3).damage[k]).epsilon(0.02));
  CHECK(charged(s, 20).damage_std > 0.5 * charged(s, 1).damage_std);
}

TEST_CASE("the voltage at the end of charge rises with every cycle (B8)") {
  const auto s = run({});
  for (std::int64_t cycle = 2; cycle <= 20; ++cycle) CHECK(charged(s, cycle).voltage > charged(s, cycle - 1).voltage);
}

TEST_CASE("ten and thirty particles converge like three (B7)") {
  for (const int n : {10, 30}) {
    ChemomechanicsConfig c;
    c.geometry.particles = n;
    c.geometry.coverage.distribution = "uniform";
    const auto s = run(c);
    CHECK(charged(s, 20).x_std <= 0.30 * charged(s, 1).x_std);
    CHECK(charged(s, 20).damage_std <= 0.35 * charged(s, 1).damage_std);
    CHECK(charged(s, 20).damage_variation <= 0.5 * charged(s, 1).damage_variation);
  }
}

TEST_CASE("charge to a voltage: asynchronous at ten cycles, together at fifty") {
  ChemomechanicsConfig c;
  c.protocol.charge_C = 1;
  c.protocol.x_end = 0.05;
  c.protocol.V_max = 4.3;
  c.protocol.cycles = 50;
  const auto s = run(c);
  double peak = 0;
  for (std::int64_t cycle = 1; cycle <= 50; ++cycle) {
    CHECK(charged(s, cycle).voltage == Approx(4.3).margin(1e-9));
    peak = std::max(peak, charged(s, cycle).damage_std);
  }
  CHECK(charged(s, 10).damage_std >= 0.55 * peak);
  CHECK(charged(s, 50).damage_std <= 0.35 * peak);
  CHECK(charged(s, 50).x_std <= 0.30 * charged(s, 1).x_std);
}

TEST_CASE("a capacity limit is met exactly, whatever the steps") {
  for (const double dtau : {0.0123, 0.005, 0.07}) {
    ChemomechanicsConfig c;
    c.time.dtau_charge = c.time.dtau_discharge = dtau;
    c.protocol.cycles = 2;
    const auto s = run(c);
    CHECK(s.finished);
    for (const auto& h : s.summaries)
      CHECK(h.x_mean == Approx(h.half == HalfCycle::charge ? 0.30 : 0.95).margin(1e-12));
  }
}

TEST_CASE("every feedback law conserves lithium, and damages fall in line") {
  for (const char* feedback : {"reversion", "none", "scale_all", "multiply", "film"}) {
    auto c = with_feedback(feedback);
    c.protocol.cycles = 3;
    c.protocol.V_max = 20;
    c.protocol.V_min = 0;
    const auto s = run(c);
    for (const auto& h : s.summaries) CHECK(h.lithium_error < 1e-9);
    CHECK(charged(s, 3).damage_mean > charged(s, 1).damage_mean);
  }
}

TEST_CASE("ohmic mode: the drop in the poor binder alone makes contents diverge") {
  ChemomechanicsConfig c;
  c.kinetics.chi = 1;
  c.kinetics.feedback = "multiply";
  c.protocol.cycles = 2;
  CHECK(charged(run(c), 1).x_std < 1e-12);  // no path, no contrast
  c.geometry.ohmic_path_um = 10;
  c.materials.sigma_low_S_m = 1e-3;
  const auto s = run(c);
  CHECK(charged(s, 1).x_std_peak > 0.005);
  CHECK(charged(s, 1).x[0] < charged(s, 1).x[2]);
  CHECK(charged(s, 2).lithium_error < 1e-9);
}

TEST_CASE("a vanishing ohmic path changes nothing: two routes through one equation") {
  ChemomechanicsConfig plain, path;
  plain.protocol.cycles = path.protocol.cycles = 2;
  path.geometry.ohmic_path_um = 1e-9;
  const auto a = run(plain), b = run(path);
  for (std::size_t k = 0; k < 3; ++k) CHECK(charged(a, 2).x[k] == Approx(charged(b, 2).x[k]).epsilon(1e-9));
}

TEST_CASE("a modulus that follows lithium hardly matters beside a soft binder") {
  ChemomechanicsConfig c;
  c.protocol.cycles = 1;
  const double constant = charged(run(c), 1).damage_mean;
  c.materials.particle_modulus_slope = 0.5;
  const double soft = charged(run(c), 1).damage_mean;
  CHECK(soft < constant);
  CHECK(soft == Approx(constant).margin(0.02));
}

TEST_CASE("rest: no current in all, particles level out") {
  ChemomechanicsConfig c;
  c.protocol.cycles = 1;
  c.protocol.rest_s = 600;
  const auto s = run(c);
  REQUIRE(s.summaries.size() == 4);
  CHECK(s.summaries[1].half == HalfCycle::rest_charged);
  CHECK(s.summaries[1].time_s == Approx(s.summaries[0].time_s + 600));
  CHECK(s.summaries[1].x_std < s.summaries[0].x_std);
  CHECK(s.summaries[1].x_mean == Approx(0.30).margin(1e-12));
}

TEST_CASE("permuting the particles permutes the results") {
  ChemomechanicsConfig c, other;
  c.protocol.cycles = other.protocol.cycles = 3;
  other.geometry.coverage.values = {0.1, 0.9, 0.5};
  const auto a = run(c), b = run(other);
  CHECK(charged(a, 3).x[0] == Approx(charged(b, 3).x[1]).epsilon(1e-10));
  CHECK(charged(a, 3).damage[2] == Approx(charged(b, 3).damage[0]).epsilon(1e-9));
}

TEST_CASE("the same bits for any number of threads") {
  ChemomechanicsConfig c;
  c.geometry.particles = 2500;  // three blocks
  c.geometry.coverage.distribution = "uniform";
  c.protocol.cycles = 1;
  c.time = {0.1, 0.1, false, 1};
  c.radial_cells = 10;
  const auto one = run(c, 1), three = run(c, 3);
  CHECK(one.content == three.content);
  CHECK(one.damage == three.damage);
  CHECK(one.voltage == three.voltage);
}

TEST_CASE("a charge that empties the particles is reported with what to change") {
  ChemomechanicsConfig c;
  c.protocol.charge_C = 60;
  c.protocol.V_max = 1000;
  try {
    run(c);
    FAIL("it converged");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::not_converged);
    const std::string text = e.what();
    for (const char* part : {"cycle 1", "charge", "particle", "Voltage", "Residuals", "protocol.charge_C"})
      CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("hoop stress at the end of a step: tension at the surface on charge") {
  // A surface poorer in lithium than the centre has shrunk and is pulled: positive.
  CHECK(largest_hoop_stress({0, 0, 0, 0}, -0.01, 140e9, 0.3) > 0);
  CHECK(largest_hoop_stress({-0.01, -0.01}, -0.01, 140e9, 0.3) == Approx(0).margin(1));
}

TEST_CASE("the surface stress agrees with the closed form that other programs use") {
  // Omega E (c_mean - c_surface) / (3 (1 - nu)) with the worked example of the O'Kane (2022) parameters.
  const double e = 375e9, nu = 0.2, omega = 1.25e-5, difference = 1000;
  const std::vector<double> strain(10, 0.0);
  CHECK(largest_hoop_stress(strain, -omega * difference, e, nu) == Approx(1953124999.9999998).epsilon(1e-12));
}
